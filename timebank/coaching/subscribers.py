"""What this room does when something happened: mails."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank import events
from timebank.coaching import mails
from timebank.coaching.events import RequestClosed, RequestOpened, RequestSubmitted
from timebank.coaching.models import ClosedReason, CoachingRequest


@events.on(RequestSubmitted)
def tell_operators(session: Session, event: RequestSubmitted) -> None:
    mails.review_waits(session, session.get_one(CoachingRequest, event.request_id), event.at)


@events.on(RequestOpened)
def tell_released(session: Session, event: RequestOpened) -> None:
    if event.released:
        mails.released(session, session.get_one(CoachingRequest, event.request_id), event.at)


@events.on(RequestClosed)
def tell_refused(session: Session, event: RequestClosed) -> None:
    if event.reason == ClosedReason.REFUSED:
        mails.refused(session, session.get_one(CoachingRequest, event.request_id), event.at)
