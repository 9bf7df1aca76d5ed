"""The working year: public holidays and the school holidays of Flanders as they were announced."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from timebank.simulation.seasons import DAYS_A_YEAR, Calendar


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2021, 12, 27), date(2022, 1, 9)),
        (date(2022, 12, 26), date(2023, 1, 8)),
        (date(2024, 10, 28), date(2024, 11, 3)),
        (date(2025, 3, 3), date(2025, 3, 9)),
        (date(2025, 4, 7), date(2025, 4, 20)),
        (date(2025, 7, 1), date(2025, 8, 31)),
        (date(2025, 10, 27), date(2025, 11, 2)),
        (date(2025, 12, 22), date(2026, 1, 4)),
        (date(2026, 2, 16), date(2026, 2, 22)),
        (date(2026, 4, 6), date(2026, 4, 19)),
        (date(2026, 11, 2), date(2026, 11, 8)),
        (date(2027, 3, 29), date(2027, 4, 11)),
    ],
)
def test_school_holidays_are_those_of_flanders(first: date, last: date) -> None:
    around = Calendar(first - timedelta(days=1), (last - first).days + 3)
    assert not around.school_holiday[0]
    assert around.school_holiday[1:-1].all()
    assert not around.school_holiday[-1]


def test_nobody_works_on_public_holidays_and_weekends() -> None:
    december = Calendar(date(2026, 12, 21), 14)
    assert [d.day for d, works in zip(december.dates, december.working, strict=True) if works] == [
        *(21, 22, 23, 24),
        *(28, 29, 30, 31),
    ]
    assert december.next_working_day(4) == 7
    assert december.working_days(3, 9).tolist() == [3, 7, 8]


def test_a_year_brings_what_it_is_said_to_bring_and_most_of_it_outside_the_summer() -> None:
    year = Calendar(date(2026, 9, 1), DAYS_A_YEAR)
    for shares in (year.pledges, year.requests):
        assert shares.sum() == pytest.approx(1)
        by_month = np.bincount([d.month for d in year.dates], shares)
        assert by_month[9] > 2 * by_month[7]
        assert by_month[1] > by_month[12]
