"""Asking for long work, and doing it: a job is done by one worker, and comes back when that worker dies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.errors import NotFound
from timebank.jobs.models import Job, JobState

log = structlog.get_logger()

HEARTBEAT: Final = timedelta(seconds=20)
SILENCE: Final = timedelta(minutes=2)  # a worker that was not heard for so long is dead
MOST_ATTEMPTS: Final = 3
LIVE: Final = (JobState.QUEUED, JobState.RUNNING)

Handler = Callable[[UUID, dict[str, Any]], dict[str, Any] | None]
H = TypeVar("H", bound=Handler)
_handlers: dict[str, Handler] = {}
_lanes: dict[str, str] = {}


class Cancelled(Exception):
    """Somebody asked the job to stop, or it was given to another worker. Handlers let it pass."""


@dataclass(frozen=True)
class ClaimedJob:
    """A job that this worker, and no other, does now. `attempt` tells this claim from an earlier one."""

    public_id: UUID
    kind: str
    payload: dict[str, Any]
    requested_by_id: int | None
    attempt: int


def handler(kind: str, *, lane: str = "") -> Callable[[H], H]:
    """Register the function that does jobs of `kind`: it takes the job's public id and payload, returns a result.

    Jobs of a `lane` of their own wait for no others: who must be served at once, and who would keep others waiting.
    """

    def register(function: H) -> H:
        _handlers[kind] = function
        _lanes[kind] = lane
        return function

    return register


def enqueue(
    session: Session,
    *,
    kind: str,
    key: str,
    payload: dict[str, Any],
    now: datetime,
    requested_by_id: int | None = None,
    run_after: datetime | None = None,
) -> Job:
    """Ask for work. While a job with this `key` is queued or running, that one is the answer."""
    live = select(Job).where(Job.key == key, Job.state.in_(LIVE))
    found = session.scalar(live)
    if found is not None:
        return found
    job = Job(
        kind=kind,
        key=key,
        payload=payload,
        state=JobState.QUEUED,
        requested_by_id=requested_by_id,
        created_at=now,
        run_after=run_after or now,
    )
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        # Another transaction asked for the same at this very moment.
        return session.scalars(live).one()
    return job


def forget_queued(session: Session, kind: str) -> int:
    """Drop what waits of a kind, since somebody does all of it now. Returns how many."""
    dropped = delete(Job).where(Job.kind == kind, Job.state == JobState.QUEUED).returning(Job.id)
    return len(session.scalars(dropped).all())


def find(session: Session, public_id: UUID, *, requested_by_id: int | None = None) -> Job:
    """A job, for its page; with `requested_by_id` only that person's own.

    Raises NotFound.
    """
    job = session.scalar(select(Job).where(Job.public_id == public_id))
    if job is None or (requested_by_id is not None and job.requested_by_id != requested_by_id):
        raise NotFound(_l("We can't find that."))
    return job


def cancel(session: Session, public_id: UUID, *, now: datetime, requested_by_id: int | None = None) -> Job:
    """Stop a job: one that waits at once, one that runs at its next sign of progress. A finished one stays as it is.

    Raises NotFound, also for a job that is not of `requested_by_id` where that is given.
    """
    job = session.scalar(select(Job).where(Job.public_id == public_id).with_for_update())
    if job is None or (requested_by_id is not None and job.requested_by_id != requested_by_id):
        raise NotFound(_l("We can't find that."))
    if job.state == JobState.QUEUED:
        job.state, job.finished_at = JobState.CANCELLED, now
    elif job.state == JobState.RUNNING:
        job.cancel_requested = True
    session.flush()
    return job


# --- the worker's side ----------------------------------------------------------------------------------------------


def claim(now: datetime, lane: str = "") -> ClaimedJob | None:
    """Take the job of the lane that waits longest, or None. What a dead worker left is given out again, a few times."""
    elsewhere = [kind for kind, own in _lanes.items() if own != lane]
    here = [kind for kind, own in _lanes.items() if own == lane]
    with db.unit_of_work() as session:
        _bury(session, now)
        job = session.scalar(
            select(Job)
            .where(
                Job.state == JobState.QUEUED,
                Job.run_after <= now,
                Job.kind.in_(here) if lane else Job.kind.not_in(elsewhere),
            )
            .order_by(Job.run_after, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if job is None:
            return None
        job.state = JobState.RUNNING
        job.started_at = job.heartbeat_at = now
        job.progress = 0
        job.attempts += 1
        return ClaimedJob(job.public_id, job.kind, dict(job.payload), job.requested_by_id, job.attempts)


def _bury(session: Session, now: datetime) -> None:
    silent = session.scalars(
        select(Job)
        .where(Job.state == JobState.RUNNING, Job.heartbeat_at < now - SILENCE)
        .with_for_update(skip_locked=True)
    ).all()
    for job in silent:
        log.warning("job_abandoned", job=str(job.public_id), kind=job.kind, attempt=job.attempts)
        if job.cancel_requested:
            job.state, job.finished_at = JobState.CANCELLED, now
        elif job.attempts >= MOST_ATTEMPTS:
            job.state, job.finished_at = JobState.FAILED, now
            job.error = "the worker died each time"
        else:
            job.state = JobState.QUEUED
    session.flush()  # the claim that follows must see them


def progress(public_id: UUID, percent: int) -> None:
    """Say how far a running job is, which also says that its worker lives.

    Raises Cancelled when somebody asked to stop, or the job is no longer running.
    """
    with db.unit_of_work() as session:
        stopped = session.execute(
            update(Job)
            .where(Job.public_id == public_id, Job.state == JobState.RUNNING)
            .values(progress=max(0, min(percent, 100)), heartbeat_at=clock.now())
            .returning(Job.cancel_requested)
        ).scalar()
    if stopped is None or stopped:
        raise Cancelled


def finish(job: ClaimedJob, result: dict[str, Any] | None, now: datetime) -> bool:
    """Note the result; False when this worker was thought dead and another has the job."""
    return _end(job, now, state=JobState.DONE, result=result, progress=100)


def fail(job: ClaimedJob, error: str, now: datetime) -> bool:
    """Note that the work failed, with a line for the operator."""
    return _end(job, now, state=JobState.FAILED, error=error[:500])


def stop(job: ClaimedJob, now: datetime) -> bool:
    """Note that the work stopped because somebody asked."""
    return _end(job, now, state=JobState.CANCELLED)


def _end(job: ClaimedJob, now: datetime, **values: Any) -> bool:
    with db.unit_of_work() as session:
        ended = session.execute(
            update(Job)
            .where(Job.public_id == job.public_id, Job.state == JobState.RUNNING, Job.attempts == job.attempt)
            .values(finished_at=now, **values)
            .returning(Job.id)
        ).scalar()
    return ended is not None


def run_next(now: datetime, lane: str = "") -> ClaimedJob | None:
    """Claim a job of the lane and do it to its end, with signs of life meanwhile. None when nothing waits.

    An error of the handler fails the job and is logged; it does not leave this function.
    """
    job = claim(now, lane)
    if job is None:
        return None
    done = threading.Event()
    # A daemon: a process that is told to stop must not wait for it.
    beating = threading.Thread(target=_beat, args=(job, done), daemon=True)
    beating.start()
    try:
        result = _handlers[job.kind](job.public_id, job.payload)
    except Cancelled:
        stop(job, clock.now())
    except Exception as error:
        log.exception("job_failed", job=str(job.public_id), kind=job.kind)
        fail(job, f"{type(error).__name__}: {error}", clock.now())
    else:
        finish(job, result, clock.now())
    finally:
        done.set()
        beating.join(timeout=5)
    return job


def _beat(job: ClaimedJob, done: threading.Event) -> None:
    while not done.wait(HEARTBEAT.total_seconds()):
        try:
            with db.unit_of_work() as session:
                session.execute(
                    update(Job)
                    .where(
                        Job.public_id == job.public_id,
                        Job.state == JobState.RUNNING,
                        Job.attempts == job.attempt,
                    )
                    .values(heartbeat_at=clock.now())
                )
        except Exception:
            # The database may be gone for a moment: the next beat comes in time.
            log.warning("job_heartbeat_failed", job=str(job.public_id))
