"""Booking entries: the locks, the balances, the chain. One way for one entry and for thousands."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from timebank.errors import InsufficientHours
from timebank.ledger import periods
from timebank.ledger.entries import (
    COLUMNS,
    GENESIS,
    PAYLOAD_ONLY,
    SOURCES,
    AccountRef,
    Entry,
    book_id_of,
    check,
    hash_payload,
    link,
    payload_of,
    plain,
)
from timebank.ledger.models import LedgerAccount, LedgerBook, LedgerFact, LedgerLine, LedgerTransaction

T = TypeVar("T")

# How many values one statement asks for.
CHUNK = 500


@dataclass(frozen=True)
class Reversed:
    """The transaction that an entry takes back."""

    id: int
    number: int


@dataclass
class _Account:
    ref: AccountRef
    id: int | None
    balance: int
    changed: bool = False


def book_all(session: Session, entries: Sequence[Entry], *, reverses: Reversed | None = None) -> int:
    """Book entries of one organisation in their order, skipping keys that are booked already; answers how many.

    Locks the organisation's book and then the accounts, so whoever posts to the same book waits for this transaction's
    end. What happened in a period that is closed counts on the day of its booking, and says what it restates.
    Raises InsufficientHours when an account would go below zero: then nothing is booked.
    """
    for entry in entries:
        check(entry)
    session.flush()
    organisation_id = entries[0].organisation_id
    book = lock_book(session, organisation_id)
    fresh = _not_booked(session, entries, book.id)
    if not fresh:
        return 0
    fresh = periods.in_the_open(session, book.id, fresh)
    accounts = _lock_accounts(session, book.id, fresh)
    for entry in fresh:
        _move(accounts, entry)
    _store_accounts(session, book.id, accounts)
    head = _store_transactions(session, book, fresh, accounts, reverses)
    session.execute(
        update(LedgerBook)
        .where(LedgerBook.id == book.id)
        .values(last_number=book.last_number + len(fresh), head=head)
        .execution_options(synchronize_session=False)
    )
    return len(fresh)


@dataclass(frozen=True)
class Book:
    """An organisation's book under lock."""

    id: int
    public_id: uuid.UUID
    last_number: int
    head: bytes


def lock_book(session: Session, organisation_id: int) -> Book:
    """The organisation's book, made at its first posting; who comes second finds the other's."""
    statement = (
        select(LedgerBook.id, LedgerBook.public_id, LedgerBook.last_number, LedgerBook.head)
        .where(LedgerBook.organisation_id == organisation_id)
        .with_for_update()
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(
            dialect.insert(LedgerBook)
            .values(
                organisation_id=organisation_id,
                last_number=0,
                head=GENESIS,
                public_id=book_id_of(organisation_id),
            )
            .on_conflict_do_nothing(index_elements=["organisation_id"])
        )
        row = session.execute(statement).one()
    return Book(row.id, row.public_id, row.last_number, row.head)


def _not_booked(session: Session, entries: Sequence[Entry], book_id: int) -> list[Entry]:
    """The entries whose keys are new, each key once."""
    by_key: dict[str, Entry] = {}
    for entry in entries:
        by_key.setdefault(entry.key, entry)
    for keys in _chunks(by_key):
        found = session.execute(
            select(LedgerTransaction.idempotency_key, LedgerTransaction.book_id).where(
                LedgerTransaction.idempotency_key.in_(keys)
            )
        )
        for key, booked_in in found:
            if booked_in != book_id:
                raise ValueError(f"{key}: this key belongs to another book")
            del by_key[key]
    return list(by_key.values())


def _lock_accounts(session: Session, book_id: int, entries: Sequence[Entry]) -> dict[str, _Account]:
    """The accounts of the entries by name, locked in id order; those that do not exist yet have no id."""
    accounts = {
        line.account.name: _Account(line.account, None, 0) for entry in entries for line in entry.lines
    }
    ids: list[int] = []
    for names in _chunks(accounts):
        ids += session.scalars(
            select(LedgerAccount.id).where(LedgerAccount.book_id == book_id, LedgerAccount.name.in_(names))
        )
    for some in _chunks(sorted(ids)):
        rows = session.execute(
            select(LedgerAccount.id, LedgerAccount.name, LedgerAccount.balance)
            .where(LedgerAccount.id.in_(some))
            .order_by(LedgerAccount.id)
            .with_for_update()
        )
        for row in rows:
            accounts[row.name].id = row.id
            accounts[row.name].balance = row.balance
    return accounts


def _move(accounts: dict[str, _Account], entry: Entry) -> None:
    for line in entry.lines:
        account = accounts[line.account.name]
        after = account.balance + line.minutes
        if after < 0 and line.account.kind not in SOURCES:
            raise InsufficientHours(
                _l(
                    "That takes %(needed)s hours, and %(left)s are left.",
                    needed=_hours(-line.minutes),
                    left=_hours(account.balance),
                )
            )
        account.balance = after
        account.changed = True


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes % 60 else str(minutes // 60)


def _store_accounts(session: Session, book_id: int, accounts: dict[str, _Account]) -> None:
    changed = [
        {"which": account.id, "after": account.balance}
        for account in sorted(accounts.values(), key=lambda a: a.id or 0)
        if account.id is not None and account.changed
    ]
    if changed:
        table = LedgerAccount.__table__
        session.connection().execute(
            update(LedgerAccount.__table__)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("which"))
            .values(balance=bindparam("after")),
            changed,
        )
    new = [
        {
            "book_id": book_id,
            "name": name,
            "kind": account.ref.kind,
            "tranche": account.ref.tranche,
            "match": account.ref.match,
            "balance": account.balance,
        }
        for name, account in accounts.items()
        if account.id is None
    ]
    if new:
        rows = session.execute(insert(LedgerAccount).returning(LedgerAccount.id, LedgerAccount.name), new)
        for row in rows:
            accounts[row.name].id = row.id


def _store_transactions(
    session: Session,
    book: Book,
    entries: Sequence[Entry],
    accounts: dict[str, _Account],
    reverses: Reversed | None,
) -> bytes:
    """Write transactions, lines and facts; answers the new head of the book."""
    head = book.head
    transactions: list[dict[str, Any]] = []
    facts: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, start=book.last_number + 1):
        columns = {name: plain_fact(getattr(entry.facts, name)) for name in (*COLUMNS, *PAYLOAD_ONLY)}
        payload = payload_of(
            book=book.public_id,
            number=number,
            kind=entry.kind,
            key=entry.key,
            activity_date=entry.activity_date,
            booked_at=entry.booked_at,
            actor=entry.actor_label,
            lines=[(line.account.name, line.minutes) for line in entry.lines],
            facts=columns,
            measure=entry.measure,
            minutes=entry.minutes,
            reverses=reverses.number if reverses else None,
        )
        salt = secrets.token_bytes(16)
        payload_hash = hash_payload(salt, payload)
        previous, head = head, link(head, payload_hash)
        transactions.append(
            {
                "book_id": book.id,
                "number": number,
                "kind": entry.kind,
                "activity_date": entry.activity_date,
                "booked_at": entry.booked_at,
                "idempotency_key": entry.key,
                "reverses_id": reverses.id if reverses else None,
                "payload": payload,
                "salt": salt,
                "payload_hash": payload_hash,
                "previous_hash": previous,
                "hash": head,
                "public_id": uuid.uuid4(),
            }
        )
        facts.append(
            {
                "book_id": book.id,
                "measure": entry.measure,
                "activity_date": entry.activity_date,
                "minutes": entry.minutes,
                **{name: columns[name] for name in COLUMNS},
            }
        )
    stored = session.execute(
        insert(LedgerTransaction).returning(LedgerTransaction.id, LedgerTransaction.number), transactions
    )
    ids = {row.number: row.id for row in stored}
    in_order = [ids[t["number"]] for t in transactions]
    session.execute(
        insert(LedgerFact), [{"transaction_id": i, **fact} for i, fact in zip(in_order, facts, strict=True)]
    )
    # Executed row by row, so that the ids of the lines keep their order: the payload has it, too.
    session.connection().execute(
        insert(LedgerLine.__table__),  # type: ignore[arg-type]
        [
            {"transaction_id": i, "account_id": accounts[line.account.name].id, "minutes": line.minutes}
            for i, entry in zip(in_order, entries, strict=True)
            for line in entry.lines
        ],
    )
    return head


def plain_fact(value: Any) -> Any:
    """A fact as its column holds it: text in NFC as in the payload, the rest as it is."""
    return plain(value) if type(value) is str else value


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    every = list(values)
    for begin in range(0, len(every), CHUNK):
        yield every[begin : begin + CHUNK]
