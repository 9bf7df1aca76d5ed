"""Mails about coaching requests, each in its receiver's language."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.coaching import queries
from timebank.coaching.models import CoachingRequest
from timebank.notifications.service import in_language, link, queue


def review_waits(session: Session, request: CoachingRequest, now: datetime) -> None:
    """To the operators: a request looks like staffing."""
    for user in queries.operators(session):
        language = user.language or "nl"
        with in_language(language):
            subject = _("A coaching request waits for your look")
            body = _(
                '%(initiative)s asks "%(title)s". It asks so many hours or moments a week that it may be '
                "staffing.\n\n"
                "Release or refuse it: %(address)s",
                initiative=request.initiative.name,
                title=request.text(language).title,
                address=link("/operator/requests"),
            )
        queue(
            session,
            key=f"request:{request.public_id}:review:{user.public_id}",
            kind="request.review",
            email=user.email,
            user_id=user.id,
            language=language,
            subject=subject,
            body=body,
            now=now,
        )


def released(session: Session, request: CoachingRequest, now: datetime) -> None:
    for email, user_id, language in _receivers(session, request):
        with in_language(language):
            subject = _("Your coaching request is open")
            body = _(
                'We looked at "%(title)s" and opened it. From the next night on, coaches can be proposed.'
                "\n\n%(address)s",
                title=request.text(language).title,
                address=link(f"/requests/{request.public_id}"),
            )
        _queue(session, request, "released", email, user_id, language, subject, body, now)


def refused(session: Session, request: CoachingRequest, now: datetime) -> None:
    for email, user_id, language in _receivers(session, request):
        with in_language(language):
            subject = _("Your coaching request is not opened")
            body = _(
                'We did not open "%(title)s". The reason:\n\n%(reason)s\n\nYou can ask in another way: %(address)s',
                title=request.text(language).title,
                reason=request.closed_note,
                address=link("/requests/new"),
            )
        _queue(session, request, "refused", email, user_id, language, subject, body, now)


def _receivers(session: Session, request: CoachingRequest) -> list[tuple[str, int | None, str]]:
    """The co-ordinators, each in their own language, else the initiative's contact address."""
    initiative = request.initiative
    users = queries.coordinators(session, initiative.id)
    return [(u.email, u.id, u.language or initiative.language) for u in users] or [
        (initiative.contact_email, None, initiative.language)
    ]


def _queue(
    session: Session,
    request: CoachingRequest,
    what: str,
    email: str,
    user_id: int | None,
    language: str,
    subject: str,
    body: str,
    now: datetime,
) -> None:
    queue(
        session,
        key=f"request:{request.public_id}:{what}:{user_id or email}",
        kind=f"request.{what}",
        email=email,
        user_id=user_id,
        language=language,
        subject=subject,
        body=body,
        now=now,
    )
