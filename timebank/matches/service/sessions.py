"""Sessions: date, place and time are fixed before them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth.actor import Actor
from timebank.errors import Invalid, WrongState
from timebank.matches.events import (
    SessionCancelled,
    SessionEvent,
    SessionMissed,
    SessionMoved,
    SessionPlanned,
)
from timebank.matches.holidays import holiday_on
from timebank.matches.models import (
    SESSION_ACTS,
    CoachingSession,
    Match,
    MatchState,
    SessionState,
)
from timebank.matches.service import checks, loading
from timebank.organisations.models import Employment
from timebank.web.format import day_short

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
PLANNABLE = (MatchState.CONFIRMED, MatchState.ACTIVE)


def plan_session(
    session: Session,
    match_public_id: UUID,
    *,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    remote: bool,
    actor: Actor,
    now: datetime,
) -> CoachingSession:
    """Fix a session. The very same one again is the one that stands.

    Raises NotFound, NotPermitted, WrongState, and Invalid with the fields date, starts, ends and place.
    """
    match = loading.locked(session, match_public_id)
    loading.require_coach(match, actor, "session.plan")
    if match.state not in PLANNABLE:
        raise WrongState(loading.STATE_REFUSALS[match.state])
    for meeting in match.sessions:
        if (meeting.starts_at, meeting.ends_at) == (starts_at, ends_at) and (
            meeting.state is SessionState.PLANNED and meeting.place == place and meeting.remote == remote
        ):
            return meeting
    _check(session, match, starts_at, ends_at, place, remote, actor, now, moved=None)
    meeting = _add(session, match, starts_at, ends_at, place, remote, actor, now)
    events.record(session, _event(SessionPlanned, match, meeting, actor, now))
    return meeting


def move_session(
    session: Session,
    public_id: UUID,
    *,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    remote: bool,
    actor: Actor,
    now: datetime,
) -> CoachingSession:
    """Put another session in the place of this one, and return it. To the same day, time and place changes nothing.

    Raises NotFound, NotPermitted, WrongState, Invalid.
    """
    meeting, match = loading.session_locked(session, public_id)
    loading.require_coach(match, actor, "session.plan")
    wanted = (starts_at, ends_at, place, remote)
    if meeting.state is SessionState.MOVED and meeting.moved_to_id is not None:
        target = session.get_one(CoachingSession, meeting.moved_to_id)
        if (target.starts_at, target.ends_at, target.place, target.remote) == wanted:
            return target
    _require(meeting, "move")
    if (meeting.starts_at, meeting.ends_at, meeting.place, meeting.remote) == wanted:
        return meeting
    if match.state not in PLANNABLE:
        raise WrongState(loading.STATE_REFUSALS[match.state])
    _check(session, match, starts_at, ends_at, place, remote, actor, now, moved=meeting)
    target = _add(session, match, starts_at, ends_at, place, remote, actor, now)
    meeting.state = SESSION_ACTS["move"][1]
    meeting.moved_to_id = target.id
    session.flush()
    events.record(
        session,
        SessionMoved(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            session=target.public_id,
            moved_from=meeting.public_id,
        ),
    )
    return target


def cancel_session(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> CoachingSession:
    """Drop a planned session, by either side. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState.
    """
    meeting, match = loading.session_locked(session, public_id)
    loading.require_side(match, actor)
    if meeting.state is SessionState.LATE_CANCELLED:
        return meeting
    _require(meeting, "cancel_late")
    meeting.state = SESSION_ACTS["cancel_late"][1]
    session.flush()
    events.record(session, _event(SessionCancelled, match, meeting, actor, now))
    return meeting


def miss_session(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> CoachingSession:
    """Say that a session did not take place since somebody did not come; only after its start.

    The same again changes nothing. Raises NotFound, NotPermitted, WrongState.
    """
    meeting, match = loading.session_locked(session, public_id)
    loading.require_side(match, actor)
    if meeting.state is SessionState.NO_SHOW:
        return meeting
    _require(meeting, "miss")
    if meeting.starts_at > now:
        raise WrongState(_l("This session has not begun yet. Move or cancel it."))
    meeting.state = SESSION_ACTS["miss"][1]
    session.flush()
    events.record(session, _event(SessionMissed, match, meeting, actor, now))
    return meeting


def _add(
    session: Session,
    match: Match,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    remote: bool,
    actor: Actor,
    now: datetime,
) -> CoachingSession:
    meeting = CoachingSession(
        match_id=match.id,
        state=SessionState.PLANNED,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        remote=remote,
        planned_by_id=actor.user_id,
        created_at=now,
    )
    session.add(meeting)
    session.flush()
    session.expire(match, ["sessions"])
    return meeting


def _check(
    session: Session,
    match: Match,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    remote: bool,
    actor: Actor,
    now: datetime,
    *,
    moved: CoachingSession | None,
) -> None:
    fields: dict[str, object] = {}
    day = clock.local_date(starts_at)
    if starts_at < now:
        fields["date"] = _l("This moment has passed. Plan a session before it begins.")
    elif not match.pledge.from_date <= day <= match.pledge.until_date:
        fields["date"] = _l(
            "Your hour budget runs from %(start)s until %(end)s. Choose a day in it.",
            start=day_short(match.pledge.from_date),
            end=day_short(match.pledge.until_date),
        )
    elif (holiday := holiday_on(day, actor.language)) is not None:
        fields["date"] = _l("That day is a public holiday (%(name)s). Choose a working day.", name=holiday)
    elif checks.is_blackout(match, day):
        fields["date"] = _l("Your company asks that nobody coaches on that day. Choose another one.")
    if ends_at - starts_at < SHORTEST:
        fields["ends"] = _l("A session ends at least 15 minutes after its start.")
    elif ends_at - starts_at > LONGEST or clock.local_date(ends_at) != day:
        fields["ends"] = _l("A session ends on the same day, at most 12 hours after its start.")
    if not remote and not place:
        fields["place"] = _l("Say where you meet, or choose remote.")
    if not fields and _overlapping(session, match, starts_at, ends_at, moved):
        fields["starts"] = _l(
            "You have another session at that time. Choose another one; back to back is fine."
        )
    if fields:
        raise Invalid(_l("This session cannot be planned like that."), fields)


def _overlapping(
    session: Session, match: Match, starts_at: datetime, ends_at: datetime, moved: CoachingSession | None
) -> bool:
    """Whether the same person has a session in that time; intervals are half-open."""
    own = Employment.id == match.employment_id
    if match.employment.user_id is not None:
        own = or_(own, Employment.user_id == match.employment.user_id)
    statement = (
        select(CoachingSession.id)
        .join(Match, Match.id == CoachingSession.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            own,
            CoachingSession.state.in_((SessionState.PLANNED, SessionState.HELD)),
            CoachingSession.starts_at < ends_at,
            CoachingSession.ends_at > starts_at,
        )
    )
    if moved is not None:
        statement = statement.where(CoachingSession.id != moved.id)
    return session.scalar(statement.limit(1)) is not None


def _require(meeting: CoachingSession, act: str) -> None:
    if meeting.state not in SESSION_ACTS[act][0]:
        raise WrongState(_l("This session is no longer planned: it was held, moved or cancelled."))


def _event(
    kind: type[SessionEvent], match: Match, meeting: CoachingSession, actor: Actor, now: datetime
) -> SessionEvent:
    return kind(
        actor=actor,
        at=now,
        subject=match.public_id,
        organisation_id=match.employment.organisation_id,
        match_id=match.id,
        request_id=match.request_id,
        pledge_id=match.pledge_id,
        session=meeting.public_id,
    )
