"""To whom mails about a match go, each in their own language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.auth.models import User
from timebank.matches import queries
from timebank.matches.calendar import CalendarEntry, calendar_text
from timebank.matches.models import CoachingSession, Match, SessionState
from timebank.notifications.service import in_language, link, queue, unqueue

Text = tuple[str, str]
Compose = Callable[[str], Text]
TAKEN_BACK = "taken_back"


def title_of(match: Match, language: str) -> str:
    return match.request.text(language).title


def to_coach(
    session: Session,
    match: Match,
    what: str,
    compose: Compose,
    now: datetime,
    meeting: CoachingSession | None = None,
) -> None:
    employment = match.employment
    user = session.get(User, employment.user_id) if employment.user_id is not None else None
    email = user.email if user else employment.email
    language = (user.language if user else None) or employment.language
    _queue(session, match, what, email, employment.user_id, language, compose, now, meeting)


def to_initiative(
    session: Session,
    match: Match,
    what: str,
    compose: Compose,
    now: datetime,
    meeting: CoachingSession | None = None,
) -> None:
    people = queries.coordinators(session, match.request.initiative_id)
    to_people(session, match, what, compose, people, now, meeting)


def to_people(
    session: Session,
    match: Match,
    what: str,
    compose: Compose,
    people: Sequence[User],
    now: datetime,
    meeting: CoachingSession | None = None,
) -> None:
    initiative = match.request.initiative
    for user in people:
        language = user.language or initiative.language
        _queue(session, match, what, user.email, user.id, language, compose, now, meeting)
    if not people:
        _queue(
            session,
            match,
            what,
            initiative.contact_email,
            None,
            initiative.language,
            compose,
            now,
            meeting,
        )


def _key(match: Match, what: str, email: str) -> str:
    return f"match:{match.public_id}:{what}:{email}"[:200]


def _queue(
    session: Session,
    match: Match,
    what: str,
    email: str,
    user_id: int | None,
    language: str,
    compose: Compose,
    now: datetime,
    meeting: CoachingSession | None,
) -> None:
    if what == TAKEN_BACK and unqueue(session, _key(match, "proposed", email)):
        return  # they never heard of it
    with in_language(language):
        subject, body = compose(language)
        entries = [calendar_entry(match, meeting, language)] if meeting else []
    queue(
        session,
        key=_key(match, what, email),
        kind=f"match.{what.split(':')[0]}",
        email=email,
        user_id=user_id,
        language=language,
        subject=subject,
        body=body,
        now=now,
        calendar=calendar_text(entries, now=now) if entries else None,
    )


def where(meeting: CoachingSession) -> str:
    """The place of a session in words."""
    if not meeting.remote:
        return meeting.place
    return _("remote (%(place)s)", place=meeting.place) if meeting.place else _("remote")


def calendar_entry(match: Match, meeting: CoachingSession, language: str) -> CalendarEntry:
    """A session as both sides may see it, once both said yes."""
    return CalendarEntry(
        uid=meeting.public_id,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        summary=_(
            "%(initiative)s: %(title)s",
            initiative=match.request.initiative.name,
            title=title_of(match, language),
        ),
        location=where(meeting),
        description=link(f"/matches/{match.public_id}"),
        cancelled=meeting.state not in (SessionState.PLANNED, SessionState.HELD),
    )
