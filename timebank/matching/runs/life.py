"""The states of a run, which process holds it, and what becomes of those that a process left."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from timebank import clock, db, events
from timebank.auth.actor import SYSTEM
from timebank.errors import NotFound, WrongState
from timebank.matching.events import RunAbandoned
from timebank.matching.models import RUN_ACTS, Run, RunState

log = structlog.get_logger(__name__)

HEARTBEAT = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=90)

REFUSALS = {
    RunState.QUEUED: _l("This run still waits for its turn."),
    RunState.RUNNING: _l("This run is being solved."),
    RunState.DONE: _l("This run is solved; nothing of it was proposed yet."),
    RunState.APPLIED: _l("The proposals of this run were sent."),
    RunState.WITHDRAWN: _l("This run was taken back."),
    RunState.DISCARDED: _l("This run was thrown away."),
    RunState.CANCELLED: _l("This run was cancelled."),
    RunState.FAILED: _l("This run failed."),
    RunState.ABANDONED: _l("The process that worked on this run stopped in the middle."),
}


def find(session: Session, public_id: uuid.UUID, *, lock: bool = False) -> Run:
    """Raises NotFound."""
    query = select(Run).where(Run.public_id == public_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    run = session.scalar(query)
    if run is None:
        raise NotFound(_l("There is no such run."))
    return run


def move(run: Run, act: str) -> None:
    """Take a run from one state to the next.

    Raises WrongState, saying how it stands, when that does not allow `act`.
    """
    before, after = RUN_ACTS[act]
    if run.state not in before:
        raise WrongState(REFUSALS[run.state])
    run.state = after


# --- who holds it ---------------------------------------------------------------------------------------------------


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
        move(run, "abandon")
        run.finished_at = now
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
def heartbeat(public_id: uuid.UUID) -> Iterator[threading.Event]:
    """Show that the run is alive while the block works; the event is set once the run is no longer ours to work on."""
    stop, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT.total_seconds()):
            try:
                with db.unit_of_work() as session:
                    ours = session.execute(
                        update(Run)
                        .where(
                            Run.public_id == public_id, Run.state == RunState.RUNNING, Run.holder == holder()
                        )
                        .values(heartbeat_at=clock.now())
                        .returning(Run.id)
                    ).scalar()
            except Exception:  # the database may be gone for a moment; the run itself decides what that means
                log.warning("heartbeat_failed", run=str(public_id))
            else:
                if ours is None:
                    lost.set()

    thread = threading.Thread(target=beat, name="run-heartbeat", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        stop.set()
        thread.join()
