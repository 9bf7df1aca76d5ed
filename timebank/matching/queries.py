"""Reads for the operator's pages about runs; each a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.errors import NotFound
from timebank.matches.models import Match, MatchState
from timebank.matching.models import Mode, Outcome, Run, RunPolicy, RunSeat
from timebank.organisations.models import Initiative
from timebank.pledges.models import Pledge

PAGE = 25


@dataclass(frozen=True)
class RunPage:
    """Runs, newest first; `older` is what to ask for next, `newer` whether there is a page before this."""

    runs: Sequence[Run]
    older: int | None
    newer: bool


def runs(session: Session, *, before: int | None = None) -> RunPage:
    """A page of runs, those older than `before` if it is given. One statement."""
    query = select(Run).order_by(Run.id.desc()).limit(PAGE + 1)
    found = session.scalars(query.where(Run.id < before) if before else query).all()
    older = found[PAGE - 1].id if len(found) > PAGE else None
    return RunPage(found[:PAGE], older, before is not None)


def run(session: Session, public_id: uuid.UUID) -> Run:
    """Raises NotFound."""
    found = session.scalar(select(Run).where(Run.public_id == public_id))
    if found is None:
        raise NotFound(_l("There is no such run."))
    return found


@dataclass(frozen=True)
class PolicyInForce:
    """How runs are made without anybody asking; see `RunPolicy`."""

    nightly_mode: Mode = Mode.SINGLE
    time_limit: int = 60
    reoffers: bool = True


def policy_in_force(session: Session) -> PolicyInForce:
    """The operator's last choice, that of the start before the first one. One statement."""
    last = session.scalar(select(RunPolicy).order_by(RunPolicy.id.desc()).limit(1))
    return PolicyInForce(last.nightly_mode, last.time_limit, last.reoffers) if last else PolicyInForce()


def policy_history(session: Session, *, limit: int = 10) -> Sequence[tuple[RunPolicy, User | None]]:
    """The last choices, newest first, with who made them. One statement."""
    rows = session.execute(
        select(RunPolicy, User)
        .outerjoin(User, User.id == RunPolicy.set_by_id)
        .order_by(RunPolicy.id.desc())
        .limit(limit)
    )
    return [(policy, user) for policy, user in rows]


def requester(session: Session, run: Run) -> str | None:
    """The name of the person who asked for a run, None for a nightly run or a command."""
    user = session.get(User, run.requested_by_id) if run.requested_by_id else None
    return user.name if user else None


def outcomes(session: Session, run: Run) -> dict[Outcome, int]:
    """How many seats ended how. One statement."""
    counted = session.execute(
        select(RunSeat.outcome, func.count()).where(RunSeat.run_id == run.id).group_by(RunSeat.outcome)
    )
    found = dict(counted.all())
    return {outcome: found.get(outcome, 0) for outcome in Outcome}


def pinned(session: Session, run: Run) -> int:
    """How many pairs a run took because the operator put them together. One statement."""
    own = select(func.count()).where(RunSeat.run_id == run.id, RunSeat.position.is_(None))
    return session.scalar(own) or 0


@dataclass(frozen=True)
class Next:
    """Who comes next for a seat; the optimum would be worse by `less` with them, at least."""

    pledge: Pledge
    weight: int
    less: int


@dataclass(frozen=True)
class Pair:
    """A seat and the pledge that a run chose for it; `match` is the proposal, once there is one."""

    seat: Seat
    pledge: Pledge
    weight: int
    match: Match | None
    reserve: Sequence[Next] = ()

    @property
    def request(self) -> CoachingRequest:
        return self.seat.request

    @property
    def minutes(self) -> int:
        return self.match.minutes if self.match else self.request.minutes_per_coach


def proposals(session: Session, run: Run, *, after: int = 0) -> tuple[Sequence[Pair], int | None]:
    """A page of the pairs that a run chose, by seat, and what to ask for next."""
    request = joinedload(Seat.request)
    rows = session.execute(
        select(Seat, Pledge, RunSeat.weight, Match, RunSeat.reserve)
        .join(RunSeat, RunSeat.seat_id == Seat.id)
        .join(Pledge, Pledge.id == RunSeat.pledge_id)
        .outerjoin(Match, Match.id == RunSeat.match_id)
        .where(
            RunSeat.run_id == run.id,
            RunSeat.outcome.in_([Outcome.CHOSEN, Outcome.PROPOSED]),
            Seat.id > after,
        )
        .options(
            joinedload(Pledge.employment),
            request.selectinload(CoachingRequest.texts),
            request.joinedload(CoachingRequest.initiative),
        )
        .order_by(Seat.id)
        .limit(PAGE + 1)
    ).all()
    reserves = _reserves(session, [row.reserve or [] for row in rows])
    pairs = [
        Pair(seat, pledge, weight or 0, match, following)
        for (seat, pledge, weight, match, _reserve), following in zip(rows, reserves, strict=True)
    ]
    return pairs[:PAGE], pairs[PAGE - 1].seat.id if len(pairs) > PAGE else None


def _reserves(session: Session, rows: Sequence[list[dict[str, int]]]) -> list[list[Next]]:
    """The runners-up of seats with their pledges. One statement."""
    ids = {each["pledge"] for row in rows for each in row}
    found = session.scalars(select(Pledge).where(Pledge.id.in_(ids)).options(joinedload(Pledge.employment)))
    pledges = {pledge.id: pledge for pledge in found}
    return [[Next(pledges[e["pledge"]], e["weight"], e["less"]) for e in row] for row in rows]


def answered(session: Session, run: Run) -> bool:
    """Whether somebody said yes or no to a proposal of the run."""
    said = or_(
        Match.coach_accepted_at.is_not(None),
        Match.initiative_accepted_at.is_not(None),
        Match.state == MatchState.DECLINED,
    )
    return session.scalar(select(Match.id).where(Match.run_id == run.id, said).limit(1)) is not None


@dataclass(frozen=True)
class Unserved:
    """A request with seats that stayed empty, and the rule that left them no candidate (None: others were worth
    more)."""

    request: CoachingRequest
    seats: int
    rule: str | None


def unserved(session: Session, run: Run, *, limit: int = 50) -> list[Unserved]:
    """Requests with empty seats, those that wait longest first."""
    rows = session.execute(
        select(Seat.request_id, func.count(), func.max(RunSeat.rule))
        .join(RunSeat, RunSeat.seat_id == Seat.id)
        .join(CoachingRequest, CoachingRequest.id == Seat.request_id)
        .where(RunSeat.run_id == run.id, RunSeat.outcome.in_([Outcome.NO_CANDIDATE, Outcome.OUTBID]))
        .group_by(Seat.request_id, CoachingRequest.opened_at)
        .order_by(CoachingRequest.opened_at)
        .limit(limit)
    ).all()
    requests = {
        r.id: r
        for r in session.scalars(
            select(CoachingRequest)
            .where(CoachingRequest.id.in_([row[0] for row in rows]))
            .options(
                selectinload(CoachingRequest.texts),
                joinedload(CoachingRequest.initiative).joinedload(Initiative.organisation),
            )
        )
    }
    return [Unserved(requests[request_id], seats, rule) for request_id, seats, rule in rows]


def open_requests(session: Session, language: str) -> list[tuple[uuid.UUID, str]]:
    """Open requests with their initiatives, by name, for a choice."""
    found = session.scalars(
        select(CoachingRequest)
        .where(CoachingRequest.state == RequestState.OPEN)
        .options(selectinload(CoachingRequest.texts), joinedload(CoachingRequest.initiative))
    )
    named = [(r.public_id, f"{r.initiative.name}: {r.text(language).title}") for r in found]
    return sorted(named, key=lambda row: row[1].casefold())


def requests_named(session: Session, ids: Sequence[int]) -> dict[int, CoachingRequest]:
    """These requests with their texts and initiatives, by id."""
    found = session.scalars(
        select(CoachingRequest)
        .where(CoachingRequest.id.in_(ids))
        .options(selectinload(CoachingRequest.texts), joinedload(CoachingRequest.initiative))
    )
    return {request.id: request for request in found}


def newest(session: Session) -> Run | None:
    """The run that was asked for last."""
    return session.scalar(select(Run).order_by(Run.id.desc()).limit(1))
