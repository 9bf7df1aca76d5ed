"""From what a run chose to proposals, and back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.matches import service as matches
from timebank.matches.service import ProposalInput
from timebank.matching import pairs
from timebank.matching.events import RunApplied, RunDiscarded, RunWithdrawn
from timebank.matching.models import Outcome, Run, RunSeat, RunState
from timebank.matching.runs import life

log = structlog.get_logger(__name__)


def apply_run(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime, days: int) -> Run:
    """Propose what a run that was looked at chose; what is no longer free costs only its own proposal.

    The same again changes nothing. Raises NotPermitted, NotFound, WrongState.
    """
    permissions.require(actor, "run.decide")
    run = life.find(session, public_id, lock=True)
    if run.state is RunState.APPLIED:
        return run
    rows = session.scalars(
        select(RunSeat)
        .where(RunSeat.run_id == run.id, RunSeat.outcome == Outcome.CHOSEN)
        .order_by(RunSeat.position)
    ).all()
    propose(session, run, rows, actor=actor, now=now, days=days)
    return run


def propose(
    session: Session, run: Run, rows: Iterable[RunSeat], *, actor: Actor, now: datetime, days: int
) -> None:
    """Write the proposals of a run's rows, and that it is applied.

    Raises WrongState.
    """
    life.move(run, "apply")
    run.applied_at = now
    chosen = {row.seat_id: row for row in rows if row.outcome is Outcome.CHOSEN}
    apart = pairs.seats_apart(session, [(row.seat_id, row.pledge_id or 0) for row in chosen.values()])
    wanted = [_input(row) for row in chosen.values() if row.seat_id not in apart]
    result = matches.propose(session, wanted, now=now, days=days)
    created = {m.seat_id: m.id for m in result.created}
    for seat_id, row in chosen.items():
        row.match_id = created.get(seat_id)
        row.outcome = Outcome.PROPOSED if seat_id in created else Outcome.CHANGED
        row.reasons = row.next_best = None  # the match has them
    run.proposals = len(created)
    events.record(
        session,
        RunApplied(
            actor=actor,
            at=now,
            subject=run.public_id,
            proposals=len(created),
            value=run.value or 0,
            bound=run.bound or 0,
        ),
    )
    log.info("run_applied", run=str(run.public_id), proposals=len(created), lost=len(result.lost))


def _input(row: RunSeat) -> ProposalInput:
    return ProposalInput(
        seat_id=row.seat_id,
        pledge_id=row.pledge_id or 0,
        weight=row.weight or 0,
        reasons=row.reasons or [],
        run_id=row.run_id,
        seen=row.seen,
        next_best=row.next_best,
    )


def discard_run(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> Run:
    """Throw away a run that was looked at; nothing of it was proposed. The same again changes nothing.

    Raises NotPermitted, NotFound, WrongState.
    """
    permissions.require(actor, "run.decide")
    run = life.find(session, public_id, lock=True)
    if run.state is not RunState.DISCARDED:
        life.move(run, "discard")
        events.record(session, RunDiscarded(actor=actor, at=now, subject=run.public_id))
    return run


def withdraw_run(session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime) -> Run:
    """Take back all proposals of a run to which nobody answered yet; `reason` is what people read.

    Hours and seats are free again. The same again changes nothing. Raises NotPermitted, NotFound, WrongState, and
    Conflict when somebody answered.
    """
    permissions.require(actor, "run.decide")
    run = life.find(session, public_id, lock=True)
    if run.state is RunState.WITHDRAWN:
        return run
    life.move(run, "withdraw")
    taken_back = matches.take_back(session, run.id, reason, actor=actor, now=now)
    events.record(session, RunWithdrawn(actor=actor, at=now, subject=run.public_id, proposals=taken_back))
    return run
