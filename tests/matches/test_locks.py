"""Acts that meet in the middle wait for each other, and never in a circle: real threads on PostgreSQL, held at the
point where each has some of its locks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, story
from timebank import clock, db
from timebank.agreements import queries as agreement_queries
from timebank.agreements import service as agreements
from timebank.agreements.models import Agreement
from timebank.auth.actor import SYSTEM
from timebank.errors import WrongState
from timebank.ledger import posting
from timebank.ledger.models import Category
from timebank.matches import service
from timebank.matches.models import HoursState, MatchState
from timebank.matches.service import ProposalInput, loading, proposals
from timebank.pledges import service as pledges
from timebank.pledges.models import PledgeState
from timebank.pledges.service import loading as pledge_loading

pytestmark = pytest.mark.postgresql

A_MOMENT = 0.5  # long enough to come to wait for a lock


def met(app: Flask, *acts: Callable[[Session], Any]) -> list[Exception]:
    """Each act in a thread and a unit of work of its own; what went wrong."""
    wrong: list[Exception] = []

    def run(act: Callable[[Session], Any]) -> None:
        try:
            with app.app_context(), db.unit_of_work() as session:
                act(session)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return wrong


def pause_once(
    monkeypatch: pytest.MonkeyPatch, room: Any, name: str
) -> tuple[threading.Event, threading.Event]:
    """Stop whoever first has gone through `room.name`: the events that it came there, and that it may go on."""
    came, go_on = threading.Event(), threading.Event()
    real = getattr(room, name)

    def stopping(*args: Any, **named: Any) -> Any:
        answer = real(*args, **named)
        if not came.is_set():
            came.set()
            go_on.wait(A_MOMENT)
        return answer

    monkeypatch.setattr(room, name, stopping)
    return came, go_on


def test_a_run_that_writes_meets_an_act_of_a_coach_that_it_proposes(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    match = make.make_match(session)
    seat = make.make_request(session).seats[0]
    item = ProposalInput(seat.id, match.pledge_id, 1, [], None)
    public_id = match.public_id
    session.commit()
    came, _go_on = pause_once(monkeypatch, proposals, "_separated")

    def act(unit: Session) -> None:
        came.wait(10)
        loading.locked(unit, public_id)

    assert met(app, lambda unit: service.propose(unit, [item], now=clock.now(), days=7), act) == []


def test_approving_many_meets_an_act_on_one_of_them(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    company = make.make_company(session)
    waiting = [
        make.make_pledge(session, make.make_employment(session, company), approved=False) for _ in range(2)
    ]
    ids = [p.public_id for p in waiting]
    session.commit()
    came, go_on = pause_once(monkeypatch, posting, "lock_book")

    def one(unit: Session) -> None:
        came.wait(10)
        pledge_loading.lock(unit, ids[1])
        go_on.set()
        pledges.approve_pledge(unit, ids[1], actor=SYSTEM, now=clock.now())

    def many(unit: Session) -> None:
        pledges.approve_many(unit, [(i, None) for i in ids], actor=SYSTEM, now=clock.now())

    assert met(app, many, one) == []
    session.expire_all()
    assert {p.state for p in waiting} == {PledgeState.APPROVED}


def test_confirming_the_same_hours_in_two_orders(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    told: list[Story] = [story(session) for _ in range(2)]
    entries = []
    for one in told:
        one.start()
        entries.append(
            service.log_hours(
                session,
                one.match.public_id,
                session_public_id=None,
                activity_date=clock.today(),
                minutes=60,
                category=Category.DELIVERY,
                note="",
                key="a",
                actor=one.act_as(one.coach),
                now=clock.now(),
            )
        )
    ids = [e.public_id for e in entries]
    session.commit()
    came, go_on = pause_once(monkeypatch, posting, "lock_book")
    monkeypatch.setattr(loading, "require_initiative", lambda *_args: None)

    def backwards(unit: Session) -> None:
        came.wait(10)
        service.confirm_many(unit, ids[::-1], actor=SYSTEM, now=clock.now())

    def forwards(unit: Session) -> None:
        service.confirm_many(unit, ids, actor=SYSTEM, now=clock.now())

    assert met(app, forwards, backwards) == []
    assert not go_on.is_set()
    session.expire_all()
    assert {e.state for e in entries} == {HoursState.CONFIRMED}


def second_match(session: Session, told: Story) -> Story:
    """Another coach of the same company, proposed to the same initiative."""
    coach = make.make_user(session)
    employment = make.make_employment(session, told.employment.organisation, user=coach)
    pledge = make.make_pledge(session, employment)
    request = make.make_request(session, told.initiative)
    match = make.make_match(session, pledge, request)
    session.commit()
    return Story(
        coach, told.hr, told.coordinator, employment, told.initiative, pledge, request, match, session
    )


def agreement_of(session: Session, told: Story) -> Agreement:
    found = agreement_queries.for_match(
        session,
        organisation_id=told.employment.organisation_id,
        initiative_id=told.initiative.id,
        match_id=told.match.id,
    )
    assert found is not None
    return found


def test_an_agreement_ends_while_a_match_of_the_same_two_is_accepted(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    running = story(session)
    running.start()
    other = second_match(session, running)
    coordinator = running.act_as(running.coordinator)
    service.accept_as_initiative(session, other.match.public_id, actor=coordinator, now=clock.now())
    agreement, coach = agreement_of(session, running).public_id, other.act_as(other.coach)
    match = other.match.public_id
    session.commit()
    came, _go_on = pause_once(monkeypatch, posting, "lock_book")

    def accept(unit: Session) -> None:
        service.accept_as_coach(unit, match, actor=coach, now=clock.now())

    def end(unit: Session) -> None:
        came.wait(10)
        agreements.end(unit, agreement, actor=coordinator, now=clock.now())

    assert met(app, accept, end) == []
    session.expire_all()
    assert running.match.state is MatchState.CANCELLED
    assert other.match.state is MatchState.CONFIRMED


def test_an_agreement_is_accepted_while_its_match_is_cancelled(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    told = story(session)
    told.accept()
    agreement = agreement_of(session, told).public_id
    hr, coordinator = told.act_as(told.hr), told.act_as(told.coordinator)
    agreements.accept_as_company(session, agreement, standing=False, actor=hr, now=clock.now())
    match = told.match.public_id
    session.commit()
    came, _go_on = pause_once(monkeypatch, posting, "lock_book")

    def cancel(unit: Session) -> None:
        service.cancel(unit, match, "Ziek", actor=coordinator, now=clock.now())

    def accept(unit: Session) -> None:
        came.wait(10)
        agreements.accept_as_initiative(unit, agreement, actor=coordinator, now=clock.now())

    [refusal] = met(app, cancel, accept)
    assert isinstance(refusal, WrongState)
    session.expire_all()
    assert told.match.state is MatchState.CANCELLED
