from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db
from timebank.coaching.models import RequestState
from timebank.matches.models import Match, MatchState
from timebank.matching import runs
from timebank.matching.models import Run, RunState, RunTrigger
from timebank.matching.runs import executing
from timebank.pledges.models import PledgeState
from timebank.scheduler import work
from timebank.scheduler.leadership import Leadership


def nightly_dates(session: Session) -> list[date | None]:
    session.expire_all()
    found = list(session.scalars(select(Run.nightly_date).order_by(Run.id)))
    session.rollback()  # an open transaction would hold SQLite's write lock
    return found


@pytest.mark.both
def test_a_missed_night_is_caught_up_once(session: Session, held_clock: Any, database_kind: str) -> None:
    make.make_company(session, applied_at=clock.now() - timedelta(days=9))
    session.commit()
    work.request_nightly(date(2026, 3, 6))
    held_clock.set(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))
    for _time in range(3):
        work.catch_up()
    assert nightly_dates(session) == [date(2026, 3, 6), date(2026, 3, 10)]


def test_before_four_the_last_night_is_yesterday(held_clock: Any) -> None:
    assert work.last_due(datetime(2026, 3, 10, 2, 59, tzinfo=UTC)) == date(2026, 3, 9)
    assert work.last_due(datetime(2026, 3, 10, 3, 0, tzinfo=UTC)) == date(2026, 3, 10)


def test_a_new_database_has_missed_no_night(session: Session) -> None:
    work.catch_up()
    assert nightly_dates(session) == []


def test_a_night_that_nobody_ever_ran_is_caught_up_once_there_is_somebody(
    session: Session, held_clock: Any
) -> None:
    make.make_company(session)
    session.commit()
    work.catch_up()
    assert nightly_dates(session) == []
    held_clock.move(days=2)
    for _time in range(2):
        work.catch_up()
    assert nightly_dates(session) == [date(2026, 3, 12)]


def test_a_night_that_was_cut_off_is_run_again_but_not_for_ever(session: Session, held_clock: Any) -> None:
    make.make_company(session, applied_at=clock.now() - timedelta(days=9))
    session.commit()
    for _time in range(5):
        work.catch_up()
        with db.unit_of_work() as unit:
            for run in unit.scalars(select(Run).where(Run.state == RunState.QUEUED)):
                run.state, run.finished_at = RunState.ABANDONED, clock.now()
    assert nightly_dates(session) == [date(2026, 3, 10)] * 3


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_on_the_nights_when_the_clocks_change_four_comes_once(day: date) -> None:
    trigger = CronTrigger(hour=work.NIGHTLY_AT.hour, timezone=clock.BRUSSELS)
    moment = datetime.combine(day, datetime.min.time(), clock.BRUSSELS)
    first = trigger.get_next_fire_time(None, moment)
    second = trigger.get_next_fire_time(first, first)
    assert first is not None and second is not None
    assert (first.date(), first.hour) == (day, 4)
    assert second.date() > day


def test_what_is_queued_is_carried_out_in_turn(session: Session) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    for _time in range(2):
        with db.unit_of_work() as unit:
            runs.request_run(unit, actor=work.SYSTEM, now=clock.now(), trigger=RunTrigger.OPERATOR)
    assert work.execute_runs(7) == 2
    found = session.scalars(select(Run).order_by(Run.id)).all()
    assert [(r.state, r.proposals) for r in found] == [(RunState.APPLIED, 1), (RunState.APPLIED, 0)]


def test_a_run_that_fails_stops_no_other(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for _time in range(2):
        with db.unit_of_work() as unit:
            runs.request_run(unit, actor=work.SYSTEM, now=clock.now(), trigger=RunTrigger.OPERATOR)
    take, calls = executing.snapshots.take, []

    def take_the_second_time(*args: Any, **more: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise OSError("the disk is gone")
        return take(*args, **more)

    monkeypatch.setattr(executing.snapshots, "take", take_the_second_time)
    assert work.execute_runs(7) == 2
    assert [r.state for r in session.scalars(select(Run).order_by(Run.id))] == [
        RunState.FAILED,
        RunState.APPLIED,
    ]


def test_a_proposal_that_nobody_answered_expires_and_frees_both_sides(
    session: Session, held_clock: Any
) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    match = make.make_match(session, pledge, request, days=7)
    session.commit()
    held_clock.move(days=8)
    work.keep_house()
    session.expire_all()
    assert session.get_one(Match, match.id).state == MatchState.EXPIRED
    make.make_match(session, make.make_pledge(session), request)


def test_a_fault_in_one_kind_of_housekeeping_stops_no_other(
    app: Flask, session: Session, held_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = make.make_match(session, days=7)
    session.commit()

    def broken(_session: Session, _now: datetime) -> None:
        raise OSError("broken")

    monkeypatch.setattr(work, "HOUSEKEEPING", {"broken": broken, **work.HOUSEKEEPING})
    held_clock.move(days=8)
    work.keep_house()
    session.expire_all()
    assert session.get_one(Match, match.id).state == MatchState.EXPIRED


def test_housekeeping_goes_on_until_nothing_is_left(session: Session, held_clock: Any) -> None:
    old = [make.make_pledge(session) for _ in range(3)]
    asked = [make.make_request(session, until_date=make.a_day(40)) for _ in range(2)]
    session.commit()
    held_clock.move(days=800)
    work.keep_house()
    session.expire_all()
    assert {p.state for p in old} == {PledgeState.ENDED}
    assert {r.state for r in asked} == {RequestState.CLOSED}


def test_housekeeping_finds_missed_nights_and_silent_runs(session: Session, held_clock: Any) -> None:
    make.make_company(session, applied_at=clock.now() - timedelta(days=9))
    session.commit()
    work.keep_house()
    work.keep_house()
    assert nightly_dates(session) == [date(2026, 3, 10)]
    public_id = session.scalars(select(Run.public_id)).one()
    session.rollback()  # an open transaction would hold SQLite's write lock
    with db.unit_of_work() as unit:
        executing.claim(unit, public_id, clock.now())
    held_clock.move(minutes=5)
    work.keep_house()
    session.expire_all()
    states = session.scalars(select(Run.state).order_by(Run.id)).all()
    assert states == [RunState.ABANDONED, RunState.QUEUED]


@pytest.mark.both
def test_one_scheduler_leads_and_another_takes_over(
    database_url: str, database_kind: str, app: Flask
) -> None:
    first, second = Leadership(database_url), Leadership(database_url)
    assert first.hold() and first.hold()
    assert not second.hold()
    first.release()
    assert second.hold()
    assert not first.hold()
    second.release()


def test_health_tells_of_database_and_scheduler(client: Any, session: Session, held_clock: Any) -> None:
    silent = client.get("/healthz")
    assert (silent.status_code, silent.json["database"], silent.json["scheduler"]) == (200, "ok", "absent")
    work.beat(leader=True)
    assert client.get("/healthz").json["scheduler"] == "running"
    held_clock.move(minutes=5)
    assert client.get("/healthz").json["scheduler"] == "absent"


def test_health_says_so_when_the_database_is_gone(client: Any, tmp_path: Path) -> None:
    db.init_engine(f"sqlite:///{tmp_path}/empty.db")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json["database"]) == (503, "unreachable")
