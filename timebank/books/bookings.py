"""One booking of a company's book, and the head of its chain."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import null, select
from sqlalchemy.orm import Session, aliased

from timebank.errors import NotFound
from timebank.ledger.models import (
    AccountKind,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.organisations.models import Organisation


@dataclass(frozen=True)
class Booking:
    """A transaction without the person it is about: its lines as kinds of accounts, and its link of the chain.

    `initiative_name` is empty where the reader is not told whom the hours are for.
    """

    number: int
    kind: TransactionKind
    booked_at: datetime
    activity_date: date
    restates: date | None
    initiative_name: str | None
    payload_hash: bytes
    previous_hash: bytes
    hash: bytes
    reverses: int | None
    reversed_by: int | None
    lines: Sequence[tuple[AccountKind, int]]


def booking(session: Session, organisation_id: int, number: int, *, named: bool) -> Booking:
    """The booking with a number in an organisation's book; it says whom it is for only if `named`. Raises NotFound."""
    original, reversal = aliased(LedgerTransaction), aliased(LedgerTransaction)
    t = LedgerTransaction
    row = (
        session.execute(
            select(
                t.id,
                t.number,
                t.kind,
                t.booked_at,
                t.activity_date,
                LedgerFact.restates,
                (LedgerFact.initiative_name if named else null()).label("initiative_name"),
                t.payload_hash,
                t.previous_hash,
                t.hash,
                original.number.label("reverses"),
                reversal.number.label("reversed_by"),
            )
            .join(LedgerBook, LedgerBook.id == t.book_id)
            .join(LedgerFact, LedgerFact.transaction_id == t.id)
            .outerjoin(original, original.id == t.reverses_id)
            .outerjoin(reversal, reversal.reverses_id == t.id)
            .where(LedgerBook.organisation_id == organisation_id, t.number == number)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(_l("We can't find that."))
    lines = session.execute(
        select(LedgerAccount.kind, LedgerLine.minutes)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .where(LedgerLine.transaction_id == row["id"])
        .order_by(LedgerLine.id)
    )
    values = {name: value for name, value in row.items() if name != "id"}
    return Booking(**values, lines=[(kind, minutes) for kind, minutes in lines])


@dataclass(frozen=True)
class Head:
    """The end of a company's chain: who keeps it can prove later that nothing before it was changed."""

    company: str
    enterprise_number: str | None
    book: uuid.UUID
    bookings: int
    head: str
    last_booked_at: datetime


def head(session: Session, organisation_id: int) -> Head | None:
    """The head of an organisation's book as it is now, None before its first booking. One statement."""
    row = session.execute(
        select(
            Organisation.name,
            Organisation.enterprise_number,
            LedgerBook.public_id,
            LedgerBook.last_number,
            LedgerBook.head,
            LedgerTransaction.booked_at,
        )
        .join(LedgerBook, LedgerBook.organisation_id == Organisation.id)
        .join(
            LedgerTransaction,
            (LedgerTransaction.book_id == LedgerBook.id)
            & (LedgerTransaction.number == LedgerBook.last_number),
        )
        .where(Organisation.id == organisation_id)
    ).one_or_none()
    if row is None:
        return None
    name, number, book, bookings, last, booked_at = row
    return Head(name, number, book, bookings, last.hex(), booked_at)
