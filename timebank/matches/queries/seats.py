"""Seats of a request, and who sits in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import clock
from timebank.coaching.holds import Hold
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.matches.models import (
    Match,
)
from timebank.matches.queries.free import SHOWN_STATES, seat_holds
from timebank.pledges.models import Pledge


def seats_with_matches(session: Session, request_id: int) -> list[tuple[Seat, Match | None]]:
    """The request's seats in order, each with the match that lives in it or was completed in it. Two statements."""
    seats = session.scalars(
        select(Seat).where(Seat.request_id == request_id, Seat.withdrawn.is_(False)).order_by(Seat.position)
    ).all()
    matches = session.scalars(
        select(Match)
        .where(Match.request_id == request_id, Match.state.in_(SHOWN_STATES))
        .options(joinedload(Match.employment), joinedload(Match.pledge).joinedload(Pledge.place))
        .order_by(Match.id)
    ).all()
    held = {m.seat_id: m for m in matches}
    return [(seat, held.get(seat.id)) for seat in seats]


@dataclass(frozen=True)
class RequestSeats:
    """How many seats of a request are filled, proposed and free."""

    request: CoachingRequest
    seats: int
    taken: int
    proposed: int

    @property
    def free(self) -> int:
        return self.seats - self.taken - self.proposed

    def waited(self, today: date) -> int:
        """Days since it opened."""
        return (today - clock.local_date(self.request.opened_at)).days if self.request.opened_at else 0


def requests_with_seats(session: Session, initiative_id: int) -> list[RequestSeats]:
    """An initiative's requests that are open or paused, longest waiting first, with their seats."""
    requests = session.scalars(
        select(CoachingRequest)
        .where(
            CoachingRequest.initiative_id == initiative_id,
            CoachingRequest.state.in_((RequestState.OPEN, RequestState.PAUSED, RequestState.SUBMITTED)),
        )
        .options(selectinload(CoachingRequest.texts), joinedload(CoachingRequest.initiative))
        .order_by(CoachingRequest.opened_at, CoachingRequest.id)
        .limit(100)
    ).all()
    ids = [r.id for r in requests]
    holds = seat_holds(session, ids)
    seats: dict[int, list[int]] = {}
    for seat_id, request_id in session.execute(
        select(Seat.id, Seat.request_id).where(Seat.request_id.in_(ids), Seat.withdrawn.is_(False))
    ):
        seats.setdefault(request_id, []).append(seat_id)
    return [
        RequestSeats(
            request=r,
            seats=len(seats.get(r.id, [])),
            taken=sum(holds.get(s) is Hold.TAKEN for s in seats.get(r.id, [])),
            proposed=sum(holds.get(s) is Hold.PROPOSED for s in seats.get(r.id, [])),
        )
        for r in requests
    ]
