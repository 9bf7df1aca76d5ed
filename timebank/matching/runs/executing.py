"""Carrying out a run: claim it, look, solve, write."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from timebank import clock, db, events, files
from timebank.auth.actor import SYSTEM, Actor
from timebank.errors import WrongState
from timebank.matching import snapshot as snapshots
from timebank.matching.events import RunFailed, RunSolved
from timebank.matching.insight import keeping as insight
from timebank.matching.models import Mode, Run, RunState, RunTrigger
from timebank.matching.runs import applying, asking, deciding, life
from timebank.matching.runs.deciding import Decision, Progress

log = structlog.get_logger(__name__)

# Seconds between the tries to write what was decided: the decision is in memory, and may have cost minutes.
PAUSES = (1, 10)


class Lost(Exception):
    """The run is no longer this process's to work on: it was cancelled, or given up for dead."""


@dataclass(frozen=True)
class Claimed:
    """A run that this process, and no other, carries out."""

    public_id: uuid.UUID
    as_of: date
    mode: Mode
    time_limit: int | None


def execute(public_id: uuid.UUID, *, proposal_days: int, executor: str | None = None) -> Run:
    """Carry out a queued run, from snapshot to proposals, or to what waits to be looked at.

    `executor` is where it is solved when it is very large (`matching.executors`), by default in this process.
    A run that is cancelled meanwhile comes back as such. Raises NotFound, and WrongState when it is not queued any
    more. Whatever goes wrong in between leaves the run `failed`, with nothing proposed, and is raised.
    """
    with db.unit_of_work() as session:
        claimed = claim(session, public_id, clock.now())
    return _carry_out(claimed, proposal_days, executor)


def run_now(
    *,
    actor: Actor,
    trigger: RunTrigger,
    as_of: date | None,
    proposal_days: int,
    mode: Mode = Mode.SINGLE,
    time_limit: int | None = None,
    executor: str | None = None,
) -> Run:
    """Make a run and carry it out in this process; it is never seen waiting, so that no scheduler takes it.

    Raises NotPermitted, Invalid, and what `execute` raises.
    """
    with db.unit_of_work() as session:
        now = clock.now()
        run = asking.request_run(
            session, actor=actor, now=now, trigger=trigger, as_of=as_of, mode=mode, time_limit=time_limit
        )
        claimed = claim(session, run.public_id, now)
    return _carry_out(claimed, proposal_days, executor)


def claim(session: Session, public_id: uuid.UUID, now: datetime) -> Claimed:
    """Take a queued run.

    Raises NotFound, WrongState.
    """
    run = life.find(session, public_id, lock=True)
    life.move(run, "start")
    run.started_at = run.heartbeat_at = now
    run.holder = life.holder()
    return Claimed(run.public_id, run.as_of, run.mode, run.time_limit)


def _carry_out(claimed: Claimed, proposal_days: int, executor: str | None) -> Run:
    try:
        with life.heartbeat(claimed.public_id) as lost:
            with db.read_session() as session:
                snapshot = snapshots.take(session, claimed.as_of, several=claimed.mode is Mode.BUNDLE)
            decision = deciding.decide(
                snapshot,
                mode=claimed.mode,
                time_limit=claimed.time_limit,
                progress=_until(lost),
                executor=executor,
            )
            run = at_last(
                lambda: write(claimed.public_id, decision, proposal_days), run=str(claimed.public_id)
            )
            _tell_more(run, decision)
            return run
    except Lost:
        log.info("run_lost", run=str(claimed.public_id))
        with db.read_session() as session:
            run = life.find(session, claimed.public_id)
        if run.state is not RunState.CANCELLED:
            raise WrongState(life.REFUSALS[run.state]) from None
        return run
    except Exception as error:
        log.exception("run_failed", run=str(claimed.public_id))
        with db.unit_of_work() as session:
            _fail(session, claimed.public_id, f"{type(error).__name__}: {error}"[:500], clock.now())
        raise


def _until(lost: threading.Event) -> Progress:
    def tell(_step: str, _done: int, _total: int) -> None:
        if lost.is_set():
            raise Lost

    return tell


def _tell_more(run: Run, decision: Decision) -> None:
    """Keep what the run tells besides; its proposals stand, whatever happens here."""
    try:
        insight.keep(run.id, decision.snapshot, decision.assignment, applied=run.state is RunState.APPLIED)
    except Exception:
        log.exception("run_insight_failed", run=str(run.public_id))


def at_last(write: Callable[[], Run], **about: str) -> Run:
    """What `write` gives; once more after each of some pauses when the database was away or somebody in the way.

    The log names it by `about`.
    """
    for pause in PAUSES:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            log.warning("run_not_written", **about, kind=type(error.orig).__name__, again_in=pause)
            time.sleep(pause)
    return write()


def write(public_id: uuid.UUID, decision: Decision, proposal_days: int) -> Run:
    """Write certificate and outcomes, and the proposals unless somebody wants to look first.

    Raises Lost.
    """
    now = clock.now()
    with db.unit_of_work() as session:
        run = life.find(session, public_id, lock=True)
        ours = run.holder == life.holder()
        if ours and run.state in (RunState.DONE, RunState.APPLIED):
            return run  # the connection broke after all was written
        if not ours or run.state is not RunState.RUNNING:
            raise Lost
        certify(session, run, decision, now)
        rows = list(deciding.rows_of(decision, run.id))
        if run.preview:
            life.move(run, "finish")
            events.record(
                session, RunSolved(actor=SYSTEM, at=now, subject=run.public_id, chosen=run.proposals or 0)
            )
        else:
            applying.propose(session, run, rows, actor=SYSTEM, now=now, days=proposal_days)
        session.add_all(rows)
    return run


def certify(session: Session, run: Run, decision: Decision, now: datetime) -> None:
    """Keep with the run what it saw, what it found, and the proof."""
    assignment = decision.assignment
    run.finished_at, run.parameters = now, dict(decision.snapshot.weights)
    run.pledges, run.seats = len(decision.snapshot.pool), len(decision.snapshot.seats)
    run.proposals = len(decision.chosen) + len(decision.snapshot.pinned)
    run.blocking_pairs = decision.blocking_pairs
    run.status, run.seconds = assignment.status, assignment.seconds
    run.value, run.bound, run.gap = assignment.value, assignment.bound, assignment.gap

    def keep(name: str, content: bytes) -> int:
        return files.store(
            session,
            content,
            name=f"{name}.npz",
            media_type="application/octet-stream",
            owner_id=None,
            now=now,
            expires_at=None,
        ).id

    run.problem_file_id = keep("problem", decision.problem_file)
    run.solution_file_id = keep("solution", decision.solution_file)


def _fail(session: Session, public_id: uuid.UUID, reason: str, now: datetime) -> None:
    run = life.find(session, public_id, lock=True)
    if run.state == RunState.RUNNING and run.holder == life.holder():
        life.move(run, "fail")
        run.finished_at, run.error = now, reason
        events.record(session, RunFailed(actor=SYSTEM, at=now, subject=run.public_id, reason=reason))
