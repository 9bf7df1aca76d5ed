"""What a run sees: the free pledges and seats of one moment, as the kernel's arrays.

Open and confirmed matches are not in it: what they hold is simply not free. The arrays carry no name and no number of
the database, so that an exported snapshot is pseudonymous.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import clock
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, Seat
from timebank.matches import queries as matches
from timebank.matches.models import Match
from timebank.matching import pairs, pins
from timebank.matching.apart import exceptions as exceptions_of
from timebank.matching.interest import NO_INTEREST, Interest
from timebank.matching.interest import interest as stars_between
from timebank.matching.models import WeightPolicy
from timebank.matching.pins import BLOCK_MINUTES, Pinned
from timebank.organisations.models import (
    Admission,
    CompanyPolicy,
    Employment,
    Initiative,
    Organisation,
)
from timebank.pledges.models import Pledge, PledgeSkill, PledgeState
from timebank.taxonomy.models import Skill

if TYPE_CHECKING:
    from timebank.matching.kernel import AttributeProblem

FOREVER = 2**31 - 1  # an open-ended request's last day
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
        return waiting_days(request, self.as_of)


def weights_in_force(session: Session) -> dict[str, int]:
    """The operator's weights, those of the start before the first change."""
    policy = session.scalar(select(WeightPolicy).order_by(WeightPolicy.id.desc()).limit(1))
    return {name: getattr(policy, name) for name in DEFAULT_WEIGHTS} if policy else dict(DEFAULT_WEIGHTS)


def take(session: Session, as_of: date, *, several: bool = False, ask_again: bool = True) -> Snapshot:
    """All that is free on `as_of`. A fixed number of statements, whatever the size.

    A pinned pair takes its seat and hours first; with `several` seats a pledge what is left of these takes part. A pair
    that declined is never asked again; without `ask_again` also none whose proposal expired or was stopped.
    """
    apart = matches.separated_pairs(session, ended=not ask_again) | pairs.forbidden(session)
    seats, pool = free_seats(session, as_of), free_pool(session, as_of)
    exceptions = exceptions_of(session, seats, pool)
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
    policies = _excluded_causes_of_companies(session)
    exceptions = exceptions_of(session, seats, pool)
    column = {e.pledge.employment_id: j for j, e in enumerate(pool)}
    if apart is None:
        apart = matches.separated_pairs(session) | pairs.forbidden(session)
    interest = stars_between(session, seats, [e.pledge for e in pool])
    problem = build(
        seats,
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


def free_seats(session: Session, as_of: date) -> list[Seat]:
    """Seats in which no match lives or was completed, of open requests of admitted initiatives that are not over.

    In a fixed order.
    """
    taken = select(Match.seat_id).where(Match.state.in_(matches.SHOWN_STATES))
    return list(
        session.scalars(
            select(Seat)
            .join(Seat.request)
            .join(CoachingRequest.initiative)
            .join(Initiative.organisation)
            .where(
                ~Seat.withdrawn,
                Seat.id.not_in(taken),
                CoachingRequest.state == RequestState.OPEN,
                CoachingRequest.until_date.is_(None) | (CoachingRequest.until_date >= as_of),
                Initiative.admission == Admission.ADMITTED,
                Organisation.admission == Admission.ADMITTED,
            )
            .options(
                joinedload(Seat.request).selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
                joinedload(Seat.request).joinedload(CoachingRequest.place),
                joinedload(Seat.request).selectinload(CoachingRequest.texts),
                joinedload(Seat.request)
                .joinedload(CoachingRequest.initiative)
                .selectinload(Initiative.causes),
            )
            .order_by(Seat.id)
        ).unique()
    )


def free_pool(session: Session, as_of: date, *, holding: tuple[int, int] | None = None) -> list[PoolEntry]:
    """One entry for each active employment with an approved pledge: the one that runs, else the next, with the free
    minutes of all its tranches. A person who was not told who sees what takes no part. `holding` a skill at a level:
    only those who ever pledged it."""
    query = (
        select(Pledge)
        .join(Pledge.employment)
        .join(Employment.organisation)
        .where(
            Pledge.state == PledgeState.APPROVED,
            Pledge.until_date >= as_of,
            Pledge.notice_at.is_not(None),
            Employment.state == "active",
            Employment.end_date.is_(None) | (Employment.end_date >= as_of),
            Organisation.admission == Admission.ADMITTED,
        )
        .options(
            joinedload(Pledge.employment),
            joinedload(Pledge.place),
            selectinload(Pledge.skills),
            selectinload(Pledge.causes),
            selectinload(Pledge.tranches),
        )
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


def waiting_days(request: CoachingRequest, as_of: date) -> int:
    if request.opened_at is None:
        return 0
    return max(0, (as_of - clock.local_date(request.opened_at)).days)


# --- arrays ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PledgeColumns:
    """What the kernel needs of one pledge. `skills` are (skill id, level)."""

    skills: Sequence[tuple[int, int]]
    languages: int
    x: int
    y: int
    radius_km: int
    remote: bool
    from_date: date
    until_date: date
    week: int
    blocks: int
    monthly_blocks: int
    organisation_id: int
    causes: int
    excluded_causes: int


def pledge_columns(pledge: Pledge, free_minutes: int, excluded_by_company: int) -> PledgeColumns:
    wanted = excluded = 0
    for row in pledge.causes:
        bit = 1 << row.cause.position
        wanted, excluded = (wanted, excluded | bit) if row.excluded else (wanted | bit, excluded)
    return PledgeColumns(
        skills=[(s.skill_id, s.level) for s in pledge.skills],
        languages=pledge.language_bits,
        x=pledge.place.x,
        y=pledge.place.y,
        radius_km=pledge.radius_km,
        remote=pledge.remote,
        from_date=pledge.from_date,
        until_date=pledge.until_date,
        week=pledge.week_bits,
        blocks=free_minutes // BLOCK_MINUTES,
        monthly_blocks=max((t.minutes for t in pledge.tranches), default=0) // BLOCK_MINUTES
        if pledge.monthly
        else 0,
        organisation_id=pledge.employment.organisation_id,
        causes=wanted,
        excluded_causes=excluded | excluded_by_company,
    )


def build(
    seats: Sequence[Seat],
    pledges: Sequence[PledgeColumns],
    weights: Mapping[str, int],
    as_of: date,
    *,
    skill_words: SkillWords,
    excluded: Sequence[tuple[int, int]] = (),
    forbidden: Sequence[tuple[int, int]] = (),
    bonuses: Sequence[tuple[int, int, int]] = (),
) -> AttributeProblem:
    """The attribute form of these seats and pledges.

    `excluded` are pairs of request id and company id, `forbidden` of request id and column of `pledges`, `bonuses` the
    same with points. Days before `as_of` no longer count in a window.
    """
    from timebank.matching.kernel import FORBIDDEN, AttributeProblem

    requests = _numbering(s.request_id for s in seats)
    organisations = _numbering(
        [s.request.initiative.organisation_id for s in seats] + [p.organisation_id for p in pledges]
    )
    excluded = [(q, o) for q, o in excluded if q in requests and o in organisations]
    single = [(q, j, FORBIDDEN) for q, j in forbidden if q in requests] + list(bonuses)
    asked = [s.request for s in seats]
    today = as_of.toordinal()
    arrays: dict[str, Any] = {
        "seat_must": skill_words.of([[(k.skill_id, k.level) for k in r.skills if k.must] for r in asked]),
        "seat_nice": skill_words.of([[(k.skill_id, k.level) for k in r.skills if not k.must] for r in asked]),
        "pledge_skills": skill_words.of([p.skills for p in pledges], up_to=True),
        "seat_languages": np.array([r.language_bits for r in asked], np.uint32),
        "pledge_languages": np.array([p.languages for p in pledges], np.uint32),
        "seat_x": np.array([r.place.x for r in asked], np.int32),
        "seat_y": np.array([r.place.y for r in asked], np.int32),
        "pledge_x": np.array([p.x for p in pledges], np.int32),
        "pledge_y": np.array([p.y for p in pledges], np.int32),
        "pledge_radius": np.array([p.radius_km * 1000 for p in pledges], np.int32),
        "seat_remote": np.array([r.remote for r in asked], np.bool_),
        "pledge_remote": np.array([p.remote for p in pledges], np.bool_),
        "seat_from": np.array([max(r.from_date.toordinal(), today) for r in asked], np.int32),
        "seat_until": np.array(
            [r.until_date.toordinal() + 1 if r.until_date else FOREVER for r in asked], np.int32
        ),
        "pledge_from": np.array([max(p.from_date.toordinal(), today) for p in pledges], np.int32),
        "pledge_until": np.array([p.until_date.toordinal() + 1 for p in pledges], np.int32),
        "seat_week": np.array([r.week_bits for r in asked], np.uint32),
        "pledge_week": np.array([p.week for p in pledges], np.uint32),
        "seat_hours": np.array([-(-r.minutes_per_coach // BLOCK_MINUTES) for r in asked], np.int64),
        "pledge_capacity": np.array([p.blocks for p in pledges], np.int64),
        "pledge_monthly": np.array([p.monthly_blocks for p in pledges], np.int64),
        "seat_request": np.array([requests[s.request_id] for s in seats], np.int32),
        "seat_org": np.array([organisations[r.initiative.organisation_id] for r in asked], np.int32),
        "pledge_org": np.array([organisations[p.organisation_id] for p in pledges], np.int32),
        "seat_causes": np.array(
            [sum(1 << c.cause.position for c in r.initiative.causes) for r in asked], np.uint32
        ),
        "pledge_causes": np.array([p.causes for p in pledges], np.uint32),
        "pledge_excluded_causes": np.array([p.excluded_causes for p in pledges], np.uint32),
        "seat_bonus": np.array([weights["w_waiting"] * waiting_days(r, as_of) for r in asked], np.int64),
        "excluded_request": np.array([requests[q] for q, _ in excluded], np.int32),
        "excluded_org": np.array([organisations[o] for _, o in excluded], np.int32),
        "pair_request": np.array([requests[q] for q, _, _ in single], np.int32),
        "pair_pledge": np.array([j for _, j, _ in single], np.int32),
        "pair_bonus": np.array([points for _, _, points in single], np.int64),
        "w_base": weights["w_base"],
        "w_nice": weights["w_nice"],
        "w_cause": weights["w_cause"],
        "w_near": weights["w_near"],
        "w_near_metres": weights["near_km"] * 1000,
        "w_remote": weights["w_remote"],
    }
    return AttributeProblem(**arrays)


def _numbering(ids: Iterable[int]) -> dict[int, int]:
    """Consecutive numbers in order of first appearance."""
    numbers: dict[int, int] = {}
    for id_ in ids:
        numbers.setdefault(id_, len(numbers))
    return numbers


@dataclass(frozen=True)
class SkillWords:
    """Skills with levels as bit masks: bit 3k + l - 1 is the skill at position k at level l."""

    position: Mapping[int, int]

    def of(self, rows: Sequence[Sequence[tuple[int, int]]], *, up_to: bool = False) -> np.ndarray[Any, Any]:
        """Masks of shape (rows, words) of (skill id, level); with `up_to` all levels below are set, too."""
        words = (3 * (max(self.position.values(), default=0) + 1) + 63) // 64
        masks = np.zeros((len(rows), words), np.uint64)
        for i, row in enumerate(rows):
            for skill_id, level in row:
                for each in range(1, level + 1) if up_to else (level,):
                    word, bit = divmod(3 * self.position[skill_id] + each - 1, 64)
                    masks[i, word] |= np.uint64(1 << bit)
        return masks


def skill_words(session: Session) -> SkillWords:
    return SkillWords(dict(session.execute(select(Skill.id, Skill.position)).all()))


def _excluded_causes_of_companies(session: Session) -> dict[int, int]:
    """The causes that a company's policy excludes, as bits by organisation id."""
    policies = session.scalars(select(CompanyPolicy).options(selectinload(CompanyPolicy.excluded_causes)))
    return {p.organisation_id: sum(1 << c.position for c in p.excluded_causes) for p in policies}
