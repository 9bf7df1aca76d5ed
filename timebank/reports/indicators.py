"""Each figure, defined once: what it is called, what it means, how it is divided. All renderings read it here."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l


class Unit(enum.StrEnum):
    """How a value is kept and shown. Hours are kept as whole minutes."""

    HOURS = "hours"
    COUNT = "count"
    SHARE = "share"
    HOURS_EACH = "hours_each"


@dataclass(frozen=True)
class Indicator:
    """A figure's definition; its texts are in the reader's language."""

    key: str
    unit: Unit
    name: Any
    meaning: Any
    numerator: Any
    denominator: Any = None


@dataclass(frozen=True)
class Figure:
    """A figure's value. The numerator is in minutes where the unit is hours."""

    indicator: Indicator
    numerator: int
    denominator: int | None = None

    @property
    def value(self) -> Decimal | None:
        """Unrounded, hours as hours; none where there is nothing to divide by."""
        over = Decimal(1) if self.indicator.denominator is None else Decimal(self.denominator or 0)
        if self.indicator.unit in (Unit.HOURS, Unit.HOURS_EACH):
            over *= 60
        return Decimal(self.numerator) / over if over else None


INDICATORS = (
    Indicator(
        "delivered",
        Unit.HOURS,
        _l("Hours delivered"),
        _l("Coaching during working time that the initiative confirmed, by the date of the activity."),
        _l("confirmed minutes of coaching, less what was corrected, divided by 60"),
    ),
    Indicator(
        "pledged",
        Unit.HOURS,
        _l("Hours pledged"),
        _l(
            "Hours that employees pledged and the company granted, by the first day on which they could be given."
        ),
        _l("granted minutes divided by 60"),
    ),
    Indicator(
        "reserved",
        Unit.HOURS,
        _l("Hours agreed"),
        _l("Hours of coachings to which coach and initiative both said yes, less what was given back."),
        _l("reserved minutes less released minutes, divided by 60"),
    ),
    Indicator(
        "lapsed",
        Unit.HOURS,
        _l("Hours lapsed"),
        _l("Pledged hours that were withdrawn, cut or not used in time."),
        _l("lapsed minutes divided by 60"),
    ),
    Indicator(
        "participation",
        Unit.SHARE,
        _l("Participation rate"),
        _l("The part of all employees who gave at least some confirmed coaching in the period."),
        _l("people with more than zero confirmed minutes of coaching; people who left since count"),
        _l("headcount at the end of the period"),
    ),
    Indicator(
        "hours_per_participant",
        Unit.HOURS_EACH,
        _l("Hours per participant"),
        _l("What those who took part gave on average."),
        _l("confirmed minutes of coaching divided by 60"),
        _l("people with more than zero confirmed minutes of coaching"),
    ),
    Indicator(
        "hours_per_employee",
        Unit.HOURS_EACH,
        _l("Hours per employee"),
        _l("Hours delivered spread over everybody who works for the company."),
        _l("confirmed minutes of coaching divided by 60"),
        _l("headcount at the end of the period"),
    ),
    Indicator(
        "initiatives",
        Unit.COUNT,
        _l("Initiatives supported"),
        _l("Different initiatives that received confirmed coaching in the period."),
        _l("initiatives with more than zero confirmed minutes of coaching"),
    ),
    Indicator(
        "around",
        Unit.HOURS,
        _l("Hours around coachings"),
        _l("Confirmed travel, preparation and co-ordination. They stand apart from the hours delivered."),
        _l("confirmed minutes of travel, preparation and co-ordination, divided by 60"),
    ),
)
BY_KEY = {indicator.key: indicator for indicator in INDICATORS}

# What stands beside the figures and in none of them.
UNCONFIRMED = Indicator(
    "unconfirmed",
    Unit.HOURS,
    _l("Logged, not yet confirmed"),
    _l("Coaching that was logged and that the initiative has not confirmed. It is in no other figure."),
    _l("logged or disputed minutes of coaching divided by 60"),
)
