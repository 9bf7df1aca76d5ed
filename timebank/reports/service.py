"""A company's CSR report: one object that every rendering shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import Invalid, NotFound
from timebank.organisations.models import Organisation
from timebank.reports import departments, queries
from timebank.reports.goals import goal_name
from timebank.reports.indicators import BY_KEY, UNCONFIRMED, Figure
from timebank.reports.queries import Scope, Totals
from timebank.taxonomy import queries as taxonomy

LONGEST_YEARS = 10


@dataclass(frozen=True)
class MonthRow:
    """A month of the period, by its first day."""

    month: date
    totals: Totals


@dataclass(frozen=True)
class DepartmentRow:
    """A department, or all small ones together (`merged`)."""

    name: str
    merged: bool
    headcount: int
    participants: int
    totals: Totals


@dataclass(frozen=True)
class InitiativeRow:
    """An initiative and the minutes of coaching that it confirmed."""

    public_id: uuid.UUID
    name: str
    number: str | None
    nuts2: str | None
    cause: str
    sdg: str | None
    minutes: int


@dataclass(frozen=True)
class CauseRow:
    """A cause with the goal it serves; both have a code and a name."""

    code: str
    name: str
    sdg: str
    sdg_name: str
    minutes: int


@dataclass(frozen=True)
class GoalRow:
    """A sustainable development goal."""

    code: str
    name: str
    minutes: int


@dataclass(frozen=True)
class Report:
    """The figures of one company from one date until another, as the ledger had them at `made_at`."""

    company: str
    enterprise_number: str | None
    from_date: date
    until_date: date
    made_at: datetime
    headcount_day: date
    figures: Sequence[Figure]
    unconfirmed: Figure
    months: Sequence[MonthRow]
    departments: Sequence[DepartmentRow]
    initiatives: Sequence[InitiativeRow]
    causes: Sequence[CauseRow]
    goals: Sequence[GoalRow]
    last_number: int
    head: str

    def figure(self, key: str) -> Figure:
        return next(f for f in self.figures if f.indicator.key == key)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was booked in the period."""
        return all(m.totals == Totals() for m in self.months)


def check_period(from_date: date, until_date: date) -> None:
    """Raises Invalid when a period is turned round or longer than ten years."""
    if from_date > until_date:
        message = _l("The last day is before the first. Turn them round.")
        raise Invalid(message, {"until_date": message})
    if until_date.year - from_date.year > LONGEST_YEARS:
        message = _l("Choose a period of at most ten years.")
        raise Invalid(message, {"until_date": message})


def build_report(
    session: Session,
    organisation_id: int,
    from_date: date,
    until_date: date,
    *,
    actor: Actor,
    now: datetime,
) -> Report:
    """The report of a company from one date until another, both included, in the reader's language.

    Every figure is summed from the ledger's facts by the date of the activity. Headcount is that of the last day, or of
    today when that day has yet to come. Raises NotFound, NotPermitted, Invalid.
    """
    permissions.require(actor, "report.see", organisation_id=organisation_id)
    check_period(from_date, until_date)
    company = session.scalar(
        select(Organisation).where(Organisation.id == organisation_id, Organisation.is_company)
    )
    if company is None:
        raise NotFound(_l("We can't find that."))
    scope = Scope(organisation_id, from_date, until_date)
    headcount_day = min(until_date, clock.local_date(now))
    headcount = queries.headcount_by_department(session, organisation_id, headcount_day)
    initiatives = _initiatives(session, scope)
    causes = _causes(session, scope)
    last_number, head = queries.book_head(session, organisation_id)
    return Report(
        company=company.name,
        enterprise_number=company.enterprise_number,
        from_date=from_date,
        until_date=until_date,
        made_at=now,
        headcount_day=headcount_day,
        figures=_figures(session, scope, sum(headcount.values()), sum(i.minutes > 0 for i in initiatives)),
        unconfirmed=Figure(UNCONFIRMED, queries.unconfirmed_minutes(session, scope)),
        months=_months(session, scope),
        departments=_departments(session, scope, headcount),
        initiatives=initiatives,
        causes=causes,
        goals=_goals(causes),
        last_number=last_number,
        head=head.hex(),
    )


def _figures(session: Session, scope: Scope, headcount: int, initiatives: int) -> list[Figure]:
    totals = queries.totals(session, scope)
    people = queries.participants(session, scope)
    return [
        Figure(BY_KEY["delivered"], totals.delivered),
        Figure(BY_KEY["pledged"], totals.pledged),
        Figure(BY_KEY["reserved"], totals.reserved),
        Figure(BY_KEY["lapsed"], totals.lapsed),
        Figure(BY_KEY["participation"], people, headcount),
        Figure(BY_KEY["hours_per_participant"], totals.delivered, people),
        Figure(BY_KEY["hours_per_employee"], totals.delivered, headcount),
        Figure(BY_KEY["initiatives"], initiatives),
        Figure(BY_KEY["around"], totals.around),
    ]


def _months(session: Session, scope: Scope) -> list[MonthRow]:
    found = queries.totals_by_month(session, scope)
    return [MonthRow(m, found.get(m, Totals())) for m in months_between(scope.from_date, scope.until_date)]


def months_between(from_date: date, until_date: date) -> Iterator[date]:
    """The first day of each month from that of `from_date` to that of `until_date`."""
    month = from_date.replace(day=1)
    while month <= until_date:
        yield month
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _departments(session: Session, scope: Scope, headcount: dict[str | None, int]) -> list[DepartmentRow]:
    found = queries.totals_by_department(session, scope)
    people = queries.participants_by_department(session, scope)
    rows = []
    groups = departments.groups(headcount, list(found))
    for group in groups:
        parts = [found.get(d, Totals()) for d in group.departments]
        rows.append(
            DepartmentRow(
                name=_group_name(group, alone=len(groups) == 1),
                merged=group.merged,
                headcount=group.headcount,
                participants=(
                    queries.participants(session, scope, group.departments)
                    if group.merged
                    else people.get(group.departments[0], 0)
                ),
                totals=Totals(
                    pledged=sum(p.pledged for p in parts),
                    reserved=sum(p.reserved for p in parts),
                    delivered=sum(p.delivered for p in parts),
                    lapsed=sum(p.lapsed for p in parts),
                    around=sum(p.around for p in parts),
                ),
            )
        )
    return rows


def _group_name(group: departments.Group, *, alone: bool) -> str:
    if group.merged:
        return str(_("All departments") if alone else _("Other departments (fewer than 5 people)"))
    return group.departments[0] or str(_("Without a department"))


def _initiatives(session: Session, scope: Scope) -> list[InitiativeRow]:
    names = _cause_names(session)
    return [
        InitiativeRow(
            public_id=i.initiative,
            name=i.name,
            number=i.number,
            nuts2=i.nuts2,
            cause=names.get(i.cause or "", i.cause or ""),
            sdg=i.sdg,
            minutes=i.minutes,
        )
        for i in queries.delivered_by_initiative(session, scope)
    ]


def _causes(session: Session, scope: Scope) -> list[CauseRow]:
    names = _cause_names(session)
    return [
        CauseRow(
            code=cause or "",
            name=names.get(cause or "", cause or "") or _("Without a cause"),
            sdg=sdg or "",
            sdg_name=goal_name(sdg),
            minutes=minutes,
        )
        for cause, sdg, minutes in queries.delivered_by_cause(session, scope)
    ]


def _goals(causes: Sequence[CauseRow]) -> list[GoalRow]:
    minutes: dict[str, int] = {}
    for row in causes:
        minutes[row.sdg] = minutes.get(row.sdg, 0) + row.minutes
    rows = [GoalRow(code, goal_name(code), total) for code, total in minutes.items()]
    return sorted(rows, key=lambda g: (-g.minutes, g.code))


def _cause_names(session: Session) -> dict[str, str]:
    locale = get_locale()
    language = locale.language if locale else "nl"
    return {c.code: c.name(language)[:1].upper() + c.name(language)[1:] for c in taxonomy.causes(session)}
