"""Matches, as each side may see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank.auth.actor import Actor
from timebank.coaching.models import CoachingRequest, RequestSkill
from timebank.errors import NotFound
from timebank.matches.models import (
    Match,
    MatchState,
)
from timebank.organisations.models import (
    Employment,
    EmploymentTerms,
    Initiative,
    InitiativeCause,
    Organisation,
)
from timebank.pledges.models import Pledge, PledgeSkill


def own_as_coach(actor: Actor) -> ColumnElement[bool]:
    """Matches of the actor's own employments."""
    return Match.employment_id.in_(select(Employment.id).where(Employment.user_id == actor.user_id))


def own_as_initiative(actor: Actor) -> ColumnElement[bool]:
    """Matches of the initiatives that the actor co-ordinates."""
    return Match.request_id.in_(
        select(CoachingRequest.id).where(CoachingRequest.initiative_id.in_(actor.initiatives()))
    )


def of_initiative(initiative_id: int) -> ColumnElement[bool]:
    """Matches of one initiative."""
    return Match.request_id.in_(
        select(CoachingRequest.id).where(CoachingRequest.initiative_id == initiative_id)
    )


def _whole() -> list[object]:
    """What a card or a page of a match shows, loaded with a fixed number of statements."""
    request = joinedload(Match.request)
    initiative = request.joinedload(CoachingRequest.initiative)
    employment = joinedload(Match.employment)
    return [
        request.joinedload(CoachingRequest.place),
        request.selectinload(CoachingRequest.texts),
        request.selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
        request.selectinload(CoachingRequest.slots),
        initiative.joinedload(Initiative.place),
        initiative.selectinload(Initiative.texts),
        initiative.selectinload(Initiative.causes).joinedload(InitiativeCause.cause),
        employment.joinedload(Employment.organisation).joinedload(Organisation.policy),
        employment.selectinload(Employment.terms).joinedload(EmploymentTerms.site),
        joinedload(Match.pledge).joinedload(Pledge.place),
        joinedload(Match.pledge).selectinload(Pledge.skills).joinedload(PledgeSkill.skill),
        joinedload(Match.seat),
        selectinload(Match.sessions),
        selectinload(Match.hours),
    ]


def match_for(session: Session, public_id: UUID, *, actor: Actor) -> Match:
    """One match that the actor is a side of.

    Raises NotFound.
    """
    statement = (
        select(Match)
        .where(Match.public_id == public_id, or_(own_as_coach(actor), own_as_initiative(actor)))
        .options(*_whole())  # type: ignore[arg-type]
    )
    found = session.scalar(statement)
    if found is None:
        raise NotFound("match")
    return found


def matches_of_coach(session: Session, actor: Actor, *, states: Sequence[MatchState]) -> Sequence[Match]:
    """The actor's own matches in `states`, the first to expire first."""
    return session.scalars(
        select(Match)
        .where(own_as_coach(actor), Match.state.in_(states))
        .options(*_whole())  # type: ignore[arg-type]
        .order_by(Match.expires_at, Match.id)
    ).all()


def matches_of_initiative(
    session: Session, initiative_id: int, *, states: Sequence[MatchState], limit: int = 200
) -> Sequence[Match]:
    """An initiative's matches in `states`, the first to expire first."""
    return session.scalars(
        select(Match)
        .join(Match.request)
        .where(CoachingRequest.initiative_id == initiative_id, Match.state.in_(states))
        .options(*_whole())  # type: ignore[arg-type]
        .order_by(Match.expires_at, Match.id)
        .limit(limit)
    ).all()
