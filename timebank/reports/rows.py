"""The rows of a report's tables. Minutes are of confirmed coaching, unless they say otherwise."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from timebank.reports.models import RateBasis, TargetKind


@dataclass(frozen=True)
class Totals:
    """Minutes by measure; what was confirmed is either coaching or around it."""

    pledged: int = 0
    reserved: int = 0
    delivered: int = 0
    lapsed: int = 0
    around: int = 0


@dataclass(frozen=True)
class MonthRow:
    """A month of the period, by its first day, and the same month a year before."""

    month: date
    totals: Totals
    before: Totals = Totals()


@dataclass(frozen=True)
class GroupRow:
    """A department or a site, or all small ones together (`merged`)."""

    name: str
    merged: bool
    headcount: Decimal
    participants: int
    totals: Totals
    # Its address in a filter; the merged row has none.
    code: str | None = None


@dataclass(frozen=True)
class InitiativeRow:
    """An initiative as its last booking of the period says; without an id: all of them together."""

    public_id: uuid.UUID | None
    name: str
    number: str | None
    nuts2: str | None
    cause: str
    sdg: str | None
    minutes: int


@dataclass(frozen=True)
class CauseRow:
    """A cause with the goal and the target that it serves; cause and goal have a code and a name."""

    code: str
    name: str
    sdg: str
    sdg_name: str
    minutes: int
    target: str = ""


@dataclass(frozen=True)
class PartRow:
    """A goal, region, phase, work form or skill."""

    code: str
    name: str
    minutes: int


@dataclass(frozen=True)
class CoachRow:
    """A person's minutes, under a pseudonym or, where they were told and shared it, a name."""

    name: str
    minutes: int


@dataclass(frozen=True)
class TargetRow:
    """What a company wants to reach in a year, and has reached of it: minutes, or a share of its people."""

    kind: TargetKind
    year: int
    target: Decimal
    reached: Decimal | None

    @property
    def progress(self) -> Decimal | None:
        return None if self.reached is None else self.reached / self.target


@dataclass(frozen=True)
class RateRow:
    """An hourly rate that the value of time rests on."""

    basis: RateBasis
    valid_from: date
    cents: int
    source: str


@dataclass(frozen=True)
class RestatementRow:
    """A booking about hours of a period that was closed before: when, about which day, and why (a code)."""

    number: int
    booked_on: date
    activity_date: date
    minutes: int
    reason: str
    reverses: int | None


@dataclass(frozen=True)
class OutcomeRow:
    """Answers to one question about the coachings that were completed in the period; none where too few answered."""

    question: str
    side: str
    coachings: int
    answers: int
    fully: int | None
    partly: int | None
    no: int | None
    again: int | None


class Closing(enum.StrEnum):
    """Whether the period of a report was closed."""

    OPEN = "open"
    PARTLY = "partly"
    CLOSED = "closed"
