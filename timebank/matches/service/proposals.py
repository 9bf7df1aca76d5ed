"""Writing what a run found: each proposal is judged once more, and one that no longer fits costs only itself."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from timebank import events
from timebank.auth.actor import SYSTEM
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.matches import mails, queries
from timebank.matches.events import MatchProposed
from timebank.matches.models import LIVE_STATES, Match, MatchState, Reservation
from timebank.organisations.models import (
    Admission,
    CompanyExclusion,
    ConflictOfInterest,
    Employment,
    Initiative,
    Organisation,
)
from timebank.pledges.models import Pledge, PledgeState, Tranche


@dataclass(frozen=True)
class ProposalInput:
    """A pair that a run found. `reasons` are the terms of `weight`: `[{"term": …, "points": …, …}]`; `next_best` is
    what each side would have got instead.

    `seen` is the `fingerprint` of what the run decided on; without it nothing is compared.
    """

    seat_id: int
    pledge_id: int
    weight: int
    reasons: list[dict[str, Any]]
    run_id: int | None = None
    seen: str | None = None
    next_best: dict[str, Any] | None = None


class Lost(enum.StrEnum):
    """Why a proposal is no longer possible."""

    PLEDGE = "pledge"  # not approved, the employment ended, or the company takes no part
    HOURS = "hours"  # fewer free minutes than the seat needs
    REQUEST = "request"  # not open, or the initiative takes no part
    SEAT = "seat"  # taken or withdrawn
    PAIR = "pair"  # live or declined before
    CHANGED = "changed"  # the request or the pledge is not what the run saw
    CONFLICT = "conflict"  # declared, or excluded by company or initiative


@dataclass
class ProposeResult:
    """What was written, and what was not and why."""

    created: list[Match] = field(default_factory=list)
    lost: list[tuple[ProposalInput, Lost]] = field(default_factory=list)


def fingerprint(request: CoachingRequest, pledge: Pledge) -> str:
    """Changes with all that decides whether the two fit: 64 hexadecimal digits."""
    return sha256(repr((request.conditions, pledge.conditions)).encode()).hexdigest()


def propose(session: Session, inputs: Sequence[ProposalInput], *, now: datetime, days: int) -> ProposeResult:
    """Write proposals that hold their seat and their hours until they are answered or `days` have passed.

    The minutes are those that the request asks of each coach at this moment. Besides the mails, the number of reads
    does not grow with the number of proposals beyond their portions.
    """
    pool = _Pool(session, inputs)
    result = ProposeResult()
    made: list[tuple[Match, list[tuple[Tranche, int]]]] = []
    for item in inputs:
        why = pool.refusal(item)
        if why is not None:
            result.lost.append((item, why))
            continue
        seat, pledge = pool.seats[item.seat_id], pool.pledges[item.pledge_id]
        request = pool.requests[seat.request_id]
        match = Match(
            seat=seat,
            request=request,
            employment=pledge.employment,
            pledge=pledge,
            run_id=item.run_id,
            state=MatchState.PROPOSED,
            minutes=request.minutes_per_coach,
            weight=item.weight,
            reasons=item.reasons,
            next_best=item.next_best,
            proposed_at=now,
            expires_at=now + timedelta(days=days),
        )
        made.append((match, pool.take(pledge, seat, request.minutes_per_coach)))
        result.created.append(match)
    session.add_all(result.created)
    session.flush()
    session.add_all(
        Reservation(match_id=match.id, tranche_id=tranche.id, minutes=minutes)
        for match, parts in made
        for tranche, minutes in parts
    )
    session.flush()
    for match in result.created:
        events.record(
            session,
            MatchProposed(
                actor=SYSTEM,
                at=now,
                subject=match.public_id,
                organisation_id=match.employment.organisation_id,
                match_id=match.id,
                request_id=match.request_id,
                pledge_id=match.pledge_id,
                minutes=match.minutes,
                run_id=match.run_id,
            ),
        )
    mails.proposed_many(session, result.created, now)
    return result


class _Pool:
    """All that decides about these inputs, under lock, and what the proposals of this call already took."""

    def __init__(self, session: Session, inputs: Sequence[ProposalInput]) -> None:
        pledge_ids = {i.pledge_id for i in inputs}
        request_of = _request_of_seats(session, {i.seat_id for i in inputs})
        # Whoever suspends one of them waits until the proposals stand, and takes them back.
        initiatives = _shared(
            session,
            Initiative,
            _initiative_ids(session, set(request_of.values())),
            selectinload(Initiative.causes),
        )
        self.initiatives = {i.id: i for i in initiatives}
        hosts = {i.organisation_id for i in initiatives}
        companies = _company_ids(session, pledge_ids)
        self.organisations = {o.id: o for o in _shared(session, Organisation, hosts | companies)}
        # Employments first, as every act on a match does. Kept here, since the session forgets what nobody holds.
        self.employments: list[Employment] = _locked(
            session,
            Employment,
            Employment.id,
            _employment_ids(session, pledge_ids),
        )
        pledges = _locked(
            session,
            Pledge,
            Pledge.id,
            pledge_ids,
            selectinload(Pledge.skills),
            selectinload(Pledge.causes),
            selectinload(Pledge.tranches),
        )
        self.pledges = {p.id: p for p in pledges}
        requests = _locked(
            session,
            CoachingRequest,
            CoachingRequest.id,
            set(request_of.values()),
            selectinload(CoachingRequest.skills),
        )
        self.requests = {r.id: r for r in requests}
        self.seats = {s.id: s for s in _locked(session, Seat, Seat.id, set(request_of))}
        self.taken = queries.taken_seats(session, sorted(self.requests))
        self.separated = _separated(session, sorted(self.requests))
        self.conflicts = _pairs(session, ConflictOfInterest, sorted(self.initiatives))
        self.exclusions = _pairs(session, CompanyExclusion, sorted(self.initiatives))
        self.free = queries.free_by_tranche(session, sorted(self.pledges))

    def refusal(self, item: ProposalInput) -> Lost | None:
        pledge, seat = self.pledges.get(item.pledge_id), self.seats.get(item.seat_id)
        if pledge is None or pledge.state is not PledgeState.APPROVED or pledge.employment.state != "active":
            return Lost.PLEDGE
        if not self._admitted(pledge.employment.organisation_id):
            return Lost.PLEDGE
        if seat is None or seat.withdrawn or seat.id in self.taken:
            return Lost.SEAT
        request = self.requests[seat.request_id]
        initiative = self.initiatives[request.initiative_id]
        if request.state is not RequestState.OPEN or initiative.admission is not Admission.ADMITTED:
            return Lost.REQUEST
        if not self._admitted(initiative.organisation_id):
            return Lost.REQUEST
        if (pledge.employment_id, request.id) in self.separated:
            return Lost.PAIR
        company = pledge.employment.organisation_id
        if (
            company == initiative.organisation_id
            or (pledge.employment_id, initiative.id) in self.conflicts
            or (company, initiative.id) in self.exclusions
        ):
            return Lost.CONFLICT
        if item.seen not in (None, fingerprint(request, pledge)):
            return Lost.CHANGED
        if sum(left for _tranche, left in self.free.get(pledge.id, [])) < request.minutes_per_coach:
            return Lost.HOURS
        return None

    def _admitted(self, organisation_id: int) -> bool:
        return self.organisations[organisation_id].admission is Admission.ADMITTED

    def take(self, pledge: Pledge, seat: Seat, minutes: int) -> list[tuple[Tranche, int]]:
        """Take the minutes from the earliest tranches, and the seat, for the proposals that follow."""
        parts, rest = split(self.free[pledge.id], minutes)
        self.free[pledge.id] = rest
        self.taken.add(seat.id)
        self.separated.add((pledge.employment_id, seat.request_id))
        return parts


def split(
    free: Iterable[tuple[Tranche, int]], minutes: int
) -> tuple[list[tuple[Tranche, int]], list[tuple[Tranche, int]]]:
    """Take `minutes` from the tranches in their order: what is taken, and what is left."""
    taken, rest = [], []
    for tranche, left in free:
        part = min(left, minutes)
        if part > 0:
            taken.append((tranche, part))
        rest.append((tranche, left - part))
        minutes -= part
    return taken, rest


def _shared(session: Session, kind: type[Any], ids: set[int], *options: ExecutableOption) -> list[Any]:
    """Rows that others may read and nobody change until the end."""
    rows: list[Any] = []
    for part in queries.chunks(sorted(ids)):
        rows += session.scalars(
            select(kind)
            .where(kind.id.in_(part))
            .order_by(kind.id)
            .options(*options)
            .with_for_update(read=True)
            .execution_options(populate_existing=True)
        ).all()
    return rows


def _locked(
    session: Session,
    kind: type[Any],
    key: InstrumentedAttribute[int],
    ids: set[int],
    *options: ExecutableOption,
) -> list[Any]:
    rows: list[Any] = []
    for part in queries.chunks(sorted(ids)):
        rows += session.scalars(
            select(kind)
            .where(key.in_(part))
            .order_by(key)
            .options(*options)
            .with_for_update(key_share=True, of=kind)
            .execution_options(populate_existing=True)
        ).all()
    return rows


def _employment_ids(session: Session, pledge_ids: set[int]) -> set[int]:
    found: set[int] = set()
    for part in queries.chunks(sorted(pledge_ids)):
        found.update(session.scalars(select(Pledge.employment_id).where(Pledge.id.in_(part))))
    return found


def _company_ids(session: Session, pledge_ids: set[int]) -> set[int]:
    found: set[int] = set()
    for part in queries.chunks(sorted(pledge_ids)):
        found.update(
            session.scalars(
                select(Employment.organisation_id)
                .join(Pledge, Pledge.employment_id == Employment.id)
                .where(Pledge.id.in_(part))
            )
        )
    return found


def _initiative_ids(session: Session, request_ids: set[int]) -> set[int]:
    found: set[int] = set()
    for part in queries.chunks(sorted(request_ids)):
        found.update(
            session.scalars(select(CoachingRequest.initiative_id).where(CoachingRequest.id.in_(part)))
        )
    return found


def _request_of_seats(session: Session, seat_ids: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in queries.chunks(sorted(seat_ids)):
        rows = session.execute(select(Seat.id, Seat.request_id).where(Seat.id.in_(part)))
        found.update((seat_id, request_id) for seat_id, request_id in rows)
    return found


def _separated(session: Session, request_ids: Sequence[int]) -> set[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    for part in queries.chunks(request_ids):
        rows = session.execute(
            select(Match.employment_id, Match.request_id).where(
                Match.request_id.in_(part),
                Match.state.in_((*LIVE_STATES, MatchState.DECLINED)),
            )
        )
        pairs.update((employment_id, request_id) for employment_id, request_id in rows)
    return pairs


def _pairs(
    session: Session, kind: type[ConflictOfInterest] | type[CompanyExclusion], initiative_ids: Sequence[int]
) -> set[tuple[int, int]]:
    other = kind.employment_id if kind is ConflictOfInterest else CompanyExclusion.organisation_id
    pairs: set[tuple[int, int]] = set()
    for part in queries.chunks(initiative_ids):
        rows = session.execute(select(other, kind.initiative_id).where(kind.initiative_id.in_(part)))
        pairs.update((who, initiative_id) for who, initiative_id in rows)
    return pairs
