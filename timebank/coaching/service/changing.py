"""Changing, pausing and cancelling a request."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth.actor import Actor
from timebank.coaching.events import RequestChanged, RequestPaused
from timebank.coaching.holds import held_seats
from timebank.coaching.models import ClosedReason, CoachingRequest, RequestState, Seat
from timebank.coaching.rules import (
    SEATS_MAX,
    RequestInput,
    looks_like_staffing,
    minutes_a_week,
    slots_a_week,
    times_of,
)
from timebank.coaching.service.closing import close_if_filled
from timebank.coaching.service.shared import (
    CLOSED,
    WRONG,
    as_input,
    check_wish,
    close,
    fill,
    lock_own,
    move,
    open_request,
    ordered,
    reason_of,
    record,
)
from timebank.errors import Conflict, Expired, Invalid, WrongState


def change_request(
    session: Session,
    public_id: uuid.UUID,
    wish: RequestInput,
    *,
    actor: Actor,
    now: datetime,
    decided: bool = False,
) -> CoachingRequest:
    """Change what is asked. While seats are held, only texts, half-days, welcome skills, a later end and the number of
    seats may change: coaches said yes, or may say yes, to the rest.

    `decided`: the operator already looked at what is asked, whatever the days and hours, so it opens at once where it
    waited.
    Raises NotFound, NotPermitted, WrongState (closed), Invalid, Conflict.
    """
    request = lock_own(session, public_id, actor)
    if request.state == RequestState.CLOSED:
        raise WrongState(CLOSED)
    if not decided:
        check_wish(session, wish, now, request)
    before = as_input(request, wish.language)
    new = ordered(wish)
    if held_seats(session, [request.id]) and _breaks(before, new):
        raise Conflict(
            _l(
                "Coaches hold seats of this request, so its hours, days, place, languages and needed skills stay as "
                "they are. Make a second request for what differs."
            )
        )
    staffing = not decided and looks_like_staffing(new)
    if staffing and request.state != RequestState.SUBMITTED:
        heavier = minutes_a_week(new) > minutes_a_week(before) or slots_a_week(new) > slots_a_week(before)
        if heavier:
            message = _l(
                "This asks more than 10 hours or three moments a week of one coach. Send it as a new request: the "
                "operator looks at it first."
            )
            raise Invalid(message, {"hours": message})
    times = times_of(wish)
    request.shape = wish.shape
    request.from_date, request.until_date = times.from_date, times.until_date
    request.minutes_per_coach, request.week_bits = times.minutes_per_coach, times.week_bits
    request.language_bits, request.postcode, request.remote = wish.language_bits, wish.postcode, wish.remote
    fill(request, wish)
    _set_seats(session, request, wish.seats)
    session.flush()
    record(session, RequestChanged, request, actor, now, seats=wish.seats)
    waits = (RequestState.SUBMITTED, RequestState.DRAFT) if decided else (RequestState.SUBMITTED,)
    if request.state in waits and not staffing:
        open_request(session, request, actor, now, released=decided)
    return request


def _breaks(before: RequestInput, new: RequestInput) -> bool:
    """Whether a change touches what coaches said yes to."""
    earlier = new.until_date is not None and (before.until_date is None or new.until_date < before.until_date)
    return earlier or any(
        getattr(before, name) != getattr(new, name)
        for name in (
            "shape", "from_date", "minutes_per_coach", "slots", "must", "language_bits", "postcode", "remote",
        )
    )  # fmt: skip


def change_seats(
    session: Session, public_id: uuid.UUID, seats: int, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Ask for more or fewer coaches.

    Raises NotFound, NotPermitted, WrongState, Invalid, Conflict (below those held).
    """
    request = lock_own(session, public_id, actor)
    if request.state == RequestState.CLOSED:
        raise WrongState(CLOSED)
    if not 1 <= seats <= SEATS_MAX:
        message = _l("Ask for 1 to 50 coaches.")
        raise Invalid(message, {"seats": message})
    if seats == sum(not s.withdrawn for s in request.seats):
        return request
    _set_seats(session, request, seats)
    session.flush()
    record(session, RequestChanged, request, actor, now, seats=seats)
    close_if_filled(session, request, now=now)
    return request


def _set_seats(session: Session, request: CoachingRequest, seats: int) -> None:
    rows = list(session.scalars(
        select(Seat).where(Seat.request_id == request.id).order_by(Seat.position).with_for_update(key_share=True)
    ))  # fmt: skip
    asked = [s for s in rows if not s.withdrawn]
    held = held_seats(session, [request.id])
    if seats < sum(s.id in held for s in asked):
        message = _l(
            "%(count)s seats are held. Choose at least that many.", count=sum(s.id in held for s in asked)
        )
        raise Conflict(message)
    free = [s for s in asked if s.id not in held]
    for seat in reversed(free[-(len(asked) - seats) :] if seats < len(asked) else []):
        seat.withdrawn = True
    missing = seats - len(asked)
    for seat in rows:
        if missing > 0 and seat.withdrawn and seat.id not in held:
            seat.withdrawn = False
            missing -= 1
    for position in range(len(rows) + 1, len(rows) + missing + 1):
        request.seats.append(Seat(position=position))


def pause_request(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> CoachingRequest:
    """Propose nobody new for a while; proposals that are out stay. Raises NotFound, NotPermitted, WrongState."""
    request = lock_own(session, public_id, actor)
    if request.state == RequestState.PAUSED:
        return request
    move(request, "pause")
    session.flush()
    record(session, RequestPaused, request, actor, now)
    return request


def reopen_request(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> CoachingRequest:
    """Go on after a pause. Raises NotFound, NotPermitted, WrongState, Expired."""
    request = lock_own(session, public_id, actor)
    if request.state == RequestState.OPEN:
        return request
    if request.state != RequestState.PAUSED:
        raise WrongState(WRONG[request.state])
    if request.until_date is not None and request.until_date < clock.local_date(now):
        raise Expired(_l("The last day has passed. Change the days first."))
    open_request(session, request, actor, now)
    return request


def cancel_request(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Close a request for good, with a reason that coaches with a proposal read.

    Raises NotFound, NotPermitted, WrongState, Invalid.
    """
    request = lock_own(session, public_id, actor)
    if request.closed_reason == ClosedReason.CANCELLED:
        return request
    close(session, request, ClosedReason.CANCELLED, actor, now, note=reason_of(reason))
    return request
