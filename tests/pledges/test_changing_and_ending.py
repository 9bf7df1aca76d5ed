"""More and fewer hours, withdrawing, expiring, leaving: the ledger follows to the minute."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import a_day, actor, make_company, make_employment, make_hr, make_pledge
from timebank import clock, events
from timebank.auth.actor import SYSTEM, Actor
from timebank.auth.models import User
from timebank.errors import Conflict, Expired, Invalid, NotFound, NotPermitted, WrongState
from timebank.ledger import service as ledger
from timebank.ledger.models import LedgerFact, LedgerTransaction
from timebank.ledger.verify import verify
from timebank.notifications.models import OutboxMessage
from timebank.organisations.events import EmploymentLeft
from timebank.organisations.models import Approval
from timebank.pledges import holds, service
from timebank.pledges.models import EndReason, Pledge, PledgeState


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


def owner(session: Session, pledge: Pledge) -> Actor:
    return actor(session, session.get_one(User, pledge.employment.user_id))


def balance(session: Session, pledge: Pledge) -> tuple[int, int, int]:
    """Granted, available, lapsed."""
    found = ledger.balances(session, tranches=[t.public_id for t in pledge.tranches]).values()
    return sum(b.granted for b in found), sum(b.available for b in found), sum(b.lapsed for b in found)


def test_more_and_fewer_hours_are_granted_and_lapse(session: Session) -> None:
    company = make_company(session, approval=Approval.AUTO)
    pledge = make_pledge(session, make_employment(session, company))
    own = owner(session, pledge)
    for minutes, expected in ((900, (900, 900, 0)), (300, (900, 300, 600)), (420, (1020, 420, 600))):
        service.change_minutes(session, pledge.public_id, minutes, actor=own, now=clock.now())
        assert pledge.minutes == minutes
        assert balance(session, pledge) == expected
    service.change_minutes(session, pledge.public_id, 420, actor=own, now=clock.now())
    session.commit()
    keys = session.scalars(select(LedgerTransaction.idempotency_key).order_by(LedgerTransaction.id)).all()
    tranche = pledge.tranches[0].public_id
    assert keys == [
        f"tranche:{tranche}:granted",
        f"tranche:{tranche}:granted:1",
        f"tranche:{tranche}:lapsed:cut:2",
        f"tranche:{tranche}:granted:3",
    ]
    assert verify(session).first_break is None


def test_a_waiting_pledge_changes_without_the_ledger(session: Session) -> None:
    pledge = make_pledge(session, approved=False)
    service.change_minutes(session, pledge.public_id, 900, actor=owner(session, pledge), now=clock.now())
    assert pledge.minutes == 900
    assert session.scalars(select(LedgerTransaction)).all() == []


def test_more_hours_than_approved_need_hr(session: Session) -> None:
    company = make_company(session)
    pledge = make_pledge(session, make_employment(session, company))
    own = owner(session, pledge)
    with pytest.raises(NotPermitted):
        service.change_minutes(session, pledge.public_id, 601, actor=own, now=clock.now())
    service.change_minutes(session, pledge.public_id, 300, actor=own, now=clock.now())
    hr = actor(session, make_hr(session, company))
    service.change_minutes(session, pledge.public_id, 700, actor=hr, now=clock.now())
    assert balance(session, pledge) == (1000, 700, 300)


def test_a_change_stays_within_the_cap(session: Session) -> None:
    company = make_company(session, approval=Approval.AUTO, minutes_per_year=700)
    pledge = make_pledge(session, make_employment(session, company))
    own = owner(session, pledge)
    with pytest.raises(Invalid):
        service.change_minutes(session, pledge.public_id, 701, actor=own, now=clock.now())
    service.change_minutes(session, pledge.public_id, 700, actor=own, now=clock.now())


@pytest.mark.parametrize("minutes", [-1, 0, 29, 60_001, 10**12])
def test_a_change_has_bounds(session: Session, minutes: int) -> None:
    pledge = make_pledge(session)
    with pytest.raises(Invalid):
        service.change_minutes(
            session, pledge.public_id, minutes, actor=owner(session, pledge), now=clock.now()
        )


def test_a_cut_leaves_what_open_proposals_hold(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    pledge = make_pledge(session)
    tranche = pledge.tranches[0]

    def held(session: Session, tranche_ids: Sequence[int]) -> dict[int, int]:
        return {i: 240 for i in tranche_ids if i == tranche.id}

    monkeypatch.setattr(holds, "_sources", [held])
    own = owner(session, pledge)
    with pytest.raises(Conflict):
        service.change_minutes(session, pledge.public_id, 239, actor=own, now=clock.now())
    assert balance(session, pledge) == (600, 600, 0)
    service.change_minutes(session, pledge.public_id, 240, actor=own, now=clock.now())
    assert balance(session, pledge) == (600, 240, 360)


def test_a_monthly_change_leaves_months_that_are_over(session: Session, held_clock: HeldClock) -> None:
    company = make_company(session, approval=Approval.AUTO)
    pledge = make_pledge(
        session, make_employment(session, company), minutes=120, monthly=True, until_date=a_day(80)
    )
    held_clock.move(days=30)
    service.change_minutes(session, pledge.public_id, 60, actor=owner(session, pledge), now=clock.now())
    assert [t.minutes for t in pledge.tranches] == [120, 60, 60]


@pytest.mark.both
def test_what_is_withdrawn_lapses_once(session: Session) -> None:
    pledge = make_pledge(session)
    own = owner(session, pledge)
    service.withdraw_pledge(session, pledge.public_id, actor=own, now=clock.now())
    service.withdraw_pledge(session, pledge.public_id, actor=own, now=clock.now())
    session.commit()
    assert (pledge.state, pledge.end_reason) == (PledgeState.ENDED, EndReason.WITHDRAWN)
    assert balance(session, pledge) == (600, 0, 600)
    assert verify(session).first_break is None
    with pytest.raises(WrongState):
        service.change_minutes(session, pledge.public_id, 700, actor=own, now=clock.now())


def test_a_month_that_has_not_begun_lapses_in_that_month(session: Session) -> None:
    company = make_company(session, approval=Approval.AUTO)
    pledge = make_pledge(
        session, make_employment(session, company), minutes=120, monthly=True, until_date=a_day(40)
    )
    service.withdraw_pledge(session, pledge.public_id, actor=owner(session, pledge), now=clock.now())
    session.commit()
    facts = session.execute(select(LedgerFact.measure, LedgerFact.activity_date, LedgerFact.minutes)).all()
    by_month: dict[int, int] = {}
    for measure, day, minutes in facts:
        by_month[day.month] = by_month.get(day.month, 0) + (minutes if measure == "granted" else -minutes)
    assert by_month == {3: 0, 4: 0}


def test_a_waiting_pledge_can_be_withdrawn_and_then_not_approved(session: Session) -> None:
    company = make_company(session)
    pledge = make_pledge(session, make_employment(session, company), approved=False)
    service.withdraw_pledge(session, pledge.public_id, actor=owner(session, pledge), now=clock.now())
    with pytest.raises(WrongState):
        service.approve_pledge(
            session, pledge.public_id, actor=actor(session, make_hr(session, company)), now=clock.now()
        )
    assert session.scalars(select(LedgerTransaction)).all() == []


def test_nobody_else_withdraws_it(session: Session) -> None:
    company = make_company(session)
    pledge = make_pledge(session, make_employment(session, company))
    colleague = make_employment(session, company)
    for user_id in (colleague.user_id, make_hr(session, company).id):
        who = actor(session, session.get_one(User, user_id))
        with pytest.raises(NotFound):
            service.withdraw_pledge(session, pledge.public_id, actor=who, now=clock.now())


def test_an_approval_is_taken_back_with_a_reason(session: Session) -> None:
    company = make_company(session)
    hr = actor(session, make_hr(session, company))
    pledge = make_pledge(session, make_employment(session, company))
    waiting = make_pledge(session, make_employment(session, company), approved=False)
    with pytest.raises(Invalid):
        service.withdraw_approval(session, pledge.public_id, " ", actor=hr, now=clock.now())
    with pytest.raises(WrongState):
        service.withdraw_approval(session, waiting.public_id, "Toch niet", actor=hr, now=clock.now())
    service.withdraw_approval(session, pledge.public_id, "De afdeling verhuist.", actor=hr, now=clock.now())
    session.commit()
    assert pledge.end_note == "De afdeling verhuist."
    assert balance(session, pledge) == (600, 0, 600)
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "pledge.taken-back")).one()
    assert "De afdeling verhuist." in mail.body


def test_hr_takes_no_approval_of_their_own_back(session: Session) -> None:
    company = make_company(session)
    hr = make_hr(session, company)
    pledge = make_pledge(session, make_employment(session, company, user=hr))
    with pytest.raises(NotPermitted):
        service.withdraw_approval(session, pledge.public_id, "x", actor=actor(session, hr), now=clock.now())


def test_pledges_expire_the_day_after_their_last(session: Session, held_clock: HeldClock) -> None:
    approved, waiting = make_pledge(session), make_pledge(session, approved=False)
    later = make_pledge(session, until_date=a_day(181))
    held_clock.move(days=180)
    assert service.expire_pledges(session, now=clock.now()) == 0
    held_clock.move(days=1)
    assert service.expire_pledges(session, now=clock.now(), limit=1) == 1
    assert service.expire_pledges(session, now=clock.now()) == 1
    assert service.expire_pledges(session, now=clock.now()) == 0
    session.commit()
    assert {approved.end_reason, waiting.end_reason} == {EndReason.EXPIRED}
    assert later.state == PledgeState.APPROVED
    assert balance(session, approved) == (600, 0, 600)
    transaction = session.scalars(select(LedgerTransaction).order_by(LedgerTransaction.id.desc())).first()
    assert transaction is not None
    assert '"actor":"system"' in transaction.payload.replace(" ", "")


def test_a_leavers_pledges_end(session: Session) -> None:
    pledge = make_pledge(session)
    events.record(
        session,
        EmploymentLeft(
            actor=SYSTEM,
            at=clock.now(),
            subject=pledge.employment.public_id,
            organisation_id=pledge.employment.organisation_id,
            employment_id=pledge.employment_id,
            end_date=clock.today(),
        ),
    )
    session.commit()
    assert pledge.end_reason == EndReason.LEFT
    assert balance(session, pledge) == (600, 0, 600)


def test_nothing_changes_once_the_last_day_has_passed(session: Session, held_clock: HeldClock) -> None:
    pledge = make_pledge(session)
    own = owner(session, pledge)
    held_clock.move(days=200)
    with pytest.raises(Expired):
        service.change_minutes(session, pledge.public_id, 60, actor=own, now=clock.now())
