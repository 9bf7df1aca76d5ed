"""What a run sees: the free pledges and seats of one moment, as the kernel's arrays.

Open and confirmed matches are not in it: what they hold is simply not free. The arrays carry no name and no number of
the database, so that an exported snapshot is pseudonymous.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, Seat
from timebank.matches import queries as matches
from timebank.matches.models import Match
from timebank.matching import pairs, pins
from timebank.matching.apart import Exceptions
from timebank.matching.apart import exceptions as exceptions_of
from timebank.matching.columns import (
    PledgeColumns,
    build,
    pledge_columns,
    seat_columns,
    skill_words,
    waiting_days,
)
from timebank.matching.interest import NO_INTEREST, Interest
from timebank.matching.interest import interest as stars_between
from timebank.matching.models import WeightPolicy
from timebank.matching.pins import BLOCK_MINUTES, Pinned
from timebank.organisations.models import (
    Admission,
    CompanyPolicy,
    Employment,
    Initiative,
    InitiativeCause,
    Organisation,
)
from timebank.pledges.models import Pledge, PledgeSkill, PledgeState

if TYPE_CHECKING:
    from timebank.matching.kernel import AttributeProblem

DEFAULT_WEIGHTS = {
    "w_base": 1000,
    "w_nice": 100,
    "w_cause": 80,
    "w_near": 200,
    "near_km": 60,
    "w_remote": 100,
    "w_waiting": 5,
    "w_star": 150,
}


@dataclass(frozen=True)
class PoolEntry:
    """The pledge by which an employment takes part, and its free minutes."""

    pledge: Pledge
    free: int


@dataclass(frozen=True)
class Snapshot:
    """`problem`'s row i of seats is `seats[i]`, its column j of pledges `pool[j]`."""

    problem: AttributeProblem
    seats: Sequence[Seat]
    pool: Sequence[PoolEntry]
    weights: Mapping[str, int]
    as_of: date
    pinned: Sequence[Pinned] = ()
    interest: Interest = NO_INTEREST

    def waiting_days(self, request: CoachingRequest) -> int:
        return waiting_days(request.opened_at, self.as_of)


def weights_in_force(session: Session) -> dict[str, int]:
    """The operator's weights, those of the start before the first change."""
    policy = session.scalar(select(WeightPolicy).order_by(WeightPolicy.id.desc()).limit(1))
    return {name: getattr(policy, name) for name in DEFAULT_WEIGHTS} if policy else dict(DEFAULT_WEIGHTS)


def take(session: Session, as_of: date, *, several: bool = False) -> Snapshot:
    """All that is free on `as_of`. A fixed number of statements, whatever the size.

    A pinned pair takes its seat and hours first; with `several` seats a pledge what is left of these takes part. A pair
    that declined is never asked again.
    """
    apart = matches.separated_pairs(session) | pairs.forbidden(session)
    seats, pool = free_seats(session, as_of), free_pool(session, as_of)
    exceptions = _exceptions(session, seats, pool)
    chosen = pins.kept(session, seats, pool, apart, exceptions)
    apart |= {(c.entry.pledge.employment_id, c.seat.request_id) for c in chosen}
    seats, pool = pins.without(seats, pool, chosen, several)
    return of(session, seats, pool, as_of, pinned=chosen, apart=apart)


def of(
    session: Session,
    seats: Sequence[Seat],
    pool: Sequence[PoolEntry],
    as_of: date,
    *,
    pinned: Sequence[Pinned] = (),
    apart: Collection[tuple[int, int]] | None = None,
    weights: Mapping[str, int] | None = None,
    wished: Sequence[PledgeColumns] = (),
) -> Snapshot:
    """These seats and pledges, with all who may not meet; `apart` are pairs of employment and request, those of
    `matches.separated_pairs` and the operator's by default; `weights` those in force by default. Pledges that are only
    wished for come after the pool."""
    weights = dict(weights or weights_in_force(session))
    policies = causes_excluded_by_companies(session)
    exceptions = _exceptions(session, seats, pool)
    column = {e.pledge.employment_id: j for j, e in enumerate(pool)}
    if apart is None:
        apart = matches.separated_pairs(session) | pairs.forbidden(session)
    interest = stars_between(
        session,
        {seat.request_id for seat in seats},
        [(j, e.pledge.employment_id, e.pledge.employment.user_id) for j, e in enumerate(pool)],
    )
    problem = build(
        [seat_columns(seat) for seat in seats],
        [
            *(
                pledge_columns(e.pledge, e.free, policies.get(e.pledge.employment.organisation_id, 0))
                for e in pool
            ),
            *wished,
        ],
        weights,
        as_of,
        skill_words=skill_words(session),
        excluded=exceptions.excluded,
        forbidden=[
            *((r, column[e]) for e, r in exceptions.forbidden),
            *((r, column[e]) for e, r in sorted(apart) if e in column),
        ],
        bonuses=interest.bonuses(weights["w_star"]),
    )
    return Snapshot(problem, seats, pool, weights, as_of, pinned, interest)


def _exceptions(session: Session, seats: Sequence[Seat], pool: Sequence[PoolEntry]) -> Exceptions:
    return exceptions_of(
        session,
        [(seat.request.initiative_id, seat.request_id) for seat in seats],
        {e.pledge.employment_id for e in pool},
    )


def free_seats(session: Session, as_of: date) -> list[Seat]:
    """Seats in which no match lives or was completed, of open requests of admitted initiatives that are not over.

    In a fixed order.
    """
    query = (
        select(Seat)
        .join(Seat.request)
        .join(CoachingRequest.initiative)
        .join(Initiative.organisation)
        .where(*seat_is_free(as_of))
    )
    return list(session.scalars(query.options(*seat_options()).order_by(Seat.id)).unique())


def seat_is_free(as_of: date) -> list[ColumnElement[bool]]:
    """The conditions, for a seat with its request, its initiative and that one's organisation."""
    taken = select(Match.seat_id).where(Match.state.in_(matches.SHOWN_STATES))
    return [
        ~Seat.withdrawn,
        Seat.id.not_in(taken),
        CoachingRequest.state == RequestState.OPEN,
        CoachingRequest.until_date.is_(None) | (CoachingRequest.until_date >= as_of),
        Initiative.admission == Admission.ADMITTED,
        Organisation.admission == Admission.ADMITTED,
    ]


def seat_options() -> list[ExecutableOption]:
    """What is loaded with a seat: all that reasons speak of."""
    request = joinedload(Seat.request)
    return [
        request.selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
        request.joinedload(CoachingRequest.place),
        request.selectinload(CoachingRequest.texts),
        request.joinedload(CoachingRequest.initiative)
        .selectinload(Initiative.causes)
        .joinedload(InitiativeCause.cause),
    ]


def free_pool(session: Session, as_of: date, *, holding: tuple[int, int] | None = None) -> list[PoolEntry]:
    """One entry for each active employment with an approved pledge: the one that runs, else the next, with the free
    minutes of all its tranches. A person who was not told who sees what takes no part. `holding` a skill at a level:
    only those who ever pledged it."""
    query = (
        select(Pledge)
        .join(Pledge.employment)
        .join(Employment.organisation)
        .where(*takes_part(as_of))
        .options(*pledge_options())
        .order_by(Pledge.employment_id, Pledge.from_date)
    )
    if holding is not None:
        skill, level = holding
        holders = (
            select(Pledge.employment_id)
            .join(PledgeSkill, PledgeSkill.pledge_id == Pledge.id)
            .where(PledgeSkill.skill_id == skill, PledgeSkill.level >= level)
        )
        query = query.where(Pledge.employment_id.in_(holders))
    pledges = session.scalars(query)
    first: dict[int, Pledge] = {}
    for pledge in pledges:
        first.setdefault(pledge.employment_id, pledge)
    free = matches.free_minutes(session, [p.id for p in first.values()])
    return [PoolEntry(p, free.get(p.id, 0)) for p in first.values() if free.get(p.id, 0) >= BLOCK_MINUTES]


def takes_part(as_of: date) -> list[ColumnElement[bool]]:
    """The conditions, for a pledge with its employment and that one's organisation."""
    return [
        Pledge.state == PledgeState.APPROVED,
        Pledge.until_date >= as_of,
        Pledge.notice_at.is_not(None),
        Employment.state == "active",
        Employment.end_date.is_(None) | (Employment.end_date >= as_of),
        Organisation.admission == Admission.ADMITTED,
    ]


def pledge_options() -> list[ExecutableOption]:
    return [
        joinedload(Pledge.employment),
        joinedload(Pledge.place),
        selectinload(Pledge.skills),
        selectinload(Pledge.causes),
        selectinload(Pledge.tranches),
    ]


def causes_excluded_by_companies(session: Session) -> dict[int, int]:
    """The causes that a company's policy excludes, as bits by organisation id."""
    policies = session.scalars(select(CompanyPolicy).options(selectinload(CompanyPolicy.excluded_causes)))
    return {p.organisation_id: sum(1 << c.position for c in p.excluded_causes) for p in policies}
