"""What is free, what is held, and who was matched before."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.coaching.holds import Hold
from timebank.ledger import service as ledger
from timebank.matches.models import (
    LIVE_STATES,
    OPEN_STATES,
    HourEntry,
    Match,
    MatchState,
    Reservation,
)
from timebank.matches.queries.portions import CHUNK, chunks
from timebank.pledges.models import Tranche

SHOWN_STATES = (*LIVE_STATES, MatchState.COMPLETED)


def held_by_open(session: Session, tranche_ids: Sequence[int]) -> dict[int, int]:
    """Minutes that open proposals hold, by tranche id."""
    held: dict[int, int] = {}
    for part in chunks(tranche_ids):
        rows = session.execute(
            select(Reservation.tranche_id, func.sum(Reservation.minutes))
            .join(Match)
            .where(Reservation.tranche_id.in_(part), Match.state.in_(OPEN_STATES))
            .group_by(Reservation.tranche_id)
        )
        held.update({tranche_id: int(minutes) for tranche_id, minutes in rows})
    return held


def free_by_tranche(session: Session, pledge_ids: Sequence[int]) -> dict[int, list[tuple[Tranche, int]]]:
    """For each pledge its tranches, earliest first, each with the ledger's available less what open proposals hold.

    A cut pledge may leave less than nothing for a moment; that counts as nothing.
    """
    tranches: list[Tranche] = []
    for part in chunks(pledge_ids):
        tranches += session.scalars(
            select(Tranche).where(Tranche.pledge_id.in_(part)).order_by(Tranche.pledge_id, Tranche.from_date)
        ).all()
    held = held_by_open(session, [t.id for t in tranches])
    available: dict[UUID, int] = {}
    for begin in range(0, len(tranches), CHUNK):
        balances = ledger.balances(session, tranches=[t.public_id for t in tranches[begin : begin + CHUNK]])
        available.update({tranche: balance.available for tranche, balance in balances.items()})
    free: dict[int, list[tuple[Tranche, int]]] = {}
    for t in tranches:
        left = max(0, available.get(t.public_id, 0) - held.get(t.id, 0))
        free.setdefault(t.pledge_id, []).append((t, left))
    return free


def free_minutes(session: Session, pledge_ids: Sequence[int]) -> dict[int, int]:
    """Minutes of each pledge that may still be proposed: the ledger's available less what open proposals hold."""
    free = dict.fromkeys(pledge_ids, 0)
    for pledge_id, parts in free_by_tranche(session, pledge_ids).items():
        free[pledge_id] = sum(left for _tranche, left in parts)
    return free


def all_free_minutes(session: Session) -> dict[int, int]:
    """The same of every pledge that has any left, in two statements."""
    rows = session.execute(
        select(Reservation.tranche_id, func.sum(Reservation.minutes))
        .join(Match)
        .where(Match.state.in_(OPEN_STATES))
        .group_by(Reservation.tranche_id)
    )
    held = {tranche_id: int(minutes) for tranche_id, minutes in rows}
    available = ledger.available()
    free: dict[int, int] = {}
    for pledge_id, tranche_id, minutes in session.execute(
        select(Tranche.pledge_id, Tranche.id, available.c.minutes).join(
            available, available.c.tranche == Tranche.public_id
        )
    ):
        free[pledge_id] = free.get(pledge_id, 0) + max(0, minutes - held.get(tranche_id, 0))
    return free


def separated_pairs(session: Session, *, ended: bool = False) -> set[tuple[int, int]]:
    """Pairs (employment id, request id) that are live, or of which a side said no: never proposed again.

    With `ended` also those whose proposal or coaching expired or was stopped.
    """
    apart = [*LIVE_STATES, MatchState.DECLINED]
    if ended:
        apart += [MatchState.EXPIRED, MatchState.CANCELLED]
    rows = session.execute(select(Match.employment_id, Match.request_id).where(Match.state.in_(apart)))
    return {(employment_id, request_id) for employment_id, request_id in rows}


def taken_seats(session: Session, request_ids: Sequence[int]) -> set[int]:
    """Ids of the seats of these requests in which a match lives or was completed."""
    taken: set[int] = set()
    for part in chunks(request_ids):
        taken.update(
            session.scalars(
                select(Match.seat_id).where(Match.request_id.in_(part), Match.state.in_(SHOWN_STATES))
            )
        )
    return taken


def has_confirmed(session: Session, pledge_id: int, user_id: int) -> bool:
    """Whether the user ever confirmed hours of the pledge, also those that were corrected since."""
    statement = (
        select(HourEntry.id)
        .join(Match, Match.id == HourEntry.match_id)
        .where(Match.pledge_id == pledge_id, HourEntry.confirmed_by_id == user_id)
        .limit(1)
    )
    return session.scalar(statement) is not None


def seat_holds(session: Session, request_ids: Sequence[int]) -> dict[int, Hold]:
    """How each seat of these requests is held; free ones are left out."""
    holds: dict[int, Hold] = {}
    for part in chunks(request_ids):
        rows = session.execute(
            select(Match.seat_id, Match.state).where(
                Match.request_id.in_(part), Match.state.in_(SHOWN_STATES)
            )
        )
        for seat_id, state in rows:
            if state not in OPEN_STATES:
                holds[seat_id] = Hold.TAKEN
            else:
                holds.setdefault(seat_id, Hold.PROPOSED)
    return holds
