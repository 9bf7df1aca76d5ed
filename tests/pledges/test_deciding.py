"""Approving and refusing: who may, what is booked, and what happens twice or at the same time."""

from __future__ import annotations

import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    actor,
    grant,
    make_company,
    make_employment,
    make_hr,
    make_operator,
    make_pledge,
    make_user,
)
from timebank import clock, db
from timebank.auth.models import Role, User
from timebank.errors import Conflict, DomainError, Expired, Invalid, NotFound, NotPermitted, WrongState
from timebank.ledger import service as ledger
from timebank.ledger.models import LedgerFact, LedgerTransaction
from timebank.ledger.verify import verify
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Approval, Organisation
from timebank.pledges import service
from timebank.pledges.models import Pledge, PledgeState


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


def bookings(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(LedgerTransaction)) or 0


@pytest.mark.both
def test_an_approval_grants_the_hours_once(session: Session) -> None:
    company = make_company(session)
    hr = actor(session, make_hr(session, company))
    pledge = make_pledge(session, make_employment(session, company), approved=False)
    service.approve_pledge(session, pledge.public_id, actor=hr, now=clock.now())
    service.approve_pledge(session, pledge.public_id, actor=hr, now=clock.now())
    session.commit()
    assert pledge.state == PledgeState.APPROVED
    assert pledge.approved_by_id == hr.user_id
    assert bookings(session) == 1
    fact = session.scalars(select(LedgerFact)).one()
    assert (fact.measure, fact.minutes, fact.employee) == ("granted", 600, pledge.employment.pseudonym)
    assert (fact.department, fact.activity_date) == ("Productie", pledge.from_date)
    assert verify(session).first_break is None
    kinds = session.scalars(select(OutboxMessage.kind).order_by(OutboxMessage.id)).all()
    assert kinds.count("pledge.approved") == 1


def manager_of(session: Session, company: Organisation) -> User:
    user = grant(session, make_user(session), Role.MANAGER, organisation_id=company.id)
    make_employment(session, company, user=user)
    return user


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("hr", None),
        ("manager", None),
        ("other_manager", NotFound),
        ("colleague", NotPermitted),
        ("own", NotPermitted),
        ("hr_elsewhere", NotFound),
        ("operator", NotFound),
        ("stranger", NotFound),
    ],
)
def test_who_may_approve(session: Session, who: str, refusal: type[DomainError] | None) -> None:
    company, elsewhere = make_company(session, approval=Approval.MANAGER), make_company(session)
    manager = manager_of(session, company)
    employment = make_employment(session, company, manager_email=manager.email)
    people = {
        "hr": make_hr(session, company),
        "manager": manager,
        "other_manager": manager_of(session, company),
        "colleague": session.get_one(User, make_employment(session, company).user_id),
        "own": session.get_one(User, employment.user_id),
        "hr_elsewhere": make_hr(session, elsewhere),
        "operator": make_operator(session),
        "stranger": make_user(session),
    }
    pledge = make_pledge(session, employment, approved=False)
    asker = actor(session, people[who])
    if who == "stranger":
        make_employment(session, elsewhere, user=people[who])
        asker = actor(session, people[who])
    if refusal is None:
        service.approve_pledge(session, pledge.public_id, actor=asker, now=clock.now())
        assert pledge.state == PledgeState.APPROVED
    else:
        with pytest.raises(refusal):
            service.approve_pledge(session, pledge.public_id, actor=asker, now=clock.now())
        assert pledge.state == PledgeState.SUBMITTED
        assert bookings(session) == 0


def test_a_manager_approves_only_where_the_policy_says_so(session: Session) -> None:
    company = make_company(session, approval=Approval.HR)
    manager = manager_of(session, company)
    pledge = make_pledge(
        session, make_employment(session, company, manager_email=manager.email), approved=False
    )
    with pytest.raises(NotFound):
        service.approve_pledge(session, pledge.public_id, actor=actor(session, manager), now=clock.now())


def test_hr_never_approves_their_own_pledge_but_a_colleague_of_hr_does(session: Session) -> None:
    company = make_company(session)
    hr = make_hr(session, company)
    pledge = make_pledge(session, make_employment(session, company, user=hr), approved=False)
    with pytest.raises(NotPermitted):
        service.approve_pledge(session, pledge.public_id, actor=actor(session, hr), now=clock.now())
    other = actor(session, make_hr(session, company))
    service.approve_pledge(session, pledge.public_id, actor=other, now=clock.now())
    assert pledge.approved_by_id == other.user_id


def test_the_only_hr_person_is_approved_by_the_operator_who_hears_of_it(session: Session) -> None:
    company = make_company(session)
    hr = make_hr(session, company)
    operator = make_operator(session)
    pledge = make_pledge(session, make_employment(session, company, user=hr), approved=False)
    session.commit()
    mail = session.scalars(select(OutboxMessage)).one()
    assert mail.user_id == operator.id
    assert "/operator/approvals" in mail.body
    service.approve_pledge(session, pledge.public_id, actor=actor(session, operator), now=clock.now())
    assert pledge.state == PledgeState.APPROVED


def test_a_pledge_that_changed_meanwhile_is_not_approved_unseen(session: Session) -> None:
    company = make_company(session)
    hr = actor(session, make_hr(session, company))
    employment = make_employment(session, company)
    pledge = make_pledge(session, employment, approved=False)
    own = actor(session, session.get_one(User, employment.user_id))
    service.change_minutes(session, pledge.public_id, 900, actor=own, now=clock.now())
    with pytest.raises(Conflict):
        service.approve_many(session, [(pledge.public_id, 600)], actor=hr, now=clock.now())
    service.approve_many(session, [(pledge.public_id, 900)], actor=hr, now=clock.now())
    assert pledge.minutes == 900


def test_a_refusal_has_a_reason_that_the_employee_gets(session: Session) -> None:
    company = make_company(session)
    hr = actor(session, make_hr(session, company))
    pledge = make_pledge(session, make_employment(session, company), approved=False)
    for empty in ("", "   ", "x" * 2001):
        with pytest.raises(Invalid):
            service.refuse_pledge(session, pledge.public_id, empty, actor=hr, now=clock.now())
    service.refuse_pledge(session, pledge.public_id, "In maart is het te druk.", actor=hr, now=clock.now())
    service.refuse_pledge(session, pledge.public_id, "Nog eens", actor=hr, now=clock.now())
    session.commit()
    assert pledge.refused_reason == "In maart is het te druk."
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "pledge.refused")).one()
    assert mail.email == pledge.employment.email
    assert "In maart is het te druk." in mail.body
    with pytest.raises(WrongState):
        service.approve_pledge(session, pledge.public_id, actor=hr, now=clock.now())
    assert bookings(session) == 0


def test_a_pledge_whose_days_have_passed_is_not_approved(session: Session, held_clock: HeldClock) -> None:
    company = make_company(session)
    hr = actor(session, make_hr(session, company))
    pledge = make_pledge(session, make_employment(session, company), approved=False)
    held_clock.move(days=200)
    with pytest.raises(Expired):
        service.approve_pledge(session, pledge.public_id, actor=hr, now=clock.now())


def test_an_unknown_pledge_is_not_found(session: Session) -> None:
    hr = actor(session, make_hr(session, make_company(session)))
    with pytest.raises(NotFound):
        service.approve_pledge(session, uuid.uuid4(), actor=hr, now=clock.now())


@pytest.mark.both
def test_two_approvers_at_the_same_moment_grant_once(app: Flask, session: Session) -> None:
    company = make_company(session)
    approvers = [actor(session, make_hr(session, company)) for _each in range(2)]
    pledges = [make_pledge(session, make_employment(session, company), approved=False) for _each in range(3)]
    ids = [p.public_id for p in pledges]
    now = clock.now()
    session.commit()
    barrier = threading.Barrier(2)
    problems: list[BaseException] = []

    def approve(turn: int) -> None:
        chosen = [(i, 600) for i in (ids if turn else reversed(ids))]
        with app.app_context():
            barrier.wait()
            try:
                with db.unit_of_work() as unit:
                    service.approve_many(unit, chosen, actor=approvers[turn], now=now)
            except BaseException as problem:
                problems.append(problem)

    threads = [threading.Thread(target=approve, args=(turn,)) for turn in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    session.expire_all()
    assert {p.state for p in session.scalars(select(Pledge))} == {PledgeState.APPROVED}
    assert bookings(session) == 3
    tranches = [t.public_id for p in session.scalars(select(Pledge)) for t in p.tranches]
    assert {b.granted for b in ledger.balances(session, tranches=tranches).values()} == {600}
    assert verify(session).first_break is None


@pytest.mark.both
def test_two_offers_at_the_same_moment_stay_within_the_cap(app: Flask, session: Session) -> None:
    from tests.factories import a_day, pledge_input

    company = make_company(session, minutes_per_year=600)
    employment = make_employment(session, company)
    own = actor(session, session.get_one(User, employment.user_id))
    offers = [
        pledge_input(session, minutes=400, from_date=a_day(0), until_date=a_day(5)),
        pledge_input(session, minutes=400, from_date=a_day(10), until_date=a_day(15)),
    ]
    employment_id, now = employment.id, clock.now()
    session.commit()
    barrier = threading.Barrier(2)
    refused: list[DomainError] = []

    def offer(turn: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with db.unit_of_work() as unit:
                    service.submit_pledge(unit, employment_id, offers[turn], actor=own, now=now)
            except Invalid as refusal:
                refused.append(refusal)

    threads = [threading.Thread(target=offer, args=(turn,)) for turn in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    session.expire_all()
    assert len(refused) == 1
    assert len(session.scalars(select(Pledge)).all()) == 1
