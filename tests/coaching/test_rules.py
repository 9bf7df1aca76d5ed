"""When a request is, and when it looks like staffing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from timebank.coaching.models import Shape
from timebank.coaching.rules import RequestInput, half_days, looks_like_staffing, times_of
from timebank.taxonomy.bits import half_days_of

MONDAY = date(2026, 3, 16)


def wish(**over: object) -> RequestInput:
    values: dict[str, object] = {
        "title": "Begroting",
        "description": "",
        "language": "nl",
        "seats": 1,
        "minutes_per_coach": 600,
        "shape": Shape.WINDOW,
        "from_date": MONDAY,
        "until_date": MONDAY + timedelta(days=6),
        "must": [(1, 1)],
        "language_bits": 1,
        "postcode": "9000",
        **over,
    }
    return RequestInput(**values)  # type: ignore[arg-type]


def slot(day: int, hour: int, minutes: int = 120) -> tuple[datetime, datetime]:
    """In March before the clocks change Brussels is an hour before UTC."""
    start = datetime(2026, 3, day, hour - 1, tzinfo=UTC)
    return start, start + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "days", "staffing"),
    [
        (600, 7, False),
        (601, 7, True),
        (600, 1, False),
        (660, 1, True),
        (1200, 14, False),
        (24_000, 365, False),
    ],
)
def test_more_than_ten_hours_a_week_of_one_coach_looks_like_staffing(
    minutes: int, days: int, staffing: bool
) -> None:
    asked = wish(minutes_per_coach=minutes, until_date=MONDAY + timedelta(days=days - 1))
    assert looks_like_staffing(asked) is staffing


def test_more_than_three_moments_a_week_look_like_staffing() -> None:
    three = [slot(16, 9), slot(17, 9), slot(18, 9)]
    assert not looks_like_staffing(wish(shape=Shape.SLOTS, slots=three))
    assert looks_like_staffing(wish(shape=Shape.SLOTS, slots=[*three, slot(19, 9)]))
    assert not looks_like_staffing(wish(shape=Shape.SLOTS, slots=[*three, slot(23, 9)]))


def test_an_open_ended_request_spreads_its_hours_over_a_quarter() -> None:
    assert not looks_like_staffing(wish(shape=Shape.OPEN_ENDED, until_date=None, minutes_per_coach=13 * 600))
    assert looks_like_staffing(wish(shape=Shape.OPEN_ENDED, until_date=None, minutes_per_coach=14 * 600))


def test_days_minutes_and_half_days_of_fixed_moments_follow_from_them() -> None:
    times = times_of(wish(shape=Shape.SLOTS, slots=[slot(26, 19), slot(17, 14, 90)], minutes_per_coach=5))
    assert (times.from_date, times.until_date) == (date(2026, 3, 17), date(2026, 3, 26))
    assert times.minutes_per_coach == 210
    assert half_days_of(times.week_bits) == ["tue-pm", "thu-ev"]


def test_a_long_moment_touches_each_of_its_half_days() -> None:
    assert half_days_of(half_days([slot(16, 9, 480)])) == ["mon-am", "mon-pm"]
    assert half_days_of(half_days([slot(16, 10, 150)])) == ["mon-am"]  # until half past twelve
    assert half_days_of(half_days([slot(16, 21, 240)])) == ["mon-ev"]  # past midnight
