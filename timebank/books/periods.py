"""The periods of a company's book, closed and open, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from timebank.ledger import queries as ledger
from timebank.ledger.closing import days_of
from timebank.ledger.models import Category, LedgerBook, LedgerFact, LedgerPeriod
from timebank.matches.models import HourEntry, Match
from timebank.matches.queries import UNDECIDED_HOURS
from timebank.organisations.models import Employment

# Years that the forms take as well.
_NAME = re.compile(r"((?:19|20)[0-9]{2})(?:-([0-9]{2}))?")


@dataclass(frozen=True)
class Period:
    """A month, or without one a year. Minutes of coaching: confirmed, still undecided (with the number of entries),
    and what was booked about it after it was closed."""

    year: int
    month: int | None
    from_date: date
    until_date: date
    closed: LedgerPeriod | None = None
    overlaps_closed: bool = False
    confirmed: int = 0
    waiting: int = 0
    waiting_entries: int = 0
    restated: int = 0

    @property
    def name(self) -> str:
        """As addresses hold it."""
        return f"{self.year}" if self.month is None else f"{self.year}-{self.month:02d}"

    def can_close(self, today: date) -> bool:
        return self.closed is None and not self.overlaps_closed and self.until_date < today


def period_called(name: str) -> Period | None:
    """The period of an address, such as 2026 or 2026-03; None for what is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2]) if found[2] else None
    try:
        return Period(year, month, *days_of(year, month))
    except ValueError:
        return None


def period(session: Session, organisation_id: int, asked: Period) -> Period:
    """A period with what stands in it."""
    day = (asked.from_date, asked.until_date)
    return _filled(session, organisation_id, [asked], *day)[0]


def periods(session: Session, organisation_id: int, today: date) -> list[Period]:
    """Months from the first with anything in the book or to decide until this one, and the years that have ended;
    newest first, a year before its months. Four statements."""
    first = _first_day(session, organisation_id)
    # A pledge is granted on its first day, which may lie ahead.
    if first is None or first.replace(day=1) > today:
        return []
    found = []
    for year in range(first.year, today.year + 1):
        months = [
            Period(year, month, *days_of(year, month))
            for month in range(1, 13)
            if first.replace(day=1) <= date(year, month, 1) <= today
        ]
        found += months
        if year < today.year:
            found.append(Period(year, None, *days_of(year, None)))
    return _filled(session, organisation_id, found, found[0].from_date, today)[::-1]


def _filled(
    session: Session, organisation_id: int, empty: Sequence[Period], first: date, last: date
) -> list[Period]:
    closed = ledger.closed_periods(session, organisation_id)
    booked = _booked(session, organisation_id, first, last)
    waiting = _waiting(session, organisation_id, first, last)
    return [_fill(p, closed, booked, waiting) for p in empty]


Sums = Sequence[tuple[date, int, int]]


def _fill(period: Period, closed: Sequence[LedgerPeriod], booked: Sums, waiting: Sums) -> Period:
    span = (period.from_date, period.until_date)
    met = [c for c in closed if c.from_date <= span[1] and span[0] <= c.until_date]
    own = next((c for c in met if (c.from_date, c.until_date) == span), None)
    in_it = [row for row in booked if span[0] <= row[0] <= span[1]]
    to_decide = [row for row in waiting if span[0] <= row[0] <= span[1]]
    return replace(
        period,
        closed=own,
        overlaps_closed=own is None and bool(met),
        confirmed=sum(row[1] for row in in_it),
        restated=sum(row[2] for row in in_it),
        waiting=sum(row[1] for row in to_decide),
        waiting_entries=sum(row[2] for row in to_decide),
    )


def _booked(session: Session, organisation_id: int, first: date, last: date) -> Sums:
    """(day, minutes of coaching that count on it, minutes booked about it after its period was closed)."""
    day = func.coalesce(LedgerFact.restates, LedgerFact.activity_date)
    is_late = LedgerFact.restates.is_not(None)
    counted: dict[date, list[int]] = {}
    for on, late, minutes in session.execute(
        select(day, case((is_late, 1), else_=0), func.sum(LedgerFact.minutes))
        .join(LedgerBook, LedgerBook.id == LedgerFact.book_id)
        .where(
            LedgerBook.organisation_id == organisation_id,
            LedgerFact.measure == "confirmed",
            LedgerFact.category == Category.DELIVERY,
            day.between(first, last),
        )
        .group_by(day, case((is_late, 1), else_=0))
    ):
        counted.setdefault(on, [0, 0])[late] += minutes
    return [(on, sums[0], sums[1]) for on, sums in counted.items()]


def _waiting(session: Session, organisation_id: int, first: date, last: date) -> Sums:
    """(day, minutes of coaching that were logged on it and that nobody decided on yet, number of entries)."""
    rows = session.execute(
        select(HourEntry.activity_date, func.sum(HourEntry.minutes), func.count())
        .join(Match, Match.id == HourEntry.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            Employment.organisation_id == organisation_id,
            HourEntry.state.in_(UNDECIDED_HOURS),
            HourEntry.category == Category.DELIVERY,
            HourEntry.activity_date.between(first, last),
        )
        .group_by(HourEntry.activity_date)
    )
    return [(day, minutes, entries) for day, minutes, entries in rows]


def _first_day(session: Session, organisation_id: int) -> date | None:
    return session.scalar(
        select(func.min(LedgerFact.activity_date))
        .join(LedgerBook, LedgerBook.id == LedgerFact.book_id)
        .where(LedgerBook.organisation_id == organisation_id)
    )


def day_after(period: Period) -> date:
    """From when a period can be closed."""
    return period.until_date + timedelta(days=1)
