"""What happens to a request by itself: it is filled, freed again, over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth.actor import SYSTEM
from timebank.coaching.events import RequestOpened
from timebank.coaching.holds import Hold, held_seats
from timebank.coaching.models import ClosedReason, CoachingRequest, RequestState, Seat
from timebank.coaching.service.shared import close, lock, move, record


def close_expired(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Close up to `limit` requests whose last day has passed; the number tells whether to come again."""
    due = session.scalars(
        select(CoachingRequest.public_id)
        .where(
            CoachingRequest.state.in_(
                (RequestState.DRAFT, RequestState.SUBMITTED, RequestState.OPEN, RequestState.PAUSED)
            ),
            CoachingRequest.until_date < clock.local_date(now),
        )
        .order_by(CoachingRequest.id)
        .limit(limit)
    ).all()
    for public_id in due:
        close(session, lock(session, public_id), ClosedReason.EXPIRED, SYSTEM, now)
    return len(due)


def close_if_filled(session: Session, request: CoachingRequest, *, now: datetime) -> bool:
    """Close an open request once both sides said yes for each of its seats; whoever confirms a match calls it."""
    if request.state not in (RequestState.OPEN, RequestState.PAUSED):
        return False
    held = held_seats(session, [request.id])
    asked = _asked_seats(session, request)
    if not asked or any(held.get(seat_id) != Hold.TAKEN for seat_id in asked):
        return False
    close(session, request, ClosedReason.FILLED, SYSTEM, now)
    return True


def reopen_if_freed(session: Session, request: CoachingRequest, *, now: datetime) -> bool:
    """Open a filled request again when a seat of it became free before its end; whoever cancels a match calls it."""
    if request.closed_reason != ClosedReason.FILLED:
        return False
    if request.until_date is not None and request.until_date < clock.local_date(now):
        return False
    held = held_seats(session, [request.id])
    if all(seat_id in held for seat_id in _asked_seats(session, request)):
        return False
    move(request, "reopen")
    request.closed_reason = request.closed_at = request.closed_note = None
    session.flush()
    record(session, RequestOpened, request, SYSTEM, now)
    return True


def _asked_seats(session: Session, request: CoachingRequest) -> Sequence[int]:
    session.flush()
    return session.scalars(select(Seat.id).where(Seat.request_id == request.id, ~Seat.withdrawn)).all()
