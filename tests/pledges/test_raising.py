"""HR grants more hours to an approved pledge: shown first, booked once confirmed, and told to the employee."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import make_company, make_employment, make_hr, make_pledge
from tests.support.client import TimebankClient
from timebank.audit.models import AuditEntry
from timebank.auth.models import User
from timebank.ledger import service as ledger
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Organisation
from timebank.pledges.models import Pledge

ClientAs = Callable[[User], TimebankClient]


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


@pytest.fixture
def company(session: Session) -> Organisation:
    return make_company(session, minutes_per_year=1200)


@pytest.fixture
def hr(session: Session, company: Organisation, client_as: ClientAs) -> TimebankClient:
    return client_as(make_hr(session, company))


def url(pledge: Pledge) -> str:
    return f"/hr/approvals/{pledge.public_id}/hours"


def available(session: Session, pledge: Pledge) -> int:
    session.expire_all()
    balances = ledger.balances(session, tranches=[t.public_id for t in pledge.tranches])
    minutes = sum(b.available for b in balances.values())
    session.commit()
    return minutes


def mails(session: Session) -> list[OutboxMessage]:
    kind = OutboxMessage.kind == "pledge.changed"
    return list(session.scalars(select(OutboxMessage).where(kind)))


@pytest.mark.both
def test_hr_sees_what_it_comes_to_confirms_and_the_employee_hears_it(
    session: Session, company: Organisation, hr: TimebankClient
) -> None:
    pledge = make_pledge(session, make_employment(session, company))
    session.commit()
    assert url(pledge) in hr.get("/hr/approvals?state=approved").text
    assert "20 uur" in hr.get(url(pledge)).text  # what the company's limit allows
    asked = hr.post_form(url(pledge), {"hours": "15", "seen": "600"})
    assert asked.status_code == 200
    assert "15 uur in plaats van 10 uur" in asked.text
    assert available(session, pledge) == 600
    for _click in range(2):
        sure = {"hours": "15", "seen": "600", "sure": "y"}
        assert hr.post_form(url(pledge), sure).status_code == 303
    assert available(session, pledge) == 900
    [mail] = mails(session)
    assert mail.email == pledge.employment.email
    assert "15 uur in plaats van 10" in mail.body
    [line] = session.scalars(select(AuditEntry).where(AuditEntry.action == "pledge_changed"))
    assert (line.detail["minutes_before"], line.detail["minutes"]) == (600, 900)


def test_each_month_that_is_not_over_gets_them(
    session: Session, company: Organisation, hr: TimebankClient
) -> None:
    pledge = make_pledge(session, make_employment(session, company), minutes=60, monthly=True)
    months = len(pledge.tranches)
    session.commit()
    hr.post_form(url(pledge), {"hours": "1,5", "seen": str(60 * months), "sure": "y"})
    assert available(session, pledge) == 90 * months


@pytest.mark.parametrize(
    ("typed", "said"),
    [("20:30", "20 uur"), ("10", "Geef meer uren"), ("-5", "2,5"), ("100000", "2,5")],
)
@pytest.mark.parametrize("sure", [{}, {"sure": "y"}])
def test_what_cannot_be_is_said_beside_the_field(
    session: Session, company: Organisation, hr: TimebankClient, typed: str, said: str, sure: dict[str, str]
) -> None:
    pledge = make_pledge(session, make_employment(session, company))
    session.commit()
    answer = hr.post_form(url(pledge), {"hours": typed, "seen": "600", **sure})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="hours-error"' in answer.text
    assert f'value="{typed}"' in answer.text
    assert available(session, pledge) == 600


def test_a_pledge_that_changed_meanwhile_is_looked_at_again(
    session: Session, company: Organisation, hr: TimebankClient
) -> None:
    pledge = make_pledge(session, make_employment(session, company), minutes=540)
    session.commit()
    answer = hr.post_form(url(pledge), {"hours": "15", "seen": "600", "sure": "y"})
    assert answer.status_code == 409
    assert available(session, pledge) == 540


def test_only_hr_of_the_company_and_never_for_oneself(
    session: Session, company: Organisation, client_as: ClientAs
) -> None:
    own_hr = make_hr(session, company)
    own = make_pledge(session, make_employment(session, company, user=own_hr))
    other = make_pledge(session, make_employment(session, company))
    stranger = make_hr(session, make_company(session))
    employee = session.get_one(User, other.employment.user_id)
    session.commit()
    sure = {"hours": "15", "seen": "600", "sure": "y"}
    for who, pledge, status in ((own_hr, own, 403), (stranger, other, 404), (employee, other, 404)):
        client = client_as(who)
        assert client.get(url(pledge)).status_code == status
        assert client.post_form(url(pledge), sure).status_code == status
        assert available(session, pledge) == 600
    assert url(own) not in client_as(own_hr).get("/hr/approvals?state=approved").text


def test_one_that_waits_is_not_raised(session: Session, company: Organisation, hr: TimebankClient) -> None:
    pledge = make_pledge(session, make_employment(session, company), approved=False)
    session.commit()
    assert 'name="hours"' not in hr.get(url(pledge)).text
    assert hr.post_form(url(pledge), {"hours": "15", "seen": "600", "sure": "y"}).status_code == 409
