"""Reads for the operator's pages about runs; each a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest, Seat
from timebank.errors import NotFound
from timebank.matches.models import Match
from timebank.matching.models import Outcome, Run, RunSeat
from timebank.organisations.models import Initiative

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


def proposals(session: Session, run: Run, *, after: int = 0) -> tuple[Sequence[Match], int | None]:
    """A page of the matches that a run proposed, and what to ask for next."""
    found = session.scalars(
        select(Match)
        .where(Match.run_id == run.id, Match.id > after)
        .options(
            joinedload(Match.employment),
            joinedload(Match.request).selectinload(CoachingRequest.texts),
            joinedload(Match.request).joinedload(CoachingRequest.initiative),
        )
        .order_by(Match.id)
        .limit(PAGE + 1)
    ).all()
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


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


def newest(session: Session) -> Run | None:
    """The run that was asked for last."""
    return session.scalar(select(Run).order_by(Run.id.desc()).limit(1))
