"""Each figure, defined once: what it is called, what it means, how it is divided. All renderings read it here.

An indicator counts itself from `Counts`, which says of each of its fields where it was read.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l

# Grows with each change to what an indicator means or how it is counted.
VERSION = "2026.2"

Number = int | Decimal


class Unit(enum.StrEnum):
    """How a value is kept and shown. Hours are kept as whole minutes, euros as minutes times cents of an hour."""

    HOURS = "hours"
    COUNT = "count"
    SHARE = "share"
    HOURS_EACH = "hours_each"
    EURO = "euro"


# By what the numerator of a unit is divided to give the value, besides the denominator.
PER = {Unit.HOURS: 60, Unit.HOURS_EACH: 60, Unit.EURO: 60 * 100}


@dataclass(frozen=True)
class Counts:
    """What was counted of one company in one period; minutes, people, and None for what cannot be known."""

    # `queries.given`: minutes of the ledger's facts by measure and category
    pledged: int = 0
    reserved: int = 0
    delivered: int = 0
    lapsed: int = 0
    around: int = 0
    # `queries.given`: people with more than 0, and with at least 60 confirmed minutes of coaching
    participants: int = 0
    participants_hour: int = 0
    # `staff.Staff`: people in service, and their full-time equivalents
    participants_fte: Decimal = Decimal(0)
    headcount: Decimal = Decimal(0)
    fte: Decimal = Decimal(0)
    mean_fte: Decimal = Decimal(0)
    contract_minutes: Decimal | None = None
    # `queries.received`: initiatives, and `queries.given`: sites, with more than 0 confirmed minutes of coaching
    initiatives: int = 0
    sites: int = 0
    # `queries.ended_pledges`: balances of the accounts of their tranches
    ended_granted: int = 0
    ended_received: int = 0
    # `queries.given` and `queries.rates`: minutes times the cents of an hour that held on the day
    value: int | None = None
    # the same for co-ordination, with `queries.fee_cents`
    management: int | None = None


@dataclass(frozen=True)
class Indicator:
    """A figure's definition; its texts are in the reader's language. `count` gives numerator and denominator;
    `of_people` and `of_initiatives` say whether it is also given of a part of them. Which standards it serves is in
    `frameworks`."""

    key: str
    unit: Unit
    name: Any
    meaning: Any
    numerator: Any
    denominator: Any = None
    count: Callable[[Counts], tuple[Number | None, Number | None]] = lambda c: (None, None)
    of_people: bool = True
    of_initiatives: bool = True


@dataclass(frozen=True)
class Figure:
    """A figure's value. The numerator is in minutes where the unit is hours, none where it cannot be known."""

    indicator: Indicator
    numerator: Number | None
    denominator: Number | None = None

    @property
    def divisor(self) -> Number | None:
        """All that the numerator is divided by; none for a plain count."""
        per = PER.get(self.indicator.unit)
        if self.indicator.denominator is None:
            return per
        return (self.denominator or 0) * (per or 1)

    @property
    def value(self) -> Decimal | None:
        """Unrounded, hours as hours, euros as euros; none where nothing is known or there is nothing to divide by."""
        over = self.divisor
        if self.numerator is None or over == 0:
            return None
        return Decimal(self.numerator) / (1 if over is None else over)


def figure_of(indicator: Indicator, counts: Counts) -> Figure:
    """An indicator's value for what was counted."""
    numerator, denominator = indicator.count(counts)
    return Figure(indicator, numerator, denominator)


CONFIRMED = _l("confirmed minutes of coaching divided by 60")
HEADCOUNT = _l("headcount, as the report declares it")

INDICATORS = (
    Indicator(
        "delivered",
        Unit.HOURS,
        _l("Hours delivered"),
        _l("Coaching during working time that the initiative confirmed, by the date of the activity."),
        _l("confirmed minutes of coaching, less what was corrected, divided by 60"),
        count=lambda c: (c.delivered, None),
    ),
    Indicator(
        "pledged",
        Unit.HOURS,
        _l("Hours pledged"),
        _l(
            "Hours that employees pledged and the company granted, by the first day on which they could be given."
        ),
        _l("granted minutes divided by 60"),
        count=lambda c: (c.pledged, None),
        of_initiatives=False,
    ),
    Indicator(
        "reserved",
        Unit.HOURS,
        _l("Hours agreed"),
        _l("Hours of coachings to which coach and initiative both said yes, less what was given back."),
        _l("reserved minutes less released minutes, divided by 60"),
        count=lambda c: (c.reserved, None),
    ),
    Indicator(
        "lapsed",
        Unit.HOURS,
        _l("Hours lapsed"),
        _l("Pledged hours that were withdrawn, cut or not used in time."),
        _l("lapsed minutes divided by 60"),
        count=lambda c: (c.lapsed, None),
        of_initiatives=False,
    ),
    Indicator(
        "fulfilment",
        Unit.SHARE,
        _l("Fulfilment"),
        _l(
            "The part of the hours pledged that was delivered, of the pledges whose last day lies in the period."
        ),
        _l("confirmed minutes of coaching from these pledges, whenever they were given"),
        _l("minutes that these pledges granted"),
        count=lambda c: (c.ended_received, c.ended_granted),
        of_people=False,
        of_initiatives=False,
    ),
    Indicator(
        "participation",
        Unit.SHARE,
        _l("Participation rate"),
        _l("The part of all employees who gave at least some confirmed coaching in the period."),
        _l("people with more than zero confirmed minutes of coaching; people who left since count"),
        HEADCOUNT,
        count=lambda c: (c.participants, c.headcount),
    ),
    Indicator(
        "participation_hour",
        Unit.SHARE,
        _l("Participation of an hour or more"),
        _l("The part of all employees who gave at least one hour of confirmed coaching in the period."),
        _l("people with at least 60 confirmed minutes of coaching; people who left since count"),
        HEADCOUNT,
        count=lambda c: (c.participants_hour, c.headcount),
    ),
    Indicator(
        "participation_fte",
        Unit.SHARE,
        _l("Participation rate in FTE"),
        _l(
            "The participation rate with everybody counted for the part of a full-time contract that they work."
        ),
        _l("full-time equivalents of those who took part, by their contract on the last day"),
        _l("full-time equivalents of all, on the same days as the headcount"),
        count=lambda c: (c.participants_fte, c.fte),
    ),
    Indicator(
        "hours_per_participant",
        Unit.HOURS_EACH,
        _l("Hours per participant"),
        _l("What those who took part gave on average."),
        CONFIRMED,
        _l("people with more than zero confirmed minutes of coaching"),
        count=lambda c: (c.delivered, c.participants),
    ),
    Indicator(
        "hours_per_employee",
        Unit.HOURS_EACH,
        _l("Hours per employee"),
        _l("Hours delivered spread over everybody who works for the company."),
        CONFIRMED,
        HEADCOUNT,
        count=lambda c: (c.delivered, c.headcount),
    ),
    Indicator(
        "hours_per_fte",
        Unit.HOURS_EACH,
        _l("Hours per FTE"),
        _l("Hours delivered spread over the full-time equivalents of the company."),
        CONFIRMED,
        _l("mean of the full-time equivalents on the last day of each month"),
        count=lambda c: (c.delivered, c.mean_fte),
    ),
    Indicator(
        "share_of_time",
        Unit.SHARE,
        _l("Share of working time"),
        _l("Hours delivered out of all hours in the contracts; holidays and leave are not taken off."),
        CONFIRMED,
        _l("mean FTE times the weekly hours of a full-time contract times the weeks of the period"),
        count=lambda c: (c.delivered, c.contract_minutes),
    ),
    Indicator(
        "initiatives",
        Unit.COUNT,
        _l("Initiatives supported"),
        _l("Different initiatives that received confirmed coaching in the period."),
        _l("initiatives with more than zero confirmed minutes of coaching"),
        count=lambda c: (c.initiatives, None),
        of_people=False,
    ),
    Indicator(
        "sites",
        Unit.COUNT,
        _l("Sites that took part"),
        _l("Different sites of the company whose people gave confirmed coaching in the period."),
        _l("sites with more than zero confirmed minutes of coaching"),
        count=lambda c: (c.sites, None),
        of_people=False,
    ),
    Indicator(
        "around",
        Unit.HOURS,
        _l("Hours around coachings"),
        _l("Confirmed travel, preparation and co-ordination. They stand apart from the hours delivered."),
        _l("confirmed minutes of travel, preparation and co-ordination, divided by 60"),
        count=lambda c: (c.around, None),
    ),
    Indicator(
        "value",
        Unit.EURO,
        _l("Value of time"),
        _l(
            "What the hours delivered cost the company, at the average hourly rate that it entered and that held on the"
            " date of the activity. Without a rate for every hour there is no figure."
        ),
        _l("confirmed minutes of coaching times the hourly rate of their date, divided by 60"),
        count=lambda c: (c.value, None),
    ),
    Indicator(
        "management",
        Unit.EURO,
        _l("Management cost"),
        _l("What it costs the company to run the programme; a figure of its own, in no other."),
        _l("confirmed minutes of co-ordination times the hourly rate of their date, and the fees entered"),
        count=lambda c: (c.management, None),
        of_people=False,
        of_initiatives=False,
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
