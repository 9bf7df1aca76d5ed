"""Proving that the ledger holds: all is recomputed from the lines, in one pass, with memory that does not grow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, String, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from timebank.ledger import strays
from timebank.ledger.entries import (
    COLUMNS,
    GENESIS,
    PAYLOAD_ONLY,
    account_name,
    book_id_of,
    figure_of,
    hash_payload,
    link,
    payload_of,
)
from timebank.ledger.models import (
    AccountKind,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerPeriod,
    LedgerTransaction,
    TransactionKind,
)
from timebank.ledger.periods import span_of

# Transactions read at a time.
CHUNK = 1000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Break:
    """The first place where a book does not hold: `number` is the transaction's, none for what concerns the book;
    without an organisation, what is in no book at all."""

    organisation_id: int | None
    number: int | None
    what: str

    def __str__(self) -> str:
        if self.organisation_id is None:
            return self.what
        where = "the book" if self.number is None else f"transaction {self.number}"
        return f"{where}: {self.what}"


@dataclass(frozen=True)
class BookResult:
    """One book that was read; `confirmed` are the minutes confirmed in it. Without an organisation: what is in no
    book, which is answered only as a break."""

    organisation_id: int | None
    transactions: int
    lines: int
    confirmed: int
    head: bytes
    first_break: Break | None = None


@dataclass
class Result:
    """All books that were read, up to the first break."""

    books: list[BookResult] = field(default_factory=list)

    @property
    def transactions(self) -> int:
        return sum(b.transactions for b in self.books)

    @property
    def lines(self) -> int:
        return sum(b.lines for b in self.books)

    @property
    def first_break(self) -> Break | None:
        return next((b.first_break for b in self.books if b.first_break), None)


def verify(session: Session, *, organisation_id: int | None = None) -> Result:
    """Check one organisation's book, or all, up to the first break. Changes nothing."""
    result = Result()
    for book in verify_books(session, organisation_id=organisation_id):
        result.books.append(book)
        if book.first_break:
            break
    return result


def verify_books(
    session: Session,
    *,
    organisation_id: int | None = None,
    since: datetime | None = None,
    progress: Progress | None = None,
) -> Iterator[BookResult]:
    """Check book after book, each answered as soon as it was read; when all are asked for, also that there is nothing
    in no book. `progress` is told how many transactions of how many were read.

    With `since` the chain is read from the first transaction that was booked then, and the hash before it is believed;
    balances are always those of all lines.
    """
    books = select(
        LedgerBook.id,
        LedgerBook.public_id,
        LedgerBook.organisation_id,
        LedgerBook.last_number,
        LedgerBook.head,
    ).order_by(LedgerBook.organisation_id)
    if organisation_id is not None:
        books = books.where(LedgerBook.organisation_id == organisation_id)
    for book in session.execute(books).mappings().all():
        yield _Reader(session, book, since, progress).read()
    if organisation_id is None:
        stray = strays.in_no_book(session)
        if stray is not None:
            yield BookResult(None, 0, 0, 0, GENESIS, Break(None, None, stray))


class _Broken(Exception):
    def __init__(self, number: int | None, what: str) -> None:
        super().__init__(what)
        self.number = number
        self.what = what


class _Reader:
    """Reads one book from its first transaction to its last, then what is kept beside the lines."""

    def __init__(
        self, session: Session, book: RowMapping, since: datetime | None, progress: Progress | None
    ) -> None:
        self.session = session
        self.book = book
        self.progress = progress
        self.number, self.head = (0, GENESIS) if since is None else self._before(since)
        self.first = self.number + 1
        self.lines = 0
        self.confirmed = 0
        # Periods that were closed further on in the chain, and those that were by where the reading stands.
        self.to_close = list(
            session.scalars(
                select(LedgerPeriod)
                .where(LedgerPeriod.book_id == book["id"])
                .order_by(LedgerPeriod.last_number, LedgerPeriod.number)
            )
        )
        self.closed: list[tuple[date, date]] = []
        while self.to_close and self.to_close[0].last_number < self.number:
            period = self.to_close.pop(0)
            self.closed.append((period.from_date, period.until_date))

    def _before(self, since: datetime) -> tuple[int, bytes]:
        """Number and hash of the transaction after which the reading begins."""
        booked = LedgerTransaction.book_id == self.book["id"]
        first = self.session.scalar(
            select(func.min(LedgerTransaction.number)).where(booked, LedgerTransaction.booked_at >= since)
        )
        before = self.book["last_number"] if first is None else first - 1
        known = self.session.scalar(
            select(LedgerTransaction.hash).where(booked, LedgerTransaction.number == before)
        )
        return (0, GENESIS) if known is None else (before, known)

    def read(self) -> BookResult:
        broken: Break | None = None
        try:
            self._owner()
            self._transactions()
            self._beside_the_chain()
            self._accounts()
        except _Broken as found:
            broken = Break(self.book["organisation_id"], found.number, found.what)
        except (ValueError, LookupError, TypeError, AttributeError) as unreadable:
            # A value that no column of ours could have written, such as a date that is none, or of another type.
            broken = Break(self.book["organisation_id"], self.number + 1, f"it cannot be read ({unreadable})")
        return BookResult(
            organisation_id=self.book["organisation_id"],
            transactions=self.number - self.first + 1,
            lines=self.lines,
            confirmed=self.confirmed,
            head=self.head,
            first_break=broken,
        )

    def _owner(self) -> None:
        if self.book["public_id"] != book_id_of(self.book["organisation_id"]):
            raise _Broken(None, "it is the book of another organisation")

    # --- transactions -----------------------------------------------------------------------------------------------

    def _transactions(self) -> None:
        self._check_closings()
        original = aliased(LedgerTransaction)
        statement = (
            select(
                LedgerTransaction.id,
                LedgerTransaction.number,
                type_coerce(LedgerTransaction.kind, String).label("kind"),
                LedgerTransaction.activity_date,
                LedgerTransaction.booked_at,
                LedgerTransaction.idempotency_key,
                LedgerTransaction.payload,
                LedgerTransaction.salt,
                LedgerTransaction.payload_hash,
                LedgerTransaction.previous_hash,
                LedgerTransaction.hash,
                LedgerTransaction.reverses_id,
                original.number.label("reverses"),
                original.book_id.label("reverses_book"),
                original.payload.label("reversed_payload"),
                LedgerFact.transaction_id.label("fact"),
                LedgerFact.book_id.label("fact_book"),
                LedgerFact.activity_date.label("fact_date"),
                LedgerFact.measure,
                LedgerFact.minutes,
                *(_fact_column(name) for name in COLUMNS),
            )
            .outerjoin(LedgerFact, LedgerFact.transaction_id == LedgerTransaction.id)
            .outerjoin(original, original.id == LedgerTransaction.reverses_id)
            .where(LedgerTransaction.book_id == self.book["id"])
            .order_by(LedgerTransaction.number)
            .limit(CHUNK)
        )
        while True:
            rows = (
                self.session.execute(statement.where(LedgerTransaction.number > self.number)).mappings().all()
            )
            if not rows:
                break
            lines = self._lines_of(rows[0]["number"], rows[-1]["number"])
            for row in rows:
                self._transaction(row, lines.get(row["id"], []))
            if self.progress:
                self.progress(self.number, self.book["last_number"])
        if self.number != self.book["last_number"]:
            raise _Broken(
                None, f"it ends at transaction {self.number}, but {self.book['last_number']} were booked"
            )
        if self.to_close:
            raise _Broken(None, "a period was closed after its last transaction")
        if self.head != self.book["head"]:
            raise _Broken(None, "its head is not the hash of its last transaction")

    def _lines_of(self, first: int, last: int) -> dict[int, list[RowMapping]]:
        statement = (
            select(
                LedgerLine.transaction_id,
                LedgerLine.minutes,
                LedgerAccount.book_id,
                LedgerAccount.name,
                type_coerce(LedgerAccount.kind, String).label("kind"),
                LedgerAccount.tranche,
                LedgerAccount.match,
            )
            .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
            .outerjoin(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
            .where(
                LedgerTransaction.book_id == self.book["id"], LedgerTransaction.number.between(first, last)
            )
            .order_by(LedgerLine.id)
        )
        found: dict[int, list[RowMapping]] = {}
        for row in self.session.execute(statement).mappings():
            found.setdefault(row["transaction_id"], []).append(row)
        return found

    def _transaction(self, row: RowMapping, lines: list[RowMapping]) -> None:
        number = row["number"]
        if number != self.number + 1:
            raise _Broken(self.number + 1, "it is missing")
        if row["previous_hash"] != self.head:
            raise _Broken(number, "its previous hash is not the hash of the transaction before it")
        if hash_payload(row["salt"], row["payload"]) != row["payload_hash"]:
            raise _Broken(number, "its payload was changed: it does not fit its hash")
        if link(row["previous_hash"], row["payload_hash"]) != row["hash"]:
            raise _Broken(number, "its hash is not that of the one before it and its payload")
        self._check_lines(number, lines)
        self._check_payload(row, lines)
        self._check_period(row)
        self.head = row["hash"]
        self.number = number
        self._check_closings()
        self.lines += len(lines)
        if row["measure"] == "confirmed":
            self.confirmed += row["minutes"]

    def _check_lines(self, number: int, lines: list[RowMapping]) -> None:
        if sum(line["minutes"] for line in lines) != 0:
            raise _Broken(number, "its lines do not sum to zero")
        for line in lines:
            if line["name"] is None:
                raise _Broken(number, "a line of it is on an account that does not exist")
            try:
                name = account_name(AccountKind(line["kind"]), line["tranche"], line["match"])
            except ValueError:
                name = ""
            if name != line["name"] or line["book_id"] != self.book["id"]:
                raise _Broken(number, f"its account {line['name']} is not what its name says")

    def _check_payload(self, row: RowMapping, lines: list[RowMapping]) -> None:
        number = row["number"]
        if row["fact"] is None:
            raise _Broken(number, "its facts are missing")
        stored = _content(row["payload"])
        facts = stored.get("facts") if stored else None
        if stored is None or not isinstance(facts, dict):
            raise _Broken(number, "its payload cannot be read")
        in_lines = [{"account": line["name"], "minutes": line["minutes"]} for line in lines]
        if stored.get("lines") != in_lines:
            raise _Broken(number, "its lines are not those of its payload")
        expected = payload_of(
            book=self.book["public_id"],
            number=number,
            kind=row["kind"],
            key=row["idempotency_key"],
            activity_date=row["activity_date"],
            booked_at=row["booked_at"],
            actor=str(stored.get("actor")),
            lines=[(line["name"], line["minutes"]) for line in lines],
            facts={
                **{name: row[name] for name in COLUMNS},
                **{name: facts.get(name) for name in PAYLOAD_ONLY},
            },
            measure=row["measure"],
            minutes=row["minutes"],
            reverses=row["reverses"],
        )
        if (
            expected != row["payload"]
            or row["fact_book"] != self.book["id"]
            or row["fact_date"] != row["activity_date"]
        ):
            raise _Broken(number, f"its payload says another {_what_differs(stored, expected)} than its rows")
        if row["reverses_id"] is not None and row["reverses"] is None:
            raise _Broken(number, "it takes back a transaction that does not exist")
        if (row["kind"] == TransactionKind.REVERSAL) != (row["reverses"] is not None):
            raise _Broken(number, "it is a reversal of nothing")
        try:
            figure = figure_of(
                TransactionKind(row["kind"]), [(AccountKind(line["kind"]), line["minutes"]) for line in lines]
            )
        except ValueError as impossible:
            raise _Broken(number, f"its lines give no figure: {impossible}") from None
        if (figure.measure, figure.category, figure.minutes) != (
            row["measure"],
            row["category"],
            row["minutes"],
        ):
            said = f"{row['minutes']} {row['measure']}"
            raise _Broken(
                number, f"its lines give {figure.minutes} minutes {figure.measure}, its facts {said}"
            )
        if row["reverses"] is not None:
            self._check_reversal(row, in_lines)

    def _check_reversal(self, row: RowMapping, lines: list[dict[str, Any]]) -> None:
        original = _content(row["reversed_payload"]) or {}
        turned = [{**line, "minutes": -line["minutes"]} for line in lines]
        if row["reverses_book"] != self.book["id"] or original.get("lines") != turned:
            raise _Broken(row["number"], f"its lines do not take back those of transaction {row['reverses']}")

    def _check_closings(self) -> None:
        """That the chain, where it stands now, is the one that was closed here."""
        while self.to_close and self.to_close[0].last_number == self.number:
            period = self.to_close.pop(0)
            if period.head != self.head:
                raise _Broken(
                    self.number or None, f"its hash is not the head that closing {period.number} kept"
                )
            self.closed.append((period.from_date, period.until_date))

    def _check_period(self, row: RowMapping) -> None:
        """That nothing counts in a period that was closed before it, and that what restates a day says so rightly."""
        if span_of(self.closed, row["activity_date"]):
            raise _Broken(row["number"], "it counts in a period that was closed before it")
        restates = row["restates"]
        if restates is not None and span_of(self.closed, restates) is None:
            raise _Broken(row["number"], f"it restates {restates}, which was in no closed period")

    # --- what is kept beside ----------------------------------------------------------------------------------------

    def _beside_the_chain(self) -> None:
        for stray in (strays.of_no_transaction, strays.below_zero):
            found = stray(self.session, self.book["id"])
            if found is not None:
                raise _Broken(*found)

    def _accounts(self) -> None:
        total = func.coalesce(func.sum(LedgerLine.minutes), 0)
        wrong = self.session.execute(
            select(LedgerAccount.name, LedgerAccount.balance, total.label("lines"))
            .outerjoin(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
            .where(LedgerAccount.book_id == self.book["id"])
            .group_by(LedgerAccount.id, LedgerAccount.name, LedgerAccount.balance)
            .having(LedgerAccount.balance != total)
            .order_by(LedgerAccount.id)
            .limit(1)
        ).one_or_none()
        if wrong is not None:
            raise _Broken(None, f"account {wrong.name} says {wrong.balance} minutes, its lines {wrong.lines}")
        tranche = self.session.execute(
            select(LedgerAccount.tranche, func.sum(LedgerAccount.balance).label("left"))
            .where(LedgerAccount.book_id == self.book["id"], LedgerAccount.tranche.is_not(None))
            .group_by(LedgerAccount.tranche)
            .having(func.sum(LedgerAccount.balance) != 0)
            .limit(1)
        ).one_or_none()
        if tranche is not None:
            raise _Broken(
                None,
                f"tranche {tranche.tranche}: granted is not available + reserved + received + lapsed",
            )


def _fact_column(name: str) -> Any:
    column = getattr(LedgerFact, name)
    return type_coerce(column, String).label(name) if name == "category" else column


def _content(payload: str | None) -> dict[str, Any] | None:
    try:
        content = json.loads(payload or "")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _what_differs(stored: dict[str, Any], expected: str) -> str:
    """The name of what the rows say otherwise than the payload."""
    rows = json.loads(expected)
    for said, is_so in ((stored["facts"], rows["facts"]), (stored, rows)):
        for name in is_so:
            if said.get(name) != is_so[name]:
                return str(name)
    return "book or date"
