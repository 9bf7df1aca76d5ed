"""Why requests and pledges got nothing: the kernel's answer, in the terms of the forms that could change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from timebank.coaching.models import CoachingRequest
from timebank.matching.insight.models import Unmatched
from timebank.matching.pins import BLOCK_MINUTES
from timebank.matching.snapshot import PoolEntry, Snapshot
from timebank.taxonomy.bits import LANGUAGES

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment, Market, Relaxation, SeatExplanation

# To look for what would help takes some milliseconds each.
MOST_EXPLAINED = 5_000
_LEVELS = 3


def unmatched(
    snapshot: Snapshot, assignment: Assignment, market: Market | None, skills: Mapping[int, str]
) -> list[Unmatched]:
    """A row for each request with an empty seat and each pledge that was not taken, at most `MOST_EXPLAINED` of each.

    `skills` are codes by position. Without a `market` (bundle mode) those with candidates are left out.
    """
    return [
        *_requests(snapshot, assignment, market, skills),
        *_pledges(snapshot, assignment, market, skills),
    ]


def _requests(
    snapshot: Snapshot, assignment: Assignment, market: Market | None, skills: Mapping[int, str]
) -> Iterator[Unmatched]:
    import numpy as np

    from timebank.matching import kernel

    first: dict[int, int] = {}
    for i in np.flatnonzero(assignment.seat_pledge < 0).tolist():
        first.setdefault(snapshot.seats[i].request_id, i)
    for request_id, i in list(first.items())[:MOST_EXPLAINED]:
        told = kernel.explain_seat(snapshot.problem, i)
        row = _row(told, int(market.outbid.seat[i]) if market else None, market)
        if row is None:
            continue
        row.request_id = request_id
        if told.emptied_by is not None:
            found = kernel.relaxations_of_seat(snapshot.problem, i, snapshot.as_of.toordinal())
            request = snapshot.seats[i].request
            changes = [_of_request(each, request, snapshot, i, skills) for each in found]
            row.relaxations = [each for each in changes if _can_ask(request, each)]
        yield row


def _can_ask(request: CoachingRequest, change: Mapping[str, Any]) -> bool:
    """Whether the form takes a change: a request asks at least one skill."""
    return change["what"] != "level" or change["value"] > 0 or sum(s.must for s in request.skills) > 1


def _pledges(
    snapshot: Snapshot, assignment: Assignment, market: Market | None, skills: Mapping[int, str]
) -> Iterator[Unmatched]:
    from timebank.matching import kernel

    taken = set(assignment.seat_pledge.tolist())
    left = [j for j in range(len(snapshot.pool)) if j not in taken]
    for j in left[:MOST_EXPLAINED]:
        told = kernel.explain_pledge(snapshot.problem, j)
        row = _row(told, int(market.outbid.pledge[j]) if market else None, market)
        if row is None:
            continue
        row.pledge_id = snapshot.pool[j].pledge.id
        if told.emptied_by is not None:
            found = kernel.relaxations_of_pledge(snapshot.problem, j, snapshot.as_of.toordinal())
            row.relaxations = [_of_pledge(each, snapshot.pool[j], snapshot, j, skills) for each in found]
        yield row


def _row(told: SeatExplanation, behind: int | None, market: Market | None) -> Unmatched | None:
    if told.emptied_by is None and behind is None:
        return None
    return Unmatched(
        rule=told.emptied_by,
        behind=behind if told.emptied_by is None else None,
        exact=market is None or market.ranges.exact,
        steps=[[rule, left] for rule, left in told.steps],
        relaxations=[],
    )


# --- in the terms of the forms: the `value` that the field would have -------------------------------------------------


def _of_request(
    found: Relaxation, request: CoachingRequest, snapshot: Snapshot, i: int, skills: Mapping[int, str]
) -> dict[str, Any]:
    told = _told(found, skills)
    if found.what == "hours":
        told["value"] = (int(snapshot.problem.seat_hours[i]) - found.amount) * BLOCK_MINUTES
    elif found.what == "since":
        told["value"] = _day(int(snapshot.problem.seat_from[i]) - found.amount)
    elif found.what == "until":
        told["value"] = _day(int(snapshot.problem.seat_until[i]) - 1 + found.amount)
    elif found.what == "level":
        asked = next(s for s in request.skills if s.must and s.skill.position == found.which)
        told["value"] = asked.level - found.amount
    return told


def _of_pledge(
    found: Relaxation, entry: PoolEntry, snapshot: Snapshot, j: int, skills: Mapping[int, str]
) -> dict[str, Any]:
    told = _told(found, skills)
    pledge = entry.pledge
    if found.what == "radius":
        told["value"] = pledge.radius_km + found.amount
    elif found.what == "hours":
        # Of the whole period, or of a month; minutes that fill no block count towards the first one more.
        most = max((t.minutes for t in pledge.tranches), default=0)
        given, rest = (most, most) if pledge.monthly else (pledge.minutes, entry.free)
        told["value"] = given + found.amount * BLOCK_MINUTES - rest % BLOCK_MINUTES
    elif found.what == "since":
        told["value"] = _day(int(snapshot.problem.pledge_from[j]) - found.amount)
    elif found.what == "until":
        told["value"] = _day(int(snapshot.problem.pledge_until[j]) - 1 + found.amount)
    elif found.what == "level":
        told["value"] = _held(snapshot, j, found.which) + found.amount
    return told


def _told(found: Relaxation, skills: Mapping[int, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"what": found.what, "amount": found.amount, "fitting": found.candidates}
    if found.what == "language":
        told["language"] = LANGUAGES[found.which]
    elif found.what == "level":
        told["skill"] = skills[found.which]
    elif found.what == "week":
        told["half_days"] = found.which
    return told


def _held(snapshot: Snapshot, j: int, position: int) -> int:
    """The level at which a pledge holds a skill, 0 for not at all."""
    word, bit = divmod(_LEVELS * position, 64)
    row = [int(each) for each in snapshot.problem.pledge_skills[j]]
    levels = (row[word] | (row[word + 1] << 64 if word + 1 < len(row) else 0)) >> bit & 0b111
    return levels.bit_length()


def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()
