"""Offering hours: what is accepted, what is refused, and that nothing is left behind then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    a_day,
    actor,
    make_company,
    make_employment,
    make_hr,
    make_pledge,
    make_user,
    pledge_input,
    skill_id,
)
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.models import User
from timebank.errors import Invalid, NotFound, NotPermitted, WrongState
from timebank.ledger import service as ledger
from timebank.ledger.models import LedgerTransaction
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Approval, Employment
from timebank.pledges import queries, service
from timebank.pledges.models import Pledge, PledgeState
from timebank.taxonomy import queries as taxonomy


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


def offer(session: Session, employment: Employment, **over: Any) -> Pledge:
    user = session.get_one(User, employment.user_id)
    return service.submit_pledge(
        session,
        employment.id,
        pledge_input(session, **over),
        actor=actor(session, user),
        now=clock.now(),
    )


def count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_pledge_waits_for_approval_and_nothing_is_booked(session: Session) -> None:
    pledge = offer(session, make_employment(session))
    session.commit()
    assert pledge.state == PledgeState.SUBMITTED
    assert pledge.minutes == 600
    assert pledge.notice_at == clock.now()
    assert count(session, LedgerTransaction) == 0
    assert session.scalars(select(AuditEntry.action)).all() == ["pledge_submitted"]


def test_where_the_policy_approves_by_itself_the_hours_are_granted_at_once(session: Session) -> None:
    company = make_company(session, approval=Approval.AUTO)
    pledge = offer(session, make_employment(session, company))
    session.commit()
    assert pledge.state == PledgeState.APPROVED
    assert pledge.approved_by_id is None
    balance = ledger.balances(session, tranches=[pledge.tranches[0].public_id])[pledge.tranches[0].public_id]
    assert (balance.granted, balance.available) == (600, 600)
    assert [m.kind for m in session.scalars(select(OutboxMessage))] == ["pledge.approved"]


def test_a_monthly_pledge_grants_each_month(session: Session) -> None:
    company = make_company(session, approval=Approval.AUTO)
    pledge = offer(
        session, make_employment(session, company), minutes=120, monthly=True, until_date=a_day(60)
    )
    assert [t.minutes for t in pledge.tranches] == [120, 120, 120]
    assert pledge.minutes == 360
    balances = ledger.balances(session, tranches=[t.public_id for t in pledge.tranches])
    assert [balances[t.public_id].available for t in pledge.tranches] == [120, 120, 120]


def test_the_same_offer_again_gives_back_the_first(session: Session) -> None:
    employment = make_employment(session)
    first = offer(session, employment)
    again = offer(session, employment)
    session.commit()
    assert again is first
    assert count(session, Pledge) == 1
    assert count(session, AuditEntry) == 1


def test_a_second_pledge_in_the_same_days_is_refused(session: Session) -> None:
    employment = make_employment(session)
    offer(session, employment)
    with pytest.raises(Invalid) as refusal:
        offer(session, employment, from_date=a_day(180), until_date=a_day(200))
    assert set(refusal.value.fields) == {"from_date"}
    after = offer(session, employment, from_date=a_day(181), until_date=a_day(200))
    assert after.state == PledgeState.SUBMITTED


def test_the_cap_counts_live_pledges_of_the_year_in_which_they_begin(session: Session) -> None:
    company = make_company(session, minutes_per_year=1000)
    employment = make_employment(session, company)
    offer(session, employment, minutes=600, until_date=a_day(10))
    with pytest.raises(Invalid) as refusal:
        offer(session, employment, minutes=401, from_date=a_day(11), until_date=a_day(20))
    assert "hours" in refusal.value.fields
    offer(session, employment, minutes=400, from_date=a_day(11), until_date=a_day(20))
    offer(session, employment, minutes=1000, from_date=a_day(300), until_date=a_day(320))  # in 2027
    assert queries.budget_left(session, employment, 2026) == 0
    assert queries.budget_left(session, employment, 2027) == 0


def test_what_lapsed_may_be_pledged_again(session: Session) -> None:
    company = make_company(session, minutes_per_year=600, approval=Approval.AUTO)
    employment = make_employment(session, company)
    first = offer(session, employment)
    user = session.get_one(User, employment.user_id)
    service.withdraw_pledge(session, first.public_id, actor=actor(session, user), now=clock.now())
    second = offer(session, employment)
    assert second is not first
    assert second.minutes == 600


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"minutes": -60}, "hours"),
        ({"minutes": 0}, "hours"),
        ({"minutes": 10**9}, "hours"),
        ({"minutes": 50_000, "monthly": True}, "hours"),
        ({"until_date": "before"}, "until_date"),
        ({"until_date": "passed", "from_date": "january"}, "until_date"),
        ({"until_date": "far"}, "until_date"),
        ({"from_date": "last year"}, "from_date"),
        ({"skills": []}, "skills"),
        ({"skills": [(999_999, 2)]}, "skills"),
        ({"skills": "twice"}, "skills"),
        ({"skills": "level 4"}, "skills"),
        ({"language_bits": 0}, "languages"),
        ({"week_bits": 0}, "week"),
        ({"radius_km": -1}, "radius_km"),
        ({"radius_km": 301}, "radius_km"),
        ({"postcode": "9999"}, "postcode"),
        ({"wanted_cause_ids": [999_999]}, "excluded"),
        ({"wanted_cause_ids": [1], "excluded_cause_ids": [1]}, "excluded"),
    ],
)
def test_bad_answers_are_refused_at_their_field(session: Session, over: dict[str, Any], field: str) -> None:
    employment = make_employment(session)
    skill = skill_id(session, "bookkeeping")
    words: dict[Any, Any] = {
        "before": a_day(-1),
        "passed": a_day(-2),
        "january": clock.today().replace(month=1, day=1),
        "far": a_day(4 * 366),
        "last year": clock.today().replace(year=2025),
        "twice": [(skill, 1), (skill, 2)],
        "level 4": [(skill, 4)],
    }
    values = {k: words.get(v, v) if isinstance(v, str) and v in words else v for k, v in over.items()}
    with pytest.raises(Invalid) as refusal:
        offer(session, employment, **values)
    assert field in refusal.value.fields
    assert count(session, Pledge) == 0


def test_a_policy_may_leave_out_departments_and_newcomers(session: Session) -> None:
    company = make_company(session)
    assert company.policy
    company.policy.eligible_departments = ["IT"]
    with pytest.raises(Invalid):
        offer(session, make_employment(session, company, department="Productie"))
    company.policy.eligible_departments = []
    company.policy.min_months = 6
    with pytest.raises(Invalid):
        offer(session, make_employment(session, company, start_date=a_day(-60)))
    assert offer(session, make_employment(session, company, start_date=a_day(-400)))


def test_nobody_pledges_for_somebody_else(session: Session) -> None:
    company = make_company(session)
    employment = make_employment(session, company)
    colleague = make_employment(session, company)
    stranger = make_user(session)
    for user_id in (colleague.user_id, stranger.id):
        who = actor(session, session.get_one(User, user_id))
        with pytest.raises((NotFound, NotPermitted)):
            service.submit_pledge(session, employment.id, pledge_input(session), actor=who, now=clock.now())


def test_who_left_pledges_nothing_more(session: Session) -> None:
    employment = make_employment(session)
    employment.state, employment.end_date = "left", clock.today()
    with pytest.raises(WrongState):
        offer(session, employment)


def test_hr_hears_that_a_pledge_waits_in_their_own_language(session: Session) -> None:
    company = make_company(session)
    hr = make_hr(session, company, language="fr")
    offer(session, make_employment(session, company))
    session.commit()
    (mail,) = session.scalars(select(OutboxMessage))
    assert (mail.kind, mail.user_id, mail.language) == ("pledge.waits", hr.id, "fr")
    assert "/hr/approvals" in mail.body


def test_causes_are_kept_and_never_mailed(session: Session) -> None:
    company = make_company(session)
    make_hr(session, company, language="en")
    cause = taxonomy.causes(session)[0]
    pledge = offer(session, make_employment(session, company), wanted_cause_ids=[cause.id])
    session.commit()
    assert [(c.cause_id, c.excluded) for c in pledge.causes] == [(cause.id, False)]
    assert cause.name_en not in session.scalars(select(OutboxMessage.body)).one()


def test_an_offer_is_counted_with_care_at_its_edges(session: Session) -> None:
    base = pledge_input(session)
    employment = make_employment(session)
    exact = replace(base, minutes=60_000, until_date=base.from_date + timedelta(days=3 * 366 - 1))
    pledge = service.submit_pledge(
        session,
        employment.id,
        exact,
        actor=actor(session, session.get_one(User, employment.user_id)),
        now=clock.now(),
    )
    assert pledge.minutes == 60_000
    assert make_pledge(session, minutes=30).minutes == 30
