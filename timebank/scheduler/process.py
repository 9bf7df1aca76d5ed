"""The scheduler's process: APScheduler's timers around `work`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from timebank import clock, db
from timebank.matching import reoffers, runs, whatif
from timebank.reports.exports import service as exports
from timebank.scheduler import work
from timebank.scheduler.leadership import Leadership

log = structlog.get_logger(__name__)

POLL_SECONDS = 1
BEAT_SECONDS = 10
MAIL_SECONDS = 5
HOUSE_SECONDS = 60
PREPARE_SECONDS = 10
STOP_SECONDS = 3
LANES = (reoffers.LANE, whatif.LANE, exports.LANE)  # each beside the others


class Process:
    """Timers that do their work only while this process leads.

    The timers live in memory: what was missed while no process ran is found from the rows of the database, not from a
    stored next time.
    """

    def __init__(self, app: Flask) -> None:
        settings = app.config["SETTINGS"]
        self._app = app
        self._days: int = settings.proposal_days
        self._executor: str | None = settings.executor
        self._leadership = Leadership(settings.database_url)
        self._leads = False
        self._stop = threading.Event()
        self._timers = BackgroundScheduler(
            timezone=clock.BRUSSELS,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )

    def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        signal.signal(signal.SIGTERM, self._told_to_stop)
        signal.signal(signal.SIGINT, self._told_to_stop)
        self._every(BEAT_SECONDS, self._lead_and_beat)
        self._every(POLL_SECONDS, self._leading(lambda: work.execute_runs(self._days, self._executor)))
        self._every(POLL_SECONDS, self._leading(work.work_jobs))
        for lane in LANES:
            self._every(POLL_SECONDS, self._leading(partial(work.work_jobs, lane)))
        self._every(PREPARE_SECONDS, self._leading(reoffers.prepare))
        self._every(MAIL_SECONDS, self._leading(work.send_mail))
        self._every(HOUSE_SECONDS, self._leading(work.keep_house))
        self._timers.add_job(
            self._leading(lambda: work.request_nightly(clock.today())),
            CronTrigger(hour=work.NIGHTLY_AT.hour, timezone=clock.BRUSSELS),
        )
        self._timers.add_job(self._guarded(work.load_kernel))
        self._guarded(self._lead_and_beat)()
        self._timers.start()
        log.info("scheduler_started", leader=self._leads)
        self._stop.wait()
        self._shut_down()

    def _lead_and_beat(self) -> None:
        led = self._leads
        self._leads = self._leadership.hold()
        if self._leads and not led:
            log.info("scheduler_leads")
            work.look_after_runs()
        work.beat(self._leads)

    def _every(self, seconds: int, act: Callable[[], object]) -> None:
        self._timers.add_job(self._guarded(act), IntervalTrigger(seconds=seconds))

    def _leading(self, act: Callable[[], object]) -> Callable[[], object]:
        return self._guarded(lambda: act() if self._leads else None)

    def _guarded(self, act: Callable[[], object]) -> Callable[[], None]:
        def call() -> None:
            # A database that is gone for a moment must not end the process: the next turn tries again.
            try:
                with self._app.app_context():
                    act()
            except Exception:
                log.exception("scheduled_work_failed")

        return call

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _shut_down(self) -> None:
        """Leave within seconds, also in the middle of a solve, whose run is then abandoned."""
        log.info("scheduler_stops")
        threading.Timer(STOP_SECONDS, lambda: os._exit(0)).start()
        self._leads = False
        self._timers.shutdown(wait=False)
        try:
            with db.unit_of_work() as session:
                runs.abandon_own(session, now=clock.now())
        finally:
            self._leadership.release()
            # Threads of a solve would keep the interpreter waiting.
            os._exit(0)
