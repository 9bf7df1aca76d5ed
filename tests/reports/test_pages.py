"""HR's overview and report, and an employee's own hours, as pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import MARCH, SCHROEF, Told
from timebank import clock, db
from timebank.auth.models import Role
from timebank.matches.models import HourEntry, HoursState

PERIOD = "from=2026-01-01&until=2026-03-31"


@pytest.mark.both
def test_hr_reads_the_report_of_a_period(told: Told, client_as: Callable[..., Any]) -> None:
    client = client_as(told.hr)
    answer = client.get(f"/hr/report?{PERIOD}")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "8 hours 10 for society" in page
    assert "28.6%" in page
    assert "4 of 14 people on 10 March 2026" in page
    assert "Repaircafé De Schroef" in page
    assert "=cmd|&#39; /C calc&#39;!A0" in page
    assert "Other departments (fewer than 5 people)" in page
    assert "Not covered by this programme" in page
    assert "Legal" not in page
    assert "SDG 12: Responsible consumption and production" in page
    assert f"/hr/report.xlsx?{PERIOD}" in page.replace("&amp;", "&")


def test_without_a_period_it_is_this_year_until_today(told: Told, client_as: Callable[..., Any]) -> None:
    page = client_as(told.hr).get("/hr/report").get_data(as_text=True)
    assert 'value="2026-01-01"' in page
    assert 'value="2026-03-10"' in page


@pytest.mark.parametrize(
    ("query", "kept", "words"),
    [
        ("from=2026-03-31&until=2026-01-01", 'value="2026-03-31"', "The last day is before the first"),
        ("from=31/02/2026&until=2026-03-01", 'value="31/02/2026"', "Write a date as 31/03/2026."),
        ("from=2026-01-01", 'value="2026-01-01"', "until"),
        ("from=2001-01-01&until=2026-01-01", 'value="2001-01-01"', "at most ten years"),
        ("from=2027-01-01&until=2027-03-31", 'value="2027-01-01"', "has yet to begin"),
    ],
)
@pytest.mark.parametrize("path", ["/hr/report", "/hr/report.csv", "/hr/report.xlsx"])
def test_a_wrong_period_keeps_what_was_typed_and_says_what_is_wrong(
    told: Told, client_as: Callable[..., Any], path: str, query: str, kept: str, words: str
) -> None:
    answer = client_as(told.hr).get(f"{path}?{query}")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert kept in text
    assert words in text
    assert "for society" not in text


@pytest.mark.parametrize(
    ("extension", "mimetype"),
    [
        ("csv", "text/csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("json", "application/json"),
    ],
)
def test_the_report_comes_as_files(
    told: Told, client_as: Callable[..., Any], extension: str, mimetype: str
) -> None:
    answer = client_as(told.hr).get(f"/hr/report.{extension}?{PERIOD}")
    assert (answer.status_code, answer.mimetype) == (200, mimetype)
    assert answer.headers["Content-Disposition"].endswith(f'report-2026-01-01-2026-03-31.{extension}"')
    assert len(answer.data) > 500


def test_csv_comes_in_the_style_of_a_belgian_excel(told: Told, client_as: Callable[..., Any]) -> None:
    client = client_as(told.hr)
    excel, plain = client.get(f"/hr/report.csv?{PERIOD}&style=excel"), client.get(f"/hr/report.csv?{PERIOD}")
    assert excel.data.startswith(b"\xef\xbb\xbftable;")
    assert plain.data.startswith(b"table,")
    assert excel.headers["Content-Disposition"].endswith('-excel.csv"')
    assert plain.headers["Content-Disposition"] != excel.headers["Content-Disposition"]
    assert client.get(f"/hr/report.pdf?{PERIOD}").status_code == 404


PAGES = ("/hr/report", "/hr/report.csv", "/hr/report.xlsx", "/hr/report.json")


def test_the_report_is_for_hr_and_auditors_of_that_company_alone(
    session: Session, told: Told, client_as: Callable[..., Any], client: Any
) -> None:
    other = factories.make_company(session, name="Other Works")
    people = {
        "employee": factories.make_employment(session, told.company, user=factories.make_user(session)),
        "operator": None,
    }
    employee = people["employee"].user_id  # type: ignore[union-attr]
    from timebank.auth.models import User

    strangers = [session.get_one(User, employee), factories.make_operator(session)]
    their_hr = factories.make_hr(session, other, language="en")
    auditor = factories.grant(
        session, factories.make_user(session, language="en"), Role.AUDITOR, organisation_id=told.company.id
    )
    session.commit()
    for user in strangers:
        mine = client_as(user)
        assert {mine.get(page).status_code for page in PAGES} == {404}
    for page in PAGES:
        assert client.get(page).status_code == 303
    theirs = client_as(their_hr)
    for page in PAGES[:2]:
        text = theirs.get(f"{page}?{PERIOD}").get_data(as_text=True)
        assert "Other Works" in text
        assert "Schroef" not in text
        assert "Delta Staal" not in text
    looks = client_as(auditor)
    assert "8 hours 10" in looks.get(f"/hr/report?{PERIOD}").get_data(as_text=True)
    assert looks.get("/hr").status_code == 404


def test_a_page_asks_no_more_questions_when_there_is_more_to_tell(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    client = client_as(told.hr)

    def statements(url: str) -> int:
        asked: list[str] = []
        event.listen(db.engine(), "before_cursor_execute", lambda *a: asked.append(a[2]))
        assert client.get(url).status_code == 200
        return len(asked)

    few = statements(f"/hr/report?{PERIOD}")
    for index in range(6):
        for _ in range(5):
            who = factories.make_employment(
                session, told.company, with_user=False, department=f"Department {index}"
            )
        told.books.give(who, told.books.pledge(who, 60, MARCH), 60, SCHROEF, MARCH)
    session.commit()
    assert statements(f"/hr/report?{PERIOD}") <= few


def test_the_overview_shows_the_year_and_what_waits(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    employment = factories.make_employment(session, told.company, user=factories.make_user(session))
    factories.make_pledge(session, employment, approved=False)
    session.commit()
    client = client_as(told.hr)
    page = client.get("/hr").get_data(as_text=True)
    assert "Overview 2026" in page
    assert "1 pledge waits for your approval" in page
    assert "/hr/approvals" in page
    assert "of 40.00 pledged" in page
    assert "4 of 15 people" in page
    assert "Overview 2025" in client.get("/hr?year=2025").get_data(as_text=True)
    assert "Overview 2026" in client.get("/hr?year=1066").get_data(as_text=True)


def test_an_empty_company_is_told_what_to_do(
    session: Session, held_clock: Any, client_as: Callable[..., Any]
) -> None:
    hr = factories.make_hr(session, factories.make_company(session), language="en")
    session.commit()
    client = client_as(hr)
    assert "Nothing was booked in 2026 yet" in client.get("/hr").get_data(as_text=True)
    assert "Nothing was booked in this period" in client.get("/hr/report").get_data(as_text=True)


# --- own hours ------------------------------------------------------------------------------------------------------


@pytest.fixture
def coach(session: Session, told: Told) -> Any:
    """Somebody with a pledge of ten hours, of which one hour and a half is logged and waits."""
    user = factories.make_user(session, language="en")
    employment = factories.make_employment(session, told.company, user=user)
    match = factories.make_match(session, factories.make_pledge(session, employment))
    match.request.texts[0].title = "=1+1"
    session.add(
        HourEntry(
            match_id=match.id,
            activity_date=clock.today(),
            minutes=90,
            idempotency_key="one",
            logged_at=clock.now(),
            state=HoursState.LOGGED,
        )
    )
    session.commit()
    return user


def test_an_employee_sees_their_own_hours_by_state(coach: Any, client_as: Callable[..., Any]) -> None:
    page = client_as(coach).get("/hours").get_data(as_text=True)
    assert "Your hours of 2026" in page
    assert "<b>10 h</b> free" in page
    assert "waits for the initiative" in page
    assert "waiting for the initiative: 1 hour 30." in page


def test_an_employee_downloads_their_own_statement(coach: Any, client_as: Callable[..., Any]) -> None:
    answer = client_as(coach).get("/hours/statement.csv?year=2026")
    assert answer.headers["Content-Disposition"].endswith('hours-2026.csv"')
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) == 2
    assert rows[1][0] == "2026-03-10"
    assert rows[1][2] == "'=1+1"
    assert rows[1][4:] == ["90", "1,50", "waits for the initiative"]


def test_nobody_sees_the_hours_of_another(
    session: Session, told: Told, coach: Any, client_as: Callable[..., Any], client: Any
) -> None:
    colleague = factories.make_user(session, language="en")
    factories.make_employment(session, told.company, user=colleague)
    session.commit()
    page = client_as(colleague).get("/hours").get_data(as_text=True)
    assert "You pledged no hours for 2026 yet" in page
    assert "=1+1" not in client_as(colleague).get("/hours/statement.csv").get_data(as_text=True)
    assert client_as(told.hr).get("/hours").status_code == 404
    assert client.get("/hours").status_code == 303


def test_a_year_with_confirmed_hours_stands_in_the_list_of_years(
    session: Session, told: Told, coach: Any, client_as: Callable[..., Any]
) -> None:
    from timebank.organisations.models import Employment

    mine = session.query(Employment).filter_by(user_id=coach.id).one()
    tranche = told.books.pledge(mine, 600, date(2025, 5, 1))
    told.books.give(mine, tranche, 150, SCHROEF, date(2025, 6, 1))
    session.commit()
    page = client_as(coach).get("/hours").get_data(as_text=True)
    assert "Year by year" in page
    assert "2 h 30" in page
    assert "Your hours of 2025" in client_as(coach).get("/hours?year=2025").get_data(as_text=True)


def test_definitions_are_a_page_and_the_schema_an_address(
    told: Told, client_as: Callable[..., Any], client: Any
) -> None:
    page = client_as(told.hr).get("/hr/report/definitions").get_data(as_text=True)
    for words in (
        "Fulfilment",
        "minutes that these pledges granted",
        "OI8429",
        "Not covered by this programme",
    ):
        assert words in page
    assert client.get("/hr/report/definitions").status_code == 303
    schema = client.get("/schemas/report-2.json")
    assert (schema.status_code, schema.mimetype) == (200, "application/schema+json")
    assert schema.get_json()["title"].startswith("CSR report")


def test_an_auditor_has_a_desk_with_the_report_and_the_ledger(
    told: Told, session: Session, client_as: Callable[..., Any]
) -> None:
    auditor = factories.make_user(session, language="fr")
    factories.grant(session, auditor, Role.AUDITOR, organisation_id=told.company.id)
    client = client_as(auditor)
    assert client.get("/sign-in").headers["Location"].endswith("/hr/report")
    page = client.get("/hr/ledger/periods").get_data(as_text=True)
    assert "Réviseur" in page
    assert 'href="/hr/report"' in page and 'href="/hr/approvals"' not in page


# --- parts ----------------------------------------------------------------------------------------------------------


def test_the_overview_can_be_narrowed_by_its_address(told: Told, client_as: Callable[..., Any]) -> None:
    client = client_as(told.hr)
    page = client.get("/hr").get_data(as_text=True)
    assert 'value="department:Production"' in page
    assert "Legal" not in page
    assert 'value="cause:food"' in page
    assert "Most confirmed hours went to East Flanders: 6 hours 10." in page
    production = client.get("/hr?part=department:Production").get_data(as_text=True)
    assert "Only: Production" in production
    assert "2 of 6 people" in production
    assert "By cause" not in production
    food = client.get("/hr?part=cause:food").get_data(as_text=True)
    assert "2 of 14 people" in food
    assert "Participation by department" not in food
    for part in (
        "department:Legal",
        "department:IT",
        "department:Nowhere",
        "food",
        "password:1",
        "initiative:x",
        "cause:%00",
    ):
        assert client.get(f"/hr?part={part}").status_code == 404


@pytest.mark.parametrize("part", ["department:Production", "cause:food"])
@pytest.mark.parametrize("extension", ["csv", "xlsx", "json"])
def test_a_part_comes_as_a_file_that_says_so(
    told: Told, client_as: Callable[..., Any], extension: str, part: str
) -> None:
    client = client_as(told.hr)
    answer = client.get(f"/hr/report.{extension}?{PERIOD}&part={part}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith(f'report-part-2026-01-01-2026-03-31.{extension}"')
    if extension == "json":
        content = answer.get_json()
        assert content["part"] == dict(zip(("kind", "code"), part.split(":"), strict=True))
        assert (content["by_department"] == []) == (part == "cause:food")
        assert (content["by_initiative"] == []) == (part == "department:Production")
    page = client.get(f"/hr/report?{PERIOD}&part={part}")
    assert "Only:" in page.get_data(as_text=True)
