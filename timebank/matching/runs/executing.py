"""A run: a snapshot in one read transaction, the optimum by the kernel outside any, proposals in one short write
transaction that re-checks each pledge and seat."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, undefer

from timebank import clock, db, events, files
from timebank.auth import permissions
from timebank.auth.actor import SYSTEM, Actor
from timebank.errors import NotFound, WrongState
from timebank.matches import service as matches
from timebank.matches.service import ProposalInput
from timebank.matching import snapshot as snapshots
from timebank.matching.events import RunAbandoned, RunApplied, RunFailed, RunRequested
from timebank.matching.insight import keeping as insight
from timebank.matching.models import Outcome, Run, RunSeat, RunState, RunTrigger
from timebank.matching.reasons import next_best_of, reasons_of
from timebank.matching.snapshot import Snapshot

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment

log = structlog.get_logger(__name__)

HEARTBEAT = timedelta(seconds=15)
DEAD_AFTER = timedelta(seconds=90)
# Seconds between the tries to write what was decided: the decision is in memory, and may have cost minutes.
PAUSES = (1, 10)
# Looking for the rule that leaves a seat without candidates costs a pass over all pledges for each request.
MOST_EXPLAINED = 2000


# --- asking for a run -----------------------------------------------------------------------------------------------


def request_run(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    trigger: RunTrigger,
    nightly_date: date | None = None,
    as_of: date | None = None,
) -> Run:
    """Queue a run. There is one nightly run a date: asking for it again gives the one there is.

    Raises NotPermitted.
    """
    permissions.require(actor, "run.request")
    if nightly_date is not None:
        existing = session.scalar(
            select(Run).where(Run.nightly_date == nightly_date, Run.state != RunState.ABANDONED)
        )
        if existing is not None:
            return existing
    run = Run(
        trigger=trigger,
        nightly_date=nightly_date,
        as_of=as_of or clock.local_date(now),
        parameters={},
        requested_by_id=actor.user_id,
        requested_at=now,
    )
    session.add(run)
    session.flush()  # gives it its ids
    events.record(session, RunRequested(actor=actor, at=now, subject=run.public_id, trigger=trigger.value))
    return run


def next_queued(session: Session) -> uuid.UUID | None:
    """The run that waits longest."""
    return session.scalar(select(Run.public_id).where(Run.state == RunState.QUEUED).order_by(Run.id).limit(1))


# --- executing it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """What the kernel decided, ready to be written."""

    snapshot: Snapshot
    assignment: Assignment
    proposals: Sequence[ProposalInput]
    rules: Sequence[str | None]
    problem_file: bytes
    solution_file: bytes


def execute(public_id: uuid.UUID, *, proposal_days: int) -> Run:
    """Carry out a queued run, from snapshot to proposals.

    Raises NotFound, and WrongState when it is not queued any more. Whatever goes wrong in between leaves the run
    `failed`, with nothing proposed, and is raised.
    """
    with db.unit_of_work() as session:
        run_id, as_of = _claim(session, public_id, clock.now())
    return _carry_out(public_id, run_id, as_of, proposal_days)


def run_now(*, actor: Actor, trigger: RunTrigger, as_of: date | None, proposal_days: int) -> Run:
    """Make a run and carry it out in this process; it is never seen waiting, so that no scheduler takes it.

    Raises NotPermitted, and what `execute` raises.
    """
    with db.unit_of_work() as session:
        now = clock.now()
        run = request_run(session, actor=actor, now=now, trigger=trigger, as_of=as_of)
        run_id, day = _claim(session, run.public_id, now)
    return _carry_out(run.public_id, run_id, day, proposal_days)


def _carry_out(public_id: uuid.UUID, run_id: int, as_of: date, proposal_days: int) -> Run:
    try:
        with _heartbeat(public_id):
            with db.read_session() as session:
                snapshot = snapshots.take(session, as_of)
            decision = decide(snapshot, run_id)
            run = _write_at_last(public_id, decision, proposal_days)
            _tell_more(run_id, decision)
            return run
    except Exception as error:
        log.exception("run_failed", run=str(public_id))
        with db.unit_of_work() as session:
            _fail(session, public_id, f"{type(error).__name__}: {error}"[:500], clock.now())
        raise


def _claim(session: Session, public_id: uuid.UUID, now: datetime) -> tuple[int, date]:
    run = _run(session, public_id, lock=True)
    if run.state != RunState.QUEUED:
        raise WrongState(_l("This run has already started."))
    run.state, run.started_at, run.heartbeat_at, run.holder = RunState.RUNNING, now, now, holder()
    return run.id, run.as_of


def decide(snapshot: Snapshot, run_id: int) -> Decision:
    """Solve the snapshot and put each pair's reasons and each empty seat's rule beside it."""
    from timebank.matching import kernel

    assignment = kernel.solve(snapshot.problem)
    rivals = kernel.rivals(snapshot.problem, assignment) if assignment.mode == "single" else None
    proposals = []
    for i, j in enumerate(assignment.seat_pledge.tolist()):
        if j >= 0:
            explained = kernel.explain_pair(snapshot.problem, i, j)
            entry, seat = snapshot.pool[j], snapshot.seats[i]
            proposals.append(
                ProposalInput(
                    seat_id=seat.id,
                    pledge_id=entry.pledge.id,
                    minutes=seat.request.minutes_per_coach,
                    weight=explained.weight,
                    reasons=reasons_of(explained, seat.request, entry.pledge, snapshot),
                    run_id=run_id,
                    seen=(seat.request.conditions, entry.pledge.conditions),
                    next_best=next_best_of(snapshot, assignment, rivals, i, j) if rivals else None,
                )
            )
    problem_file, solution_file = io.BytesIO(), io.BytesIO()
    kernel.save_problem(snapshot.problem, problem_file)
    kernel.save_solution(assignment, solution_file)
    return Decision(
        snapshot=snapshot,
        assignment=assignment,
        proposals=proposals,
        rules=_rules(snapshot, assignment),
        problem_file=problem_file.getvalue(),
        solution_file=solution_file.getvalue(),
    )


def _rules(snapshot: Snapshot, assignment: Assignment) -> list[str | None]:
    """For each seat left empty, the first hard rule that leaves it no candidate; None where it has some."""
    from timebank.matching import kernel

    known: dict[int, str | None] = {}
    rules: list[str | None] = []
    for i, seat in enumerate(snapshot.seats):
        if assignment.seat_pledge[i] >= 0:
            rules.append(None)
            continue
        if seat.request_id not in known and len(known) < MOST_EXPLAINED:
            known[seat.request_id] = kernel.explain_seat(snapshot.problem, i).emptied_by
        rules.append(known.get(seat.request_id))
    return rules


def _tell_more(run_id: int, decision: Decision) -> None:
    """Keep what the run tells besides; its proposals stand, whatever happens here."""
    try:
        insight.keep(run_id, decision.snapshot, decision.assignment)
    except Exception:
        log.exception("run_insight_failed", run_id=run_id)


def _write_at_last(public_id: uuid.UUID, decision: Decision, proposal_days: int) -> Run:
    """Write it, once more after each of some pauses when the database was away or somebody else in the way."""
    for pause in PAUSES:
        try:
            return _write(public_id, decision, proposal_days)
        except (OperationalError, InterfaceError) as error:
            log.warning("run_not_written", run=str(public_id), kind=type(error.orig).__name__, again_in=pause)
            time.sleep(pause)
    return _write(public_id, decision, proposal_days)


def _write(public_id: uuid.UUID, decision: Decision, proposal_days: int) -> Run:
    now = clock.now()
    with db.unit_of_work() as session:
        run = _run(session, public_id, lock=True)
        if run.state == RunState.APPLIED and run.holder == holder():
            return run  # the connection broke after all was written
        if run.state != RunState.RUNNING or run.holder != holder():
            raise WrongState(_l("Another process took this run for dead."))
        result = matches.propose(session, decision.proposals, now=now, days=proposal_days)
        created = {m.seat_id: m.id for m in result.created}
        _certify(session, run, decision, now)
        run.proposals = len(created)
        session.add_all(_outcomes(run, decision, created))
        events.record(
            session,
            RunApplied(
                actor=SYSTEM,
                at=now,
                subject=run.public_id,
                proposals=len(created),
                value=decision.assignment.value,
                bound=decision.assignment.bound,
            ),
        )
    log.info("run_applied", run=str(public_id), proposals=run.proposals, lost=len(result.lost))
    return run


def _certify(session: Session, run: Run, decision: Decision, now: datetime) -> None:
    assignment = decision.assignment
    run.state, run.finished_at, run.parameters = RunState.APPLIED, now, dict(decision.snapshot.weights)
    run.pledges, run.seats = len(decision.snapshot.pool), len(decision.snapshot.seats)
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


def _outcomes(run: Run, decision: Decision, created: dict[int, int]) -> Iterator[RunSeat]:
    assignment = decision.assignment
    for i, seat in enumerate(decision.snapshot.seats):
        if seat.id in created:
            outcome = Outcome.PROPOSED
        elif assignment.seat_pledge[i] >= 0:
            outcome = Outcome.CHANGED
        else:
            outcome = Outcome.NO_CANDIDATE if decision.rules[i] else Outcome.OUTBID
        yield RunSeat(
            run_id=run.id,
            seat_id=seat.id,
            position=i,
            outcome=outcome,
            rule=decision.rules[i],
            price=int(assignment.seat_price[i]),
            match_id=created.get(seat.id),
        )


def _fail(session: Session, public_id: uuid.UUID, reason: str, now: datetime) -> None:
    run = _run(session, public_id, lock=True)
    if run.state == RunState.RUNNING and run.holder == holder():
        run.state, run.finished_at, run.error = RunState.FAILED, now, reason
        events.record(session, RunFailed(actor=SYSTEM, at=now, subject=run.public_id, reason=reason))


# --- dead runs ------------------------------------------------------------------------------------------------------


def holder() -> str:
    """This process, by machine, id and moment of start, since ids are used again."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str | None:
    """When a process of this machine started, in the kernel's ticks; None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in brackets may hold blanks; the start is the 20th field after it.
    return text.rpartition(")")[2].split()[19]


def is_dead(run: Run, now: datetime) -> bool:
    """Whether nobody executes a running run any more: it is silent, or its process on this machine is gone.

    A process that lives may have lost the run too: when the database was away, it could not write that it failed.
    """
    if run.heartbeat_at is None or now - run.heartbeat_at > DEAD_AFTER:
        return True
    host, pid, started = (run.holder or "::").rsplit(":", 2)
    if host == socket.gethostname()[:60] and pid.isdigit() and Path("/proc").is_dir():
        return _started(int(pid)) != started
    return False


def abandon_dead(session: Session, *, now: datetime) -> int:
    """Mark what a crash left running as abandoned; nothing of it was proposed. Gives their number.

    What is locked is being written at this moment, so it lives.
    """
    running = select(Run).where(Run.state == RunState.RUNNING)
    found = session.scalars(running.with_for_update(key_share=True, skip_locked=True)).all()
    dead = [run for run in found if is_dead(run, now)]
    for run in dead:
        run.state, run.finished_at = RunState.ABANDONED, now
        events.record(session, RunAbandoned(actor=SYSTEM, at=now, subject=run.public_id))
    return len(dead)


def abandon_own(session: Session, *, now: datetime) -> None:
    """What this process was executing when it was told to stop."""
    session.execute(
        update(Run)
        .where(Run.state == RunState.RUNNING, Run.holder == holder())
        .values(state=RunState.ABANDONED, finished_at=now)
    )


@contextmanager
def _heartbeat(public_id: uuid.UUID) -> Iterator[None]:
    """Show that the run is alive while the block works."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT.total_seconds()):
            try:
                with db.unit_of_work() as session:
                    session.execute(
                        update(Run).where(Run.public_id == public_id).values(heartbeat_at=clock.now())
                    )
            except Exception:  # the database may be gone for a moment; the run itself decides what that means
                log.warning("heartbeat_failed", run=str(public_id))

    thread = threading.Thread(target=beat, name="run-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# --- taking it outside ----------------------------------------------------------------------------------------------


def run_files(session: Session, public_id: uuid.UUID) -> dict[str, bytes]:
    """`problem.npz` and `solution.npz` of a run.

    Raises NotFound for an unknown run, and WrongState for one that kept none.
    """
    run = _run(session, public_id)
    wanted = {"problem.npz": run.problem_file_id, "solution.npz": run.solution_file_id}
    found: dict[str, bytes] = {}
    for name, file_id in wanted.items():
        file = session.scalar(
            select(files.StoredFile)
            .where(files.StoredFile.id == file_id)
            .options(undefer(files.StoredFile.content))
        )
        if file is None:
            raise WrongState(_l("This run keeps no snapshot."))
        found[name] = file.content
    return found


def export(session: Session, public_id: uuid.UUID, folder: Path) -> list[Path]:
    """Write a run's snapshot and solution into `folder`, so that anybody can verify them.

    Raises NotFound, WrongState, OSError.
    """
    contents = run_files(session, public_id)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in contents.items():
        path = folder / name
        partial = path.with_suffix(".part")
        partial.write_bytes(content)
        partial.replace(path)
        paths.append(path)
    return paths


def _run(session: Session, public_id: uuid.UUID, *, lock: bool = False) -> Run:
    query = select(Run).where(Run.public_id == public_id)
    run = session.scalar(query.with_for_update(key_share=True) if lock else query)
    if run is None:
        raise NotFound(_l("There is no such run."))
    return run


def summary(run: Run) -> dict[str, Any]:
    """What `timebank match run --json` prints."""
    return {
        "run": str(run.public_id),
        "status": run.status,
        "proposals": run.proposals,
        "value": run.value,
        "bound": run.bound,
        "gap": run.gap,
    }
