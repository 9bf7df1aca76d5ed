"""HR closes periods: what still stands in them, who may, and where the hours of late answers and corrections go."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.books.conftest import FEBRUARY, confirm, log
from tests.matches.arrange import Story, mails_to
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.models import Role
from timebank.books import periods, service
from timebank.errors import Conflict, NotFound, NotPermitted
from timebank.ledger import queries as ledger
from timebank.ledger import service as ledger_service
from timebank.matches import service as matches


def close(told: Story, **over: Any) -> None:
    values = {"year": 2026, "month": 2, "actor": told.act_as(told.hr), "now": clock.now(), **over}
    service.close_period(told.session, told.employment.organisation_id, **values)
    told.session.commit()


def february(told: Story) -> periods.Period:
    asked = periods.period_called("2026-02")
    assert asked is not None
    return periods.period(told.session, told.employment.organisation_id, asked)


def test_hours_that_are_confirmed_or_corrected_after_the_closing_are_restatements(told: Story) -> None:
    given, late = log(told), log(told, 60, key="b")
    confirm(told, given)
    assert (february(told).confirmed, february(told).waiting, february(told).waiting_entries) == (120, 60, 1)
    close(told)
    confirm(told, late)
    right = matches.correct_hours(
        told.session,
        given.public_id,
        minutes=90,
        reason="A typing mistake",
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    confirm(told, right)
    assert (february(told).confirmed, february(told).restated, february(told).waiting) == (120, 30, 0)
    march = (date(2026, 3, 1), date(2026, 3, 31))
    told_of = ledger.restatements(told.session, told.employment.organisation_id, *march)
    assert [(r.restates, r.minutes, r.reason) for r in told_of] == [
        (FEBRUARY, 60, None),
        (FEBRUARY, -120, "correction"),
        (FEBRUARY, 90, None),
    ]


def test_work_on_both_sides_of_a_border_counts_on_its_own_day(told: Story) -> None:
    """No session crosses midnight, so an evening and the morning after are two entries."""
    evening = log(told, 60, on=date(2026, 2, 28))
    morning = log(told, 90, on=date(2026, 3, 1), key="b")
    for entry in (evening, morning):
        confirm(told, entry)
    close(told)
    assert february(told).confirmed == 60


def test_a_closing_leaves_an_audit_line_and_tells_all_of_hr_the_head(told: Story) -> None:
    colleague = make.make_hr(told.session, told.employment.organisation, language="fr")
    confirm(told, log(told))
    close(told)
    [period] = ledger.closed_periods(told.session, told.employment.organisation_id)
    [line] = told.session.scalars(select(AuditEntry).where(AuditEntry.action == "period_closed"))
    assert (line.subject, line.actor_user_id) == (period.public_id, told.hr.id)
    assert line.detail["head"] == period.head.hex()
    for person in (told.hr, colleague):
        mail = mails_to(told.session, person.email)[-1]
        assert period.head.hex() in mail.body
    assert mail.subject.startswith("Clôturé")


def test_only_hr_of_the_company_closes(told: Story) -> None:
    auditor = make.make_user(told.session)
    make.grant(told.session, auditor, Role.AUDITOR, organisation_id=told.employment.organisation_id)
    stranger = make.make_hr(told.session, make.make_company(told.session, name="Ander Bedrijf"))
    for person, refusal in ((auditor, NotPermitted), (told.coach, NotPermitted), (stranger, NotFound)):
        with pytest.raises(refusal):
            close(told, actor=told.act_as(person))
    close(told)
    with pytest.raises(Conflict):
        close(told)


def test_hr_closes_a_month_on_its_page(told: Story, client_as: Callable[..., Any]) -> None:
    log(told)
    hr = client_as(told.hr)
    assert "/hr/ledger/periods/2026-02" in hr.get("/hr/ledger/periods").text
    page = hr.get("/hr/ledger/periods/2026-02").text
    assert "periods/2026-02/close" in page and "2 uur" in page
    answer = hr.post_form("/hr/ledger/periods/2026-02/close", follow_redirects=True)
    assert "is afgesloten" in answer.text
    assert "al afgesloten" in hr.post_form("/hr/ledger/periods/2026-02/close", follow_redirects=True).text
    assert "periods/2026-02/close" not in hr.get("/hr/ledger/periods/2026-02").text
    assert "nog niet voorbij" in hr.post_form("/hr/ledger/periods/2026-03/close", follow_redirects=True).text


@pytest.mark.parametrize("name", ["2026-13", "26-02", "2026-2", "nonsense", "0000", "2026-02-01"])
def test_a_period_that_is_none_is_not_found(told: Story, client_as: Callable[..., Any], name: str) -> None:
    hr = client_as(told.hr)
    assert hr.get(f"/hr/ledger/periods/{name}").status_code == 404
    assert hr.post_form(f"/hr/ledger/periods/{name}/close").status_code == 404


def test_the_list_has_months_and_ended_years_newest_first(told: Story, held_clock: Any) -> None:
    held_clock.move(days=400)
    names = [p.name for p in periods.periods(told.session, told.employment.organisation_id, clock.today())]
    assert names[0] == f"{clock.today():%Y-%m}"
    assert names[names.index("2026") + 1] == "2026-12"
    assert names[-1] >= f"{FEBRUARY - timedelta(days=31):%Y-%m}"


def test_a_book_that_begins_in_the_future_has_no_periods_yet(
    session: Session, client_as: Callable[..., Any]
) -> None:
    """A pledge counts from its first day, which may lie months ahead."""
    company = make.make_company(session)
    hr = make.make_hr(session, company)
    ledger_service.grant(
        session,
        tranche=uuid.uuid4(),
        minutes=60,
        organisation_id=company.id,
        activity_date=clock.today() + timedelta(days=200),
        facts=ledger_service.Facts(employee="p"),
        actor_label="system",
        now=clock.now(),
        key="ahead",
    )
    assert client_as(hr).get("/hr/ledger/periods").status_code == 200


@pytest.mark.parametrize("name", ["9999", "9999-12", "0001"])
def test_a_year_far_from_ours_is_no_period(told: Story, client_as: Callable[..., Any], name: str) -> None:
    assert client_as(told.hr).get(f"/hr/ledger/periods/{name}").status_code == 404
