"""A coach or a seat that somebody wishes for, as the kernel sees the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from timebank.coaching.models import CoachingRequest, RequestSkill, Seat
from timebank.matching.columns import PledgeColumns
from timebank.matching.pins import BLOCK_MINUTES
from timebank.organisations.models import Initiative
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.bits import ANY_TIME
from timebank.taxonomy.models import Postcode

# Ids of organisations that are not there, two of them, so that no rule about one's own bites.
NO_COMPANY, NO_HOST = -1, -2
RUNS_FOR = timedelta(days=180)


@dataclass(frozen=True)
class Wish:
    """So many minutes with these skills at a level; a coach has a radius, a seat has none. Any time in half a year."""

    minutes: int
    skills: Sequence[int]
    level: int
    languages: int
    postcode: str
    remote: bool
    radius_km: int = 0

    def data(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Wish | None:
        return cls(**data) if data else None


def coach(session: Session, wish: Wish, as_of: date) -> PledgeColumns:
    place = _place(session, wish)
    return PledgeColumns(
        skills=[(skill, wish.level) for skill in wish.skills],
        languages=wish.languages,
        x=place.x,
        y=place.y,
        radius_km=wish.radius_km,
        remote=wish.remote,
        from_date=as_of,
        until_date=as_of + RUNS_FOR,
        week=ANY_TIME,
        blocks=wish.minutes // BLOCK_MINUTES,
        monthly_blocks=0,
        organisation_id=NO_COMPANY,
        causes=0,
        excluded_causes=0,
    )


def seat(session: Session, wish: Wish, as_of: date) -> Seat:
    """A seat that belongs to no session and is never stored."""
    asked = CoachingRequest(
        id=NO_HOST,
        initiative=Initiative(id=NO_HOST, organisation_id=NO_HOST, causes=[]),
        place=_place(session, wish),
        from_date=as_of,
        until_date=as_of + RUNS_FOR,
        minutes_per_coach=wish.minutes,
        language_bits=wish.languages,
        week_bits=ANY_TIME,
        remote=wish.remote,
        skills=[RequestSkill(skill_id=skill, level=wish.level, must=True) for skill in wish.skills],
    )
    return Seat(request_id=NO_HOST, position=1, request=asked)


def _place(session: Session, wish: Wish) -> Postcode:
    place = taxonomy.postcode(session, wish.postcode)
    if place is None:
        raise LookupError(wish.postcode)  # it was there when the question was asked
    return place
