"""Accounts like a bank's: opening balance, movements, closing balance; by the moment of booking, as a bank does it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, null, or_, select
from sqlalchemy.orm import Session, aliased

from timebank import clock, paging
from timebank.auth.actor import Actor
from timebank.coaching.models import CoachingRequest
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
from timebank.matches.models import Match
from timebank.organisations.models import Employment
from timebank.pledges.models import Pledge, Tranche

PAGE = 50


@dataclass(frozen=True)
class Query:
    """What somebody wants to see: one kind of account, from one day to another by the date of booking, and of its
    movements all or one kind."""

    account: AccountKind
    from_date: date
    until_date: date
    kind: TransactionKind | None = None


@dataclass(frozen=True)
class Movement:
    """Minutes that came (above zero) or went. `match` and `pledge` are the public ids of what it is about.

    `initiative_name` is empty where the reader is not told whom the hours are for.
    """

    id: int
    number: int
    kind: TransactionKind
    booked_at: datetime
    activity_date: date
    restates: date | None
    minutes: int
    category: Category | None
    initiative_name: str | None
    match: uuid.UUID | None
    pledge: uuid.UUID | None
    reverses: int | None

    @property
    def day(self) -> date:
        """The day that it is about."""
        return self.restates or self.activity_date


@dataclass(frozen=True)
class Balances:
    """Minutes; always opening + came - went = closing."""

    opening: int
    came: int
    went: int

    @property
    def closing(self) -> int:
        return self.opening + self.came - self.went


@dataclass(frozen=True)
class Statement:
    """The balances of a period, and a page of its movements, newest first; `next` is the key of the page after."""

    query: Query
    balances: Balances
    movements: Sequence[Movement]
    next: str | None


# --- whose ----------------------------------------------------------------------------------------------------------

Whose = ColumnElement[bool]
AROUND = (AccountKind.TRAVEL, AccountKind.PREPARATION)
OF_EMPLOYEE = (
    AccountKind.AVAILABLE,
    AccountKind.RESERVED,
    AccountKind.RECEIVED,
    AccountKind.LAPSED,
    *AROUND,
)
OF_INITIATIVE = (AccountKind.RECEIVED, AccountKind.RESERVED, *AROUND)
OF_COMPANY = (
    AccountKind.RECEIVED,
    AccountKind.AVAILABLE,
    AccountKind.RESERVED,
    AccountKind.LAPSED,
    AccountKind.GRANTED,
    *AROUND,
    AccountKind.MANAGEMENT,
)


def of_employee(actor: Actor) -> Whose:
    """The accounts of the actor's own pledges and coachings, in all employments."""
    employments = select(Employment.id).where(Employment.user_id == actor.user_id)
    return or_(
        LedgerAccount.tranche.in_(
            select(Tranche.public_id)
            .join(Pledge, Pledge.id == Tranche.pledge_id)
            .where(Pledge.employment_id.in_(employments))
        ),
        LedgerAccount.match.in_(select(Match.public_id).where(Match.employment_id.in_(employments))),
    )


def of_initiative(initiative_id: int) -> Whose:
    """The accounts of an initiative's coachings, in the books of all companies."""
    return LedgerAccount.match.in_(
        select(Match.public_id)
        .join(CoachingRequest, CoachingRequest.id == Match.request_id)
        .where(CoachingRequest.initiative_id == initiative_id)
    )


def of_company(organisation_id: int) -> Whose:
    """All accounts of a company's book."""
    book = select(LedgerBook.id).where(LedgerBook.organisation_id == organisation_id)
    return LedgerAccount.book_id == book.scalar_subquery()


# --- reading --------------------------------------------------------------------------------------------------------


def statement(
    session: Session, whose: Whose, query: Query, after: str | None = None, *, named: bool = True
) -> Statement:
    """Two statements, however much was booked. Movements say whom they are for only if `named`."""
    rows = session.execute(
        paging.after(_movements(whose, query, named), [LedgerLine.id], after, PAGE, descending=True)
    ).mappings()
    found = [_movement(row) for row in rows]
    more = paging.key([found[PAGE - 1].id]) if len(found) > PAGE else None
    return Statement(query, balances(session, whose, query), found[:PAGE], more)


def balances(session: Session, whose: Whose, query: Query) -> Balances:
    """Before, in and after the period, whatever kind of movements is wanted."""
    first, after = _moments(query)
    minutes = _signed(query)
    in_it = LedgerTransaction.booked_at >= first
    row = session.execute(
        select(
            func.coalesce(func.sum(case((~in_it, minutes), else_=0)), 0),
            func.coalesce(func.sum(case((and_(in_it, minutes > 0), minutes), else_=0)), 0),
            func.coalesce(func.sum(case((and_(in_it, minutes < 0), -minutes), else_=0)), 0),
        )
        .select_from(LedgerLine)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .where(whose, LedgerAccount.kind == query.account, LedgerTransaction.booked_at < after)
    ).one()
    return Balances(*(int(value) for value in row))


def all_movements(session: Session, whose: Whose, query: Query, *, named: bool = True) -> Iterator[Movement]:
    """Every movement of the period, oldest first, read as it is asked for; they say whom they are for if `named`."""
    rows = session.execute(
        _movements(whose, query, named).order_by(LedgerLine.id), execution_options={"yield_per": 1000}
    )
    return (_movement(row) for row in rows.mappings())


def _movements(whose: Whose, query: Query, named: bool) -> Select[Any]:
    first, after = _moments(query)
    original = aliased(LedgerTransaction)
    columns: list[Any] = [
        LedgerLine.id,
        LedgerTransaction.number,
        LedgerTransaction.kind,
        LedgerTransaction.booked_at,
        LedgerTransaction.activity_date,
        LedgerFact.restates,
        _signed(query).label("minutes"),
        LedgerFact.category,
        (LedgerFact.initiative_name if named else null()).label("initiative_name"),
        LedgerAccount.match,
        Pledge.public_id.label("pledge"),
        original.number.label("reverses"),
    ]
    wanted = (
        select(*columns)
        .select_from(LedgerLine)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .join(LedgerFact, LedgerFact.transaction_id == LedgerTransaction.id)
        .outerjoin(original, original.id == LedgerTransaction.reverses_id)
        .outerjoin(Tranche, Tranche.public_id == LedgerAccount.tranche)
        .outerjoin(Pledge, Pledge.id == Tranche.pledge_id)
        .where(
            whose,
            LedgerAccount.kind == query.account,
            LedgerTransaction.booked_at >= first,
            LedgerTransaction.booked_at < after,
        )
    )
    return wanted if query.kind is None else wanted.where(LedgerTransaction.kind == query.kind)


def _movement(row: Any) -> Movement:
    return Movement(**row)


def _signed(query: Query) -> ColumnElement[int]:
    """Minutes as people read them: what a source gave is above zero."""
    return -LedgerLine.minutes if query.account is AccountKind.GRANTED else LedgerLine.minutes + 0


def _moments(query: Query) -> tuple[datetime, datetime]:
    """The first moment of the period, and the first after it, by the clock of Brussels."""
    return (
        clock.local_moment(query.from_date, time()),
        clock.local_moment(query.until_date + timedelta(days=1), time()),
    )
