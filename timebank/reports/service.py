"""A company's CSR report: one object that every rendering shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import Invalid, NotFound
from timebank.ledger import queries as ledger
from timebank.organisations.models import Organisation
from timebank.reports import counting, departments, queries, staff, tallies
from timebank.reports.counting import WHO, Rules, Together
from timebank.reports.indicators import BY_KEY, INDICATORS, UNCONFIRMED, VERSION, Counts, Figure, figure_of
from timebank.reports.models import HeadcountMethod, TargetKind
from timebank.reports.queries import WHERE, Given, Received, Scope
from timebank.reports.rows import (
    CauseRow,
    Closing,
    CoachRow,
    GroupRow,
    InitiativeRow,
    MonthRow,
    OutcomeRow,
    PartRow,
    RateRow,
    RestatementRow,
    TargetRow,
    Totals,
)
from timebank.reports.staff import Staff, months_between

LONGEST_YEARS = 10


@dataclass(frozen=True)
class Part:
    """The part of the people (`department`, `site`) or of the initiatives (one of `queries.WHERE`) that a report is
    about. Who gave and where it went are never crossed: that would show what single people chose."""

    kind: str
    code: str
    name: str = ""

    @property
    def of_people(self) -> bool:
        return self.kind in WHO


@dataclass(frozen=True)
class Report:
    """The figures of one company from one date until another, as the ledger had them at `made_at`.

    `before` has the figures of the same days a year earlier. `coaches` is empty unless the company lists hours per
    person. Of a `part` of the people the tables of initiatives are empty, and the other way round.
    """

    company: str
    enterprise_number: str | None
    from_date: date
    until_date: date
    made_at: datetime
    version: str
    closing: Closing
    headcount_method: HeadcountMethod
    headcount_days: Sequence[date]
    smallest: int
    part: Part | None
    figures: Sequence[Figure]
    before: Sequence[Figure]
    unconfirmed: Figure
    rates: Sequence[RateRow]
    months: Sequence[MonthRow]
    departments: Sequence[GroupRow]
    sites: Sequence[GroupRow]
    initiatives: Sequence[InitiativeRow]
    causes: Sequence[CauseRow]
    goals: Sequence[PartRow]
    regions: Sequence[PartRow]
    phases: Sequence[PartRow]
    work_forms: Sequence[PartRow]
    skills: Sequence[PartRow]
    coaches: Sequence[CoachRow]
    targets: Sequence[TargetRow]
    outcomes: Sequence[OutcomeRow]
    restatements: Sequence[RestatementRow]
    last_number: int
    head: str

    def figure(self, key: str) -> Figure:
        return next(f for f in self.figures if f.indicator.key == key)

    def figure_before(self, key: str) -> Figure:
        return next(f for f in self.before if f.indicator.key == key)

    def has(self, key: str) -> bool:
        """Whether a figure is given of the report's part."""
        return any(f.indicator.key == key for f in self.figures)

    @property
    def headcount_day(self) -> date:
        """The last day on which people were counted."""
        return self.headcount_days[-1]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was booked in the period."""
        return all(m.totals == Totals() for m in self.months)


def check_period(from_date: date, until_date: date, today: date) -> None:
    """Raises Invalid when a period is turned round, longer than ten years or has yet to begin."""
    if from_date > until_date:
        message = _l("The last day is before the first. Turn them round.")
        raise Invalid(message, {"until_date": message})
    if from_date > today:
        message = _l("This period has yet to begin. Choose a first day until today.")
        raise Invalid(message, {"from_date": message})
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
    part: Part | None = None,
) -> Report:
    """The report of a company from one date until another, both included, in the reader's language; with `part`, of one
    row of its tables only.

    Every figure is summed from the ledger's facts by the date of the activity. Raises NotFound, NotPermitted, Invalid.
    """
    permissions.require(actor, "report.see", organisation_id=organisation_id)
    today = clock.local_date(now)
    check_period(from_date, until_date, today)
    company = session.scalar(
        select(Organisation).where(Organisation.id == organisation_id, Organisation.is_company)
    )
    if company is None:
        raise NotFound(_l("We can't find that."))
    whole = Scope(organisation_id, from_date, until_date)
    scope = whole
    if part is not None and not part.of_people:
        _check_code(part)
        scope = replace(whole, column=part.kind, value=part.code)
    rules = counting.rules_of(session, organisation_id)
    work = _Work(session, scope, rules, staff.people(session, organisation_id), today)
    grouped = counting.together(work.given, work.staff, rules.smallest, today)
    if part is not None and part.of_people:
        work.keep(part.kind, _members(part, work, grouped))
        part = replace(part, name=_name(part.code, part.kind))
    elif part is not None:
        if grouped.everybody:
            raise NotFound(_l("There is no such group in this report."))
        part = replace(part, name=tallies.part_name(session, part.kind, part.code, work.received))
    before = _Work(session, _year_before(scope), rules, work.staff.people, today)
    if part is not None and part.of_people:
        before.keep(part.kind, work.staff.names or frozenset())
    last_number, head = queries.book_head(session, organisation_id)
    who = part is None or part.of_people
    where = part is None or not part.of_people
    causes = tallies.causes(session, work.received, whole=grouped.everybody) if where else []
    return Report(
        company=company.name,
        enterprise_number=company.enterprise_number,
        from_date=from_date,
        until_date=until_date,
        made_at=now,
        version=VERSION,
        closing=closing_of(
            ((p.from_date, p.until_date) for p in ledger.closed_periods(session, organisation_id)), whole
        ),
        headcount_method=rules.method,
        headcount_days=work.staff.counted_on,
        smallest=rules.smallest,
        part=part,
        figures=_figures(work.counts(), part),
        before=_figures(before.counts(), part),
        unconfirmed=Figure(UNCONFIRMED, queries.unconfirmed_minutes(session, whole)),
        rates=tallies.rates_used(work.rates, whole),
        months=_months(work, before),
        departments=_rows("department", work, grouped) if who else [],
        sites=_rows("site", work, grouped) if who else [],
        initiatives=tallies.initiatives(session, work.received, whole=grouped.everybody) if where else [],
        causes=causes,
        goals=tallies.goals(causes),
        regions=tallies.regions(work.received, whole=grouped.everybody) if where else [],
        phases=tallies.phases(work.received, whole=grouped.everybody) if where else [],
        work_forms=tallies.work_forms(session, work.received, whole=grouped.everybody) if where else [],
        skills=tallies.skills(session, work.received, whole=grouped.everybody) if where else [],
        coaches=_coaches(session, work, grouped, part),
        targets=_targets(session, work) if part is None else [],
        outcomes=tallies.outcomes(queries.answers(session, whole), rules.smallest) if part is None else [],
        restatements=(
            tallies.restatements(ledger.restatements(session, organisation_id, from_date, until_date))
            if part is None
            else []
        ),
        last_number=last_number,
        head=head.hex(),
    )


class _Work:
    """What was read of one scope, and who is counted in it."""

    def __init__(
        self, session: Session, scope: Scope, rules: Rules, people: Sequence[staff.Person], today: date
    ) -> None:
        self.session, self.scope, self.rules, self.today = session, scope, rules, today
        self.rates = queries.rates(session, scope.organisation_id, rules.basis)
        self.given: Sequence[Given] = queries.given(session, scope, [r.valid_from for r in self.rates])
        self.received: Sequence[Received] = queries.received(session, scope)
        days = staff.counting_days(scope.from_date, scope.until_date, today)
        self.staff = Staff(people, rules.method, days)

    def keep(self, kind: str, names: frozenset[str | None]) -> None:
        """Count those of some departments or sites only."""
        self.given = [cell for cell in self.given if getattr(cell, kind) in names]
        self.received = []
        self.staff = replace(self.staff, kind=kind, names=names)

    def counts(self) -> Counts:
        return counting.counts(
            self.session,
            self.scope,
            self.given,
            self.received,
            self.staff,
            self.rules,
            self.rates,
            self.today,
        )


def _check_code(part: Part) -> None:
    """Raises NotFound for an initiative by something that is no id."""
    if part.kind == "initiative":
        try:
            UUID(part.code)
        except ValueError:
            raise NotFound(_l("We can't find that.")) from None


def _year_before(scope: Scope) -> Scope:
    """The same days a year earlier; the 28th for a 29 February."""

    def back(day: date) -> date:
        return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)

    return replace(scope, from_date=back(scope.from_date), until_date=back(scope.until_date))


def _figures(counts: Counts, part: Part | None) -> list[Figure]:
    return [
        figure_of(indicator, counts)
        for indicator in INDICATORS
        if part is None or (indicator.of_people if part.of_people else indicator.of_initiatives)
    ]


def closing_of(closed: Iterable[tuple[date, date]], scope: Scope) -> Closing:
    """Whether the closed periods (first day, last day) cover a scope."""
    days = {
        day
        for first, last in closed
        for day in range(max(first, scope.from_date).toordinal(), min(last, scope.until_date).toordinal() + 1)
    }
    if not days:
        return Closing.OPEN
    whole = (scope.until_date - scope.from_date).days + 1
    return Closing.CLOSED if len(days) == whole else Closing.PARTLY


def _months(work: _Work, before: _Work) -> list[MonthRow]:
    found = counting.totals_by(work.given, lambda cell: cell.month)
    earlier = counting.totals_by(before.given, lambda cell: cell.month)
    return [
        MonthRow(m, found.get(m, Totals()), earlier.get(m.replace(year=m.year - 1), Totals()))
        for m in months_between(work.scope.from_date, work.scope.until_date)
    ]


def _targets(session: Session, work: _Work) -> list[TargetRow]:
    """The targets of the years that a period touches, and what its days of each year reached."""
    scope = work.scope
    years = range(scope.from_date.year, scope.until_date.year + 1)
    rows = []
    for target in queries.targets(session, scope.organisation_id, list(years)):
        own = replace(
            scope,
            from_date=max(scope.from_date, date(target.year, 1, 1)),
            until_date=min(scope.until_date, date(target.year, 12, 31)),
        )
        if own.from_date > work.today:
            continue
        year = work if own == scope else _Work(session, own, work.rules, work.staff.people, work.today)
        figure = figure_of(BY_KEY[target.kind.figure], year.counts())
        if target.kind == TargetKind.HOURS:
            rows.append(
                TargetRow(target.kind, target.year, Decimal(target.value), _decimal(figure.numerator))
            )
        else:
            rows.append(TargetRow(target.kind, target.year, Decimal(target.value) / 10_000, figure.value))
    return rows


def _decimal(number: int | Decimal | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def _coaches(session: Session, work: _Work, grouped: Together, part: Part | None) -> list[CoachRow]:
    """Hours per person where the company lists them, most first; by name only of those who were told."""
    if part is not None or grouped.everybody or not work.rules.lists_coaches:
        return []
    names = queries.told_names(session, work.scope.organisation_id)
    people = counting.minutes_by_person(work.given)
    rows = [CoachRow(names.get(pseudonym, pseudonym), minutes) for pseudonym, minutes in people.items()]
    return sorted(rows, key=lambda row: (-row.minutes, row.name))


# --- groups of people -------------------------------------------------------------------------------------------------


def _members(part: Part, work: _Work, grouped: Together) -> frozenset[str | None]:
    """The department or site of a part. Raises NotFound for one that is not shown by its name."""
    name = part.code or None
    known = {getattr(t, part.kind) for day in work.staff.days for t in work.staff.present(day)}
    known |= {getattr(cell, part.kind) for cell in work.given}
    if name not in known or name in grouped.of(part.kind):
        raise NotFound(_l("There is no such group in this report."))
    return frozenset({name})


def _rows(kind: str, work: _Work, grouped: Together) -> list[GroupRow]:
    sizes = work.staff.sizes(kind)
    cells: dict[str | None, list[Given]] = {}
    for cell in work.given:
        cells.setdefault(getattr(cell, kind), []).append(cell)
    groups = departments.rows([*{*sizes, *cells}], set(grouped.of(kind)) & {*sizes, *cells})
    found = []
    for group in groups:
        own = [cell for member in group.members for cell in cells.get(member, [])]
        found.append(
            GroupRow(
                name=_group_name(kind, group, alone=len(groups) == 1, smallest=work.rules.smallest),
                merged=group.merged,
                headcount=sum((sizes.get(member, Decimal(0)) for member in group.members), Decimal(0)),
                participants=len(counting.minutes_by_person(own)),
                totals=counting.totals(own),
                code=None if group.merged else group.members[0] or "",
            )
        )
    return found


def _group_name(kind: str, group: departments.Group, *, alone: bool, smallest: int) -> str:
    if not group.merged:
        return _name(group.members[0], kind)
    if alone:
        return str(_("All departments") if kind == "department" else _("All sites"))
    if kind == "department":
        return str(_("Other departments (fewer than %(count)s people)", count=smallest))
    return str(_("Other sites (fewer than %(count)s people)", count=smallest))


def _name(name: str | None, kind: str = "department") -> str:
    if name:
        return name
    return str(_("Without a department") if kind == "department" else _("Without a site"))


__all__ = ["WHERE", "WHO", "Part", "Report", "build_report", "check_period"]
