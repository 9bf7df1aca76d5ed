"""Asking for a run, and no longer wanting it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import Invalid
from timebank.matching.events import RunCancelled, RunRequested
from timebank.matching.models import Mode, Run, RunState, RunTrigger
from timebank.matching.runs import life

LONGEST: Final = 3600  # seconds that somebody may give the solver
USUAL_LIMIT: Final = 60


def request_run(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    trigger: RunTrigger,
    nightly_date: date | None = None,
    as_of: date | None = None,
    mode: Mode = Mode.SINGLE,
    time_limit: int | None = None,
    preview: bool = False,
) -> Run:
    """Queue a run; with `preview` it stops when it is solved, to be looked at. `time_limit` (seconds) is of bundles.

    There is one nightly run a date: asking for it again gives the one there is. Raises NotPermitted, Invalid.
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
        mode=mode,
        time_limit=limit_of(mode, time_limit),
        preview=preview,
        parameters={},
        requested_by_id=actor.user_id,
        requested_at=now,
    )
    session.add(run)
    session.flush()  # gives it its ids
    events.record(
        session,
        RunRequested(
            actor=actor,
            at=now,
            subject=run.public_id,
            trigger=trigger.value,
            mode=mode.value,
            preview=preview,
        ),
    )
    return run


def limit_of(mode: Mode, time_limit: int | None) -> int | None:
    """The seconds that the solver gets: as many as asked for bundles, as many as it needs for single seats.

    Raises Invalid.
    """
    if mode is Mode.SINGLE:
        return None
    if time_limit is None:
        return USUAL_LIMIT
    if not 1 <= time_limit <= LONGEST:
        wrong = _l("A number of seconds from 1 to %(most)s.", most=LONGEST)
        raise Invalid(wrong, {"time_limit": wrong})
    return time_limit


def next_queued(session: Session) -> uuid.UUID | None:
    """The run that waits longest."""
    return session.scalar(select(Run.public_id).where(Run.state == RunState.QUEUED).order_by(Run.id).limit(1))


def cancel_run(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> Run:
    """Stop a run that waits or is being solved: nothing of it is proposed. The same again changes nothing.

    Whoever solves it finds out within seconds. Raises NotPermitted, NotFound, WrongState.
    """
    permissions.require(actor, "run.decide")
    run = life.find(session, public_id, lock=True)
    if run.state is RunState.CANCELLED:
        return run
    life.move(run, "cancel")
    run.finished_at = now
    events.record(session, RunCancelled(actor=actor, at=now, subject=run.public_id))
    return run
