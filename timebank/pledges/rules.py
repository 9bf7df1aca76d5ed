"""Limits of a pledge and its arithmetic: numbers and dates only, for forms, services and imports alike."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask_babel import lazy_gettext as _l

from timebank.errors import Invalid
from timebank.taxonomy.bits import ANY_TIME

MINUTES_MIN = 30
MINUTES_MAX = 60_000  # of a whole pledge, and of a month of a monthly one
DAYS_MAX = 3 * 366
RADIUS_MAX_KM = 300
RADIUS_DEFAULT_KM = 30
LEVELS = (1, 2, 3)
LEVEL_DEFAULT = 2
SKILLS_MAX = 40
REASON_MAX = 2_000
TURNED_ROUND = _l("The last day comes before the first. Turn them round or choose a later day.")


@dataclass(frozen=True)
class PledgeInput:
    """What an employee offers. `minutes` are those of the whole period, or of each calendar month when `monthly`."""

    minutes: int
    from_date: date
    until_date: date
    skills: Sequence[tuple[int, int]]  # skill id, level
    language_bits: int
    postcode: str
    monthly: bool = False
    radius_km: int = RADIUS_DEFAULT_KM
    remote: bool = False
    week_bits: int = ANY_TIME
    wanted_cause_ids: Sequence[int] = field(default_factory=tuple)
    excluded_cause_ids: Sequence[int] = field(default_factory=tuple)
    shares_choice: bool = False


@dataclass(frozen=True)
class Description:
    """What a pledge says besides its hours and its days: all that the employee may change alone."""

    skills: Sequence[tuple[int, int]]  # skill id, level
    language_bits: int
    postcode: str
    radius_km: int
    remote: bool
    week_bits: int
    wanted_cause_ids: Sequence[int]
    excluded_cause_ids: Sequence[int]
    shares_choice: bool


@dataclass(frozen=True)
class Part:
    """A tranche to be: its days, both included, and its minutes."""

    from_date: date
    until_date: date
    minutes: int


def tranches_of(from_date: date, until_date: date, minutes: int, monthly: bool) -> list[Part]:
    """One part for the whole period, or one of `minutes` for each calendar month that the period touches.

    A first or last month that is not whole counts as a month: the minutes are a monthly promise, not a daily rate.
    """
    if not monthly:
        return [Part(from_date, until_date, minutes)]
    parts = []
    begin = from_date
    while begin <= until_date:
        last = begin.replace(day=monthrange(begin.year, begin.month)[1])
        parts.append(Part(begin, min(last, until_date), minutes))
        begin = last + timedelta(days=1)
    return parts


def total_minutes(offer: PledgeInput) -> int:
    """Minutes of the whole pledge."""
    return sum(
        p.minutes for p in tranches_of(offer.from_date, offer.until_date, offer.minutes, offer.monthly)
    )


def overlap(a_from: date, a_until: date, b_from: date, b_until: date) -> bool:
    """Whether two periods, ends included, share a day."""
    return a_from <= b_until and b_from <= a_until


def check_minutes(minutes: int) -> None:
    """Raises Invalid when `minutes` is not 30 minutes to 1,000 hours."""
    if not MINUTES_MIN <= minutes <= MINUTES_MAX:
        message = _l("Give between half an hour and 1,000 hours.")
        raise Invalid(message, {"hours": message})


def check(
    offer: PledgeInput,
    *,
    today: date,
    skill_ids: Iterable[int],
    cause_ids: Iterable[int],
    postcode_known: bool,
) -> None:
    """Raises Invalid with a message for each field that breaks a rule."""
    fields: dict[str, object] = {}
    if not MINUTES_MIN <= offer.minutes <= MINUTES_MAX:
        fields["hours"] = _l("Give between half an hour and 1,000 hours.")
    if offer.until_date < offer.from_date:
        fields["until_date"] = TURNED_ROUND
    elif offer.until_date < today:
        fields["until_date"] = _l("This day has passed. Choose a later one.")
    elif (offer.until_date - offer.from_date).days >= DAYS_MAX:
        fields["until_date"] = _l("Choose a period of at most three years.")
    elif offer.from_date < date(today.year, 1, 1):
        fields["from_date"] = _l("Choose a first day in this year or later.")
    elif "hours" not in fields and total_minutes(offer) > MINUTES_MAX:
        fields["hours"] = _l("Give between half an hour and 1,000 hours.")
    known = set(skill_ids)
    chosen = [skill for skill, _level in offer.skills]
    if not chosen:
        fields["skills"] = _l("Choose at least one skill.")
    elif len(chosen) > SKILLS_MAX:
        fields["skills"] = _l("Choose at most 40 skills.")
    elif len(set(chosen)) < len(chosen) or not known.issuperset(chosen):
        fields["skills"] = _l("Choose skills from the list.")
    elif any(level not in LEVELS for _skill, level in offer.skills):
        fields["skills"] = _l("Choose a level for each skill.")
    if not 1 <= offer.language_bits <= 7:
        fields["languages"] = _l("Choose at least one language.")
    if not 1 <= offer.week_bits <= ANY_TIME:
        fields["week"] = _l("Choose at least one half-day.")
    if not 0 <= offer.radius_km <= RADIUS_MAX_KM:
        fields["radius_km"] = _l("Choose a distance from 0 to 300 km.")
    if not postcode_known:
        fields["postcode"] = _l("Belgium has no such postcode.")
    wanted, excluded = set(offer.wanted_cause_ids), set(offer.excluded_cause_ids)
    if not set(cause_ids).issuperset(wanted | excluded):
        fields["excluded"] = _l("Choose causes from the list.")
    elif wanted & excluded:
        fields["excluded"] = _l("You want and do not want the same cause. Choose one of the two.")
    if fields:
        raise Invalid(_l("Some answers need a change."), fields)
