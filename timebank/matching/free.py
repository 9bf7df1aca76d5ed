"""What is free at this moment and who must not meet: all that decides the optimum, by ids of the database, so that it
can be compared with what was free a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.coaching.models import Seat
from timebank.matches import queries as matches
from timebank.matching import pairs, pins
from timebank.matching.apart import exceptions as exceptions_of
from timebank.matching.columns import SkillWords, skill_words
from timebank.matching.interest import Interest
from timebank.matching.interest import interest as stars_between
from timebank.matching.pins import Pinned
from timebank.matching.rows import FreePledge, FreeSeat, Rows
from timebank.matching.snapshot import PoolEntry, pledge_options, seat_options, weights_in_force
from timebank.pledges.models import Pledge


@dataclass(frozen=True)
class Free:
    """What is free, by ids of seats and pledges, and who must not meet: `excluded` are the companies that stay away
    from each request, `pairs` the points of each request with each pledge, or `FORBIDDEN`, by pledge. `interest` names
    pledges by their ids."""

    as_of: date
    weights: Mapping[str, int]
    skill_words: SkillWords
    seats: Mapping[int, FreeSeat]
    pledges: Mapping[int, FreePledge]
    excluded: Mapping[int, frozenset[int]]
    pairs: Mapping[int, Mapping[int, int]]
    pinned: Sequence[Pinned]
    interest: Interest


def look(session: Session, rows: Rows) -> Free:
    """Of these rows all that is free for pairs that were never asked. A fixed number of statements, whatever the size.

    The rules are those of `snapshot.take` for one seat a pledge, but that no pair is asked twice, also when its
    proposal expired or was stopped.
    """
    from timebank.matching.kernel import FORBIDDEN

    weights = weights_in_force(session)
    seats, pledges = dict(rows.seats), dict(rows.pledges)
    of_employment = {row.employment_id: row.id for row in pledges.values()}
    apart = matches.separated_pairs(session, ended=True) | pairs.forbidden(session)
    exceptions = exceptions_of(
        session, {(row.initiative_id, row.request_id) for row in seats.values()}, of_employment
    )
    pinned = pins.kept(session, *_of_pins(session, seats, pledges, of_employment), apart, exceptions)
    for chosen in pinned:
        del seats[chosen.seat.id]
        pledges.pop(chosen.entry.pledge.id, None)
    requests = {row.request_id for row in seats.values()}
    interest = stars_between(
        session, requests, ((row.id, row.employment_id, row.user_id) for row in pledges.values())
    )
    points: dict[int, dict[int, int]] = {}
    for request, pledge, bonus in interest.bonuses(weights["w_star"]):
        points.setdefault(pledge, {})[request] = bonus
    for employment, request in apart.union(exceptions.forbidden):
        pledge_id = of_employment.get(employment)
        if pledge_id in pledges and request in requests:
            points.setdefault(pledge_id, {})[request] = FORBIDDEN
    return Free(
        rows.as_of,
        weights,
        skill_words(session),
        seats,
        pledges,
        _by_request(exceptions.excluded),
        points,
        pinned,
        interest,
    )


def _by_request(excluded: Iterable[tuple[int, int]]) -> dict[int, frozenset[int]]:
    companies: dict[int, set[int]] = {}
    for request, company in excluded:
        companies.setdefault(request, set()).add(company)
    return {request: frozenset(some) for request, some in companies.items()}


def _of_pins(
    session: Session,
    seats: Mapping[int, FreeSeat],
    pledges: Mapping[int, FreePledge],
    of_employment: Mapping[int, int],
) -> tuple[list[Seat], list[PoolEntry]]:
    """What the pinned pairs could take."""
    wanted = pairs.pinned(session)
    requests = {request for _employment, request in wanted}
    loaded_seats = seats_by_id(
        session, sorted(row.id for row in seats.values() if row.request_id in requests)
    )
    loaded_pledges = pledges_by_id(
        session, [of_employment[e] for e, _request in wanted if e in of_employment]
    )
    return list(loaded_seats.values()), [PoolEntry(p, pledges[p.id].free) for p in loaded_pledges.values()]


def seats_by_id(session: Session, ids: Sequence[int]) -> dict[int, Seat]:
    """Seats with all that reasons speak of, in the order of their ids."""
    found: dict[int, Seat] = {}
    for part in matches.chunks(ids):
        query = select(Seat).where(Seat.id.in_(part)).options(*seat_options()).order_by(Seat.id)
        found.update({seat.id: seat for seat in session.scalars(query).unique()})
    return found


def pledges_by_id(session: Session, ids: Sequence[int]) -> dict[int, Pledge]:
    found: dict[int, Pledge] = {}
    for part in matches.chunks(ids):
        query = select(Pledge).where(Pledge.id.in_(part)).options(*pledge_options())
        found.update({pledge.id: pledge for pledge in session.scalars(query)})
    return found
