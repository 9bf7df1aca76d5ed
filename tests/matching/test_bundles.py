"""Several seats for one pledge. Where a certain answer matters, it is laid into the mouth of the kernel."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.test_races import at_once
from tests.scheduler.test_work import nightly_dates
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.errors import Invalid, NotPermitted
from timebank.matches.models import Match, MatchState, Reservation
from timebank.matching import kernel, runs, service
from timebank.matching.models import Mode, Outcome, Run, RunPolicy, RunSeat, RunState, RunTrigger
from timebank.scheduler import work

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database_kind")]


@pytest.fixture
def bundling(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The kernel gives every seat to the first pledge, with a gap; gives what it was asked with."""
    asked: list[dict[str, Any]] = []

    def solve(problem: kernel.AttributeProblem, **options: Any) -> kernel.Assignment:
        asked.append(options)
        value = sum(kernel.explain_pair(problem, i, 0).weight for i in range(problem.n_seats))
        return kernel.Assignment(
            seat_pledge=np.zeros(problem.n_seats, np.int32),
            value=value,
            bound=value + 100,
            gap=100 / value,
            seat_price=np.full(problem.n_seats, 151, np.int64),
            pledge_price=np.zeros(problem.n_pledges, np.int64),
            price_scale=100,
            seconds=0.5,
            mode="bundle",  # type: ignore[arg-type]
            status="feasible",
        )

    monkeypatch.setattr(kernel, "solve", solve)
    return asked


def a_bundle_run(**more: Any) -> Run:
    return runs.run_now(
        actor=COMMAND_LINE,
        trigger=RunTrigger.COMMAND,
        as_of=None,
        proposal_days=7,
        mode=Mode.BUNDLE,
        **more,
    )


def test_a_pledge_takes_several_seats_and_holds_the_hours_of_each(
    session: Session, bundling: list[dict[str, Any]]
) -> None:
    pledge = make.make_pledge(session, minutes=900)
    for _each in range(2):
        make.make_request(session)
    session.commit()
    run = a_bundle_run(time_limit=20)
    assert (run.state, run.proposals, run.status, run.time_limit) == (RunState.APPLIED, 2, "feasible", 20)
    assert (bundling[0]["mode"], bundling[0]["time_limit"]) == ("bundle", 20)
    assert session.scalars(select(Match.pledge_id)).all() == [pledge.id] * 2
    assert session.scalar(select(func.sum(Reservation.minutes))) == 720
    assert session.scalars(select(RunSeat.price)).all() == [2, 2], "in whole points"


def test_the_kernel_fills_the_hours_of_a_pledge_and_the_run_can_be_verified(session: Session) -> None:
    pledge = make.make_pledge(session, minutes=900)
    for _each in range(3):
        make.make_request(session)
    session.commit()
    run = a_bundle_run(time_limit=5)
    assert (run.state, run.proposals, run.gap) == (RunState.APPLIED, 2, 0)
    assert session.scalars(select(Match.pledge_id)).all() == [pledge.id] * 2
    kept = runs.run_files(session, run.public_id)
    proof = kernel.verify_files(io.BytesIO(kept["problem.npz"]), io.BytesIO(kept["solution.npz"]))
    assert (proof.value, proof.bound) == (run.value, run.value)


def test_a_bundle_that_no_longer_fits_gives_up_what_is_too_much(
    session: Session, bundling: list[dict[str, Any]]
) -> None:
    make.make_pledge(session, minutes=900)
    for _each in range(3):
        make.make_request(session)
    session.commit()
    run = a_bundle_run()
    assert run.proposals == 2
    outcomes = session.scalars(select(RunSeat.outcome)).all()
    assert sorted(outcomes) == [Outcome.CHANGED, Outcome.PROPOSED, Outcome.PROPOSED]
    assert session.scalar(select(func.sum(Reservation.minutes))) == 720


def test_a_bundle_never_takes_two_seats_of_one_request(
    session: Session, bundling: list[dict[str, Any]]
) -> None:
    make.make_pledge(session, minutes=6000)
    make.make_request(session, seats=2)
    session.commit()
    assert a_bundle_run().proposals == 1


def test_two_runs_at_once_never_hold_more_than_there_is(
    app: Flask, session: Session, bundling: list[dict[str, Any]]
) -> None:
    make.make_pledge(session, minutes=900)
    for _each in range(4):
        make.make_request(session)
    session.commit()

    def preview(unit: Session) -> Any:
        asked = {"mode": Mode.BUNDLE, "preview": True, "trigger": RunTrigger.OPERATOR}
        return runs.request_run(unit, actor=COMMAND_LINE, now=clock.now(), **asked).public_id

    ids = []
    for _each in range(2):
        with db.unit_of_work() as unit:
            ids.append(preview(unit))
        runs.execute(ids[-1], proposal_days=7)
    sent = at_once(
        app,
        *(
            lambda unit, public_id=public_id: (
                runs.apply_run(unit, public_id, actor=COMMAND_LINE, now=clock.now(), days=7).proposals
            )
            for public_id in ids
        ),
    )
    assert sorted(sent) == [0, 2]
    assert session.scalar(select(func.sum(Reservation.minutes))) == 720
    assert session.scalars(select(Match.state)).all() == [MatchState.PROPOSED] * 2


def test_a_mode_that_the_kernel_refuses_leaves_a_failed_run(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_more: Any) -> kernel.Assignment:
        raise kernel.ProblemError("no mode 'bundle'")

    monkeypatch.setattr(kernel, "solve", refuse)
    session.commit()
    with pytest.raises(kernel.ProblemError):
        a_bundle_run()
    assert session.scalars(select(Run.state)).all() == [RunState.FAILED]


@pytest.mark.parametrize("seconds", [0, -1, 3601])
def test_a_time_out_of_range_asks_for_no_run(session: Session, seconds: int) -> None:
    session.commit()
    with pytest.raises(Invalid):
        a_bundle_run(time_limit=seconds)
    assert session.scalars(select(Run)).all() == []


def test_the_nights_go_as_the_operator_chose_last(session: Session) -> None:
    operator = make.actor(session, make.make_operator(session))
    for seconds in (30, 90):
        service.change_run_policy(
            session,
            nightly_mode=Mode.BUNDLE,
            time_limit=seconds,
            reoffers=True,
            actor=operator,
            now=clock.now(),
        )
    session.commit()
    work.request_nightly(clock.today())
    assert nightly_dates(session) == [clock.today()]
    run = session.scalars(select(Run)).one()
    assert (run.mode, run.time_limit) == (Mode.BUNDLE, 90)
    assert session.scalars(select(RunPolicy.time_limit)).all() == [30, 90], "what was chosen before is kept"


def test_nobody_else_says_how_the_nights_go(session: Session) -> None:
    hr = make.actor(session, make.make_hr(session, make.make_company(session)))
    with pytest.raises(NotPermitted):
        service.change_run_policy(
            session, nightly_mode=Mode.BUNDLE, time_limit=60, reoffers=False, actor=hr, now=clock.now()
        )


def test_the_page_of_a_run_with_a_gap_says_what_it_means(
    session: Session, client_as: Callable[[User], Any], bundling: list[dict[str, Any]]
) -> None:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    run = a_bundle_run()
    page = client_as(make.make_operator(session, language="en")).get(f"/operator/runs/{run.public_id}").text
    assert "at most 100 points" in page
    assert "Optimal, proved" not in page
