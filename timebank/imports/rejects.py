"""The refused rows, given back as a file that can be mended and sent again."""

from __future__ import annotations

import csv
import io

from timebank.imports import messages
from timebank.imports.judge import Judgement
from timebank.imports.values import formula_safe

ADDED = ("refused_row", "refused_column", "reason", "explanation")


def rejects_csv(judgement: Judgement) -> bytes:
    """The header and each refused row as sent, then its number, faulty column, reason code and the reason in words.

    In UTF-8 with BOM and with the separator of the file it came from, so that the same spreadsheet opens it. Cells
    that a spreadsheet would run as a formula get a mark that the import takes away again.
    """
    # A file of refused rows that is refused once more does not grow columns.
    kept = [i for i, heading in enumerate(judgement.header) if heading not in ADDED]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=judgement.separator)
    writer.writerow([formula_safe(judgement.header[i]) for i in kept] + list(ADDED))
    for judged in judgement.rows:
        if judged.note is None:
            continue
        cells = judged.row.cells
        writer.writerow(
            [formula_safe(cells[i]) if i < len(cells) else "" for i in kept]
            + [
                str(judged.row.number),
                judged.note.column,
                judged.note.reason,
                messages.reason(judged.note.reason),
            ]
        )
    return out.getvalue().encode("utf-8-sig")
