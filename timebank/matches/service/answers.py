"""Yes and no to a proposal. The second yes of the two books its minutes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.agreements import service as agreements
from timebank.auth.actor import SYSTEM, Actor
from timebank.errors import Expired, InsufficientHours
from timebank.ledger import service as ledger
from timebank.matches.events import (
    MatchAccepted,
    MatchActivated,
    MatchConfirmed,
    MatchDeclined,
    MatchExpired,
)
from timebank.matches.facts import facts_of
from timebank.matches.models import OPEN_STATES, DeclineReason, Match, MatchState, Side
from timebank.matches.service import loading
from timebank.matches.service.agreeing import agreement_facts, agreement_language
from timebank.organisations.models import ConflictOfInterest


def accept_as_coach(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> Match:
    """Say yes as the coach. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState, Expired, InsufficientHours.
    """
    match = loading.locked(session, public_id)
    loading.require_coach(match, actor, "match.answer_as_coach")
    return _accept(session, match, Side.COACH, actor, now)


def accept_as_initiative(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> Match:
    """Say yes as the initiative. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState, Expired, InsufficientHours.
    """
    match = loading.locked(session, public_id)
    loading.require_initiative(match, actor, "match.answer_as_initiative")
    return _accept(session, match, Side.INITIATIVE, actor, now)


def decline(
    session: Session,
    public_id: UUID,
    *,
    side: Side,
    reason: DeclineReason,
    note: str,
    actor: Actor,
    now: datetime,
) -> Match:
    """Say no, by either side; hours and seat are free again, and the two are never proposed to each other again.

    With a conflict of interest as reason, this coach and this initiative are kept apart for every request.

    The same again changes nothing. Raises NotFound, NotPermitted, WrongState.
    """
    match = loading.locked(session, public_id)
    if side is Side.COACH:
        loading.require_coach(match, actor, "match.answer_as_coach")
    else:
        loading.require_initiative(match, actor, "match.answer_as_initiative")
    if match.state is MatchState.DECLINED and match.declined_by is side:
        return match
    loading.require_state(match, "decline")
    match.state = MatchState.DECLINED
    match.declined_by = side
    match.decline_reason = reason
    match.end_note = note or None
    match.ended_at = now
    if reason is DeclineReason.CONFLICT_OF_INTEREST:
        _declare_conflict(session, match, now)
    session.flush()
    events.record(
        session,
        MatchDeclined(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            side=side,
            reason=reason,
        ),
    )
    return match


def expire_open(session: Session, *, now: datetime) -> int:
    """Let the proposals go that nobody answered in time. Returns how many.

    Each is locked, so that an acceptance at the same moment either came first or finds it expired.
    """
    due = session.scalars(
        select(Match)
        .where(Match.state.in_(OPEN_STATES), Match.expires_at <= now)
        .order_by(Match.id)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for match in due:
        match.state = MatchState.EXPIRED
        match.ended_at = now
        events.record(
            session,
            MatchExpired(
                actor=SYSTEM,
                at=now,
                subject=match.public_id,
                organisation_id=match.employment.organisation_id,
                match_id=match.id,
                request_id=match.request_id,
                pledge_id=match.pledge_id,
            ),
        )
    session.flush()
    return len(due)


def activate(session: Session, match: Match, *, actor: Actor, now: datetime) -> Match:
    """Let hours be logged: the agreement is in force. The same again changes nothing.

    Raises WrongState.
    """
    if match.state is MatchState.ACTIVE:
        return match
    loading.require_state(match, "activate")
    match.state = MatchState.ACTIVE
    match.activated_at = now
    session.flush()
    events.record(
        session,
        MatchActivated(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
        ),
    )
    return match


def _accept(session: Session, match: Match, side: Side, actor: Actor, now: datetime) -> Match:
    coach = side is Side.COACH
    before = match.coach_accepted_at if coach else match.initiative_accepted_at
    if before is not None and match.state not in (
        MatchState.DECLINED,
        MatchState.EXPIRED,
        MatchState.CANCELLED,
    ):
        return match
    loading.require_state(match, "accept_as_coach" if coach else "accept_as_initiative")
    if now >= match.expires_at:
        raise Expired(_l("This proposal has expired. Its hours and its place went to others."))
    if coach:
        match.coach_accepted_at = now
        match.state = MatchState.ACCEPTED_BY_COACH
    else:
        match.initiative_accepted_at = now
        match.state = MatchState.ACCEPTED_BY_INITIATIVE
    events.record(
        session,
        MatchAccepted(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            side=side,
        ),
    )
    if match.coach_accepted_at is not None and match.initiative_accepted_at is not None:
        _confirm(session, match, actor, now)
    session.flush()
    return match


def _declare_conflict(session: Session, match: Match, now: datetime) -> None:
    pair = (match.employment_id, match.request.initiative_id)
    if session.get(ConflictOfInterest, pair) is None:
        session.add(ConflictOfInterest(employment_id=pair[0], initiative_id=pair[1], declared_at=now))


def _confirm(session: Session, match: Match, actor: Actor, now: datetime) -> None:
    match.state = MatchState.CONFIRMED
    match.confirmed_at = now
    session.flush()
    day = clock.local_date(now)
    company = match.employment.organisation_id
    try:
        ledger.reserve(
            session,
            organisation_id=company,
            match=match.public_id,
            parts=[(r.tranche.public_id, r.minutes) for r in match.reservations],
            activity_date=day,
            facts=facts_of(session, match, day),
            actor_label=actor.label,
            now=now,
            key=f"match:{match.public_id}:confirmed",
        )
    except InsufficientHours as refusal:
        raise InsufficientHours(
            _l(
                "The hour budget of this coach became smaller. There are too few hours left for this coaching."
            )
        ) from refusal
    events.record(
        session,
        MatchConfirmed(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=company,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            minutes=match.minutes,
        ),
    )
    initiative = match.request.initiative
    language = agreement_language(match, day)
    agreements.draft_for_match(
        session,
        organisation_id=company,
        initiative_id=initiative.id,
        match_id=match.id,
        facts=agreement_facts(match, language),
        language=language,
        now=now,
    )
    if agreements.in_force_for(
        session, organisation_id=company, initiative_id=initiative.id, match_id=match.id
    ):
        activate(session, match, actor=actor, now=now)
