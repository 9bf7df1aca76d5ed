"""Rows under lock, and who may act on them: what every act on a match begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.coaching.models import CoachingRequest
from timebank.errors import NotFound, NotPermitted, WrongState
from timebank.matches.models import (
    LIVE_STATES,
    MATCH_ACTS,
    CoachingSession,
    HourEntry,
    Match,
    MatchState,
    Side,
)
from timebank.organisations.models import Employment
from timebank.pledges.models import Pledge

KEYS = (Match.id, Match.employment_id, Match.pledge_id, Match.request_id)

STATE_REFUSALS = {
    MatchState.PROPOSED: _l("This is still a proposal: both sides have to say yes first."),
    MatchState.ACCEPTED_BY_COACH: _l("The initiative still has to say yes to this proposal."),
    MatchState.ACCEPTED_BY_INITIATIVE: _l("The coach still has to say yes to this proposal."),
    MatchState.CONFIRMED: _l("This coaching was already agreed by both sides."),
    MatchState.ACTIVE: _l("This coaching is already running."),
    MatchState.COMPLETED: _l("This coaching is completed."),
    MatchState.DECLINED: _l("This proposal was declined. Nothing is held for it any more."),
    MatchState.EXPIRED: _l("This proposal has expired. Nothing is held for it any more."),
    MatchState.CANCELLED: _l("This was cancelled. Nothing is held for it any more."),
}


def locked(session: Session, public_id: UUID) -> Match:
    """The match with its employment, pledge, request and itself under lock, in the order that every room keeps.

    Raises NotFound.
    """
    ids = session.execute(select(*KEYS).where(Match.public_id == public_id)).one_or_none()
    if ids is None:
        raise NotFound(_l("We can't find that."))
    return _lock(session, *ids)


def _lock(session: Session, match_id: int, employment_id: int, pledge_id: int, request_id: int) -> Match:
    # The employment serialises what concerns a person's day, the pledge its free hours, the request its seats.
    session.execute(
        select(Employment.id).where(Employment.id == employment_id).with_for_update(key_share=True)
    )
    session.scalars(
        select(Pledge)
        .where(Pledge.id == pledge_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    session.scalars(
        select(CoachingRequest)
        .where(CoachingRequest.id == request_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return session.scalars(
        select(Match)
        .where(Match.id == match_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def entry_locked(session: Session, public_id: UUID) -> tuple[HourEntry, Match]:
    """Hours with their match, under lock.

    Raises NotFound.
    """
    ids = session.execute(
        select(HourEntry.id, *KEYS)
        .join(Match, Match.id == HourEntry.match_id)
        .where(HourEntry.public_id == public_id)
    ).one_or_none()
    if ids is None:
        raise NotFound(_l("We can't find that."))
    entry_id, *keys = ids
    match = _lock(session, *keys)
    entry = session.scalars(
        select(HourEntry)
        .where(HourEntry.id == entry_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return entry, match


def lock_entries(session: Session, public_ids: Sequence[UUID]) -> list[UUID]:
    """Lock all that these hours touch, and give the ids in the order in which to go through them.

    All before the first booking: the ledger's books are kept to the end, taken company by company, and whoever waits
    for one holds rows already. Ids that nobody knows are left for the act to refuse.
    """
    rows = session.execute(
        select(HourEntry.public_id, Match.id, Match.employment_id, Match.pledge_id, Match.request_id)
        .join(Match, Match.id == HourEntry.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(HourEntry.public_id.in_(public_ids))
        .order_by(Employment.organisation_id, HourEntry.id)
    ).all()
    _lock_all(session, rows)
    known = [r.public_id for r in rows]
    return known + [i for i in dict.fromkeys(public_ids) if i not in known]


def lock_pair(session: Session, organisation_id: int, initiative_id: int) -> None:
    """Lock all that lives between a company's people and an initiative, open proposals too: one that is accepted at
    this moment is about to come to the agreement of the two."""
    rows = session.execute(
        select(*KEYS)
        .join(Employment, Employment.id == Match.employment_id)
        .join(CoachingRequest, CoachingRequest.id == Match.request_id)
        .where(
            Employment.organisation_id == organisation_id,
            CoachingRequest.initiative_id == initiative_id,
            Match.state.in_(LIVE_STATES),
        )
    ).all()
    _lock_all(session, rows)


def _lock_all(session: Session, rows: Sequence[Any]) -> None:
    """Lock what these rows of `KEYS` name, in the order of `_lock`."""
    for key, ids in (
        (Employment.id, {r.employment_id for r in rows}),
        (Pledge.id, {r.pledge_id for r in rows}),
        (CoachingRequest.id, {r.request_id for r in rows}),
        (Match.id, {r.id for r in rows}),
    ):
        session.execute(select(key).where(key.in_(ids)).order_by(key).with_for_update(key_share=True)).all()


def session_locked(session: Session, public_id: UUID) -> tuple[CoachingSession, Match]:
    """A planned meeting with its match, under lock.

    Raises NotFound.
    """
    ids = session.execute(
        select(CoachingSession.id, *KEYS)
        .join(Match, Match.id == CoachingSession.match_id)
        .where(CoachingSession.public_id == public_id)
    ).one_or_none()
    if ids is None:
        raise NotFound(_l("We can't find that."))
    meeting_id, *keys = ids
    match = _lock(session, *keys)
    meeting = session.scalars(
        select(CoachingSession)
        .where(CoachingSession.id == meeting_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return meeting, match


def require_state(match: Match, act: str) -> None:
    """Raises WrongState, saying how it stands, when the match does not allow `act` now."""
    if match.state not in MATCH_ACTS[act]:
        raise WrongState(STATE_REFUSALS[match.state])


def is_own(match: Match, actor: Actor) -> bool:
    """Whether the actor is the match's coach."""
    return actor.user_id is not None and match.employment.user_id == actor.user_id


def require_coach(match: Match, actor: Actor, action: str) -> None:
    """Raises NotFound unless the actor is the coach (or a rule), and NotPermitted without the role."""
    if actor.is_system:
        return
    if not is_own(match, actor):
        raise NotFound(_l("We can't find that."))
    permissions.require(actor, action, organisation_id=match.employment.organisation_id)


def require_initiative(match: Match, actor: Actor, action: str) -> None:
    """Raises NotFound unless the actor co-ordinates the initiative, and NotPermitted for its own coach."""
    permissions.require(actor, action, initiative_id=match.request.initiative_id)
    if is_own(match, actor):
        raise NotPermitted(_l("You are the coach here. Somebody else of the initiative has to do this."))


def side_of(match: Match, actor: Actor) -> Side:
    """The side on which the actor stands.

    Raises NotFound for whoever stands on neither.
    """
    if is_own(match, actor):
        return Side.COACH
    if match.request.initiative_id in actor.initiatives():
        return Side.INITIATIVE
    raise NotFound(_l("We can't find that."))


def require_side(match: Match, actor: Actor) -> None:
    """Raises NotFound or NotPermitted unless the actor may answer on one of the sides (or is a rule)."""
    if actor.is_system:
        return
    if side_of(match, actor) is Side.COACH:
        require_coach(match, actor, "match.answer_as_coach")
    else:
        require_initiative(match, actor, "match.answer_as_initiative")
