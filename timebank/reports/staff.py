"""Who worked for a company on a day: headcount and full-time equivalents, by department and by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.organisations.models import Employment, EmploymentTerms, Site
from timebank.reports.models import HeadcountMethod


@dataclass(frozen=True)
class Terms:
    """Where and how much a person works from a date on."""

    valid_from: date
    department: str | None
    site: str | None
    fte: Decimal


NO_TERMS = Terms(date.min, None, None, Decimal(1))


@dataclass(frozen=True)
class Person:
    """One employment by its pseudonym, with its terms in order of time."""

    pseudonym: str
    start: date | None
    end: date | None
    terms: Sequence[Terms]

    def in_service(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or self.end >= day)

    def terms_on(self, day: date) -> Terms:
        """The last terms that began by then, else the first."""
        held = NO_TERMS
        for terms in self.terms:
            if held is not NO_TERMS and terms.valid_from > day:
                break
            held = terms
        return held


def people(session: Session, organisation_id: int) -> list[Person]:
    """Everybody who ever worked for a company, in one statement."""
    rows = session.execute(
        select(
            Employment.pseudonym,
            Employment.start_date,
            Employment.end_date,
            EmploymentTerms.valid_from,
            EmploymentTerms.department,
            Site.name,
            EmploymentTerms.fte,
        )
        .outerjoin(EmploymentTerms, EmploymentTerms.employment_id == Employment.id)
        .outerjoin(Site, Site.id == EmploymentTerms.site_id)
        .where(Employment.organisation_id == organisation_id)
        .order_by(Employment.id, EmploymentTerms.valid_from)
    )
    found: dict[str, Person] = {}
    for pseudonym, start, end, valid_from, department, site, fte in rows:
        person = found.setdefault(pseudonym, Person(pseudonym, start, end, []))
        if valid_from is not None:
            person.terms.append(Terms(valid_from, department, site, fte))  # type: ignore[attr-defined]
    return list(found.values())


@dataclass(frozen=True)
class Staff:
    """A company's people, counted on the days of a period and by the method that the company declared; with `names`
    only those who were in these departments (or sites, as `kind` says) on the day."""

    people: Sequence[Person]
    method: HeadcountMethod
    days: Sequence[date]
    kind: str = "department"
    names: frozenset[str | None] | None = None

    @property
    def counted_on(self) -> Sequence[date]:
        """The days on which people are counted."""
        return self.days if self.method == HeadcountMethod.MEAN else self.days[-1:]

    def present(self, day: date) -> Iterator[Terms]:
        """The terms of each person in service on `day`."""
        for person in self.people:
            if person.in_service(day):
                terms = person.terms_on(day)
                if self.names is None or getattr(terms, self.kind) in self.names:
                    yield terms

    def headcount(self) -> Decimal:
        return _mean([Decimal(sum(1 for _ in self.present(day))) for day in self.counted_on])

    def fte(self) -> Decimal:
        """Full-time equivalents by the same method as the headcount."""
        return self._fte(self.counted_on)

    def mean_fte(self) -> Decimal:
        """The mean of the last days of the months, whatever the method."""
        return self._fte(self.days)

    def _fte(self, days: Sequence[date]) -> Decimal:
        return _mean([sum((terms.fte for terms in self.present(day)), Decimal(0)) for day in days])

    def fte_of(self, pseudonyms: Collection[str]) -> Decimal:
        """Of some people, by their terms on the last day; somebody who left counts by the last terms."""
        last = self.days[-1]
        return sum((p.terms_on(last).fte for p in self.people if p.pseudonym in pseudonyms), Decimal(0))

    def sizes(self, kind: str) -> dict[str | None, Decimal]:
        """Headcount by department or by site."""
        counts = [Counter(getattr(t, kind) for t in self.present(day)) for day in self.counted_on]
        return {name: _mean([Decimal(c[name]) for c in counts]) for name in set().union(*counts)}

    def cells(self, day: date) -> Counter[tuple[str | None, str | None]]:
        """People in service on `day`, by department and site together."""
        return Counter((t.department, t.site) for t in self.present(day))


def _mean(counts: Sequence[Decimal]) -> Decimal:
    return sum(counts, Decimal(0)) / len(counts)


def months_between(from_date: date, until_date: date) -> Iterator[date]:
    """The first day of each month from that of `from_date` to that of `until_date`."""
    month = from_date.replace(day=1)
    while month <= until_date:
        yield month
        month = next_month(month)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def counting_days(from_date: date, until_date: date, today: date) -> list[date]:
    """The last day of each month of a period; the period's own last day for the last; none after today."""
    ends = (next_month(m) - timedelta(days=1) for m in months_between(from_date, until_date))
    return sorted({min(end, until_date, today) for end in ends})
