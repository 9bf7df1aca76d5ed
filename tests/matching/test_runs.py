"""A run from snapshot to proposals, and what happens to it when something breaks in the middle."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import story
from tests.support import forks
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE, SYSTEM
from timebank.auth.models import Role, User
from timebank.coaching import service as coaching
from timebank.coaching.models import CoachingRequest, Seat
from timebank.errors import NotFound, NotPermitted, WrongState
from timebank.matches import service as matches
from timebank.matches.models import DeclineReason, Match, Reservation, Side
from timebank.matching import kernel, runs, snapshot
from timebank.matching.models import Outcome, Run, RunSeat, RunState, RunTrigger
from timebank.matching.runs import applying, deciding, executing
from timebank.organisations.models import CompanyExclusion, ConflictOfInterest
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge
from timebank.taxonomy import queries as taxonomy

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database_kind")]


def request_a_run() -> Any:
    with db.unit_of_work() as session:
        run = runs.request_run(session, actor=COMMAND_LINE, now=clock.now(), trigger=RunTrigger.COMMAND)
        return run.public_id


def a_run(session: Session) -> Run:
    session.commit()
    return runs.execute(request_a_run(), proposal_days=7)


def proposed_pairs(session: Session) -> set[tuple[int, int]]:
    session.expire_all()
    return {(m.pledge_id, m.request_id) for m in session.scalars(select(Match))}


def test_a_run_proposes_and_proves(session: Session) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    run = a_run(session)
    assert proposed_pairs(session) == {(pledge.id, request.id)}
    assert (run.state, run.proposals, run.gap, run.value) == (RunState.APPLIED, 1, 0.0, run.bound)
    files = runs.run_files(session, run.public_id)
    verified = kernel.verify_files(io.BytesIO(files["problem.npz"]), io.BytesIO(files["solution.npz"]))
    assert verified.value == run.value


def test_the_reasons_of_a_proposal_add_up_to_its_weight(session: Session) -> None:
    causes = taxonomy.cause_ids(session)
    make.make_pledge(
        session,
        skills=[(make.skill_id(session, "bookkeeping"), 3), (make.skill_id(session, "spreadsheets"), 2)],
        wanted_cause_ids=[causes["circular"]],
        postcode="2800",
        radius_km=80,
    )
    make.make_request(session, nice=[(make.skill_id(session, "spreadsheets"), 1)])
    run = a_run(session)
    match = session.scalars(select(Match)).one()
    assert sum(r["points"] for r in match.reasons) == match.weight == run.value
    assert [r["term"] for r in match.reasons] == ["skill", "nice", "cause", "near"]


def test_an_open_proposal_is_left_alone_by_the_next_run(session: Session) -> None:
    make.make_pledge(session)
    make.make_request(session)
    a_run(session)
    before = proposed_pairs(session)
    again = a_run(session)
    assert (again.proposals, again.gap, proposed_pairs(session)) == (0, 0.0, before)


def test_a_pair_that_declined_is_not_proposed_again(session: Session) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    a_run(session)
    match = session.scalars(select(Match)).one()
    coach = session.get_one(User, pledge.employment.user_id)
    matches.decline(
        session,
        match.public_id,
        side=Side.COACH,
        reason=DeclineReason.TIME,
        note="",
        actor=make.actor(session, coach),
        now=clock.now(),
    )
    other = make.make_pledge(session)
    a_run(session)
    assert proposed_pairs(session) == {(pledge.id, request.id), (other.id, request.id)}
    assert a_run(session).proposals == 0


def test_the_place_of_a_completed_coaching_is_not_offered_again(session: Session) -> None:
    told = story(session, seats=2)
    told.start()
    matches.complete(session, told.match.public_id, actor=told.act_as(told.coach), now=clock.now())
    for _ in range(2):
        make.make_pledge(session)
    run = a_run(session)
    assert (run.seats, run.proposals) == (1, 1), (
        "the request still looks for its second coach, and only for that"
    )


def test_exclusions_and_conflicts_of_interest_keep_people_apart(session: Session) -> None:
    first, second = make.make_pledge(session), make.make_pledge(session)
    request = make.make_request(session)
    session.add(
        CompanyExclusion(
            organisation_id=first.employment.organisation_id,
            initiative_id=request.initiative_id,
            declared_at=clock.now(),
        )
    )
    session.add(
        ConflictOfInterest(
            employment_id=second.employment_id, initiative_id=request.initiative_id, declared_at=clock.now()
        )
    )
    run = a_run(session)
    assert run.proposals == 0
    seat = session.scalars(select(RunSeat).where(RunSeat.run_id == run.id)).one()
    assert (seat.outcome, seat.rule) == (Outcome.NO_CANDIDATE, "excluded_pair")


def test_a_company_that_excludes_a_cause_sends_nobody_there(session: Session) -> None:
    pledge = make.make_pledge(session)
    policy = pledge.employment.organisation.policy
    assert policy is not None
    policy.excluded_causes = [c for c in taxonomy.causes(session) if c.code == "circular"]
    make.make_request(session)
    assert a_run(session).proposals == 0


def test_the_request_that_waits_longest_comes_first(session: Session) -> None:
    make.make_pledge(session, minutes=360)
    young, old = make.make_request(session), make.make_request(session)
    session.get_one(CoachingRequest, old.id).opened_at = clock.now() - timedelta(days=60)
    a_run(session)
    assert {request for _pledge, request in proposed_pairs(session)} == {old.id}
    assert young.id != old.id


def test_an_employment_takes_one_seat_of_a_request(session: Session) -> None:
    make.make_pledge(session, minutes=6000)
    make.make_request(session, seats=3)
    assert a_run(session).proposals == 1


def test_nothing_to_match_is_a_run_with_nothing(session: Session) -> None:
    run = a_run(session)
    assert (run.state, run.proposals, run.value, run.bound, run.gap) == (RunState.APPLIED, 0, 0, 0, 0.0)


def test_a_pledge_taken_back_during_the_run_costs_only_its_own_proposal(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = make.make_pledge(session), make.make_pledge(session)
    make.make_request(session)
    make.make_request(session)
    decide = deciding.decide

    def decide_while_hr_withdraws(*args: Any, **more: Any) -> runs.Decision:
        decision = decide(*args, **more)
        with db.unit_of_work() as other:
            pledges.withdraw_approval(
                other, gone.public_id, "The plan changed", actor=SYSTEM, now=clock.now()
            )
        return decision

    monkeypatch.setattr(deciding, "decide", decide_while_hr_withdraws)
    run = a_run(session)
    assert (run.state, run.proposals) == (RunState.APPLIED, 1)
    assert {pledge for pledge, _request in proposed_pairs(session)} == {kept.id}
    outcomes = session.scalars(select(RunSeat.outcome).where(RunSeat.run_id == run.id)).all()
    assert sorted(outcomes) == [Outcome.CHANGED, Outcome.PROPOSED]


def _fewer_hours(session: Session, _pledge: Pledge, request: CoachingRequest) -> None:
    wish = make.request_input(session, minutes_per_coach=120)
    coaching.change_request(session, request.public_id, wish, actor=SYSTEM, now=clock.now())


def _another_skill(session: Session, _pledge: Pledge, request: CoachingRequest) -> None:
    wish = make.request_input(session, must=[(make.skill_id(session, "spreadsheets"), 1)])
    coaching.change_request(session, request.public_id, wish, actor=SYSTEM, now=clock.now())


def _another_place(session: Session, _pledge: Pledge, request: CoachingRequest) -> None:
    wish = make.request_input(session, postcode="9050")
    coaching.change_request(session, request.public_id, wish, actor=SYSTEM, now=clock.now())


def _a_pledge_of_fewer_hours(session: Session, pledge: Pledge, _request: CoachingRequest) -> None:
    pledges.change_minutes(session, pledge.public_id, 400, actor=SYSTEM, now=clock.now())


@pytest.mark.parametrize("change", [_fewer_hours, _another_skill, _another_place, _a_pledge_of_fewer_hours])
def test_what_changed_during_the_run_costs_only_its_own_proposal(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Session, Pledge, CoachingRequest], None],
) -> None:
    for _ in range(2):
        make.make_pledge(session)
        make.make_request(session)
    decide = deciding.decide
    changed: list[tuple[int, int]] = []

    def decide_while_somebody_changes(*args: Any, **more: Any) -> runs.Decision:
        decision = decide(*args, **more)
        row, chosen = next(iter(decision.chosen.items()))
        with db.unit_of_work() as other:
            pledge = other.get_one(Pledge, chosen.pledge_id)
            request = other.get_one(Seat, decision.snapshot.seats[row].id).request
            changed.append((pledge.id, request.id))
            change(other, pledge, request)
        return decision

    monkeypatch.setattr(deciding, "decide", decide_while_somebody_changes)
    run = a_run(session)
    assert (run.state, run.proposals) == (RunState.APPLIED, 1)
    assert not proposed_pairs(session) & set(changed)
    outcomes = session.scalars(select(RunSeat.outcome).where(RunSeat.run_id == run.id)).all()
    assert sorted(outcomes) == [Outcome.CHANGED, Outcome.PROPOSED]
    monkeypatch.setattr(deciding, "decide", decide)
    session.commit()
    runs.execute(request_a_run(), proposal_days=7)
    if change is not _another_skill:
        assert len(proposed_pairs(session)) == 2


def test_what_goes_wrong_leaves_a_failed_run_and_no_proposal(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()

    def propose(*_args: object, **_more: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(applying.matches, "propose", propose)
    public_id = request_a_run()
    with pytest.raises(OSError, match="disk full"):
        runs.execute(public_id, proposal_days=7)
    run = session.scalars(select(Run)).one()
    assert (run.state, run.error) == (RunState.FAILED, "OSError: disk full")
    assert proposed_pairs(session) == set()


def _execute_until_killed(url: str, public_id: Any) -> None:
    """In a process of its own: solve, then die as `kill -9` makes one die, before anything is written."""
    from tests.conftest import settings_for
    from timebank import create_app

    with create_app(settings_for(url)).app_context():
        executing.write = lambda *_args: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment,return-value]
        runs.execute(public_id, proposal_days=7)


def test_a_scheduler_killed_between_solve_and_write_leaves_an_abandoned_run(
    session: Session, database_url: str
) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    public_id = request_a_run()
    process = forks.context.Process(target=_execute_until_killed, args=(database_url, public_id))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert session.scalar(select(func.count()).select_from(Match)) == 0
    session.rollback()  # an open transaction would hold SQLite's write lock
    with db.unit_of_work() as unit:
        assert runs.abandon_dead(unit, now=clock.now()) == 1
    session.expire_all()
    assert session.scalars(select(Run)).one().state == RunState.ABANDONED
    assert session.scalar(select(func.count()).select_from(Reservation)) == 0
    assert a_run(session).proposals == 1


def test_a_run_that_is_alive_is_not_abandoned(session: Session) -> None:
    public_id = request_a_run()
    with db.unit_of_work() as unit:
        executing.claim(unit, public_id, clock.now())
    with db.unit_of_work() as unit:
        assert runs.abandon_dead(unit, now=clock.now() + timedelta(seconds=60)) == 0


def test_a_run_that_a_living_process_lost_is_abandoned(session: Session) -> None:
    public_id = request_a_run()
    with db.unit_of_work() as unit:
        executing.claim(unit, public_id, clock.now())
    with db.unit_of_work() as unit:
        assert runs.abandon_dead(unit, now=clock.now() + timedelta(minutes=2)) == 1


def gone() -> OperationalError:
    """As when the server goes away."""
    return OperationalError("INSERT", {}, OSError("the server closed the connection"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_is_written_though_the_database_was_away_for_a_moment(
    session: Session, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    write, tries = executing.write, []

    def breaks_once(*args: Any) -> Run:
        tries.append(when)
        if len(tries) > 1:
            return write(*args)
        if when == "after":
            write(*args)
        raise gone()

    monkeypatch.setattr(executing, "write", breaks_once)
    monkeypatch.setattr(executing, "PAUSES", (0, 0))
    run = a_run(session)
    assert (run.state, run.proposals, len(tries)) == (RunState.APPLIED, 1, 2)
    assert len(proposed_pairs(session)) == 1


def test_a_run_that_cannot_be_written_fails_in_the_end(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    public_id, tries = request_a_run(), []

    def breaks(*_args: Any) -> Run:
        tries.append(public_id)
        raise gone()

    monkeypatch.setattr(executing, "write", breaks)
    monkeypatch.setattr(executing, "PAUSES", (0, 0))
    with pytest.raises(OperationalError):
        runs.execute(public_id, proposal_days=7)
    assert len(tries) == 3
    assert session.scalars(select(Run)).one().state == RunState.FAILED


def test_a_silent_run_of_another_machine_is_abandoned(session: Session) -> None:
    public_id = request_a_run()
    with db.unit_of_work() as unit:
        executing.claim(unit, public_id, clock.now())
        unit.scalars(select(Run)).one().holder = "elsewhere:1:2"
    with db.unit_of_work() as unit:
        assert runs.abandon_dead(unit, now=clock.now() + timedelta(seconds=30)) == 0
        assert runs.abandon_dead(unit, now=clock.now() + timedelta(minutes=5)) == 1


def test_a_run_is_executed_once(session: Session) -> None:
    run = a_run(session)
    with pytest.raises(WrongState):
        runs.execute(run.public_id, proposal_days=7)


def test_there_is_one_nightly_run_a_date(session: Session) -> None:
    today = clock.today()
    asked = [
        runs.request_run(
            session, actor=SYSTEM, now=clock.now(), trigger=RunTrigger.NIGHTLY, nightly_date=today
        )
        for _time in range(2)
    ]
    assert asked[0].id == asked[1].id
    assert session.scalar(select(func.count()).select_from(Run)) == 1


def test_only_the_operator_asks_for_a_run(session: Session) -> None:
    company = make.make_company(session)
    hr = make.actor(session, make.make_hr(session, company))
    with pytest.raises(NotPermitted):
        runs.request_run(session, actor=hr, now=clock.now(), trigger=RunTrigger.OPERATOR)


def test_an_export_can_be_verified_outside(session: Session, tmp_path: Path) -> None:
    make.make_pledge(session)
    make.make_request(session)
    run = a_run(session)
    problem, solution = runs.export(session, run.public_id, tmp_path / "run")
    assert kernel.verify_files(problem, solution).value == run.value
    with pytest.raises(NotFound):
        runs.export(session, uuid4(), tmp_path)


def test_an_exported_snapshot_holds_no_numbers_of_the_database(session: Session) -> None:
    for _each in range(3):
        make.make_company(session)
    make.make_pledge(session)
    make.make_request(session)
    problem = snapshot.take(session, clock.today()).problem
    assert sorted({*problem.seat_org.tolist(), *problem.pledge_org.tolist()}) == [0, 1]
    assert problem.seat_request.tolist() == [0]


def test_a_run_of_the_command_is_never_seen_waiting(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    seen, take = [], snapshot.take

    def look(*args: Any, **more: Any) -> snapshot.Snapshot:
        with db.read_session() as other:
            seen.append(runs.next_queued(other))
        return take(*args, **more)

    monkeypatch.setattr(executing.snapshots, "take", look)
    run = runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7)
    assert (run.state, run.proposals, seen) == (RunState.APPLIED, 1, [None])


def test_a_run_over_another_day_sends_its_proposals_today(session: Session) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    later = make.a_day(30)
    run = runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=later, proposal_days=7)
    assert (run.as_of, run.proposals) == (later, 1)
    match = session.scalars(select(Match)).one()
    assert clock.local_date(match.proposed_at) == clock.today()


def test_nobody_coaches_an_initiative_that_they_speak_for(session: Session) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    coach = session.get_one(User, pledge.employment.user_id)
    make.grant(session, coach, Role.COORDINATOR, initiative_id=request.initiative_id)
    assert a_run(session).proposals == 0
