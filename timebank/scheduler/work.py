"""What the scheduler's process does, each as one call of services; it holds no rule itself.

Every function may be called at any time and as often as one likes: what is not due is not done, what was done is not
done again.
"""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank import clock, db, files
from timebank.auth.actor import SYSTEM
from timebank.books import heads
from timebank.coaching import service as coaching
from timebank.errors import DomainError
from timebank.jobs import service as jobs
from timebank.matches import service as matches
from timebank.matching import queries, runs
from timebank.matching.models import Run, RunState, RunTrigger
from timebank.notifications import service as notifications
from timebank.organisations import service as organisations
from timebank.organisations.models import Organisation
from timebank.pledges import service as pledges
from timebank.reports.exports import frozen
from timebank.reports.exports import service as exports
from timebank.scheduler.models import SchedulerBeat

log = structlog.get_logger(__name__)

MOST_TRIES = 3  # of one nightly run
NIGHTLY_AT = time(4)  # Brussels; 02:00 comes twice in October and not at all in March


def name() -> str:
    """This process, as the table of signs of life shows it."""
    return f"{platform.node()[:80]}:{os.getpid()}"


def beat(leader: bool) -> None:
    """Leave a sign of life; forget those of processes that have been silent for a day."""
    now = clock.now()
    with db.unit_of_work() as session:
        session.merge(SchedulerBeat(holder=name(), leader=leader, at=now))
        for old in session.scalars(select(SchedulerBeat).where(SchedulerBeat.at < now - timedelta(days=1))):
            session.delete(old)


def request_nightly(day: date) -> None:
    """Queue the nightly run of a date, once."""
    with db.unit_of_work() as session:
        policy = queries.policy_in_force(session)
        runs.request_run(
            session,
            actor=SYSTEM,
            now=clock.now(),
            trigger=RunTrigger.NIGHTLY,
            nightly_date=day,
            mode=policy.nightly_mode,
            time_limit=policy.time_limit,
        )


def last_due(now: datetime) -> date:
    """The date of the last nightly run that should have begun by `now`."""
    local = now.astimezone(clock.BRUSSELS)
    return local.date() if local.time() >= NIGHTLY_AT else local.date() - timedelta(days=1)


def catch_up() -> None:
    """Queue the last nightly run once if it was missed while no scheduler ran, or cut off in the middle.

    A database without any organisation yet has missed none; one that cuts off every try gets no fourth.
    """
    due = last_due(clock.now())
    with db.read_session() as session:
        tries = session.scalars(select(Run.state).where(Run.nightly_date == due)).all()
        begun = session.scalar(select(func.min(Organisation.applied_at)))
    if begun is None or clock.local_date(begun) >= due:
        return
    if len(tries) < MOST_TRIES and all(state == RunState.ABANDONED for state in tries):
        log.info("nightly_run_missed", date=str(due), tries=len(tries))
        request_nightly(due)


def look_after_runs() -> None:
    """Give up runs that nobody carries out any more, and queue the nightly one if it is missing."""
    with db.unit_of_work() as session:
        found = runs.abandon_dead(session, now=clock.now())
    if found:
        log.warning("runs_abandoned", number=found)
    catch_up()


def execute_runs(proposal_days: int, executor: str | None = None) -> int:
    """Carry out what is queued, one run after the other; gives their number."""
    done = 0
    while True:
        with db.read_session() as session:
            public_id = runs.next_queued(session)
        if public_id is None:
            return done
        try:
            runs.execute(public_id, proposal_days=proposal_days, executor=executor)
        except DomainError as refusal:
            log.info("run_not_executed", run=str(public_id), reason=str(refusal))
        except Exception:
            # It is logged and stands at the run, for the operator to see; the others go on.
            log.warning("run_gave_up", run=str(public_id))
        done += 1


def load_kernel() -> None:
    """Load the solvers before somebody waits for them."""
    importlib.import_module("timebank.matching.kernel")


def work_jobs(lane: str = "") -> int:
    """Work on the jobs that wait in a lane; gives their number."""
    done = 0
    while jobs.run_next(clock.now(), lane) is not None:
        done += 1
    return done


def send_mail() -> int:
    return notifications.send_due(clock.now())


# Each gives how many rows it dealt with. What books or locks more than its own row takes one row a transaction, so
# that it keeps nobody waiting and waits for nobody in a circle.
HOUSEKEEPING: dict[str, Callable[[Session, datetime], int | None]] = {
    "proposals": lambda session, now: matches.expire_open(session, now=now),
    "reminders": lambda session, now: matches.remind(session, now=now),
    "consent": lambda session, now: matches.consent(session, now=now),
    "pledges": lambda session, now: pledges.expire_pledges(session, now=now, limit=1),
    "requests": lambda session, now: coaching.close_expired(session, now=now, limit=1),
    "employments": lambda session, now: organisations.close_ended(session, now=now, limit=1),
    "heads": lambda session, now: heads.mail_heads(session, now=now),
    "closed reports": lambda session, now: frozen.freeze_closed(session, now=now),
    "scheduled reports": lambda session, now: exports.request_due(session, now=now),
    "files": lambda session, now: files.purge(session, now=now),
}


def keep_house() -> None:
    """Expire and close what is over, until nothing is left; one fault stops no other kind."""
    _guarded("runs", look_after_runs)
    for kind, act in HOUSEKEEPING.items():
        _guarded(kind, partial(_until_nothing_is_left, act))


def _until_nothing_is_left(act: Callable[[Session, datetime], int | None]) -> None:
    while True:
        with db.unit_of_work() as session:
            if not act(session, clock.now()):
                return


def _guarded(kind: str, act: Callable[[], None]) -> None:
    try:
        act()
    except Exception:
        log.exception("housekeeping_failed", kind=kind)
