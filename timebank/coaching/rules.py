"""Limits of a coaching request, and what makes one look like staffing: numbers and dates only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from flask_babel import lazy_gettext as _l

from timebank.clock import BRUSSELS, local_date
from timebank.coaching.models import Shape
from timebank.errors import Invalid
from timebank.taxonomy.bits import ANY_TIME, LANGUAGES

TITLE_MAX = 200
TURNED_ROUND = _l("The last day comes before the first. Turn them round or choose a later day.")
DESCRIPTION_MAX = 5_000
REASON_MAX = 2_000
SEATS_MAX = 50
MINUTES_MIN = 30
MINUTES_MAX = 24_000
SLOTS_MAX = 40
SLOT_MIN = timedelta(minutes=15)
SLOT_MAX = timedelta(hours=12)
DAYS_MAX = 3 * 366
SKILLS_MAX = 20
LEVELS = (1, 2, 3)

# Above these a request looks like staffing, which the Act of 24 July 1987 on lending personnel forbids where the
# initiative would take over the employer's authority: the operator looks first.
STAFFING_MINUTES_A_WEEK = 600
STAFFING_SLOTS_A_WEEK = 3
OPEN_ENDED_WEEKS = 13  # over which the hours of an open-ended request are thought to be spread


@dataclass(frozen=True)
class RequestInput:
    """What an initiative asks. For fixed slots the dates, the minutes and the half-days follow from the slots."""

    title: str
    description: str
    language: str
    seats: int
    minutes_per_coach: int
    shape: Shape
    from_date: date | None
    until_date: date | None
    must: Sequence[tuple[int, int]]  # skill id, level
    language_bits: int
    postcode: str
    nice: Sequence[tuple[int, int]] = field(default_factory=tuple)
    slots: Sequence[tuple[datetime, datetime]] = field(default_factory=tuple)
    week_bits: int = ANY_TIME
    remote: bool = False


@dataclass(frozen=True)
class Times:
    """When a request is, for any shape: first and last day, minutes for each coach, half-days."""

    from_date: date
    until_date: date | None
    minutes_per_coach: int
    week_bits: int


def times_of(wish: RequestInput) -> Times:
    """The times of a checked request."""
    if wish.shape == Shape.SLOTS:
        return Times(
            min(local_date(a) for a, _b in wish.slots),
            max(local_date(b) for _a, b in wish.slots),
            sum(int((b - a).total_seconds()) // 60 for a, b in wish.slots),
            half_days(wish.slots),
        )
    if wish.from_date is None:
        raise ValueError("times are asked of a checked request only")
    until = None if wish.shape == Shape.OPEN_ENDED else wish.until_date
    return Times(wish.from_date, until, wish.minutes_per_coach, wish.week_bits)


_PARTS = ((time(0), time(12, 30)), (time(12, 30), time(17, 30)), (time(17, 30), time.max))


def half_days(slots: Iterable[tuple[datetime, datetime]]) -> int:
    """The half-days of the week in which the slots lie, on a Brussels clock, as bits."""
    bits = 0
    for starts_at, ends_at in slots:
        start, end = starts_at.astimezone(BRUSSELS), ends_at.astimezone(BRUSSELS)
        last = end.time() if end.date() == start.date() else time.max
        for part, (begin, close) in enumerate(_PARTS):
            if start.time() < close and last > begin:
                bits |= 1 << (3 * start.weekday() + part)
    return bits


def minutes_a_week(wish: RequestInput) -> int:
    """The most that one coach is asked in a week."""
    if wish.shape == Shape.SLOTS:
        weeks: Counter[tuple[int, int]] = Counter()
        for a, b in wish.slots:
            year, week, _day = local_date(a).isocalendar()
            weeks[year, week] += int((b - a).total_seconds()) // 60
        return max(weeks.values(), default=0)
    if wish.shape == Shape.OPEN_ENDED or wish.until_date is None or wish.from_date is None:
        return wish.minutes_per_coach // OPEN_ENDED_WEEKS
    days = (wish.until_date - wish.from_date).days + 1
    return wish.minutes_per_coach * 7 // max(7, days)


def slots_a_week(wish: RequestInput) -> int:
    """The most slots in one week."""
    weeks = Counter(local_date(a).isocalendar()[:2] for a, _b in wish.slots)
    return max(weeks.values(), default=0) if wish.shape == Shape.SLOTS else 0


def looks_like_staffing(wish: RequestInput) -> bool:
    """Whether the operator must look before it is offered to coaches."""
    return minutes_a_week(wish) > STAFFING_MINUTES_A_WEEK or slots_a_week(wish) > STAFFING_SLOTS_A_WEEK


def check(
    wish: RequestInput,
    *,
    today: date,
    skill_ids: Iterable[int],
    postcode_known: bool,
    begun: date | None = None,
) -> None:
    """Raises Invalid with a message for each field that breaks a rule. `begun` is the first day that a request had
    before a change: that one may lie in the past."""
    fields: dict[str, object] = {}
    if not wish.title.strip() or len(wish.title) > TITLE_MAX:
        fields["title"] = _l("Give a title of at most 200 characters.")
    if len(wish.description) > DESCRIPTION_MAX:
        fields["description"] = _l("Describe it in at most 5,000 characters.")
    if wish.language not in LANGUAGES:
        fields["language"] = _l("Choose a language.")
    if not 1 <= wish.seats <= SEATS_MAX:
        fields["seats"] = _l("Ask for 1 to 50 coaches.")
    _check_times(wish, today, begun, fields)
    known = set(skill_ids)
    must, nice = [s for s, _level in wish.must], [s for s, _level in wish.nice]
    if not must:
        fields["must"] = _l("Choose at least one skill that a coach needs.")
    elif len(must) + len(nice) > SKILLS_MAX:
        fields["must"] = _l("Choose at most 20 skills.")
    elif not known.issuperset(must + nice):
        fields["must"] = _l("Choose skills from the list.")
    elif any(level not in LEVELS for _s, level in (*wish.must, *wish.nice)):
        fields["must"] = _l("Choose a level for each skill.")
    elif len(set(must + nice)) < len(must + nice):
        fields["nice"] = _l("A skill is either needed or welcome. Choose one of the two.")
    if not 1 <= wish.language_bits <= 7:
        fields["languages"] = _l("Choose at least one language.")
    if not postcode_known:
        fields["postcode"] = _l("Belgium has no such postcode.")
    if fields:
        raise Invalid(_l("Some answers need a change."), fields)


def _check_times(wish: RequestInput, today: date, begun: date | None, fields: dict[str, object]) -> None:
    if wish.shape == Shape.SLOTS:
        ordered = sorted(wish.slots)
        if not ordered:
            fields["slots"] = _l("Give at least one moment.")
        elif len(ordered) > SLOTS_MAX:
            fields["slots"] = _l("Give at most 40 moments.")
        elif any(a >= b for a, b in ordered):
            fields["slots"] = _l("A moment ends before it begins. Change its hours.")
        elif any(not SLOT_MIN <= b - a <= SLOT_MAX for a, b in ordered):
            fields["slots"] = _l("A moment takes from a quarter of an hour to twelve hours.")
        elif any(a[1] > b[0] for a, b in pairwise(ordered)):
            fields["slots"] = _l("Two moments overlap. Change one of them.")
        elif local_date(ordered[-1][1]) < today:
            fields["slots"] = _l("These moments have passed. Give later ones.")
        elif (local_date(ordered[-1][1]) - local_date(ordered[0][0])).days >= DAYS_MAX:
            fields["slots"] = _l("Choose a period of at most three years.")
        elif not MINUTES_MIN <= times_of(wish).minutes_per_coach <= MINUTES_MAX:
            fields["slots"] = _l("Ask between half an hour and 400 hours of each coach.")
        return
    if not MINUTES_MIN <= wish.minutes_per_coach <= MINUTES_MAX:
        fields["hours"] = _l("Ask between half an hour and 400 hours of each coach.")
    if not 1 <= wish.week_bits <= ANY_TIME:
        fields["week"] = _l("Choose at least one half-day.")
    if wish.from_date is None:
        fields["from_date"] = _l("Give the first day.")
        return
    if wish.from_date < date(today.year, 1, 1) and wish.from_date != begun:
        fields["from_date"] = _l("Choose a first day in this year or later.")
    elif wish.from_date > today + timedelta(days=DAYS_MAX):
        fields["from_date"] = _l("Choose a first day within three years.")
    if wish.shape == Shape.OPEN_ENDED:
        return
    if wish.until_date is None:
        fields["until_date"] = _l("Give the last day, or choose a coaching without an end.")
    elif wish.until_date < wish.from_date:
        fields["until_date"] = TURNED_ROUND
    elif wish.until_date < today:
        fields["until_date"] = _l("This day has passed. Choose a later one.")
    elif (wish.until_date - wish.from_date).days >= DAYS_MAX:
        fields["until_date"] = _l("Choose a period of at most three years.")
