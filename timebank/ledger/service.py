"""Booking hours. Every act of the product that moves minutes goes through here, in that act's own transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import TypedDict, Unpack

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.errors import NotFound, WrongState
from timebank.ledger.entries import COLUMNS, AccountRef, Entry, Facts, Line
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.ledger.posting import Reversed, book_all
from timebank.ledger.queries import MatchBalance, TrancheBalance, available, balances, grantors, match_balance

__all__ = [
    "AccountRef",
    "Act",
    "Entry",
    "Facts",
    "Line",
    "MatchBalance",
    "TrancheBalance",
    "available",
    "balances",
    "confirm",
    "grant",
    "grant_entry",
    "grantors",
    "lapse",
    "match_balance",
    "post",
    "post_many",
    "release",
    "reserve",
    "reverse",
    "support",
]

Parts = Sequence[tuple[uuid.UUID, int]]


def post(session: Session, entry: Entry) -> LedgerTransaction:
    """Book one act, or answer what was booked under its key before.

    Raises InsufficientHours when an account would go below zero, ValueError when the lines do not sum to zero.
    """
    book_all(session, [entry])
    return _by_key(session, entry.key)


def post_many(session: Session, entries: Sequence[Entry]) -> int:
    """Book many acts with few statements, by the rules and in the chains of `post`; answers how many were new.

    Books are taken one after the other in the order of their organisations, so that two callers never wait for each
    other crosswise. Raises as `post` does, and then nothing is booked.
    """
    in_order = sorted(entries, key=lambda e: e.organisation_id)
    return sum(book_all(session, list(some)) for _, some in groupby(in_order, lambda e: e.organisation_id))


# --- acts -----------------------------------------------------------------------------------------------------------


class Act(TypedDict):
    """What every act says besides the minutes that it moves; `facts` are those of the activity date."""

    organisation_id: int
    activity_date: date
    facts: Facts
    actor_label: str
    now: datetime
    key: str


def grant_entry(*, tranche: uuid.UUID, minutes: int, **act: Unpack[Act]) -> Entry:
    """What `grant` books, for who books many at once."""
    lines = [
        Line(AccountRef(AccountKind.GRANTED, tranche), -_positive(minutes)),
        Line(AccountRef(AccountKind.AVAILABLE, tranche), minutes),
    ]
    return _entry(TransactionKind.GRANT, "granted", minutes, lines, act)


def grant(session: Session, *, tranche: uuid.UUID, minutes: int, **act: Unpack[Act]) -> LedgerTransaction:
    """A pledge was approved or enlarged: company:granted → available."""
    return post(session, grant_entry(tranche=tranche, minutes=minutes, **act))


def lapse(session: Session, *, tranche: uuid.UUID, minutes: int, **act: Unpack[Act]) -> LedgerTransaction:
    """A pledge was cut, withdrawn or expired: available → lapsed. Raises InsufficientHours."""
    lines = [
        Line(AccountRef(AccountKind.AVAILABLE, tranche), -_positive(minutes)),
        Line(AccountRef(AccountKind.LAPSED, tranche), minutes),
    ]
    return post(session, _entry(TransactionKind.LAPSE, "lapsed", minutes, lines, act))


def reserve(session: Session, *, match: uuid.UUID, parts: Parts, **act: Unpack[Act]) -> LedgerTransaction:
    """Both sides said yes: available → reserved, minutes of one or more tranches. Raises InsufficientHours."""
    lines, minutes = _between(parts, match, AccountKind.AVAILABLE, AccountKind.RESERVED)
    return post(session, _entry(TransactionKind.RESERVE, "reserved", minutes, lines, act))


def release(session: Session, *, match: uuid.UUID, parts: Parts, **act: Unpack[Act]) -> LedgerTransaction:
    """A match was cancelled, or completed with hours left: reserved → available. Raises InsufficientHours."""
    lines, minutes = _between(parts, match, AccountKind.RESERVED, AccountKind.AVAILABLE)
    return post(session, _entry(TransactionKind.RELEASE, "reserved", -minutes, lines, act))


def confirm(session: Session, *, match: uuid.UUID, parts: Parts, **act: Unpack[Act]) -> LedgerTransaction:
    """The initiative confirmed hours of coaching: reserved → received. Raises InsufficientHours."""
    lines, minutes = _between(parts, match, AccountKind.RESERVED, AccountKind.RECEIVED)
    act["facts"] = replace(act["facts"], category=Category.DELIVERY)
    return post(session, _entry(TransactionKind.CONFIRM, "confirmed", minutes, lines, act))


def support(
    session: Session, *, match: uuid.UUID, category: Category, minutes: int, **act: Unpack[Act]
) -> LedgerTransaction:
    """Confirmed time around a coaching, which comes from the company and not from a pledge: company:support → travel,
    preparation or management. Raises ValueError for delivery."""
    if category == Category.DELIVERY:
        raise ValueError("delivery comes from a pledge")
    account = AccountRef(AccountKind(category), match=None if category == Category.MANAGEMENT else match)
    lines = [Line(AccountRef(AccountKind.SUPPORT), -_positive(minutes)), Line(account, minutes)]
    act["facts"] = replace(act["facts"], category=category)
    return post(session, _entry(TransactionKind.SUPPORT, "confirmed", minutes, lines, act))


def reverse(
    session: Session,
    *,
    key_of_original: str,
    key: str,
    reason: str,
    activity_date: date,
    actor_label: str,
    now: datetime,
) -> LedgerTransaction:
    """Take a transaction back: the same lines and facts with opposite signs, and a reason code.

    Of a confirmation the minutes go back to reserved. Raises NotFound, WrongState (a reversal, or reversed already),
    InsufficientHours (the minutes have moved on).
    """
    found = session.execute(
        select(LedgerTransaction, LedgerBook.organisation_id, LedgerFact)
        .join(LedgerBook, LedgerBook.id == LedgerTransaction.book_id)
        .join(LedgerFact, LedgerFact.transaction_id == LedgerTransaction.id)
        .where(LedgerTransaction.idempotency_key == key_of_original)
    ).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such booking."))
    original, organisation_id, fact = found
    if original.kind == TransactionKind.REVERSAL:
        raise WrongState(_l("A reversal cannot be reversed. Book the right hours instead."))
    # Whoever else reverses it waits here, and then sees this reversal.
    session.execute(select(LedgerBook.id).where(LedgerBook.id == original.book_id).with_for_update()).one()
    earlier = session.scalar(
        select(LedgerTransaction.idempotency_key).where(LedgerTransaction.reverses_id == original.id)
    )
    if earlier == key:
        return _by_key(session, key)
    if earlier is not None:
        raise WrongState(_l("This booking has been reversed already."))
    lines = session.execute(
        select(LedgerAccount.kind, LedgerAccount.tranche, LedgerAccount.match, LedgerLine.minutes)
        .join(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
        .where(LedgerLine.transaction_id == original.id)
        .order_by(LedgerLine.id)
    )
    entry = Entry(
        organisation_id=organisation_id,
        kind=TransactionKind.REVERSAL,
        key=key,
        activity_date=activity_date,
        lines=[Line(AccountRef(kind, tranche, match), -minutes) for kind, tranche, match, minutes in lines],
        facts=Facts(
            **{name: getattr(fact, name) for name in COLUMNS if name != "restates"},
            reference=key_of_original,
            reason=reason,
        ),
        measure=fact.measure,
        minutes=-fact.minutes,
        actor_label=actor_label,
        booked_at=now,
    )
    if not book_all(session, [entry], reverses=Reversed(original.id, original.number)):
        raise ValueError(f"{key}: this key belongs to another act")
    return _by_key(session, key)


# --- shared ---------------------------------------------------------------------------------------------------------


def _by_key(session: Session, key: str) -> LedgerTransaction:
    return session.scalars(select(LedgerTransaction).where(LedgerTransaction.idempotency_key == key)).one()


def _entry(kind: TransactionKind, measure: str, minutes: int, lines: Sequence[Line], act: Act) -> Entry:
    return Entry(
        organisation_id=act["organisation_id"],
        kind=kind,
        key=act["key"],
        activity_date=act["activity_date"],
        lines=lines,
        facts=act["facts"],
        measure=measure,
        minutes=minutes,
        actor_label=act["actor_label"],
        booked_at=act["now"],
    )


def _between(
    parts: Parts, match: uuid.UUID, source: AccountKind, target: AccountKind
) -> tuple[list[Line], int]:
    """Lines that move each part's minutes from `source` to `target`, and their sum."""
    sums: dict[uuid.UUID, int] = {}
    for tranche, minutes in parts:
        sums[tranche] = sums.get(tranche, 0) + _positive(minutes)
    lines = []
    for tranche, minutes in sums.items():
        lines.append(Line(_account(source, tranche, match), -minutes))
        lines.append(Line(_account(target, tranche, match), minutes))
    return lines, sum(sums.values())


def _account(kind: AccountKind, tranche: uuid.UUID, match: uuid.UUID) -> AccountRef:
    return AccountRef(kind, tranche, None if kind == AccountKind.AVAILABLE else match)


def _positive(minutes: int) -> int:
    if minutes <= 0:
        raise ValueError(f"{minutes} minutes cannot be booked")
    return minutes
