"""What accounts and bookings are called, and a statement as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from timebank import clock
from timebank.books.statements import Balances, Movement, Query
from timebank.imports.values import formula_safe_anywhere
from timebank.ledger.models import AccountKind, TransactionKind

PIECE = 32_000  # characters of a file that are written at once
ACCOUNTS = {
    AccountKind.GRANTED: _l("Pledged hours"),
    AccountKind.AVAILABLE: _l("Free hours"),
    AccountKind.RESERVED: _l("Agreed hours"),
    AccountKind.RECEIVED: _l("Confirmed hours"),
    AccountKind.LAPSED: _l("Lapsed hours"),
    AccountKind.TRAVEL: _l("Travel"),
    AccountKind.PREPARATION: _l("Preparation"),
    AccountKind.MANAGEMENT: _l("Co-ordination"),
}
KINDS = {
    TransactionKind.GRANT: _l("Pledge approved"),
    TransactionKind.LAPSE: _l("Lapsed"),
    TransactionKind.RESERVE: _l("Agreed with an initiative"),
    TransactionKind.RELEASE: _l("Given back"),
    TransactionKind.CONFIRM: _l("Hours confirmed"),
    TransactionKind.SUPPORT: _l("Time around it confirmed"),
    TransactionKind.REVERSAL: _l("Reversal"),
}


class StatementFile:
    """A statement as a spreadsheet opens it: semicolons, decimal commas, a byte order mark; the balances stand in its
    first and last line. The words are those of the language in which it is made; writing it needs no request."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._heads = [
            _("Booking"),
            _("Booked on"),
            _("Day"),
            _("Kind"),
            _("Initiative"),
            _("Minutes"),
            _("Hours"),
        ]
        self._opening, self._closing = _("Opening balance"), _("Closing balance")
        self._kinds = {kind: str(word) for kind, word in KINDS.items()}

    def pieces(self, balances: Balances, movements: Iterable[Movement]) -> Iterator[bytes]:
        """The file, piece by piece, so that memory does not grow with it."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(self._heads)
        writer.writerow(self._balance(self._query.from_date, self._opening, balances.opening))
        yield b"\xef\xbb\xbf"
        for each in movements:
            writer.writerow(self._row(each))
            if out.tell() > PIECE:
                yield out.getvalue().encode()
                out.seek(0)
                out.truncate()
        writer.writerow(self._balance(self._query.until_date, self._closing, balances.closing))
        yield out.getvalue().encode()

    def _balance(self, day: date, name: str, minutes: int) -> list[object]:
        return ["", day.isoformat(), "", name, "", *_both(minutes)]

    def _row(self, each: Movement) -> list[object]:
        return [
            each.number,
            clock.local_date(each.booked_at).isoformat(),
            each.day.isoformat(),
            self._kinds[each.kind],
            formula_safe_anywhere(each.initiative_name or ""),
            *_both(each.minutes),
        ]


def _both(minutes: int) -> tuple[int, str]:
    return minutes, f"{minutes / 60:.2f}".replace(".", ",")
