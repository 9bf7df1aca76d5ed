"""The whole story as its four people live it, in Dutch, on a desktop and on a phone: from a pledge to the report."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.journeys.arrange import TITLE, Cast, cast, run_the_scheduler, working_day
from tests.journeys.walk import Walk, dutch
from timebank import clock
from timebank.matches.models import HourEntry, HoursState

GIVEN = 150  # minutes that are logged, confirmed and reported


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_from_a_pledge_to_the_report(
    screen: str, session: Session, open_page: Callable[..., Any], axe: Callable[[Any], None]
) -> None:
    people = cast(session)
    employee, hr, initiative, operator = (
        Walk(open_page(screen), axe).sign_in(user.email)
        for user in (people.employee, people.hr, people.coordinator, people.operator)
    )
    _pledge(employee)
    _approve(hr)
    _ask(initiative)
    _match(operator)
    match = _say_yes_twice(people, employee, initiative)
    _agree(people, hr, initiative)
    _plan_and_log(match, employee)
    _confirm(people, initiative)
    entries = session.scalars(select(HourEntry)).all()
    assert [(e.state, e.minutes) for e in entries] == [(HoursState.CONFIRMED, GIVEN)]
    session.commit()  # an open look at SQLite would keep the server waiting
    _report(hr)
    assert "2 u 30" in employee.go("/hours").text()


def _pledge(employee: Walk) -> None:
    page = employee.page
    employee.go("/today").follow("Pledge hours")
    page.locator("#skills-search").press_sequentially("boekh")
    page.locator("#skills-found").get_by_role("button", name="boekhouding vzw").click()
    page.locator("#skills .tb-picked label").wait_for()
    page.locator(".tb-picked select").select_option("3")
    week = page.locator("#week")
    week.locator("input[value=wed-ev]").check()
    week.locator("input[value=mon-am]").uncheck()
    day = clock.today()
    employee.fill(
        hours="12", from_date=day.isoformat(), until_date=(day + timedelta(days=120)).isoformat()
    ).look()
    page.locator("#fits").get_by_text(re.compile("vra|pas")).first.wait_for()
    employee.press("I have read this and pledge these hours")
    assert "12 uur" in employee.text()
    employee.go("/pledges")


def _approve(hr: Walk) -> None:
    hr.go("/hr").go("/hr/approvals")
    bar = hr.page.locator(".tb-bulk")
    assert not bar.is_visible(), "nothing is chosen yet"
    hr.page.locator("#queue").get_by_role("checkbox", name=re.compile("Lotte Verhaegen")).check()
    assert "12" in bar.inner_text()
    hr.look().press("Approve", inside="#queue").sees("Nothing to approve")


def _ask(initiative: Walk) -> None:
    page, day = initiative.page, clock.today()
    initiative.go("/requests").go("/requests/new")
    initiative.fill(
        title=TITLE,
        description="De penningmeester stopt in januari.",
        hours="6",
        from_date=day.isoformat(),
        until_date=(day + timedelta(days=90)).isoformat(),
    )
    page.locator("#must-search").press_sequentially("boekh")
    page.locator("#must-found").get_by_role("button", name="boekhouding vzw").click()
    page.locator("#must .tb-picked label").wait_for()
    initiative.look().press("Send this request")
    assert TITLE in initiative.text()


def _match(operator: Walk) -> None:
    operator.go("/operator").go("/operator/runs").press("Run now")
    run_the_scheduler()
    # A run that waits or is under way asks again by itself until it is done.
    operator.sees("Optimal, proved").look()
    assert TITLE in operator.text()


def _say_yes_twice(people: Cast, employee: Walk, initiative: Walk) -> str:
    """Both say yes; nobody reads who the other is before that. Gives the address of the match."""
    contact, mail = people.initiative.contact_name, people.initiative.contact_email
    employee.go("/today").sees("Why you").sees("boekhouding vzw")
    employee.follow("Read all about it")
    match = employee.page.url
    assert mail not in employee.text() and contact not in employee.text()
    initiative.go("/initiative")
    coach = people.employment
    for text in (initiative.text(), initiative.go(match).text()):
        assert coach.last_name not in text and coach.email not in text
    assert people.company.name not in initiative.text()

    employee.go("/today").button("Yes, I'll do this").click()
    employee.sees("You said yes. %(initiative)s hears it now.", initiative=people.initiative.name).look()
    employee.go(match)
    assert mail not in employee.text(), "one yes is not enough"
    initiative.go("/initiative")
    assert coach.email not in initiative.go(match).text()

    initiative.go("/initiative").button("Yes, we want this coach").click()
    initiative.sees("Agreed. You read now who coaches you.").look()
    assert coach.email in initiative.go(match).text()
    assert coach.name in initiative.text()
    assert mail in employee.go(match).text()
    assert contact in employee.text()
    return match


def _agree(people: Cast, hr: Walk, initiative: Walk) -> None:
    initiative.go("/initiative").follow("Read and accept")
    initiative.press("I accept for %(name)s", name=people.initiative.name)
    hr.go("/hr/agreements").follow(people.initiative.name)
    hr.press("I accept for %(name)s", name=people.company.name)
    hr.sees("In force")


def _plan_and_log(match: str, employee: Walk) -> None:
    employee.go(match).follow("Plan a session")
    employee.fill(
        date=working_day().isoformat(), starts="09:00", ends="11:30", place="Repaircafé, Dok-Noord 4"
    )
    employee.page.locator("#remote").uncheck()
    employee.look().press("Fix this session")
    assert "Dok-Noord" in employee.text()
    employee.go("/agenda")
    assert "Dok-Noord" in employee.text()
    employee.go(match)
    employee.fill(hours="2:30", note="De rekeningen samen nagekeken.").press("Log these hours")
    employee.sees(
        "You logged %(hours)s. The initiative confirms them; without an answer they count from %(day)s.",
        hours="2 uur 30",
        day=format_date(clock.today() + timedelta(days=21), "d MMMM y", locale="nl_BE"),
    )


def _confirm(people: Cast, initiative: Walk) -> None:
    initiative.go("/initiative/hours")
    initiative.go("/initiative").button("Confirm %(hours)s", hours="2 uur 30").click()
    initiative.sees("You confirmed %(hours)s of %(name)s.", hours="2 uur 30", name=people.employee.name)
    initiative.look()


def _report(hr: Walk) -> None:
    hr.go("/hr")
    day = clock.today().isoformat()
    hr.go(f"/hr/report?from={day}&until={day}")
    assert dutch("%(hours)s for society", hours="2 uur 30") in hr.text()
    with hr.page.expect_download() as csv_file:
        hr.page.get_by_role("link", name=dutch("CSV"), exact=True).click()
    with hr.page.expect_download() as xlsx_file:
        hr.page.get_by_role("link", name=dutch("Download the workbook")).click()
    rows = list(csv.DictReader(io.StringIO(csv_file.value.path().read_text("utf-8"))))
    delivered = [row for row in rows if row["table"] == "key_figures" and row["figure"] == "delivered"]
    assert [(row["value"], row["numerator"]) for row in delivered] == [("2.5", str(GIVEN))]
    by_initiative = [row for row in rows if row["table"] == "by_initiative" and row["figure"] == "delivered"]
    assert [row["numerator"] for row in by_initiative] == [str(GIVEN)]
    content = io.BytesIO(xlsx_file.value.path().read_bytes())
    workbook = openpyxl.load_workbook(content, data_only=True)
    cells = [cell for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row]
    assert GIVEN / 60 in cells
