"""Offering again at once what became free: an event leaves a job, which the scheduler's process does in seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.jobs import service as jobs
from timebank.matching import queries
from timebank.matching.models import Run, RunState, RunTrigger
from timebank.matching.runs import applying, deciding, executing, life
from timebank.matching.runs.deciding import Decision
from timebank.matching.warm import Optimiser

log = structlog.get_logger(__name__)

KIND: Final = "matching.reoffer"
LANE: Final = "reoffer"


def ask(session: Session, *, now: datetime) -> None:
    """Leave word that something became free; once for each act, however much it frees."""
    # An import frees thousands in one transaction: one question for all of them.
    if session.info.get(KIND) is session.get_transaction():
        return
    session.info[KIND] = session.get_transaction()
    if queries.policy_in_force(session).reoffers:
        # A key of the act's own: a job that waits already may be taken up before this act is there to be seen.
        jobs.enqueue(session, kind=KIND, key=f"{KIND}:{now.isoformat()}", payload={}, now=now)


@jobs.handler(KIND, lane=LANE)
def work_off(_job: UUID, _payload: dict[str, Any]) -> dict[str, Any]:
    """Do this job and all that wait beside it."""
    with db.unit_of_work() as session:
        # Before looking: what they are about is there to be seen, and whoever comes later leaves a job of its own.
        jobs.forget_queued(session, KIND)
    run = reoffer(proposal_days=current_app.config["SETTINGS"].proposal_days)
    return {"run": str(run.public_id), "proposals": run.proposals} if run else {"proposals": 0}


def reoffer(*, proposal_days: int) -> Run | None:
    """Propose the best that can be made of what is free now. None, and no run, when there is nothing to propose, or
    when the operator does not want it.

    Nobody loses an open proposal, and nobody is asked the same a second time.
    """
    started = clock.now()
    with db.read_session() as session:
        if not queries.policy_in_force(session).reoffers or _taken_back(session):
            return None
        solved = _optimiser().optimum(session, clock.local_date(started))
    if not solved.snapshot.pinned and not (solved.assignment.seat_pledge >= 0).any():
        return None
    decision = deciding.decision_of(solved.snapshot, solved.assignment, quick=True)
    # What was written before the connection broke is not free any more, so it is not proposed twice.
    return executing.at_last(
        lambda: _write(decision, started, proposal_days), trigger=RunTrigger.REOFFER.value
    )


def prepare() -> None:
    """Solve once a day what the day's first question would have to wait for."""
    with db.read_session() as session:
        if queries.policy_in_force(session).reoffers:
            _optimiser().prepare(session, clock.today())


def _optimiser() -> Optimiser:
    """That of this process."""
    optimiser: Optimiser = current_app.extensions.setdefault("timebank.optimiser", Optimiser())
    return optimiser


def _taken_back(session: Session) -> bool:
    """Whether the operator took back what was proposed last: then nothing is proposed until a run is sent again."""
    settled = (RunState.APPLIED, RunState.WITHDRAWN)
    newest = (
        select(Run.state)
        .where(Run.state.in_(settled))
        .order_by(Run.applied_at.desc(), Run.id.desc())
        .limit(1)
    )
    return session.scalar(newest) is RunState.WITHDRAWN


def _write(decision: Decision, started: datetime, proposal_days: int) -> Run:
    """Record it as a run, which can be verified like any other, with its proposals."""
    now = clock.now()
    with db.unit_of_work() as session:
        run = Run(
            state=RunState.RUNNING,
            trigger=RunTrigger.REOFFER,
            as_of=decision.snapshot.as_of,
            parameters={},
            requested_at=started,
            started_at=started,
            heartbeat_at=now,
            holder=life.holder(),
        )
        session.add(run)
        session.flush()  # gives it its ids
        executing.certify(session, run, decision, now)
        # Of the seats that stay empty the last whole run tells why.
        rows = list(deciding.rows_of(decision, run.id, chosen_only=True))
        applying.propose(session, run, rows, actor=SYSTEM, now=now, days=proposal_days)
        session.add_all(rows)
    return run
