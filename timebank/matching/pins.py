"""Pinned pairs take their seat and hours before a run looks for the optimum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from timebank.coaching.models import Seat
from timebank.matching import pairs
from timebank.matching.apart import Exceptions

if TYPE_CHECKING:
    from timebank.matching.snapshot import PoolEntry

BLOCK_MINUTES = 30


@dataclass(frozen=True)
class Pinned:
    """Two whom the operator puts together: outside the optimum, before it."""

    seat: Seat
    entry: PoolEntry


def kept(
    session: Session,
    seats: Sequence[Seat],
    pool: Sequence[PoolEntry],
    apart: Collection[tuple[int, int]],
    exceptions: Exceptions,
) -> list[Pinned]:
    """The pins that can be kept now: a seat is free, the hours suffice, and nothing keeps the two apart."""
    entries = {e.pledge.employment_id: e for e in pool}
    left = {e.pledge.employment_id: e.free for e in pool}
    free: dict[int, list[Seat]] = defaultdict(list)
    for seat in seats:
        free[seat.request_id].append(seat)
    found: list[Pinned] = []
    for employment, request in pairs.pinned(session):
        if employment not in entries or not free[request] or (employment, request) in apart:
            continue
        seat, entry = free[request][0], entries[employment]
        company, asked = entry.pledge.employment.organisation_id, seat.request
        if (
            (request, company) in exceptions.excluded
            or (employment, request) in exceptions.forbidden
            or company == asked.initiative.organisation_id
            or asked.minutes_per_coach > left[employment]
        ):
            continue
        found.append(Pinned(free[request].pop(0), entry))
        left[employment] -= asked.minutes_per_coach
    return found


def without(
    seats: Sequence[Seat], pool: Sequence[PoolEntry], chosen: Sequence[Pinned], several: bool
) -> tuple[list[Seat], list[PoolEntry]]:
    """What the pinned pairs leave: without `several`, nothing of their pledges."""
    taken = {c.seat.id for c in chosen}
    used: dict[int, int] = defaultdict(int)
    for c in chosen:
        used[c.entry.pledge.id] += c.seat.request.minutes_per_coach
    rest = [
        replace(e, free=e.free - used.get(e.pledge.id, 0))
        for e in pool
        if e.pledge.id not in used or (several and e.free - used[e.pledge.id] >= BLOCK_MINUTES)
    ]
    return [seat for seat in seats if seat.id not in taken], rest
