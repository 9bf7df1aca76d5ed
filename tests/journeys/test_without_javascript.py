"""Everything that the story needs also works where no script runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.journeys.arrange import TITLE, cast, run_the_scheduler
from tests.journeys.walk import Walk
from timebank import clock
from timebank.agreements.models import Agreement
from timebank.matches.models import HourEntry, HoursState, Match

Open = Callable[..., Any]
QUIET: Callable[[Any], None] = lambda page: None  # noqa: E731 - axe needs a script; other journeys call it


def _plain(open_page: Open, email: str) -> Walk:
    return Walk(open_page("phone", java_script_enabled=False), QUIET).sign_in(email)


def test_pledge_approve_ask_and_match_without_a_script(session: Session, open_page: Open) -> None:
    people = cast(session)
    day = clock.today()
    employee = _plain(open_page, people.employee.email).go("/pledges/new")
    assert not employee.page.locator("#skills-search").is_visible(), (
        "a search that cannot work is not offered"
    )
    employee.page.locator("#skills-choose").select_option(label="boekhouding vzw")
    employee.fill(hours="12").press("Add", inside="#skills")
    assert employee.page.locator("#hours").input_value() == "12", "choosing a skill keeps what was typed"
    employee.fill(from_date=day.isoformat(), until_date=(day + timedelta(days=120)).isoformat())
    employee.press("I have read this and pledge these hours")
    assert "12 uur" in employee.text()

    hr = _plain(open_page, people.hr.email).go("/hr/approvals")
    hr.page.locator("#queue").get_by_role("checkbox", name=re.compile("Lotte Verhaegen")).check()
    hr.press("Approve", inside="#queue").sees("Nothing to approve")

    initiative = _plain(open_page, people.coordinator.email).go("/requests/new")
    initiative.page.locator("#must-choose").select_option(label="boekhouding vzw")
    initiative.fill(title=TITLE, description="De penningmeester stopt in januari.", hours="6")
    initiative.press("Add", inside="#must")
    initiative.fill(from_date=day.isoformat(), until_date=(day + timedelta(days=90)).isoformat())
    initiative.press("Send this request")

    operator = _plain(open_page, people.operator.email).go("/operator/runs")
    operator.press("Run now")
    run_the_scheduler()
    operator.page.reload()
    operator.sees("Optimal, proved")

    employee.go("/today").press("Yes, I'll do this")
    initiative.go("/initiative").press("Yes, we want this coach")
    session.expire_all()
    match = session.scalars(select(Match)).one()
    assert match.confirmed_at is not None


def test_agree_log_and_confirm_without_a_script(session: Session, open_page: Open) -> None:
    people = cast(session)
    pledge = factories.make_pledge(session, people.employment)
    request = factories.make_request(session, people.initiative, from_date=clock.today())
    match = factories.make_match(session, pledge, request)
    session.commit()
    employee = _plain(open_page, people.employee.email).go("/today").press("Yes, I'll do this")
    initiative = _plain(open_page, people.coordinator.email).go("/initiative")
    initiative.press("Yes, we want this coach")
    agreement = session.scalars(select(Agreement)).one().public_id
    session.commit()  # an open look at SQLite would keep the server waiting
    initiative.go(f"/agreements/{agreement}").press("I accept for %(name)s", name=people.initiative.name)
    hr = _plain(open_page, people.hr.email).go(f"/agreements/{agreement}")
    hr.press("I accept for %(name)s", name=people.company.name)

    address = f"/matches/{match.public_id}"
    employee.go(address).fill(hours="2").press("Log these hours")
    initiative.go("/initiative").press("Confirm %(hours)s", hours="2 uur")
    session.expire_all()
    entries = session.scalars(select(HourEntry)).all()
    assert [(e.state, e.minutes) for e in entries] == [(HoursState.CONFIRMED, 120)]
