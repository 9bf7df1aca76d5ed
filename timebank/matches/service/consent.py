"""Silent consent: hours that the initiative does not answer count as confirmed, after a time of which both sides were
told and reminded. An initiative can switch it off; what it disputes always waits for its answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth.actor import SYSTEM
from timebank.coaching.models import CoachingRequest
from timebank.errors import DomainError
from timebank.matches.events import HoursReminded
from timebank.matches.models import HourEntry, HoursState, Match
from timebank.matches.service import entries, loading
from timebank.matches.service.hours import confirm_hours

REMINDED_BEFORE = timedelta(days=7)


def stop_consent(session: Session, initiative_id: int) -> None:
    """The initiative switched it off: what waits now waits for its answer."""
    own = (
        select(Match.id)
        .join(CoachingRequest, CoachingRequest.id == Match.request_id)
        .where(CoachingRequest.initiative_id == initiative_id)
    )
    session.execute(
        update(HourEntry)
        .where(HourEntry.match_id.in_(own), HourEntry.state == HoursState.LOGGED)
        .values(consent_at=None, reminded_at=None)
    )


def remind(session: Session, *, now: datetime, limit: int = 1) -> int:
    """Remind both sides of hours whose time runs out in a week; one that is reminded later has its week all the same.

    How many entries it dealt with.
    """
    due = session.scalars(
        select(HourEntry.public_id)
        .where(
            HourEntry.state == HoursState.LOGGED,
            HourEntry.consent_at <= now + REMINDED_BEFORE,
            HourEntry.reminded_at.is_(None),
        )
        .order_by(HourEntry.consent_at, HourEntry.id)
        .limit(limit)
    ).all()
    for public_id in due:
        entry, match = loading.entry_locked(session, public_id)
        counts_at = _counts_at(entry, match)
        if counts_at is not None and entry.reminded_at is None:
            entry.consent_at = max(counts_at, now + REMINDED_BEFORE)
            entry.reminded_at = now
            session.flush()
            events.record(session, entries.event_of(HoursReminded, entry, match, SYSTEM, now))
    return len(due)


def consent(session: Session, *, now: datetime, limit: int = 1) -> int:
    """Confirm, as `system`, hours whose time has run out; how many entries it dealt with.

    What cannot be booked, such as more hours than there are, waits for the initiative's answer from then on.
    """
    due = session.scalars(
        select(HourEntry.public_id)
        .where(
            HourEntry.state == HoursState.LOGGED,
            HourEntry.consent_at <= now,
            HourEntry.reminded_at.is_not(None),
        )
        .order_by(HourEntry.consent_at, HourEntry.id)
        .limit(limit)
    ).all()
    for public_id in due:
        entry, match = loading.entry_locked(session, public_id)
        counts_at = _counts_at(entry, match)
        if counts_at is None or counts_at > now:
            continue
        try:
            with session.begin_nested():
                confirm_hours(session, public_id, actor=SYSTEM, now=now)
        except DomainError:
            entry.consent_at = None
            session.flush()
    return len(due)


def _counts_at(entry: HourEntry, match: Match) -> datetime | None:
    """When silence about these hours counts, if it does. What was logged while the initiative switched it off may still
    carry a day of consent: it loses it here."""
    if not match.request.initiative.silent_consent:
        entry.consent_at = entry.reminded_at = None
    return entry.consent_at if entry.state is HoursState.LOGGED else None
