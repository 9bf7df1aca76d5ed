"""Each figure of a report, counted again from the ledger's raw lines."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import JANUARY, MARCH, SCHROEF, Told
from timebank import clock
from timebank.auth.actor import SYSTEM
from timebank.auth.models import Role
from timebank.errors import Invalid, NotFound, NotPermitted
from timebank.ledger.closing import close_period
from timebank.ledger.models import LedgerAccount, LedgerLine, LedgerTransaction
from timebank.organisations.models import EmploymentTerms
from timebank.reports import inputs
from timebank.reports.departments import rows as rows_of
from timebank.reports.departments import small, small_beside
from timebank.reports.models import RateBasis
from timebank.reports.queries import Scope
from timebank.reports.rows import Closing
from timebank.reports.service import Report, build_report, closing_of

Q1 = (date(2026, 1, 1), date(2026, 3, 31))


def report_of(session: Session, told: Told, period: tuple[date, date] = Q1, actor: Any = SYSTEM) -> Report:
    return build_report(session, told.company.id, *period, actor=actor, now=clock.now())


def from_raw_lines(session: Session, period: tuple[date, date]) -> dict[str, Any]:
    """All figures from lines, account names and payloads alone: no fact is read."""
    rows = session.execute(
        select(
            LedgerTransaction.activity_date, LedgerTransaction.payload, LedgerAccount.name, LedgerLine.minutes
        )
        .join(LedgerLine, LedgerLine.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
    ).all()
    figures: dict[str, Any] = defaultdict(int)
    people: dict[str, int] = defaultdict(int)
    for day, payload, account, minutes in rows:
        if not period[0] <= day <= period[1]:
            continue
        facts = json.loads(payload)["facts"]
        if account.startswith("company:granted"):
            figures["pledged"] -= minutes
            figures["pledged", day.replace(day=1)] -= minutes
        elif account.endswith(":lapsed"):
            figures["lapsed"] += minutes
        elif ":received:" in account:
            figures["delivered"] += minutes
            figures["reserved"] += minutes
            for key in ("initiative", "cause", "sdg", "department"):
                figures["delivered", key, facts[key]] += minutes
            figures["delivered", day.replace(day=1)] += minutes
            people[facts["employee"]] += minutes
        elif ":reserved:" in account:
            figures["reserved"] += minutes
        elif account.endswith((":travel", ":preparation", ":management")):
            figures["around"] += minutes
    figures["people"] = sum(m > 0 for m in people.values())
    return figures


@pytest.mark.both
def test_each_figure_is_that_of_the_raw_lines(session: Session, told: Told) -> None:
    report = report_of(session, told)
    raw = from_raw_lines(session, Q1)
    for key in ("pledged", "delivered", "reserved", "lapsed", "around"):
        assert report.figure(key).numerator == raw[key], key
    assert report.figure("participation").numerator == raw["people"]
    for row in report.months:
        assert row.totals.delivered == raw["delivered", row.month]
        assert row.totals.pledged == raw["pledged", row.month]
    assert [m.month for m in report.months] == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    for initiative in report.initiatives:
        assert initiative.minutes == raw["delivered", "initiative", str(initiative.public_id)]
    for cause in report.causes:
        assert cause.minutes == raw["delivered", "cause", cause.code]
    for goal in report.goals:
        assert goal.minutes == raw["delivered", "sdg", goal.code]
    for department in report.departments:
        if not department.merged:
            assert department.totals.delivered == raw["delivered", "department", department.name]
    for rows in (report.months, report.departments):
        assert sum(r.totals.delivered for r in rows) == raw["delivered"]
        assert sum(r.totals.pledged for r in rows) == raw["pledged"]
    for parts in (report.initiatives, report.causes, report.goals):
        assert sum(p.minutes for p in parts) == raw["delivered"]


def test_the_figures_are_those_counted_by_hand(session: Session, told: Told) -> None:
    report = report_of(session, told)
    assert {f.indicator.key: (f.numerator, f.denominator) for f in report.figures} == {
        "delivered": (490, None),
        "pledged": (2400, None),
        "reserved": (700, None),
        "lapsed": (300, None),
        "fulfilment": (0, 0),
        "participation": (4, 14),
        "participation_hour": (4, 14),
        "participation_fte": (4, 14),
        "hours_per_participant": (490, 4),
        "hours_per_employee": (490, 14),
        "hours_per_fte": (490, 14),
        "share_of_time": (490, None),
        "initiatives": (2, None),
        "sites": (0, None),
        "around": (45, None),
        "value": (None, None),
        "management": (None, None),
    }
    assert report.figure("share_of_time").value is None
    assert report.figure("delivered").value == Decimal(490) / 60
    assert report.figure("participation").value == Decimal(4) / 14
    assert [(i.name[:10], i.minutes) for i in report.initiatives] == [
        ("Repaircafé", 370),
        ("=cmd|' /C ", 120),
    ]


def test_what_is_logged_and_not_confirmed_stands_beside_and_in_no_figure(
    session: Session, told: Told
) -> None:
    before = report_of(session, told)
    match = factories.make_match(
        session,
        factories.make_pledge(
            session, factories.make_employment(session, told.company, user=factories.make_user(session))
        ),
    )
    from timebank.matches.models import HourEntry

    session.add(
        HourEntry(
            match_id=match.id,
            activity_date=MARCH,
            minutes=90,
            idempotency_key="one",
            logged_at=clock.now(),
        )
    )
    session.commit()
    after = report_of(session, told)
    assert (before.unconfirmed.numerator, after.unconfirmed.numerator) == (0, 90)
    assert after.figure("delivered") == before.figure("delivered")
    assert after.figure("participation").numerator == before.figure("participation").numerator


def test_a_person_whose_hours_were_all_taken_back_did_not_take_part(session: Session, told: Told) -> None:
    who = told.people["IT"][1]
    tranche = told.books.pledge(who, 60)
    told.books.correct(told.books.give(who, tranche, 60, SCHROEF, MARCH), MARCH)
    assert report_of(session, told).figure("participation").numerator == 4


def test_a_leaver_counts_among_participants_and_not_in_the_headcount(session: Session, told: Told) -> None:
    who = told.people["Production"][0]
    who.state, who.end_date = "left", date(2026, 3, 5)
    session.flush()
    share = report_of(session, told).figure("participation")
    assert (share.numerator, share.denominator) == (4, 13)


def test_headcount_is_that_of_the_last_day_or_of_today(session: Session, told: Told) -> None:
    assert report_of(session, told).headcount_day == clock.today()
    february = report_of(session, told, (date(2026, 2, 1), date(2026, 2, 28)))
    assert february.headcount_day == date(2026, 2, 28)
    assert february.figure("delivered").numerator == 0
    assert february.figure("hours_per_participant").value is None


def test_a_company_without_people_or_hours_has_an_empty_report(session: Session, held_clock: Any) -> None:
    company = factories.make_company(session)
    report = build_report(session, company.id, *Q1, actor=SYSTEM, now=clock.now())
    assert report.is_empty
    assert report.figure("participation").value is None
    assert report.departments == []
    assert report.head == "0" * 64


def test_hours_belong_to_the_department_of_their_day(session: Session, told: Told) -> None:
    who = told.people["Production"][0]
    who.terms = [
        *who.terms,
        EmploymentTerms(valid_from=MARCH, department="IT", site=who.terms[0].site, fte=Decimal(1)),
    ]
    factories.make_employment(session, told.company, with_user=False, department="Production")
    factories.make_employment(session, told.company, with_user=False, department="Board")
    factories.make_employment(session, told.company, with_user=False, department="Board")
    tranche = told.books.pledge(who, 600)
    told.books.give(who, tranche, 10, SCHROEF, date(2026, 3, 1))
    told.books.give(who, tranche, 20, SCHROEF, MARCH)
    rows = {r.name: r for r in report_of(session, told, (date(2026, 3, 1), date(2026, 3, 31))).departments}
    # On 1 March still Production, where 240 minutes are already, and IT from the next day on, with 65.
    assert rows["Production"].totals.delivered == 60 + 180 + 10
    assert rows["IT"].totals.delivered == 65 + 20
    assert rows["IT"].headcount == 6


def test_a_period_is_closed_when_all_of_its_days_are() -> None:
    scope = Scope(1, date(2026, 1, 1), date(2026, 3, 31))
    quarters = [(date(2025, 10, 1), date(2025, 12, 31)), (date(2026, 4, 1), date(2026, 6, 30))]
    months = [(date(2026, m, 1), date(2026, m, days)) for m, days in ((1, 31), (2, 28), (3, 31))]
    assert closing_of(quarters, scope) == Closing.OPEN
    assert closing_of(months[:2], scope) == Closing.PARTLY
    assert closing_of(months, scope) == Closing.CLOSED
    assert closing_of([(date(2026, 1, 1), date(2026, 12, 31))], scope) == Closing.CLOSED


@pytest.mark.both
def test_what_comes_after_a_closing_is_told_as_a_restatement_and_leaves_the_closed_report_alone(
    session: Session, told: Told
) -> None:
    who = told.people["IT"][2]
    key = told.books.give(who, told.books.pledge(who, 600), 120, SCHROEF, JANUARY)
    for day, cents in ((date(2026, 1, 1), 4000), (MARCH, 5000)):
        inputs.enter_rate(
            session,
            told.company.id,
            basis=RateBasis.OWN_COST,
            valid_from=day,
            cents=cents,
            source="wages",
            actor=SYSTEM,
            now=clock.now(),
        )
    january, march = (date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 3, 1), date(2026, 3, 31))
    before = report_of(session, told, march)
    close_period(session, told.company.id, year=2026, month=1, closed_by_id=None, now=clock.now())
    told.books.correct(key, JANUARY)
    closed, after = report_of(session, told, january), report_of(session, told, march)
    assert (closed.closing, report_of(session, told).closing, after.closing) == ("closed", "partly", "open")
    assert closed.figure("delivered").numerator == 125 + 120
    assert after.figure("delivered").numerator == 365 - 120
    assert [(r.minutes, r.activity_date, r.booked_on, r.reason) for r in after.restatements] == [
        (-120, JANUARY, clock.today(), "correction")
    ]
    assert after.restatements[0].reverses is not None
    assert (closed.restatements, before.restatements) == ([], [])
    # Taken back at the rate of January, at which it counted there.
    assert after.figure("value").value == Decimal(365 * 5000 - 120 * 4000) / 6000


# --- small groups ---------------------------------------------------------------------------------------------------


def test_departments_of_fewer_than_five_people_stand_together(session: Session, told: Told) -> None:
    rows = report_of(session, told).departments
    # Legal and the board are three people together: IT, the next smallest, joins them.
    assert [(r.merged, r.headcount, r.participants, r.totals.delivered) for r in rows] == [
        (False, 6, 2, 365),
        (True, 8, 2, 125),
    ]
    assert not any(name in row.name for row in rows for name in ("IT", "Legal", "Board"))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"A": 10, "B": 8}, []),
        ({"A": 10, "B": 8, "C": 3, "D": 2}, ["C", "D"]),
        ({"A": 10, "B": 8, "C": 3}, ["B", "C"]),  # one alone would be the total less the others
        ({"A": 10, "B": 8, "C": 2, "D": 1}, ["B", "C", "D"]),
        ({"A": 10, "C": 3}, ["A", "C"]),
        ({"A": 3}, ["A"]),
        ({"A": 9, None: 4, "B": 1}, ["B", None]),
        ({"A": 10, "B": 8, "Old": 0}, ["B", "Old"]),  # nobody is in it any more
        ({}, []),
    ],
)
def test_no_row_and_no_rest_tells_of_fewer_than_five(sizes: Any, expected: Any) -> None:
    together = small(sizes)
    assert sorted(together, key=str) == sorted(expected, key=str)
    if sum(sizes.values()) >= 5 and together:
        assert sum(sizes[name] for name in together) >= 5
    assert [
        m for group in rows_of(list(sizes), together) for m in group.members if m not in together
    ] == sorted(set(sizes) - together)


def test_a_site_that_is_a_department_and_two_more_stands_with_the_others() -> None:
    # Ghent is IT and two of Production: Ghent less IT would be those two.
    cells = {("IT", "Gent"): 6, ("Prod", "Gent"): 2, ("Prod", "Brugge"): 9, ("Prod", "Leuven"): 7}
    assert small_beside(cells, [{"IT"}, {"Prod"}]) == {"Gent", "Leuven"}
    far = {("IT", "Gent"): 6, ("Prod", "Gent"): 5, ("Prod", "Brugge"): 9, ("Prod", "Leuven"): 7}
    assert small_beside(far, [{"IT"}, {"Prod"}]) == set()


# --- who may --------------------------------------------------------------------------------------------------------


def test_hr_and_auditor_of_the_company_see_its_report_and_nobody_else(session: Session, told: Told) -> None:
    def actor_with(role: Role | None, company: Any = None) -> Any:
        user = factories.make_user(session)
        if role is not None:
            factories.grant(session, user, role, organisation_id=company.id if company else None)
        return factories.actor(session, user)

    other = factories.make_company(session, name="Other")
    for role in (Role.HR, Role.AUDITOR):
        assert report_of(session, told, actor=actor_with(role, told.company)).company == "Delta Staal"
        with pytest.raises(NotFound):
            report_of(session, told, actor=actor_with(role, other))
    for role in (Role.EMPLOYEE, Role.MANAGER):
        with pytest.raises(NotPermitted):
            report_of(session, told, actor=actor_with(role, told.company))
    for stranger in (actor_with(Role.OPERATOR), actor_with(None)):
        with pytest.raises(NotFound):
            report_of(session, told, actor=stranger)


@pytest.mark.parametrize(
    "period",
    [(date(2026, 3, 31), date(2026, 1, 1)), (date(2010, 1, 1), date(2026, 1, 1))],
    ids=["turned round", "too long"],
)
def test_a_period_that_is_none_is_refused_beside_its_field(session: Session, told: Told, period: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        report_of(session, told, period)
    assert set(refusal.value.fields) == {"until_date"}


def test_a_host_has_no_company_report(session: Session, held_clock: Any) -> None:
    host = factories.make_initiative(session).organisation
    with pytest.raises(NotFound):
        build_report(session, host.id, *Q1, actor=SYSTEM, now=clock.now())
