"""Evidence: one row for each confirmed activity, from the payload that the ledger's chain covers.

Rows would undo the rule of small groups, so only an auditor of the company is given them.
"""

from __future__ import annotations

import csv
import io
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from operator import attrgetter, itemgetter
from typing import IO, Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from timebank.auth.models import Role, RoleGrant, User
from timebank.imports.values import formula_safe_anywhere
from timebank.ledger.models import (
    AccountKind,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.reports.queries import Scope
from timebank.reports.rows import RateRow

# Those of a payload, then what the chain adds, then what stands beside the ledger.
FACTS = (
    "activity_date",
    "booked_at",
    "site",
    "employee",
    "department",
    "category",
    "minutes",
    "paid_time",
    "skill",
    "initiative",
    "initiative_name",
    "initiative_number",
    "nuts2",
    "nis",
    "phase",
    "work_form",
    "cause",
    "sdg",
    "confirmed_by",
    "reversal_of",
    "restates",
    "reason",
)
CHAIN = ("previous_hash", "hash")
BESIDE = ("company_number", "approved_by", "rate", "rate_basis", "rate_valid_from", "value")
COLUMNS = ("entry", *FACTS, *CHAIN, *BESIDE)

FETCH = 2000
SHEET_ROWS = 1_048_575  # of a workbook, below its heading
PIECE = 500
DATES = frozenset({"activity_date", "restates", "rate_valid_from"})
NUMBERS = frozenset({"entry", "minutes", "reversal_of", "rate", "value"})
FREE = tuple(COLUMNS.index(name) for name in ("site", "department", "initiative_name", "work_form"))


class Booking(NamedTuple):
    """A transaction as the chain has it."""

    number: int
    measure: str
    payload: str
    salt: bytes
    payload_hash: bytes
    previous_hash: bytes
    hash: bytes


@dataclass
class Beside:
    """What a row says that no payload holds: the company's number, who approved each tranche, what an hour costs."""

    company_number: str = ""
    approvers: Mapping[str, str] = field(default_factory=dict)
    rates: Sequence[RateRow] = ()

    def of(self, payload: Mapping[str, Any]) -> list[Any]:
        """The last columns of the row with this payload, in the order of `BESIDE`."""
        # What restates a closed period counts on the day of its booking, at the rate of the day of the activity.
        day = payload["facts"].get("restates") or payload["activity_date"]
        rate = self._rate(day) if self.rates else None
        if rate is None:
            return [self.company_number, self._approved_by(payload["lines"]), None, None, None, None]
        # Not rounded to cents, so that the values add up to the report's.
        value = round(payload["minutes"] * rate.cents / 6000, 6)
        price = [rate.cents / 100, rate.basis, rate.valid_from.isoformat(), value]
        return [self.company_number, self._approved_by(payload["lines"]), *price]

    def _approved_by(self, lines: Sequence[Mapping[str, Any]]) -> str:
        """The roles in which the pledges were approved that the lines take from."""
        if len(lines) == 2:  # both of one tranche, as nearly always
            return self.approvers.get(_tranche(lines[0]["account"]), "")
        approved = {self.approvers.get(_tranche(line["account"]), "") for line in lines}
        return ", ".join(sorted(approved - {""}))

    def _rate(self, day: str) -> RateRow | None:
        place = bisect_right(self.rates, date.fromisoformat(day), key=attrgetter("valid_from"))
        return self.rates[place - 1] if place else None


def _tranche(account: str) -> str:
    """The tranche at the end of an account's name, or what is none."""
    return account[-36:]


# --- rows -----------------------------------------------------------------------------------------------------------


def bookings(session: Session, scope: Scope, last_number: int, *, confirmed_only: bool) -> Iterator[Booking]:
    """The transactions whose activity lies in the period, up to a number, in the order of the chain; streamed."""
    # Of the tables, not of their classes: a million rows are read so, and half of the time would go into the classes.
    t, f = LedgerTransaction.__table__, LedgerFact.__table__
    statement = (
        select(t.c.number, f.c.measure, t.c.payload, t.c.salt, t.c.payload_hash, t.c.previous_hash, t.c.hash)
        .join_from(t, f, f.c.transaction_id == t.c.id)
        .where(scope.where(), t.c.number <= last_number)
        .order_by(t.c.number)
        .execution_options(yield_per=FETCH)
    )
    if confirmed_only:
        statement = statement.where(f.c.measure == "confirmed")
    return map(Booking._make, session.connection().execute(statement))


def row_of(booking: Booking, payload: Mapping[str, Any], beside: Beside) -> list[Any]:
    """The evidence row of a confirmed activity, in the order of `COLUMNS`."""
    return [*proven_cells(booking, payload), *beside.of(payload)]


_WHEN = itemgetter("activity_date", "booked_at")
_BEFORE_PAID = itemgetter("site", "employee", "department", "category")
_AFTER_PAID = itemgetter(
    "skill",
    "initiative",
    "initiative_name",
    "initiative_number",
    "nuts2",
    "nis",
    "phase",
    "work_form",
    "cause",
    "sdg",
)


def proven_cells(booking: Booking, payload: Mapping[str, Any]) -> list[Any]:
    """What of an evidence row follows from the chain alone."""
    facts = payload["facts"]
    return [
        booking.number,
        *_WHEN(payload),
        *_BEFORE_PAID(facts),
        payload["minutes"],
        "yes" if facts["paid_time"] else "no",
        *_AFTER_PAID(facts),
        confirmed_by(payload),
        payload["reverses"],
        facts.get("restates"),
        facts["reason"],
        booking.previous_hash.hex(),
        booking.hash.hex(),
    ]


def confirmed_by(payload: Mapping[str, Any]) -> str:
    """In which role the activity was confirmed (or, for a reversal, taken back): by the initiative, by the coach who
    corrects, or by a rule of the system itself."""
    if not payload["actor"].startswith("user:"):
        return str(payload["actor"])
    return Role.EMPLOYEE if payload["kind"] == TransactionKind.REVERSAL else Role.COORDINATOR


def evidence_rows(session: Session, scope: Scope, last_number: int, beside: Beside) -> Iterator[list[Any]]:
    """All evidence rows of a period."""
    read = json.JSONDecoder().raw_decode  # a canonical payload has no space around it to look for
    for booking in bookings(session, scope, last_number, confirmed_only=True):
        yield row_of(booking, read(booking.payload)[0], beside)


def approvers(session: Session, organisation_id: int) -> dict[str, str]:
    """In which role each tranche was approved, by its id."""
    roles = _roles(session, organisation_id)
    statement = (
        select(LedgerAccount.tranche, LedgerTransaction.payload, LedgerTransaction.booked_at)
        .join(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
        .join(LedgerBook, LedgerBook.id == LedgerTransaction.book_id)
        .where(
            LedgerBook.organisation_id == organisation_id,
            LedgerAccount.kind == AccountKind.GRANTED,
            LedgerTransaction.kind == TransactionKind.GRANT,
        )
        .order_by(LedgerTransaction.number)
        .execution_options(yield_per=FETCH)
    )
    found: dict[str, str] = {}
    for tranche, payload, booked_at in session.execute(statement):
        found.setdefault(str(tranche), _role_of(json.loads(payload)["actor"], booked_at, roles))
    return found


Roles = Mapping[str, Sequence[tuple[Role, datetime, datetime | None]]]
APPROVERS = (Role.HR, Role.MANAGER, Role.OPERATOR)


def _roles(session: Session, organisation_id: int) -> Roles:
    found: dict[str, list[tuple[Role, datetime, datetime | None]]] = {}
    rows = session.execute(
        select(User.public_id, RoleGrant.role, RoleGrant.granted_at, RoleGrant.ended_at)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.role.in_(APPROVERS),
            or_(RoleGrant.organisation_id == organisation_id, RoleGrant.organisation_id.is_(None)),
        )
    )
    for user, role, granted_at, ended_at in rows:
        found.setdefault(f"user:{user}", []).append((role, granted_at, ended_at))
    return found


def _role_of(actor: str, at: datetime, roles: Roles) -> str:
    if not actor.startswith("user:"):
        return actor
    held = {
        role for role, since, until in roles.get(actor, ()) if since <= at and (until is None or at <= until)
    }
    return next((role for role in APPROVERS if role in held), "")


# --- files ----------------------------------------------------------------------------------------------------------


def csv_lines(
    rows: Iterable[Sequence[Any]], columns: Sequence[str], free: Sequence[int] = ()
) -> Iterator[bytes]:
    """The rows as CSV by RFC 4180, in pieces. `free` are the columns with words that people wrote: no spreadsheet
    takes one of them for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for piece in _pieces(rows):
        if free:
            piece = [_without_formulas(row, free) for row in piece]
        writer.writerows(piece)
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def evidence_csv(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Evidence rows as CSV."""
    return csv_lines(rows, COLUMNS, FREE)


def _pieces(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    source = iter(rows)
    while piece := list(islice(source, PIECE)):
        yield piece


def _without_formulas(row: Sequence[Any], free: Sequence[int]) -> Sequence[Any]:
    """The row itself, unless a cell of it could run."""
    changed = {index: safe for index in free if (cell := row[index]) and (safe := _safe(cell)) != cell}
    return [changed.get(index, cell) for index, cell in enumerate(row)] if changed else row


@lru_cache(maxsize=4096)
def _safe(text: str) -> str:
    return formula_safe_anywhere(text)


def proof_lines(found: Iterable[Booking]) -> Iterator[bytes]:
    """Salt and payload of each booking, a line of JSON each: with them anybody recomputes its hash."""
    for booking in found:
        line = {"number": booking.number, "payload": booking.payload, "salt": booking.salt.hex()}
        yield (json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n").encode()


def write_workbook(out: IO[bytes] | str, rows: Iterable[Sequence[Any]], title: str) -> None:
    """The rows as a workbook, a further sheet where one is full; memory does not grow with them."""
    import xlsxwriter  # slow to load, and seldom asked

    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    # Otherwise the moment of writing would stand in it, and no two would be equal.
    book.set_properties({"title": title, "created": datetime(2000, 1, 1)})  # noqa: DTZ001 - a workbook knows no zone
    head = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    dates = frozenset(COLUMNS.index(name) for name in DATES)
    numbers = frozenset(COLUMNS.index(name) for name in NUMBERS)
    sheet: Any = None
    line = 0
    for row in rows:
        if sheet is None or line == SHEET_ROWS:
            sheet, line = _sheet(book, title, head), 0
        line += 1
        for column, cell in enumerate(row):
            if cell is None:
                continue
            if column in numbers:
                sheet.write_number(line, column, cell)
            elif column in dates:
                sheet.write_datetime(line, column, date.fromisoformat(cell), day)
            else:
                sheet.write_string(line, column, cell)
    if sheet is None:
        _sheet(book, title, head)
    book.close()


def _sheet(book: Any, title: str, head: Any) -> Any:
    count = len(book.worksheets())
    sheet = book.add_worksheet(title if not count else f"{title} {count + 1}")
    sheet.set_column(0, len(COLUMNS) - 1, 16)
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name, head)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, SHEET_ROWS, len(COLUMNS) - 1)
    return sheet
