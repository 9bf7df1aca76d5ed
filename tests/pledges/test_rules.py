"""The arithmetic of pledges."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from timebank.pledges.rules import MINUTES_MAX, overlap, tranches_of

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


def test_a_pledge_for_a_period_is_one_tranche() -> None:
    (part,) = tranches_of(date(2026, 3, 10), date(2026, 9, 1), 600, monthly=False)
    assert (part.from_date, part.until_date, part.minutes) == (date(2026, 3, 10), date(2026, 9, 1), 600)


def test_a_monthly_pledge_has_a_tranche_for_each_calendar_month_it_touches() -> None:
    parts = tranches_of(date(2026, 1, 20), date(2026, 3, 2), 120, monthly=True)
    assert [(p.from_date.isoformat(), p.until_date.isoformat(), p.minutes) for p in parts] == [
        ("2026-01-20", "2026-01-31", 120),
        ("2026-02-01", "2026-02-28", 120),
        ("2026-03-01", "2026-03-02", 120),
    ]


@given(DAYS, st.integers(0, 900), st.integers(30, MINUTES_MAX), st.booleans())
def test_tranches_cover_each_day_of_the_period_once(
    begin: date, days: int, minutes: int, monthly: bool
) -> None:
    end = begin + timedelta(days=days)
    parts = tranches_of(begin, end, minutes, monthly)
    assert parts[0].from_date == begin
    assert parts[-1].until_date == end
    for one, following in pairwise(parts):
        assert following.from_date == one.until_date + timedelta(days=1)
    assert all(
        (p.from_date.year, p.from_date.month) == (p.until_date.year, p.until_date.month) for p in parts
    ) or (not monthly)


@given(DAYS, DAYS, DAYS, DAYS)
def test_periods_overlap_when_they_share_a_day(a: date, b: date, c: date, d: date) -> None:
    a, b, c, d = *sorted((a, b)), *sorted((c, d))
    assert overlap(a, b, c, d) == (max(a, c) <= min(b, d)) == overlap(c, d, a, b)
