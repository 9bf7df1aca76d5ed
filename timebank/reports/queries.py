"""What reports read. Figures come from the ledger's facts alone, by the date of the activity."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, case, extract, func, or_, select
from sqlalchemy.orm import Session

from timebank.ledger.models import Category, LedgerBook, LedgerFact
from timebank.matches.models import HourEntry, HoursState, Match
from timebank.organisations.models import Employment, EmploymentTerms
from timebank.pledges.models import Pledge, PledgeState


@dataclass(frozen=True)
class Scope:
    """One company's facts from one date until another, both included."""

    organisation_id: int
    from_date: date
    until_date: date

    def where(self) -> ColumnElement[bool]:
        book = select(LedgerBook.id).where(LedgerBook.organisation_id == self.organisation_id)
        return and_(
            LedgerFact.book_id == book.scalar_subquery(),
            LedgerFact.activity_date.between(self.from_date, self.until_date),
        )


DELIVERED = and_(LedgerFact.measure == "confirmed", LedgerFact.category == Category.DELIVERY)
AROUND = and_(LedgerFact.measure == "confirmed", LedgerFact.category != Category.DELIVERY)


def _minutes(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """The minutes of the facts that fulfil `condition`."""
    return func.coalesce(func.sum(case((condition, LedgerFact.minutes), else_=0)), 0)


@dataclass(frozen=True)
class Totals:
    """Minutes by measure; what was confirmed is either coaching or around it."""

    pledged: int = 0
    reserved: int = 0
    delivered: int = 0
    lapsed: int = 0
    around: int = 0


_TOTALS = (
    _minutes(LedgerFact.measure == "granted"),
    _minutes(LedgerFact.measure == "reserved"),
    _minutes(DELIVERED),
    _minutes(LedgerFact.measure == "lapsed"),
    _minutes(AROUND),
)


def totals(session: Session, scope: Scope) -> Totals:
    return Totals(*session.execute(select(*_TOTALS).where(scope.where())).one())


def totals_by_month(session: Session, scope: Scope) -> dict[date, Totals]:
    """Totals by the first day of each month that has any."""
    year, month = extract("year", LedgerFact.activity_date), extract("month", LedgerFact.activity_date)
    rows = session.execute(select(year, month, *_TOTALS).where(scope.where()).group_by(year, month))
    return {date(int(row[0]), int(row[1]), 1): Totals(*row[2:]) for row in rows}


def totals_by_department(session: Session, scope: Scope) -> dict[str | None, Totals]:
    rows = session.execute(
        select(LedgerFact.department, *_TOTALS).where(scope.where()).group_by(LedgerFact.department)
    )
    return {row[0]: Totals(*row[1:]) for row in rows}


def participants(session: Session, scope: Scope, departments: Sequence[str | None] | None = None) -> int:
    """Different people with more than zero confirmed minutes of coaching, in some departments or everywhere."""
    people = _people(scope)
    if departments is not None:
        named = LedgerFact.department.in_([d for d in departments if d is not None])
        people = people.where(or_(named, LedgerFact.department.is_(None)) if None in departments else named)
    return session.scalar(select(func.count()).select_from(people.subquery())) or 0


def participants_by_department(session: Session, scope: Scope) -> dict[str | None, int]:
    """People with more than zero confirmed minutes of coaching while they were in a department."""
    people = _people(scope).add_columns(LedgerFact.department).group_by(LedgerFact.department).subquery()
    rows = session.execute(select(people.c.department, func.count()).group_by(people.c.department))
    return {row[0]: row[1] for row in rows}


def _people(scope: Scope) -> Select[str | None]:
    return (
        select(LedgerFact.employee)
        .where(scope.where(), DELIVERED, LedgerFact.employee.is_not(None))
        .group_by(LedgerFact.employee)
        .having(func.sum(LedgerFact.minutes) > 0)
    )


@dataclass(frozen=True)
class InitiativeTotal:
    """Confirmed minutes of coaching that an initiative received, and what the last booking says of it."""

    initiative: uuid.UUID
    name: str
    number: str | None
    nuts2: str | None
    cause: str | None
    sdg: str | None
    minutes: int


def delivered_by_initiative(session: Session, scope: Scope) -> list[InitiativeTotal]:
    """Most hours first. An initiative that changed its name or cause in the period stands once, as it was last."""
    what = (
        LedgerFact.initiative,
        LedgerFact.initiative_name,
        LedgerFact.initiative_number,
        LedgerFact.nuts2,
        LedgerFact.cause,
        LedgerFact.sdg,
    )
    rows = session.execute(
        select(*what, func.sum(LedgerFact.minutes), func.max(LedgerFact.transaction_id))
        .where(scope.where(), DELIVERED)
        .group_by(*what)
        .order_by(func.max(LedgerFact.transaction_id))
    )
    found: dict[uuid.UUID, InitiativeTotal] = {}
    for initiative, name, number, nuts2, cause, sdg, minutes, _last in rows:
        if initiative is None:
            continue
        before = found[initiative].minutes if initiative in found else 0
        found[initiative] = InitiativeTotal(
            initiative, name or "", number, nuts2, cause, sdg, before + minutes
        )
    return sorted(found.values(), key=lambda i: (-i.minutes, i.name, str(i.initiative)))


def delivered_by_cause(session: Session, scope: Scope) -> list[tuple[str | None, str | None, int]]:
    """(cause, SDG, confirmed minutes of coaching), most hours first; an initiative counts for its primary cause."""
    minutes = func.sum(LedgerFact.minutes)
    rows = session.execute(
        select(LedgerFact.cause, LedgerFact.sdg, minutes)
        .where(scope.where(), DELIVERED)
        .group_by(LedgerFact.cause, LedgerFact.sdg)
        .having(minutes != 0)
    ).all()
    return sorted(((c, s, m) for c, s, m in rows), key=lambda r: (-r[2], r[0] or "", r[1] or ""))


def unconfirmed_minutes(session: Session, scope: Scope) -> int:
    """Minutes of coaching that were logged in the period and wait for the initiative, or that it disputes."""
    total = session.scalar(
        select(func.coalesce(func.sum(HourEntry.minutes), 0))
        .join(Match, Match.id == HourEntry.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            Employment.organisation_id == scope.organisation_id,
            HourEntry.state.in_([HoursState.LOGGED, HoursState.DISPUTED]),
            HourEntry.category == Category.DELIVERY,
            HourEntry.activity_date.between(scope.from_date, scope.until_date),
        )
    )
    return int(total or 0)


def headcount_by_department(session: Session, organisation_id: int, day: date) -> dict[str | None, int]:
    """People in service on `day`, by the department of the terms that held then."""
    held = EmploymentTerms.valid_from <= day
    # The last terms that began by then come first; without any, the first ones do.
    terms = select(
        EmploymentTerms.employment_id,
        EmploymentTerms.department,
        func.row_number()
        .over(
            partition_by=EmploymentTerms.employment_id,
            order_by=(
                case((held, 0), else_=1),
                case((held, EmploymentTerms.valid_from)).desc(),
                EmploymentTerms.valid_from,
            ),
        )
        .label("place"),
    ).subquery()
    rows = session.execute(
        select(terms.c.department, func.count())
        .select_from(Employment)
        .outerjoin(terms, and_(terms.c.employment_id == Employment.id, terms.c.place == 1))
        .where(
            Employment.organisation_id == organisation_id,
            or_(Employment.start_date.is_(None), Employment.start_date <= day),
            or_(Employment.end_date.is_(None), Employment.end_date >= day),
        )
        .group_by(terms.c.department)
    )
    return {row[0]: row[1] for row in rows}


def pledges_waiting(session: Session, organisation_id: int) -> int:
    """How many pledges of a company wait for approval."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Pledge)
            .join(Employment, Employment.id == Pledge.employment_id)
            .where(Employment.organisation_id == organisation_id, Pledge.state == PledgeState.SUBMITTED)
        )
        or 0
    )


def book_head(session: Session, organisation_id: int) -> tuple[int, bytes]:
    """The number and the hash of a company's last booking; zero and zeros before the first."""
    row = session.execute(
        select(LedgerBook.last_number, LedgerBook.head).where(LedgerBook.organisation_id == organisation_id)
    ).one_or_none()
    return (row[0], row[1]) if row else (0, bytes(32))


def first_activity(session: Session, organisation_id: int) -> date | None:
    """The first date in a company's book."""
    return session.scalar(
        select(func.min(LedgerFact.activity_date))
        .join(LedgerBook, LedgerBook.id == LedgerFact.book_id)
        .where(LedgerBook.organisation_id == organisation_id)
    )
