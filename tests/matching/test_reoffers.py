"""What becomes free is offered again at once: to whom, to whom not, and by a process that nobody waits for."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import ROOT
from tests import factories as make
from tests.support.processes import wait_for
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE, SYSTEM
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.jobs.models import Job, JobState
from timebank.matches import service as matches
from timebank.matches.models import DeclineReason, Match, MatchState, Side
from timebank.matching import kernel, reoffers, runs, service
from timebank.matching.models import Mode, Run, RunState, RunTrigger
from timebank.matching.runs import executing
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge
from timebank.scheduler import work
from timebank.taxonomy.models import Cause

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database_kind")]


def work_off(session: Session) -> None:
    """What the scheduler's process does every second."""
    session.commit()
    work.work_jobs(reoffers.LANE)
    session.expire_all()


def pairs(session: Session) -> list[tuple[int, int, MatchState]]:
    session.rollback()
    session.expire_all()
    found = [(m.pledge_id, m.request_id, m.state) for m in session.scalars(select(Match).order_by(Match.id))]
    session.rollback()  # an open transaction would hold SQLite's write lock
    return found


def decline(session: Session, match: Match) -> None:
    coach = make.actor(session, session.get_one(User, match.employment.user_id))
    public_id = match.public_id
    session.rollback()
    with db.unit_of_work() as unit:
        matches.decline(
            unit,
            public_id,
            side=Side.COACH,
            reason=DeclineReason.TIME,
            note="",
            actor=coach,
            now=clock.now(),
        )


def open_match(session: Session) -> Match:
    return session.scalars(select(Match).where(Match.state == MatchState.PROPOSED)).one()


@pytest.fixture
def pledge(held_clock: Any, session: Session) -> Pledge:
    return make.make_pledge(session)


@pytest.fixture
def asked(held_clock: Any, session: Session) -> CoachingRequest:
    return make.make_request(session)


def test_a_no_is_followed_by_the_next_coach_and_never_by_the_same(
    session: Session, pledge: Pledge, asked: CoachingRequest
) -> None:
    other = make.make_pledge(session)
    work_off(session)
    first = open_match(session)
    decline(session, first)
    work_off(session)
    second = {pledge.id: other.id, other.id: pledge.id}[first.pledge_id]
    assert pairs(session) == [
        (first.pledge_id, asked.id, MatchState.DECLINED),
        (second, asked.id, MatchState.PROPOSED),
    ]
    decline(session, open_match(session))
    work_off(session)
    assert [state for _p, _r, state in pairs(session)] == [MatchState.DECLINED] * 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_database_may_be_away_for_a_moment(
    session: Session, asked: CoachingRequest, pledge: Pledge, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    write, tries = reoffers._write, []

    def breaks_once(*args: Any) -> Run:
        tries.append(when)
        if len(tries) == 1 and when == "before":
            raise OperationalError("INSERT", {}, OSError("database is locked"))
        run = write(*args)
        if len(tries) == 1:
            raise OperationalError("COMMIT", {}, OSError("the server closed the connection"))
        return run

    monkeypatch.setattr(reoffers, "_write", breaks_once)
    monkeypatch.setattr(executing, "PAUSES", (0, 0))
    work_off(session)
    assert len(tries) == 2
    assert pairs(session) == [(pledge.id, asked.id, MatchState.PROPOSED)]


def test_a_new_pledge_and_a_new_request_are_matched_at_once(session: Session, pledge: Pledge) -> None:
    work_off(session)
    assert pairs(session) == []
    asked = make.make_request(session)
    work_off(session)
    assert pairs(session) == [(pledge.id, asked.id, MatchState.PROPOSED)]


def test_who_did_not_answer_is_not_asked_the_same_at_once_again(
    session: Session, pledge: Pledge, asked: CoachingRequest, held_clock: Any
) -> None:
    session.commit()
    with db.unit_of_work() as unit:
        run = runs.request_run(unit, actor=COMMAND_LINE, now=clock.now(), trigger=RunTrigger.OPERATOR)
    runs.execute(run.public_id, proposal_days=7)
    held_clock.move(days=8)
    with db.unit_of_work() as unit:
        matches.expire_open(unit, now=clock.now())
    work_off(session)
    assert pairs(session) == [(pledge.id, asked.id, MatchState.EXPIRED)]
    other = make.make_pledge(session)
    work_off(session)
    assert pairs(session)[1:] == [(other.id, asked.id, MatchState.PROPOSED)]


def test_a_pledge_that_is_taken_back_gives_its_seat_to_the_next(
    session: Session, pledge: Pledge, asked: CoachingRequest
) -> None:
    work_off(session)
    other = make.make_pledge(session)
    gone = pledge.public_id
    work_off(session)
    with db.unit_of_work() as unit:
        pledges.withdraw_approval(unit, gone, "The plan changed", actor=SYSTEM, now=clock.now())
    work_off(session)
    assert pairs(session) == [
        (pledge.id, asked.id, MatchState.CANCELLED),
        (other.id, asked.id, MatchState.PROPOSED),
    ]


def test_nobody_loses_an_open_proposal(session: Session, pledge: Pledge, asked: CoachingRequest) -> None:
    work_off(session)
    before = pairs(session)
    causes = make.make_pledge(session, postcode="9000", skills=[(make.skill_id(session, "bookkeeping"), 3)])
    make.make_request(session)
    work_off(session)
    assert pairs(session)[: len(before)] == before
    assert {p for p, _r, _s in pairs(session)} == {pledge.id, causes.id}


def test_it_is_a_run_that_can_be_verified_like_any_other(
    session: Session, pledge: Pledge, asked: CoachingRequest
) -> None:
    work_off(session)
    run = session.scalars(select(Run)).one()
    assert (run.trigger, run.state, run.proposals) == (RunTrigger.REOFFER, RunState.APPLIED, 1)
    files = runs.run_files(session, run.public_id)
    verified = kernel.verify_files(io.BytesIO(files["problem.npz"]), io.BytesIO(files["solution.npz"]))
    assert verified.value == run.value == run.bound


def test_its_reasons_name_what_the_two_share(session: Session, held_clock: Any) -> None:
    cause = session.scalars(select(Cause).where(Cause.code == "circular")).one()
    make.make_pledge(session, wanted_cause_ids=[cause.id])
    make.make_request(session, make.make_initiative(session, causes=(cause.code,)))
    session.expunge(cause)
    work_off(session)
    assert {"term": "cause", "points": 80, "code": "circular"} in open_match(session).reasons


def test_nothing_to_propose_leaves_no_run(session: Session, pledge: Pledge) -> None:
    work_off(session)
    assert session.scalars(select(Run)).all() == []
    assert session.scalars(select(Job.state)).all() == [JobState.DONE]


def test_many_at_once_are_worked_off_as_one(session: Session, held_clock: Any) -> None:
    for _each in range(4):
        make.make_pledge(session)
        make.make_request(session)
        session.commit()
        held_clock.move(seconds=1)
    assert session.scalar(select(func.count()).select_from(Job)) == 4
    work_off(session)
    assert session.scalars(select(Run.proposals)).all() == [4]
    assert session.scalars(select(Job.state)).all() == [JobState.DONE]


def test_one_act_leaves_one_job_however_much_it_frees(session: Session, held_clock: Any) -> None:
    for _each in range(3):
        make.make_match(session)
    session.commit()
    work_off(session)
    before = session.scalar(select(func.count()).select_from(Job))
    session.rollback()
    held_clock.move(days=8)
    with db.unit_of_work() as unit:
        assert matches.expire_open(unit, now=clock.now()) == 3
    assert session.scalar(select(func.count()).select_from(Job)) == (before or 0) + 1


def test_the_operator_may_want_to_wait_for_the_night(
    session: Session, pledge: Pledge, asked: CoachingRequest
) -> None:
    session.commit()
    operator = make.actor(session, make.make_operator(session))
    service.change_run_policy(
        session, nightly_mode=Mode.SINGLE, time_limit=60, reoffers=False, actor=operator, now=clock.now()
    )
    work_off(session)
    assert pairs(session) == [], "a job that was there before is not done either"
    make.make_pledge(session)
    session.commit()
    waiting = select(func.count()).select_from(Job).where(Job.state == JobState.QUEUED)
    assert session.scalar(waiting) == 0


def test_what_the_operator_took_back_is_not_sent_again_before_the_next_run(
    session: Session, pledge: Pledge, asked: CoachingRequest, held_clock: Any
) -> None:
    work_off(session)
    public_id = session.scalars(select(Run.public_id)).one()
    session.rollback()
    held_clock.move(minutes=1)
    with db.unit_of_work() as unit:
        runs.withdraw_run(unit, public_id, "", actor=COMMAND_LINE, now=clock.now())
    make.make_pledge(session)
    work_off(session)
    assert [state for _p, _r, state in pairs(session)] == [MatchState.CANCELLED]
    held_clock.move(minutes=1)
    runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7)
    make.make_pledge(session)
    make.make_request(session)
    work_off(session)
    assert len([s for _p, _r, s in pairs(session) if s is MatchState.PROPOSED]) == 2


def test_a_process_offers_a_declined_seat_to_the_next_coach(session: Session, database_url: str) -> None:
    for _each in range(2):
        make.make_pledge(session)
    make.make_request(session)
    session.commit()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")},
        "TIMEBANK_ENV": "development",
        "TIMEBANK_DATABASE_URL": database_url,
        "TIMEBANK_SECRET_KEY": "k" * 40,
    }
    command = [sys.executable, "-c", "from timebank.cli import main; main()", "scheduler"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:

        def proposed(number: int) -> bool:
            found = pairs(session)
            return len(found) == number and found[-1][2] is MatchState.PROPOSED

        assert wait_for(lambda: proposed(1), 120), "the pledges and the request themselves are offered"
        match = open_match(session)
        declined = match.pledge_id
        decline(session, match)
        assert wait_for(lambda: proposed(2), 60)
        assert [p for p, _r, state in pairs(session) if state is MatchState.PROPOSED] != [declined]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
