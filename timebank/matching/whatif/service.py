"""Asking, stopping, looking, and keeping what was tried."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import NotFound, WrongState
from timebank.jobs import service as jobs
from timebank.jobs.models import Job, JobState
from timebank.matching import service as policies
from timebank.matching import snapshot as snapshots
from timebank.matching.runs.deciding import Progress
from timebank.matching.whatif import wishes
from timebank.matching.whatif.compare import compare
from timebank.matching.whatif.wishes import Wish

KIND: Final = "matching.what_if"
LANE: Final = "what_if"
SHOWN: Final = 10


@dataclass(frozen=True)
class Question:
    """Other weights, and at most one coach and one seat more."""

    weights: Mapping[str, int]
    coach: Wish | None = None
    seat: Wish | None = None


def ask(session: Session, question: Question, *, actor: Actor, now: datetime) -> Job:
    """Let the scheduler's process find out.

    Raises NotPermitted, Invalid.
    """
    permissions.require(actor, "weights.change")
    policies.check_weights(question.weights)
    return jobs.enqueue(
        session,
        kind=KIND,
        key=f"{KIND}:{uuid4()}",
        payload={
            "weights": dict(question.weights),
            "coach": question.coach.data() if question.coach else None,
            "seat": question.seat.data() if question.seat else None,
        },
        now=now,
        requested_by_id=actor.user_id,
    )


@jobs.handler(KIND, lane=LANE)
def answer(job: UUID, payload: dict[str, Any]) -> dict[str, Any]:
    """Solve what a run would do now, and what it would do then."""
    from timebank.matching import kernel

    today = clock.today()
    with db.read_session() as session:
        now = snapshots.take(session, today)
        jobs.progress(job, 10)
        coach, seat = Wish.of(payload["coach"]), Wish.of(payload["seat"])
        then = snapshots.of(
            session,
            [*now.seats, *([wishes.seat(session, seat, today)] if seat else [])],
            now.pool,
            today,
            weights=payload["weights"],
            wished=[wishes.coach(session, coach, today)] if coach else [],
        )
        jobs.progress(job, 20)
        first = kernel.solve(now.problem, progress=_stops(job, 30))
        jobs.progress(job, 55)
        second = kernel.solve(then.problem, progress=_stops(job, 65))
        jobs.progress(job, 90)
        return compare(now, first, then, second)


def _stops(job: UUID, percent: int) -> Progress:
    """Look now and then whether somebody asked to stop."""
    looked = time.monotonic()

    def tell(_step: str, _done: int, _total: int) -> None:
        nonlocal looked
        if time.monotonic() - looked > 1:
            looked = time.monotonic()
            jobs.progress(job, percent)

    return tell


def find(session: Session, public_id: UUID, *, actor: Actor) -> Job:
    """Raises NotPermitted, NotFound."""
    permissions.require(actor, "run.see")
    job = jobs.find(session, public_id)
    if job.kind != KIND:
        raise NotFound(_l("We can't find that."))
    return job


def recent(session: Session) -> Sequence[Job]:
    """What was asked last, newest first. One statement."""
    return session.scalars(select(Job).where(Job.kind == KIND).order_by(Job.id.desc()).limit(SHOWN)).all()


def stop(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> None:
    """No longer want to know. Raises NotPermitted, NotFound."""
    find(session, public_id, actor=actor)
    jobs.cancel(session, public_id, now=now)


def discard(session: Session, public_id: UUID, *, actor: Actor) -> None:
    """Throw away what was tried. Raises NotPermitted, NotFound, and WrongState while it is being worked on."""
    job = find(session, public_id, actor=actor)
    if job.state in jobs.LIVE:
        raise WrongState(_l("It is being worked on. Stop it first."))
    session.delete(job)
    session.flush()


def keep_weights(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Let the weights that were tried hold from the next run on.

    Raises NotPermitted, NotFound, WrongState before there is an answer, Invalid.
    """
    job = find(session, public_id, actor=actor)
    if job.state is not JobState.DONE:
        raise WrongState(_l("There is no answer yet."))
    policies.change_weights(session, job.payload["weights"], actor=actor, now=now)
