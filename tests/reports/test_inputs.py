"""What HR enters for reports, and what the figures make of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import MARCH, SCHROEF, Told
from tests.reports.test_figures import report_of
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.actor import SYSTEM
from timebank.errors import Invalid, NotPermitted
from timebank.ledger.closing import close_period
from timebank.organisations.models import EmploymentTerms
from timebank.reports import inputs
from timebank.reports.exports import frozen
from timebank.reports.models import HeadcountMethod, HourlyRate, RateBasis
from timebank.reports.service import Report


def rate(session: Session, told: Told, day: date, cents: int, basis: RateBasis = RateBasis.OWN_COST) -> None:
    inputs.enter_rate(
        session,
        told.company.id,
        basis=basis,
        valid_from=day,
        cents=cents,
        source="wages of 2025",
        actor=SYSTEM,
        now=clock.now(),
    )


def count_so(session: Session, told: Told, **choices: Any) -> None:
    inputs.change_choices(session, told.company.id, inputs.Choices(**choices), actor=SYSTEM, now=clock.now())


@pytest.mark.both
def test_an_hour_is_worth_what_it_cost_on_its_day(session: Session, told: Told) -> None:
    rate(session, told, date(2026, 1, 1), 4000)
    rate(session, told, MARCH, 4200)
    rate(session, told, date(2026, 1, 1), 9900, RateBasis.MARKET_PRICE)
    session.commit()
    # 125 minutes in January at 40 euro, 365 in March at 42.
    value = report_of(session, told).figure("value").value
    assert value == Decimal(125 * 4000 + 365 * 4200) / 6000
    assert [(r.cents, r.basis) for r in report_of(session, told).rates] == [
        (4000, RateBasis.OWN_COST),
        (4200, RateBasis.OWN_COST),
    ]
    count_so(session, told, value_basis=RateBasis.MARKET_PRICE)
    assert report_of(session, told).figure("value").value == Decimal(490 * 9900) / 6000


def test_without_a_rate_for_every_hour_there_is_no_value(session: Session, told: Told) -> None:
    rate(session, told, date(2026, 2, 1), 4200)
    assert report_of(session, told).figure("value").value is None
    march = report_of(session, told, (MARCH, date(2026, 3, 31)))
    assert march.figure("value").value == Decimal(365 * 4200) / 6000


def test_no_rate_is_that_of_a_few_people(session: Session, held_clock: Any) -> None:
    company = factories.make_company(session)
    for _ in range(4):
        factories.make_employment(session, company, with_user=False)
    told = Told(company, factories.make_hr(session, company), {}, None)  # type: ignore[arg-type]
    with force_locale("en"), pytest.raises(Invalid, match="Fewer than 5 people"):
        rate(session, told, MARCH, 4200)
    rate(session, told, MARCH, 4200, RateBasis.PUBLIC_AVERAGE)
    with force_locale("en"), pytest.raises(Invalid, match="already"):
        rate(session, told, MARCH, 4300, RateBasis.PUBLIC_AVERAGE)


def test_management_cost_is_fees_beside_the_value(session: Session, told: Told) -> None:
    assert report_of(session, told).figure("management").value is None
    inputs.enter_fee(
        session,
        told.company.id,
        paid_on=MARCH,
        cents=125_050,
        what="Platform",
        actor=SYSTEM,
        now=clock.now(),
    )
    assert report_of(session, told).figure("management").value == Decimal("1250.50")
    before = report_of(session, told, (date(2025, 1, 1), date(2025, 12, 31)))
    assert before.figure("management").value is None


@pytest.mark.both
def test_people_are_counted_as_the_company_declares(session: Session, told: Told) -> None:
    late = told.people["IT"][4]
    late.start_date = date(2026, 2, 10)
    half = told.people["Production"][0]
    half.terms = [
        *half.terms,
        EmploymentTerms(
            valid_from=date(2026, 3, 1), department="Production", site=half.terms[0].site, fte=Decimal("0.5")
        ),
    ]
    session.commit()
    end = report_of(session, told)
    assert end.figure("participation").denominator == 14
    assert end.figure("participation_fte").numerator == Decimal("3.5")
    assert end.figure("participation_fte").denominator == Decimal("13.5")
    count_so(session, told, headcount_method=HeadcountMethod.MEAN, weekly_minutes=38 * 60)
    mean = report_of(session, told)
    assert mean.headcount_days == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 10)]
    assert mean.figure("participation").denominator == Decimal(13 + 14 + 14) / 3
    fte = Decimal(13 + 14 + Decimal("13.5")) / 3
    assert mean.figure("hours_per_fte").denominator == fte
    # From 1 January until today, 10 March: 69 days.
    assert mean.figure("share_of_time").denominator == 38 * 60 * fte * 69 / 7


def test_fulfilment_counts_pledges_by_their_last_day(session: Session, told: Told) -> None:
    who = factories.make_employment(session, told.company, user=factories.make_user(session))
    pledge = factories.make_pledge(session, who, minutes=600, until_date=clock.today())
    told.books.give(who, pledge.tranches[0].public_id, 150, SCHROEF, clock.today())
    running = report_of(session, told, (MARCH, clock.today())).figure("fulfilment")
    assert running.value is None
    with clock.hold(date(2026, 3, 11)):
        ended = report_of(session, told, (MARCH, date(2026, 3, 31))).figure("fulfilment")
    assert (ended.numerator, ended.denominator) == (150, 600)


def test_targets_show_what_their_year_has_reached(session: Session, told: Told) -> None:
    inputs.set_targets(
        session, told.company.id, 2026, minutes=600, participation=5000, actor=SYSTEM, now=clock.now()
    )
    hours, people = report_of(session, told, (date(2025, 7, 1), date(2026, 3, 31))).targets
    assert (hours.target, hours.reached, hours.progress) == (600, 490, Decimal(490) / 600)
    assert (people.target, people.reached) == (Decimal("0.5"), Decimal(4) / 14)
    inputs.set_targets(
        session, told.company.id, 2026, minutes=None, participation=6000, actor=SYSTEM, now=clock.now()
    )
    assert [t.target for t in report_of(session, told).targets] == [Decimal("0.6")]


def test_figures_stand_beside_those_of_a_year_before(session: Session, told: Told) -> None:
    report = report_of(session, told)
    assert report.figure_before("delivered").numerator == 0
    with clock.hold(date(2026, 12, 31)):
        later: Report = report_of(session, told, (date(2026, 12, 1), date(2026, 12, 31)))
    assert later.figure_before("delivered").numerator == 240
    assert later.months[0].before.delivered == 240


@pytest.mark.both
def test_hours_per_person_stand_under_a_pseudonym_or_the_name_of_who_was_told(
    session: Session, told: Told
) -> None:
    assert report_of(session, told).coaches == []
    count_so(session, told, lists_coaches=True)
    assert all(row.name.startswith("E-") for row in report_of(session, told).coaches)
    assert [row.minutes for row in report_of(session, told).coaches] == [185, 180, 65, 60]
    user = factories.make_user(session, name="Robin Peeters")
    robin = factories.make_employment(session, told.company, user=user)
    pledge = factories.make_pledge(session, robin)
    told.books.give(robin, pledge.tranches[0].public_id, 30, SCHROEF, MARCH)
    policy = told.company.policy
    assert policy is not None
    policy.hours_by_name_since = date_after(pledge.notice_at)
    session.commit()
    assert all(row.name.startswith("E-") for row in report_of(session, told).coaches)
    policy.hours_by_name_since = pledge.notice_at
    session.commit()
    assert report_of(session, told).coaches[-1].name == "Robin Peeters"
    assert sum(row.name.startswith("E-") for row in report_of(session, told).coaches) == 4


def date_after(moment: Any) -> Any:
    from datetime import timedelta

    return moment + timedelta(seconds=1)


# --- the page ------------------------------------------------------------------------------------------------------

PAGE = "/hr/report/settings"


def test_hr_enters_rates_fees_targets_and_choices(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    client = client_as(told.hr)
    for form in (
        {
            "what": "rate",
            "amount": "52,40",
            "valid_from": "01/01/2026",
            "basis": "own_cost",
            "source": "Wages",
        },
        {"what": "fee", "fee_amount": "€ 1.250", "paid_on": "2026-02-01", "what_for": "Platform"},
        {"what": "targets", "year": "2026", "hours": "500", "participation": "25"},
        {
            "what": "choices",
            "headcount_method": "mean",
            "weekly_minutes": "38",
            "value_basis": "own_cost",
            "smallest_group": "6",
        },
    ):
        answer = client.post_form(PAGE, form)
        assert answer.status_code == 303, answer.text
    page = client.get(PAGE).get_data(as_text=True)
    for words in ("€52.40", "€1,250.00", "500 h", "25%", 'value="500"', 'value="25"'):
        assert words in page
    actions = set(session.scalars(select(AuditEntry.action)))
    assert {
        "hourly_rate_entered",
        "programme_fee_entered",
        "report_targets_set",
        "report_choices_changed",
    } <= actions
    held = session.scalars(select(HourlyRate)).one()
    assert client.post_form(f"{PAGE}/rates/{held.public_id}/remove", {}).status_code == 303
    assert session.scalars(select(HourlyRate)).all() == []
    text = client.get("/hr/report?from=2026-01-01&until=2026-03-31").get_data(as_text=True)
    assert "Other departments (fewer than 6 people)" in text
    assert "the mean of 3 month ends" in text
    assert "1.6%" in text  # of 500 hours


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"what": "rate", "amount": "much", "valid_from": "2026-01-01", "source": "x"}, "Write an amount as"),
        ({"what": "rate", "amount": "0", "valid_from": "2026-01-01", "source": "x"}, "Give from € 0.01"),
        ({"what": "choices", "smallest_group": "4"}, "from 5 to 100"),
        ({"what": "targets", "year": "1", "hours": "5"}, "from 2000 to 2100"),
        ({"what": "fee", "fee_amount": "-3", "paid_on": "x", "what_for": "\x07"}, "Write an amount as"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    told: Told, client_as: Callable[..., Any], form: dict[str, str], words: str
) -> None:
    answer = client_as(told.hr).post_form(PAGE, form)
    assert answer.status_code == 422
    assert words in answer.text


def test_an_auditor_looks_and_enters_nothing(session: Session, told: Told) -> None:
    from timebank.auth.models import Role

    user = factories.grant(
        session, factories.make_user(session), Role.AUDITOR, organisation_id=told.company.id
    )
    with pytest.raises(NotPermitted):
        inputs.set_targets(
            session,
            told.company.id,
            2026,
            minutes=60,
            participation=None,
            actor=factories.actor(session, user),
            now=clock.now(),
        )


def test_the_report_of_a_closed_period_stays_as_it_was(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    close_period(session, told.company.id, year=2026, month=1, closed_by_id=None, now=clock.now())
    frozen.freeze_closed(session, now=clock.now())
    rate(session, told, date(2026, 1, 1), 4000)
    session.commit()
    client = client_as(told.hr)

    def value(until: str) -> Any:
        content = client.get(f"/hr/report.json?from=2026-01-01&until={until}").get_json()
        assert content["state"] == ("closed" if until == "2026-01-31" else "partly")
        return next(f["value"] for f in content["key_figures"] if f["figure"] == "value")

    assert value("2026-01-31") is None
    assert value("2026-02-28") == pytest.approx(125 * 40 / 60, abs=1e-6)
