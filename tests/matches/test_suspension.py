"""Who is suspended takes no part until admitted again: what is open is taken back, what was agreed goes on."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, balance, mails_to, story
from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.errors import WrongState
from timebank.ledger.models import Category
from timebank.matches import queries, service
from timebank.matches.models import Match, MatchState
from timebank.matches.service import Lost, ProposalInput, proposals
from timebank.matching import snapshot
from timebank.notifications.models import OutboxMessage
from timebank.organisations import service as organisations
from timebank.organisations.models import Initiative, Organisation

pytestmark = pytest.mark.both

SUBJECTS = ["company", "host", "initiative"]


def subject(told: Story, who: str) -> Organisation | Initiative:
    return {
        "company": told.employment.organisation,
        "host": told.initiative.organisation,
        "initiative": told.initiative,
    }[who]


def decide(told: Story, who: str, act: str) -> None:
    public_id = subject(told, who).public_id
    told.session.commit()  # on SQLite a transaction that stays open would keep all others out
    with db.unit_of_work() as unit:
        if act == "admit":
            organisations.admit(unit, public_id, actor=SYSTEM, now=clock.now())
        else:
            getattr(organisations, act)(unit, public_id, "Onderzoek", actor=SYSTEM, now=clock.now())
    told.session.expire_all()


def pairs(session: Session) -> tuple[int, int]:
    """How many seats and pledges the next run sees."""
    seen = len(snapshot.free_seats(session, clock.today())), len(snapshot.free_pool(session, clock.today()))
    session.commit()
    return seen


@pytest.mark.parametrize("act", ["suspend", "close"])
@pytest.mark.parametrize("who", SUBJECTS)
def test_open_proposals_are_taken_back_and_free_their_hours_and_seats(
    session: Session, who: str, act: str
) -> None:
    told = story(session)
    service.accept_as_coach(session, told.match.public_id, actor=told.act_as(told.coach), now=clock.now())
    session.commit()
    decide(told, who, act)
    assert told.match.state is MatchState.CANCELLED
    assert queries.free_minutes(session, [told.pledge.id]) == {told.pledge.id: 600}
    assert queries.taken_seats(session, [told.request.id]) == set()


@pytest.mark.parametrize("who", SUBJECTS)
def test_both_sides_read_why(session: Session, who: str) -> None:
    told = story(session)
    session.execute(update(OutboxMessage).values(sent_at=clock.now()))  # both heard of the proposal
    session.commit()
    decide(told, who, "suspend")
    coach = mails_to(session, told.coach.email)[-1]
    coordinator = mails_to(session, told.coordinator.email)[-1]
    assert {coach.kind, coordinator.kind} == {"match.taken_back"}
    if who == "company":
        company = told.employment.organisation.name
        assert f"{company} doet op dit moment niet mee" in coach.body
        assert "Het bedrijf van de coach doet op dit moment niet mee" in coordinator.body
        assert company not in coordinator.body
        assert "We zoeken verder" in coordinator.body
        assert "We zoeken verder" not in coach.body
    else:
        assert f"{told.initiative.name} doet op dit moment niet mee" in coach.body
        assert f"{told.initiative.name} doet op dit moment niet mee" in coordinator.body
        assert "We zoeken verder" in coach.body
        assert "We zoeken verder" not in coordinator.body


@pytest.mark.parametrize("who", SUBJECTS)
def test_no_run_sees_them_until_they_are_admitted_again(session: Session, who: str) -> None:
    told = story(session)
    decide(told, who, "suspend")
    assert pairs(session) == ((1, 0) if who == "company" else (0, 1))
    decide(told, who, "admit")
    assert pairs(session) == (1, 1)
    again = service.propose(
        session,
        [ProposalInput(told.request.seats[0].id, told.pledge.id, 1, [], None)],
        now=clock.now(),
        days=7,
    )
    assert len(again.created) == 1


@pytest.mark.parametrize("who", SUBJECTS)
def test_what_both_sides_agreed_goes_on(session: Session, who: str) -> None:
    told = story(session)
    told.start()
    decide(told, who, "suspend")
    assert told.match.state is MatchState.ACTIVE
    assert balance(session, told.pledge) == (240, 360, 0, 0)


@pytest.mark.parametrize(
    ("who", "why"), [("company", Lost.PLEDGE), ("host", Lost.REQUEST), ("initiative", Lost.REQUEST)]
)
def test_a_run_that_saw_them_before_proposes_nothing(session: Session, who: str, why: Lost) -> None:
    told = story(session)
    decide(told, who, "suspend")
    wanted = ProposalInput(told.request.seats[0].id, told.pledge.id, 1, [], None)
    result = service.propose(session, [wanted], now=clock.now(), days=7)
    assert (result.created, [w for _item, w in result.lost]) == ([], [why])


@pytest.mark.parametrize("who", SUBJECTS)
def test_a_run_that_writes_at_that_moment_leaves_no_open_proposal(
    app: Flask, session: Session, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has read who takes part, and writes only after the suspension has begun."""
    told = story(session)
    decide(told, who, "suspend")
    decide(told, who, "admit")
    wanted = ProposalInput(told.request.seats[0].id, told.pledge.id, 1, [], None)
    came = threading.Event()
    real = proposals.split

    def slow(*args: Any) -> Any:
        came.set()
        suspending.join(1)
        return real(*args)

    public_id = subject(told, who).public_id
    session.commit()

    def suspend() -> None:
        came.wait(10)
        with app.app_context(), db.unit_of_work() as unit:
            organisations.suspend(unit, public_id, "Onderzoek", actor=SYSTEM, now=clock.now())

    monkeypatch.setattr(proposals, "split", slow)
    suspending = threading.Thread(target=suspend)
    suspending.start()
    with db.unit_of_work() as unit:
        service.propose(unit, [wanted], now=clock.now(), days=7)
    suspending.join(30)
    assert not suspending.is_alive()
    session.expire_all()
    states = set(session.scalars(select(Match.state)))
    assert states == {MatchState.CANCELLED}


@pytest.mark.parametrize("who", ["host", "initiative"])
def test_nobody_asks_for_coaches_meanwhile(session: Session, client_as: Any, who: str) -> None:
    told = story(session)
    decide(told, who, "suspend")
    with pytest.raises(WrongState):
        make.make_request(session, told.initiative)
    session.rollback()
    page = client_as(told.coordinator).get("/requests").text
    assert "doet op dit moment niet mee" in page
    assert "/requests/new" not in page


def test_a_company_that_leaves_for_good_takes_its_people_along(session: Session) -> None:
    """Free hours lapse and coachings stop, as when somebody leaves; hours that wait can still be confirmed."""
    told = story(session)
    told.start()
    entry = service.log_hours(
        session,
        told.match.public_id,
        session_public_id=None,
        activity_date=clock.today(),
        minutes=120,
        category=Category.DELIVERY,
        note="",
        key="k",
        actor=told.act_as(told.coach),
        now=clock.now(),
        certain=True,
    )
    decide(told, "company", "close")
    with db.unit_of_work() as unit:
        assert organisations.close_ended(unit, now=clock.now()) == 1
    with db.unit_of_work() as unit:
        assert organisations.close_ended(unit, now=clock.now()) == 0
    session.refresh(told.match)
    assert told.match.state is MatchState.CANCELLED
    assert balance(session, told.pledge) == (0, 120, 0, 480)
    service.confirm_hours(session, entry.public_id, actor=told.act_as(told.coordinator), now=clock.now())
    session.commit()
    assert balance(session, told.pledge) == (0, 0, 120, 480)
    session.refresh(told.employment)
    assert (told.employment.state, told.employment.end_date) == ("left", clock.today())
