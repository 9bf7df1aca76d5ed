"""From the bytes of a file to a table of text: encoding, separator, first sheet of a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from timebank.imports.errors import FileRefused

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
SEPARATORS = (";", ",", "\t")

Cells = tuple[str, ...]
Recognise = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Row:
    """One filled row; `number` counts as the file does (the header is row 1, blank rows count)."""

    number: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the filled rows below it; `separator` is what a copy of this file should use."""

    header: Cells
    rows: list[Row]
    separator: str


def decode(data: bytes, recognise: Recognise | None = None) -> Table:
    """Read a CSV file or a workbook.

    `recognise` tells how many of some headings it knows: it settles which separator is meant when counting cells does
    not. Raises FileRefused.
    """
    if len(data) > MAX_BYTES:
        raise FileRefused("too_large", megabytes=MAX_BYTES // (1024 * 1024))
    if not data.strip():
        raise FileRefused("empty")
    if data.startswith(b"PK\x03\x04"):
        from timebank.imports.workbook import rows_of_first_sheet

        return _table(rows_of_first_sheet(data), ";")
    text = _text(data)
    text, separator = _declared_separator(text)
    separator = separator or _separator(text, recognise)
    return _table(_records(text, separator), separator)


def _text(data: bytes) -> str:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        # A locked workbook lies encrypted inside the container that the old format used.
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise FileRefused("locked_workbook" if locked else "old_workbook")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("utf16")
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")):
        raise FileRefused("no_table")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused("no_text")


def _declared_separator(text: str) -> tuple[str, str | None]:
    """Excel's own first line `sep=;`, which Excel does not count as a row."""
    match = re.match(r"sep=([;,\t])\r?\n", text, re.IGNORECASE)
    return (text[match.end() :], match.group(1)) if match else (text, None)


def _separator(text: str, recognise: Recognise | None) -> str:
    def score(separator: str) -> tuple[int, int, int]:
        records = [r for r in islice(_reader(_lines(text), separator), 50) if any(c.strip() for c in r)]
        if not records:
            # Nothing but this separator so far: read as another one, it would look like text.
            return (len(text), 0, 0)
        header = records[0]
        known = recognise(header) if recognise else 0
        alike = sum(len(r) == len(header) for r in records) if len(header) > 1 else 0
        return (known, alike, len(header))

    return max(SEPARATORS, key=score)


def _lines(text: str) -> Iterable[str]:
    return io.StringIO(text, newline="")


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    # A long cell is for the column to judge (`length`), not for the csv module to fail on.
    csv.field_size_limit(MAX_BYTES)
    return iter(csv.reader(lines, delimiter=separator))


_END = "\x00end\x00"


def _records(text: str, separator: str) -> Iterator[Sequence[str]]:
    # A quotation mark that never closes would swallow every row after it without a word. A last line of our own shows
    # it: the reader gives it back as a record of its own, or not.
    started, width = 1, 0
    taken: list[str] = []  # the lines of which the next record is made

    def lines() -> Iterator[str]:
        for line in _lines(text + ("" if text.endswith(("\n", "\r")) else "\n") + _END + "\n"):
            taken.append(line)
            yield line

    for record in _reader(lines(), separator):
        if record == [_END]:
            return
        if record and _END in record[-1]:
            raise FileRefused("open_quote", row=started)
        if len(taken) > 1 and _swallows(taken, record, separator, width):
            raise FileRefused("stray_quote", row=started, lines=len(taken) - 1)
        yield record
        taken.clear()
        width = width or len(record)
        started += 1


def _swallows(lines: list[str], record: Sequence[str], separator: str, width: int) -> bool:
    """Whether a quotation mark that should not be there made one record of several rows.

    Then the mark that ends the cell stands within a cell of a later row, or each line of that cell holds exactly the
    separators of its row. Prose of several lines does neither, however many commas it has.
    """
    try:
        for _each in csv.reader(lines, delimiter=separator, strict=True):
            pass
    except csv.Error:
        return True
    return width >= _NARROWEST and any(
        _holds_rows(cell, place, len(record) - 1 - place, separator, width - 1)
        for place, cell in enumerate(record)
    )


def _holds_rows(cell: str, before: int, after: int, separator: str, full: int) -> bool:
    """Whether a cell with so many others before and after it begins within one row and ends within another, where a
    row has `full` separators."""
    counts = [line.count(separator) for line in _lines(cell)]
    return len(counts) > 1 and counts == [full - before, *[full] * (len(counts) - 2), full - after]


# Every kind of file has rows of at least so many cells; in a narrower one, prose could look like them.
_NARROWEST = 4


def _table(records: Iterable[Sequence[str]], separator: str) -> Table:
    header: Cells | None = None
    rows: list[Row] = []
    for number, record in enumerate(records, 1):
        if not any(cell.strip() for cell in record):
            continue
        if header is None:
            header = _header(record)
            continue
        if len(rows) == MAX_ROWS:
            raise FileRefused("too_many_rows", rows=MAX_ROWS)
        rows.append(Row(number, tuple(record[: len(header)])))
    if header is None:
        raise FileRefused("empty")
    return Table(header, rows, separator)


def _header(record: Sequence[str]) -> Cells:
    cells = [cell.strip() for cell in record]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        raise FileRefused("too_many_columns", columns=MAX_COLUMNS)
    if any(ord(c) < 32 and c not in "\t\r\n" for cell in cells for c in cell):
        raise FileRefused("no_table")
    return tuple(cells)
