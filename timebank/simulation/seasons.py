"""The working year in Flanders: when people pledge and ask, when they work, when they are away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Final

import holidays
import numpy as np
from numpy.typing import NDArray

DAYS_A_YEAR: Final = 365

# January to December, beside an average of about 1: new budgets and terms in January and September, a quiet summer.
_PLEDGES: Final = np.array([1.4, 1.1, 1.0, 0.9, 0.9, 0.8, 0.7, 0.7, 1.6, 1.3, 1.1, 0.7])
_REQUESTS: Final = np.array([1.3, 1.3, 1.2, 1.0, 0.9, 0.8, 0.5, 0.8, 1.6, 1.4, 1.1, 0.6])
_IN_SCHOOL_HOLIDAYS: Final = 0.5
_PLEDGES_ON_FREE_DAYS: Final = 0.05
_REQUESTS_ON_FREE_DAYS: Final = 0.2  # many initiatives work in the weekend


@dataclass(frozen=True)
class Calendar:
    """The days from `start` on; the arrays have shape (days,), a day's index is its distance from `start`."""

    start: date
    days: int

    @cached_property
    def working(self) -> NDArray[np.bool_]:
        """Monday to Friday without public holidays."""
        return np.array([d.weekday() < 5 and d not in public_holidays(d.year) for d in self.dates])

    @cached_property
    def school_holiday(self) -> NDArray[np.bool_]:
        return np.array([_in_school_holidays(d) for d in self.dates])

    @cached_property
    def pledges(self) -> NDArray[np.float64]:
        """The share of a year's pledges that each day brings."""
        return self._shares(_PLEDGES, _PLEDGES_ON_FREE_DAYS)

    @cached_property
    def requests(self) -> NDArray[np.float64]:
        """The share of a year's requests that each day brings."""
        return self._shares(_REQUESTS, _REQUESTS_ON_FREE_DAYS)

    def working_days(self, first: int, until: int) -> NDArray[np.int64]:
        """The working days from `first` to before `until`, as far as the calendar goes."""
        return first + np.flatnonzero(self.working[first:until])

    def next_working_day(self, day: int) -> int:
        """`day` or the first working day after it; beyond the calendar every day is one."""
        ahead = np.flatnonzero(self.working[day : day + 14])
        return day + int(ahead[0]) if ahead.size else day

    @cached_property
    def dates(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range(self.days)]

    def _shares(self, by_month: NDArray[np.float64], on_free_days: float) -> NDArray[np.float64]:
        rates = by_month[[d.month - 1 for d in self.dates]]
        rates = rates * np.where(self.school_holiday, _IN_SCHOOL_HOLIDAYS, 1.0)
        rates = rates * np.where(self.working, 1.0, on_free_days)
        shares: NDArray[np.float64] = rates / (DAYS_A_YEAR * rates[:DAYS_A_YEAR].mean())
        return shares


@lru_cache(maxsize=32)
def public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("BE", years=year))


def _in_school_holidays(day: date) -> bool:
    return day.month in (7, 8) or any(
        first <= day < first + timedelta(weeks=weeks)
        for year in (day.year - 1, day.year)  # the Christmas holidays go on in the next year
        for first, weeks in _school_holidays(year)
    )


@lru_cache(maxsize=32)
def _school_holidays(year: int) -> tuple[tuple[date, int], ...]:
    """The school holidays of Flanders that begin in a year, but the summer: their first Monday and their weeks."""
    easter = _easter_monday(year) - timedelta(days=1)
    if easter.month == 3:
        spring = easter + timedelta(days=1)
    elif easter > date(year, 4, 15):
        spring = easter - timedelta(days=13)
    else:
        spring = _monday_from(date(year, 4, 1))
    all_saints, christmas = date(year, 11, 1), date(year, 12, 25)
    return (
        (easter - timedelta(days=48), 1),  # carnival: the week of the seventh Monday before Easter
        (spring, 2),
        (_monday_of(all_saints) if all_saints.weekday() < 6 else date(year, 11, 2), 1),
        (_monday_of(christmas) if christmas.weekday() < 5 else _monday_from(christmas), 2),
    )


def _easter_monday(year: int) -> date:
    """The one public holiday in March and April that is a Monday by its nature."""
    return min(d for d in public_holidays(year) if d.month in (3, 4) and d.weekday() == 0)


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _monday_from(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)
