"""Hours, dates and numbers read as people in Belgium write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask_babel import force_locale

from tests.web.gallery import make_app
from timebank import clock
from timebank.web import format as f

AUTUMN = datetime(2026, 12, 3, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with make_app().app_context(), clock.hold(date(2026, 11, 22)):
        yield


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (360, "6 hours"),
        (60, "1 hour"),
        (90, "1 hour 30"),
        (365, "6 hours 05"),
        (30, "30 minutes"),
        (0, "0 hours"),
    ],
)
def test_hours_are_said_without_fractions(minutes: int, said: str) -> None:
    with force_locale("en"):
        assert f.hours(minutes) == said


def test_hours_below_zero_have_a_minus() -> None:
    with force_locale("en"):
        assert f.hours(-90) == "−1 hour 30"
        assert f.hours_short(-120) == "−2 h"


def test_figures_follow_the_language() -> None:
    with force_locale("nl"):
        assert f.hours_number(1188 * 60) == "1.188"
        assert f.hours_number(624) == "10,4"
        assert f.hours_number(135) == "2,25"
        assert f.percent(0.184) == "18,4\u00a0%"
        assert f.euro(61776) == "€\u00a061.776"
    with force_locale("fr"):
        assert f.euro(61776, 2).endswith("776,00\u00a0€")
    with force_locale("en"):
        assert f.number(-1188) == "−1,188"
        assert f.percent(0.184) == "18.4%"


@pytest.mark.parametrize(
    ("took", "said"),
    [(0, "0,0"), (0.004, "< 0,1"), (0.312, "0,3"), (9.96, "10"), (74.2, "74"), (1200.0, "1.200")],
)
def test_seconds_are_as_exact_as_one_can_feel(took: float, said: str) -> None:
    with force_locale("nl"):
        assert f.seconds(took) == f"{said}\u00a0s"


@pytest.mark.parametrize(
    ("column", "nl", "fr", "en"),
    [
        ([120, 60000], ["2", "1.000"], ["2", "1\u202f000"], ["2", "1,000"]),
        ([2970, 5580], ["49,5", "93,0"], ["49,5", "93,0"], ["49.5", "93.0"]),
        (
            [2970, 5580, 75],
            ["49,50", "93,00", "1,25"],
            ["49,50", "93,00", "1,25"],
            ["49.50", "93.00", "1.25"],
        ),
        ([], [], [], []),
    ],
)
def test_a_column_of_hours_has_one_number_of_decimals(
    column: list[int], nl: list[str], fr: list[str], en: list[str]
) -> None:
    digits = f.hours_digits([*column, None])
    for language, said in (("nl", nl), ("fr", fr), ("en", en)):
        with force_locale(language):
            assert [f.hours_exact(minutes, digits) for minutes in column] == said


def test_a_share_of_nothing_is_a_dash() -> None:
    assert f.percent(None) == "–"


def test_dates_are_day_first_in_every_language() -> None:
    day = date(2026, 11, 22)
    for language, said in (
        ("nl", "22 november 2026"),
        ("fr", "22 novembre 2026"),
        ("en", "22 November 2026"),
    ):
        with force_locale(language):
            assert f.day_short(day) == said
            assert f.day(day).endswith(said)


def test_a_near_day_names_its_year_only_when_it_is_another() -> None:
    with force_locale("nl"):
        assert f.day_near(date(2026, 12, 3)) == "do 3 december"
        assert f.day_near(date(2027, 1, 8)) == "vr 8 januari 2027"


def test_moments_are_shown_as_the_clocks_in_brussels_say() -> None:
    with force_locale("nl"):
        assert f.wall_time(AUTUMN).startswith("13.30")
        assert f.day_short(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == "1 juli 2026"
    with force_locale("fr"):
        assert f.wall_time(AUTUMN).startswith("13 h 30")


def test_a_period_says_month_and_year_once() -> None:
    with force_locale("en"):
        assert f.days(date(2026, 12, 1), date(2027, 3, 31)) == "1 December 2026 to 31 March 2027"
        assert f.days(date(2026, 12, 1), date(2026, 12, 31)) == "1 to 31 December 2026"
        assert f.days(date(2026, 11, 1), date(2026, 12, 31)) == "1 November to 31 December 2026"
        assert f.days(date(2026, 12, 1), date(2026, 12, 1)) == "1 December 2026"
        assert f.days(date(2026, 12, 1), None) == "from 1 December 2026"


def test_how_long_ago_counts_days() -> None:
    with force_locale("en"):
        assert f.ago(date(2026, 11, 22)) == "today"
        assert f.ago(date(2026, 11, 21)) == "1 day ago"
        assert f.ago(datetime(2026, 10, 12, 22, 30, tzinfo=UTC)) == "40 days ago"
