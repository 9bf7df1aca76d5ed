"""How a coaching ends: cancelled, or completed with or without hours left. What was not received is given back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.agreements import service as agreements
from timebank.auth.actor import Actor
from timebank.errors import Conflict
from timebank.ledger import service as ledger
from timebank.ledger.models import Category
from timebank.matches.events import MatchCancelled, MatchCompleted, SessionCancelled
from timebank.matches.facts import facts_of
from timebank.matches.models import (
    OPEN_STATES,
    SESSION_ACTS,
    Match,
    MatchState,
    SessionState,
)
from timebank.matches.queries import UNDECIDED_HOURS
from timebank.matches.service import loading
from timebank.pledges.models import PledgeState

ENDED = (MatchState.COMPLETED, MatchState.CANCELLED)


def cancel(
    session: Session,
    public_id: UUID,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
    cause: str = "person",
) -> Match:
    """Stop it, by either side or by a rule (`cause` names it); `reason` is what people read.

    What is reserved and not received goes back to the pledge, except for hours that still wait for the initiative's
    answer. The same again changes nothing. Raises NotFound, NotPermitted, WrongState.
    """
    match = loading.locked(session, public_id)
    loading.require_side(match, actor)
    if match.state is MatchState.CANCELLED:
        return match
    loading.require_state(match, "cancel")
    was_open = match.state in OPEN_STATES
    match.state = MatchState.CANCELLED
    match.ended_at = now
    match.end_note = reason or None
    session.flush()
    released = 0 if was_open else _close(session, match, actor, now)
    _record_cancelled(session, match, actor, now, cause=cause, was_open=was_open, released=released)
    return match


def cancel_open(
    session: Session,
    where: ColumnElement[bool],
    reason: str,
    *,
    cause: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Take back the open proposals `where`: what they rest on is no longer there. Returns how many.

    Their hours and seats are free again; the ledger knows nothing of them yet.
    """
    matches = session.scalars(
        select(Match)
        .where(where, Match.state.in_(OPEN_STATES))
        .order_by(Match.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for match in matches:
        match.state = MatchState.CANCELLED
        match.ended_at = now
        match.end_note = reason or None
    session.flush()
    for match in matches:
        _record_cancelled(session, match, actor, now, cause=cause, was_open=True, released=0)
    return len(matches)


def take_back(session: Session, run_id: int, reason: str, *, actor: Actor, now: datetime) -> int:
    """Take back all open proposals of a run, as long as nobody said yes or no to one. Returns how many.

    Raises Conflict.
    """
    # Under lock before it is judged: whoever answers at this moment is first, or finds it taken back.
    proposed = session.scalars(
        select(Match)
        .where(Match.run_id == run_id)
        .order_by(Match.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if any(
        m.coach_accepted_at or m.initiative_accepted_at or m.state is MatchState.DECLINED for m in proposed
    ):
        raise Conflict(
            _l("Somebody answered to one of these proposals: the run can't be taken back any more.")
        )
    return cancel_open(session, Match.run_id == run_id, reason, cause="run_withdrawn", actor=actor, now=now)


def complete(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> Match:
    """Say that the work is done; hours left go back to the pledge. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState.
    """
    match = loading.locked(session, public_id)
    loading.require_side(match, actor)
    if match.state is MatchState.COMPLETED:
        return match
    loading.require_state(match, "complete")
    match.state = MatchState.COMPLETED
    match.ended_at = now
    session.flush()
    released = _close(session, match, actor, now)
    events.record(
        session,
        MatchCompleted(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            released=released,
        ),
    )
    return match


def release_rest(session: Session, match: Match, *, key: str, actor: Actor, now: datetime) -> int:
    """Give back what is reserved and no undecided hours need any more; lapse it where the pledge is over.

    Returns the minutes given back.
    """
    pending = sum(
        e.minutes for e in match.hours if e.category is Category.DELIVERY and e.state in UNDECIDED_HOURS
    )
    # What waits keeps the earliest minutes, since those are confirmed first.
    parts: list[tuple[UUID, int]] = []
    balances = ledger.match_balance(session, match.public_id)
    for reservation in match.reservations:
        balance = balances.get(reservation.tranche.public_id)
        reserved = balance.reserved if balance else 0
        kept = min(pending, reserved)
        pending -= kept
        if reserved > kept:
            parts.append((reservation.tranche.public_id, reserved - kept))
    if not parts:
        return 0
    day = clock.local_date(now)
    facts = facts_of(session, match, day)
    company = match.employment.organisation_id
    ledger.release(
        session,
        organisation_id=company,
        match=match.public_id,
        parts=parts,
        activity_date=day,
        facts=facts,
        actor_label=actor.label,
        now=now,
        key=key,
    )
    if match.pledge.state is PledgeState.ENDED:
        for tranche, minutes in parts:
            ledger.lapse(
                session,
                organisation_id=company,
                tranche=tranche,
                minutes=minutes,
                activity_date=day,
                facts=facts,
                actor_label=actor.label,
                now=now,
                key=f"tranche:{tranche}:lapsed:{key}",
            )
    return sum(minutes for _tranche, minutes in parts)


def _close(session: Session, match: Match, actor: Actor, now: datetime) -> int:
    """Drop planned sessions that have not begun, end the text of this match, give back what is left."""
    for meeting in match.sessions:
        if meeting.state is SessionState.PLANNED and meeting.starts_at > now:
            meeting.state = SESSION_ACTS["cancel_late"][1]
            events.record(
                session,
                SessionCancelled(
                    actor=actor,
                    at=now,
                    subject=match.public_id,
                    organisation_id=match.employment.organisation_id,
                    match_id=match.id,
                    request_id=match.request_id,
                    pledge_id=match.pledge_id,
                    session=meeting.public_id,
                ),
            )
    session.flush()
    released = release_rest(session, match, key=f"match:{match.public_id}:released", actor=actor, now=now)
    agreements.end_for_match(session, match.id, actor=actor, now=now)
    return released


def _record_cancelled(
    session: Session,
    match: Match,
    actor: Actor,
    now: datetime,
    *,
    cause: str,
    was_open: bool,
    released: int,
) -> None:
    events.record(
        session,
        MatchCancelled(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            cause=cause,
            was_open=was_open,
            released=released,
        ),
    )
