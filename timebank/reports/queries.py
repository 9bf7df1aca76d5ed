"""What reports read. Figures come from the ledger's facts alone, by the date of the activity.

A report reads the facts twice: summed by who gave (`given`), and by where coaching went (`received`). All of its
figures and tables are sums over these two.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import ColumnElement, and_, case, extract, func, select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
)
from timebank.matches.models import (
    CoachingFeedback,
    HourEntry,
    Match,
    MatchState,
    Reached,
    Side,
)
from timebank.matches.queries import UNDECIDED_HOURS
from timebank.organisations.models import CompanyPolicy, Employment
from timebank.pledges.models import Pledge, PledgeState, Tranche
from timebank.reports.models import HourlyRate, ProgrammeFee, RateBasis, ReportChoices, ReportTarget

# What an initiative is by which hours can be filtered: the column of the ledger's facts.
WHERE = ("cause", "sdg", "nuts2", "phase", "initiative")


@dataclass(frozen=True)
class Scope:
    """One company's facts from one date until another, both included; of those that name an initiative, only the ones
    whose `column` is `value`, where a column is given."""

    organisation_id: int
    from_date: date
    until_date: date
    column: str | None = None
    value: str | None = None

    def where(self) -> ColumnElement[bool]:
        conditions = [
            LedgerFact.book_id == _book(self.organisation_id),
            LedgerFact.activity_date.between(self.from_date, self.until_date),
        ]
        if self.column is not None:
            value = uuid.UUID(self.value) if self.column == "initiative" else self.value
            conditions.append(getattr(LedgerFact, self.column) == value)
        return and_(*conditions)


def _book(organisation_id: int) -> ColumnElement[int]:
    return select(LedgerBook.id).where(LedgerBook.organisation_id == organisation_id).scalar_subquery()


DELIVERED = and_(LedgerFact.measure == "confirmed", LedgerFact.category == Category.DELIVERY)


@dataclass(frozen=True)
class Given:
    """Minutes of one person in one month, of one measure and category, in one department and site. `rate` is the place
    of the hourly rate that held, counted from 1; 0 before the first."""

    month: date
    measure: str
    category: Category | None
    employee: str | None
    department: str | None
    site: str | None
    rate: int
    minutes: int

    @property
    def delivered(self) -> bool:
        return self.category == Category.DELIVERY


def given(session: Session, scope: Scope, rates: Sequence[date] = ()) -> list[Given]:
    """The facts of a scope by who gave; `rates` are the days from which hourly rates hold, earliest first."""
    fact = LedgerFact
    # What restates a closed period counts on the day of its booking, at the rate of the day of the activity.
    day_given = func.coalesce(fact.restates, fact.activity_date)
    held = [(day_given >= day, place) for place, day in enumerate(rates, start=1)]
    rows = session.execute(
        select(
            extract("year", fact.activity_date).label("year"),
            extract("month", fact.activity_date).label("month"),
            fact.measure,
            fact.category,
            fact.employee,
            fact.department,
            fact.site,
            (case(*reversed(held), else_=0) if held else func.abs(0)).label("rate"),
            func.sum(fact.minutes),
        )
        .where(scope.where())
        # By name, since two equal expressions with values of their own are different to PostgreSQL.
        .group_by(
            "year",
            "month",
            fact.measure,
            fact.category,
            fact.employee,
            fact.department,
            fact.site,
            "rate",
        )
    )
    return [Given(date(int(row[0]), int(row[1]), 1), *row[2:]) for row in rows]


@dataclass(frozen=True)
class Received:
    """Confirmed minutes of coaching for one skill that an initiative received, while it was so."""

    initiative: uuid.UUID
    name: str
    number: str | None
    nuts2: str | None
    phase: str | None
    work_form: str | None
    cause: str | None
    sdg: str | None
    skill: str | None
    minutes: int


def received(session: Session, scope: Scope) -> list[Received]:
    """The confirmed coaching of a scope by where it went, in the order of the last booking of each."""
    what = (
        LedgerFact.initiative,
        LedgerFact.initiative_name,
        LedgerFact.initiative_number,
        LedgerFact.nuts2,
        LedgerFact.phase,
        LedgerFact.work_form,
        LedgerFact.cause,
        LedgerFact.sdg,
        LedgerFact.skill,
    )
    rows = session.execute(
        select(*what, func.sum(LedgerFact.minutes))
        .where(scope.where(), DELIVERED)
        .group_by(*what)
        .order_by(func.max(LedgerFact.transaction_id))
    )
    found: list[Received] = []
    for initiative, name, number, nuts2, phase, work_form, cause, sdg, skill, minutes in rows:
        if initiative is not None:
            found.append(
                Received(
                    initiative, name or "", number, nuts2, phase, work_form, cause, sdg, skill, int(minutes)
                )
            )
    return found


def ended_pledges(session: Session, scope: Scope, today: date) -> tuple[int, int]:
    """(granted, received) minutes of the pledges whose last day lies in the period and is over."""
    tranches = (
        select(Tranche.public_id)
        .join(Pledge, Pledge.id == Tranche.pledge_id)
        .join(Employment, Employment.id == Pledge.employment_id)
        .where(
            Employment.organisation_id == scope.organisation_id,
            Pledge.approved_at.is_not(None),
            Pledge.until_date.between(scope.from_date, scope.until_date),
            Pledge.until_date < today,
        )
    )
    kind, balance = LedgerAccount.kind, LedgerAccount.balance
    row = session.execute(
        select(
            func.coalesce(func.sum(case((kind == AccountKind.GRANTED, -balance), else_=0)), 0),
            func.coalesce(func.sum(case((kind == AccountKind.RECEIVED, balance), else_=0)), 0),
        ).where(LedgerAccount.tranche.in_(tranches))
    ).one()
    return int(row[0]), int(row[1])


@dataclass(frozen=True)
class Answers:
    """What one side said of the coachings of a scope that were completed in it."""

    side: Side
    coachings: int
    answers: int
    fully: int
    partly: int
    no: int
    again: int


def answers(session: Session, scope: Scope) -> list[Answers]:
    """The answers of both sides, by the day on which the coaching was completed."""
    completed = and_(
        Employment.organisation_id == scope.organisation_id,
        Match.state == MatchState.COMPLETED,
        Match.ended_at >= clock.local_moment(scope.from_date, time()),
        Match.ended_at < clock.local_moment(scope.until_date + timedelta(days=1), time()),
    )
    counted = select(func.count()).select_from(Match).join(Employment).where(completed)
    coachings = session.scalar(counted) or 0
    said = CoachingFeedback
    rows = session.execute(
        select(
            said.side,
            func.count(),
            *(
                func.sum(case((said.reached == r, 1), else_=0))
                for r in (Reached.FULLY, Reached.PARTLY, Reached.NO)
            ),
            func.sum(case((said.again, 1), else_=0)),
        )
        .join(Match, Match.id == said.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(completed)
        .group_by(said.side)
    )
    found = {row[0]: [int(n) for n in row[1:]] for row in rows}
    return [Answers(side, coachings, *found.get(side, [0] * 5)) for side in (Side.INITIATIVE, Side.COACH)]


def unconfirmed_minutes(session: Session, scope: Scope) -> int:
    """Minutes of coaching of the period that were logged and that nobody decided on yet."""
    total = session.scalar(
        select(func.coalesce(func.sum(HourEntry.minutes), 0))
        .join(Match, Match.id == HourEntry.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            Employment.organisation_id == scope.organisation_id,
            HourEntry.state.in_(UNDECIDED_HOURS),
            HourEntry.category == Category.DELIVERY,
            HourEntry.activity_date.between(scope.from_date, scope.until_date),
        )
    )
    return int(total or 0)


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


# --- what HR entered --------------------------------------------------------------------------------------------------


def choices(session: Session, organisation_id: int) -> ReportChoices | None:
    return session.get(ReportChoices, organisation_id)


def rates(session: Session, organisation_id: int, basis: RateBasis | None = None) -> Sequence[HourlyRate]:
    """Hourly rates, of one basis or of all, earliest first."""
    asked = select(HourlyRate).where(HourlyRate.organisation_id == organisation_id)
    if basis is not None:
        asked = asked.where(HourlyRate.basis == basis)
    return session.scalars(asked.order_by(HourlyRate.basis, HourlyRate.valid_from)).all()


def fees(session: Session, organisation_id: int) -> Sequence[ProgrammeFee]:
    """What was paid to run the programme, latest first."""
    return session.scalars(
        select(ProgrammeFee)
        .where(ProgrammeFee.organisation_id == organisation_id)
        .order_by(ProgrammeFee.paid_on.desc(), ProgrammeFee.id.desc())
    ).all()


def fee_cents(session: Session, scope: Scope) -> int | None:
    """What was paid in the period to run the programme; none where nothing was entered."""
    total = session.scalar(
        select(func.sum(ProgrammeFee.cents)).where(
            ProgrammeFee.organisation_id == scope.organisation_id,
            ProgrammeFee.paid_on.between(scope.from_date, scope.until_date),
        )
    )
    return None if total is None else int(total)


def targets(session: Session, organisation_id: int, years: Collection[int] = ()) -> Sequence[ReportTarget]:
    """Targets of some years, or of all; the latest year first."""
    asked = select(ReportTarget).where(ReportTarget.organisation_id == organisation_id)
    if years:
        asked = asked.where(ReportTarget.year.in_(years))
    return session.scalars(asked.order_by(ReportTarget.year.desc(), ReportTarget.kind)).all()


def told_names(session: Session, organisation_id: int) -> dict[str, str]:
    """Names by pseudonym of those who were told, when they pledged, that the report may list their hours by name; none
    where the company's policy does not allow it."""
    rows = session.execute(
        select(Employment.pseudonym, Employment.first_name, Employment.last_name)
        .distinct()
        .join(Pledge, Pledge.employment_id == Employment.id)
        .join(CompanyPolicy, CompanyPolicy.organisation_id == Employment.organisation_id)
        .where(
            Employment.organisation_id == organisation_id,
            Pledge.approved_at.is_not(None),
            Pledge.notice_at >= CompanyPolicy.hours_by_name_since,
        )
    )
    return {pseudonym: f"{first} {last}".strip() for pseudonym, first, last in rows}


# --- the book ---------------------------------------------------------------------------------------------------------


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
