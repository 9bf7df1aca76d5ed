"""A new entry of hours: whom it waits for, and until when."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from timebank.auth.actor import Actor
from timebank.ledger.models import Category
from timebank.matches.events import HoursEvent, HoursLate, HoursLogged
from timebank.matches.models import CoachingSession, HourEntry, HoursState, Match
from timebank.matches.service import checks

CONSENT_AFTER = timedelta(days=21)


def add(
    session: Session,
    match: Match,
    *,
    meeting: CoachingSession | None,
    day: date,
    minutes: int,
    category: Category,
    note: str,
    key: str,
    late_reason: str,
    corrects: HourEntry | None,
    actor: Actor,
    now: datetime,
) -> HourEntry:
    """Write the entry down. One that comes late waits for the company, any other for the initiative.

    A correction comes late only where it asks for more than was confirmed. Raises Invalid with the field late_reason.
    """
    late = checks.is_late(match, day, now) and (corrects is None or minutes > corrects.minutes)
    if late:
        checks.check_late_reason(late_reason)
    entry = HourEntry(
        match_id=match.id,
        session_id=meeting.id if meeting else (corrects.session_id if corrects else None),
        state=HoursState.LATE if late else HoursState.LOGGED,
        activity_date=day,
        minutes=minutes,
        category=category,
        note=note,
        idempotency_key=key,
        logged_at=now,
        logged_by_id=actor.user_id,
        late_reason=late_reason.strip() if late else None,
        corrects_id=corrects.id if corrects else None,
    )
    if not late:
        begin_consent(entry, match, now)
    session.add(entry)
    session.flush()
    session.expire(match, ["hours"])
    return entry


def begin_consent(entry: HourEntry, match: Match, now: datetime) -> None:
    """From now on the initiative has its time to answer, if silence is consent for it."""
    entry.consent_at = now + CONSENT_AFTER if match.request.initiative.silent_consent else None


def logged_event(entry: HourEntry) -> type[HoursEvent]:
    """What a new entry is: logged for the initiative, or late for the company."""
    return HoursLate if entry.state is HoursState.LATE else HoursLogged


def event_of(
    kind: type[HoursEvent], entry: HourEntry, match: Match, actor: Actor, now: datetime
) -> HoursEvent:
    """A fact about these hours, for `events.record`."""
    return kind(
        actor=actor,
        at=now,
        subject=match.public_id,
        organisation_id=match.employment.organisation_id,
        match_id=match.id,
        request_id=match.request_id,
        pledge_id=match.pledge_id,
        entry=entry.public_id,
        activity_date=entry.activity_date,
        minutes=entry.minutes,
        category=entry.category,
    )
