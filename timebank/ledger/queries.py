"""Balances, as accounts keep them beside the lines, and closed periods."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Subquery, select
from sqlalchemy.orm import Session, aliased

from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerPeriod,
    LedgerTransaction,
    TransactionKind,
)

# Databases limit the values of one statement.
CHUNK = 10_000


@dataclass(frozen=True)
class TrancheBalance:
    """Minutes of a tranche; always granted = available + reserved + received + lapsed."""

    granted: int = 0
    available: int = 0
    reserved: int = 0
    received: int = 0
    lapsed: int = 0


@dataclass(frozen=True)
class MatchBalance:
    """Minutes of one tranche that a match still holds, and those it has had confirmed."""

    reserved: int = 0
    received: int = 0


def grantors(session: Session, *, tranches: Sequence[uuid.UUID]) -> set[str]:
    """The labels of those who approved or enlarged one of `tranches`, as its bookings have them."""
    payloads = session.scalars(
        select(LedgerTransaction.payload)
        .join(LedgerLine, LedgerLine.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .where(
            LedgerAccount.tranche.in_(tranches),
            LedgerAccount.kind == AccountKind.GRANTED,
            LedgerTransaction.kind == TransactionKind.GRANT,
        )
    )
    return {json.loads(payload)["actor"] for payload in payloads}


def balances(session: Session, *, tranches: Sequence[uuid.UUID]) -> dict[uuid.UUID, TrancheBalance]:
    """The balance of each of `tranches`, zero where nothing was booked; one statement for each ten thousand."""
    found: dict[uuid.UUID, dict[str, int]] = {tranche: {} for tranche in tranches}
    wanted = list(found)
    for begin in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(LedgerAccount.tranche, LedgerAccount.kind, LedgerAccount.balance).where(
                LedgerAccount.tranche.in_(wanted[begin : begin + CHUNK])
            )
        )
        for tranche, kind, minutes in rows:
            if tranche is not None:
                of = found[tranche]
                of[kind] = of.get(kind, 0) + (-minutes if kind == AccountKind.GRANTED else minutes)
    return {tranche: TrancheBalance(**of) for tranche, of in found.items()}


def available() -> Subquery:
    """For joins: the `minutes` that each `tranche` has available, of those that have any."""
    return (
        select(LedgerAccount.tranche, LedgerAccount.balance.label("minutes"))
        .where(LedgerAccount.kind == AccountKind.AVAILABLE, LedgerAccount.balance > 0)
        .subquery()
    )


def match_balance(session: Session, match: uuid.UUID) -> dict[uuid.UUID, MatchBalance]:
    """What a match holds of each tranche it ever reserved from."""
    found: dict[uuid.UUID, dict[str, int]] = {}
    rows = session.execute(
        select(LedgerAccount.tranche, LedgerAccount.kind, LedgerAccount.balance)
        .where(LedgerAccount.match == match)
        .order_by(LedgerAccount.id)
    )
    for tranche, kind, minutes in rows:
        if tranche is not None:
            found.setdefault(tranche, {})[kind] = minutes
    return {tranche: MatchBalance(**of) for tranche, of in found.items()}


# --- closed periods -------------------------------------------------------------------------------------------------


def closed_periods(session: Session, organisation_id: int) -> Sequence[LedgerPeriod]:
    """The closed periods of an organisation's book, earliest first."""
    return session.scalars(
        select(LedgerPeriod)
        .join(LedgerBook, LedgerBook.id == LedgerPeriod.book_id)
        .where(LedgerBook.organisation_id == organisation_id)
        .order_by(LedgerPeriod.from_date)
    ).all()


@dataclass(frozen=True)
class Restatement:
    """A booking that counts on `activity_date` and is about `restates`, a day of a period that was closed before.

    `reverses` is the number of the booking that it takes back; `reason` the code of why, for those.
    """

    number: int
    kind: TransactionKind
    booked_at: datetime
    activity_date: date
    restates: date
    measure: str
    category: Category | None
    minutes: int
    initiative: uuid.UUID | None
    initiative_name: str | None
    reverses: int | None
    reason: str | None


def restatements(
    session: Session, organisation_id: int, from_date: date, until_date: date
) -> list[Restatement]:
    """What counts in a period and is about closed ones before it, in the order of the book. One statement."""
    original = aliased(LedgerTransaction)
    t, f = LedgerTransaction, LedgerFact
    rows = session.execute(
        select(
            t.number,
            t.kind,
            t.booked_at,
            f.activity_date,
            f.restates,
            f.measure,
            f.category,
            f.minutes,
            f.initiative,
            f.initiative_name,
            original.number.label("reverses"),
            t.payload,
        )
        .select_from(f)
        .join(t, t.id == f.transaction_id)
        .join(LedgerBook, LedgerBook.id == f.book_id)
        .outerjoin(original, original.id == t.reverses_id)
        .where(
            LedgerBook.organisation_id == organisation_id,
            f.restates.is_not(None),
            f.activity_date.between(from_date, until_date),
        )
        .order_by(t.number)
    ).mappings()
    return [
        Restatement(
            **{name: value for name, value in row.items() if name != "payload"},
            reason=json.loads(row["payload"])["facts"].get("reason"),
        )
        for row in rows
    ]
