"""A run that is looked at before it is sent, and taken back after; what somebody else does at the same moment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.test_races import at_once
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE, Actor
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.errors import Conflict, DomainError, NotFound, NotPermitted, WrongState
from timebank.matches import service as matches
from timebank.matches.models import DeclineReason, Match, MatchState, Side
from timebank.matching import runs
from timebank.matching.models import Outcome, Run, RunSeat, RunState, RunTrigger
from timebank.matching.runs import deciding
from timebank.notifications.models import OutboxMessage
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database_kind")]


@pytest.fixture
def pledge(session: Session) -> Pledge:
    return make.make_pledge(session)


@pytest.fixture
def asked(session: Session) -> CoachingRequest:
    request = make.make_request(session)
    make.make_coordinator(session, request.initiative)
    return request


@pytest.fixture
def operator(session: Session) -> Actor:
    return make.actor(session, make.make_operator(session))


def queued(session: Session, **more: Any) -> UUID:
    session.commit()
    with db.unit_of_work() as unit:
        return runs.request_run(
            unit, actor=COMMAND_LINE, now=clock.now(), trigger=RunTrigger.OPERATOR, **more
        ).public_id


def a_preview(session: Session) -> UUID:
    public_id = queued(session, preview=True)
    assert runs.execute(public_id, proposal_days=7).state is RunState.DONE
    return public_id


def applied(session: Session) -> UUID:
    public_id = queued(session)
    assert runs.execute(public_id, proposal_days=7).state is RunState.APPLIED
    return public_id


def act(name: str, public_id: UUID, actor: Actor) -> Run:
    """One of the acts in a unit of work of its own."""
    more: dict[str, Any] = {"apply_run": {"days": 7}, "withdraw_run": {"reason": "Te vroeg"}}.get(name, {})
    with db.unit_of_work() as unit:
        return getattr(runs, name)(unit, public_id, actor=actor, now=clock.now(), **more)


def states(session: Session) -> list[MatchState]:
    session.rollback()
    session.expire_all()
    found = list(session.scalars(select(Match.state).order_by(Match.id)))
    session.rollback()  # an open transaction would hold SQLite's write lock
    return found


def outcomes(session: Session) -> list[Outcome]:
    session.rollback()
    found = list(session.scalars(select(RunSeat.outcome)))
    session.rollback()
    return found


# --- look first -----------------------------------------------------------------------------------------------------


def test_a_run_to_look_at_proposes_nothing_until_it_is_sent(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    public_id = a_preview(session)
    assert (states(session), outcomes(session)) == ([], [Outcome.CHOSEN])
    for _time in range(2):
        run = act("apply_run", public_id, operator)
    assert (run.state, run.proposals) == (RunState.APPLIED, 1)
    assert (states(session), outcomes(session)) == ([MatchState.PROPOSED], [Outcome.PROPOSED])
    match = session.scalars(select(Match)).one()
    assert sum(r["points"] for r in match.reasons) == match.weight == run.value


def test_what_is_no_longer_free_stays_out_when_a_run_is_sent(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    make.make_request(session)
    make.make_pledge(session)
    public_id = a_preview(session)
    with db.unit_of_work() as unit:
        pledges.withdraw_approval(
            unit, pledge.public_id, "The plan changed", actor=COMMAND_LINE, now=clock.now()
        )
    assert act("apply_run", public_id, operator).proposals == 1
    assert sorted(outcomes(session)) == [Outcome.CHANGED, Outcome.PROPOSED]


def test_two_runs_to_look_at_do_not_both_get_the_same_seat(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    first, second = a_preview(session), a_preview(session)
    assert act("apply_run", first, operator).proposals == 1
    assert act("apply_run", second, operator).proposals == 0
    assert states(session) == [MatchState.PROPOSED]


def test_a_run_that_is_thrown_away_is_never_sent(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    public_id = a_preview(session)
    for _time in range(2):
        assert act("discard_run", public_id, operator).state is RunState.DISCARDED
    with pytest.raises(WrongState):
        act("apply_run", public_id, operator)
    assert states(session) == []


# --- cancel ---------------------------------------------------------------------------------------------------------


def test_a_run_that_waits_can_be_cancelled(session: Session, operator: Actor) -> None:
    public_id = queued(session)
    for _time in range(2):
        assert act("cancel_run", public_id, operator).state is RunState.CANCELLED
    with pytest.raises(WrongState):
        runs.execute(public_id, proposal_days=7)


def test_a_run_that_is_cancelled_while_it_is_solved_proposes_nothing(
    session: Session,
    pledge: Pledge,
    asked: CoachingRequest,
    operator: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public_id = queued(session)
    decide = deciding.decide

    def decide_while_somebody_cancels(*args: Any, **more: Any) -> runs.Decision:
        act("cancel_run", public_id, operator)
        return decide(*args, **more)

    monkeypatch.setattr(deciding, "decide", decide_while_somebody_cancels)
    assert runs.execute(public_id, proposal_days=7).state is RunState.CANCELLED
    assert states(session) == []


# --- take back ------------------------------------------------------------------------------------------------------


def test_a_run_that_nobody_answered_can_be_taken_back(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    public_id = applied(session)
    for _time in range(2):
        assert act("withdraw_run", public_id, operator).state is RunState.WITHDRAWN
    assert states(session) == [MatchState.CANCELLED]
    assert session.scalars(select(Match.end_note)).one() == "Te vroeg"
    applied(session)
    assert states(session) == [MatchState.CANCELLED, MatchState.PROPOSED], "hours and seat were free again"


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_run_to_which_somebody_answered_stands(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor, answer: str
) -> None:
    public_id = applied(session)
    match = session.scalars(select(Match.public_id)).one()
    coach = make.actor(session, session.get_one(User, pledge.employment.user_id))
    session.rollback()
    with db.unit_of_work() as unit:
        _answer(unit, match, coach, answer)
    before = states(session)
    with pytest.raises(Conflict):
        act("withdraw_run", public_id, operator)
    assert states(session) == before
    assert session.scalars(select(Run.state)).one() is RunState.APPLIED


def _answer(unit: Session, match: UUID, coach: Actor, answer: str) -> None:
    if answer == "yes":
        matches.accept_as_coach(unit, match, actor=coach, now=clock.now())
    else:
        matches.decline(
            unit,
            match,
            side=Side.COACH,
            reason=DeclineReason.TIME,
            note="",
            actor=coach,
            now=clock.now(),
        )


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_and_the_taking_back_never_both_win(
    app: Flask, session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor, answer: str
) -> None:
    public_id = applied(session)
    match = session.scalars(select(Match.public_id)).one()
    coach = make.actor(session, session.get_one(User, pledge.employment.user_id))
    session.rollback()
    told = at_once(
        app,
        lambda unit: _answer(unit, match, coach, answer),
        lambda unit: runs.withdraw_run(unit, public_id, "", actor=operator, now=clock.now()).id,
    )
    refused = [isinstance(each, DomainError) for each in told]
    assert refused.count(True) == 1
    answered = MatchState.ACCEPTED_BY_COACH if answer == "yes" else MatchState.DECLINED
    assert states(session) == [MatchState.CANCELLED if refused[0] else answered]


def test_sending_and_throwing_away_never_both_win(
    app: Flask, session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    public_id = a_preview(session)
    told = at_once(
        app,
        lambda unit: runs.apply_run(unit, public_id, actor=operator, now=clock.now(), days=7).id,
        lambda unit: runs.discard_run(unit, public_id, actor=operator, now=clock.now()).id,
    )
    assert sum(isinstance(each, WrongState) for each in told) == 1
    sent = not isinstance(told[0], DomainError)
    assert states(session) == ([MatchState.PROPOSED] if sent else [])


def mails(session: Session) -> list[str]:
    session.rollback()
    found = list(session.scalars(select(OutboxMessage.kind).where(OutboxMessage.kind.like("match.%"))))
    session.rollback()
    return sorted(found)


def test_who_was_told_of_a_proposal_is_told_that_it_was_taken_back(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    public_id = applied(session)
    with db.unit_of_work() as unit:
        for message in unit.scalars(select(OutboxMessage)):
            message.sent_at = clock.now()
    act("withdraw_run", public_id, operator)
    assert mails(session) == ["match.proposed"] * 2 + ["match.taken_back"] * 2
    assert all(
        body.startswith("Te vroeg")
        for body in session.scalars(
            select(OutboxMessage.body).where(OutboxMessage.kind == "match.taken_back")
        )
    )


def test_who_was_not_told_yet_hears_of_neither(
    session: Session, pledge: Pledge, asked: CoachingRequest, operator: Actor
) -> None:
    public_id = applied(session)
    assert mails(session) == ["match.proposed"] * 2
    act("withdraw_run", public_id, operator)
    assert mails(session) == []


# --- who ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["apply_run", "discard_run", "withdraw_run", "cancel_run"])
def test_nobody_else_decides_about_a_run(session: Session, name: str) -> None:
    public_id = a_preview(session)
    hr = make.actor(session, make.make_hr(session, make.make_company(session)))
    session.commit()
    with pytest.raises(NotPermitted):
        act(name, public_id, hr)


@pytest.mark.parametrize("name", ["apply_run", "discard_run", "withdraw_run", "cancel_run"])
def test_there_must_be_a_run_to_decide_about(session: Session, operator: Actor, name: str) -> None:
    session.commit()
    with pytest.raises(NotFound):
        act(name, UUID(int=7), operator)


@pytest.mark.parametrize("name", ["apply_run", "discard_run", "withdraw_run"])
def test_a_run_that_was_cancelled_stays_so(session: Session, operator: Actor, name: str) -> None:
    public_id = queued(session)
    act("cancel_run", public_id, operator)
    with pytest.raises(WrongState):
        act(name, public_id, operator)
