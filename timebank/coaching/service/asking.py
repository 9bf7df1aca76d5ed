"""Asking for coaches."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.coaching.events import RequestSubmitted
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.coaching.rules import RequestInput, looks_like_staffing, times_of
from timebank.coaching.service.shared import as_input, check_wish, fill, move, open_request, ordered, record
from timebank.errors import NotFound, WrongState
from timebank.organisations.models import Admission, Initiative

TWICE = timedelta(minutes=10)  # within which the very same request is a second click


def submit_request(
    session: Session, initiative_id: int, wish: RequestInput, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Ask for coaches. It opens at once, unless it looks like staffing: then the operator looks first.

    The very same request within ten minutes gives back the first. Raises NotFound, NotPermitted, WrongState (an
    initiative that is not admitted), Invalid.
    """
    permissions.require(actor, "request.make", initiative_id=initiative_id)
    initiative = session.scalar(
        select(Initiative).where(Initiative.id == initiative_id).with_for_update(key_share=True)
    )
    if initiative is None:
        raise NotFound(_l("We can't find that initiative."))
    if initiative.admission is Admission.APPLIED:
        raise WrongState(_l("Your initiative can ask for coaches once the operator has admitted it."))
    if not initiative.takes_part:
        raise WrongState(_l("Your initiative does not take part at the moment. Ask the operator."))
    check_wish(session, wish, now)
    twin = _twin(session, initiative_id, wish, now)
    if twin is not None:
        return twin
    times = times_of(wish)
    request = CoachingRequest(
        initiative=initiative,
        state=RequestState.DRAFT,
        created_at=now,
        seats=[Seat(position=i + 1) for i in range(wish.seats)],
        texts=[],
        skills=[],
        slots=[],
        shape=wish.shape,
        from_date=times.from_date,
        until_date=times.until_date,
        minutes_per_coach=times.minutes_per_coach,
        language_bits=wish.language_bits,
        week_bits=times.week_bits,
        postcode=wish.postcode,
        remote=wish.remote,
    )
    fill(request, wish)
    session.add(request)
    if looks_like_staffing(wish):
        move(request, "submit")
        session.flush()
        record(session, RequestSubmitted, request, actor, now)
    else:
        open_request(session, request, actor, now)
    return request


def _twin(session: Session, initiative_id: int, wish: RequestInput, now: datetime) -> CoachingRequest | None:
    recent = session.scalars(
        select(CoachingRequest)
        .where(
            CoachingRequest.initiative_id == initiative_id,
            CoachingRequest.created_at > now - TWICE,
            CoachingRequest.state != RequestState.CLOSED,
        )
        .order_by(CoachingRequest.id)
    )
    return next((r for r in recent if as_input(r, wish.language) == ordered(wish)), None)
