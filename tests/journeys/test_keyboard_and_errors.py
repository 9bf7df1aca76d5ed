"""Forms by keyboard, forms that are not right yet, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests.journeys.arrange import TITLE, Cast, cast
from tests.journeys.walk import Walk, dutch
from tests.support.client import PASSWORD
from timebank import clock
from timebank.auth.models import UserSession
from timebank.coaching.models import CoachingRequest
from timebank.pledges.models import Pledge

FOCUS = (
    "[document.activeElement.name || document.activeElement.className, document.activeElement.value || '']"
)


@pytest.fixture
def people(session: Session) -> Cast:
    return cast(session)


@pytest.fixture
def employee(people: Cast, open_page: Callable[..., Any], axe: Callable[[Any], None]) -> Walk:
    return Walk(open_page("desktop"), axe).sign_in(people.employee.email)


def test_the_week_is_filled_in_with_arrows_and_space(employee: Walk) -> None:
    page = employee.go("/pledges/new").page
    first = page.locator("#week input").first
    first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate(FOCUS) == ["week", "tue-ev"]
    page.keyboard.press("Space")
    assert page.locator("#week input[value=tue-ev]").is_checked()
    page.keyboard.press("End")
    assert page.evaluate(FOCUS) == ["week", "sun-ev"]


def test_a_skill_is_found_and_chosen_without_a_mouse(employee: Walk) -> None:
    page = employee.go("/pledges/new").page
    page.locator("#skills-search").focus()
    page.keyboard.type("boekh")
    page.locator("#skills-found button").first.wait_for()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "boekhouding vzw", (
        "and the form is not sent"
    )
    page.keyboard.press("Enter")
    page.locator("#skills .tb-picked label").wait_for()
    employee.look()
    assert page.evaluate("document.activeElement.id").startswith("skills-level-"), "next comes the level"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#skills .tb-picked").wait_for(state="detached")
    page.locator("#skills-search:focus").wait_for()


def test_a_form_that_is_not_right_keeps_what_was_typed_and_says_what_to_mend(employee: Walk) -> None:
    page = employee.go("/pledges/new").page
    employee.fill(hours="veel", postcode="9000", radius_km="25")
    page.locator("#week input[value=sat-ev]").check()
    employee.press("I have read this and pledge these hours")
    assert "tb-errors" in page.evaluate("document.activeElement.className"), (
        "the list of errors has the focus"
    )
    assert page.locator("#hours").input_value() == "veel"
    assert page.locator("#hours").get_attribute("aria-invalid") == "true"
    assert page.locator("#radius_km").input_value() == "25"
    assert page.locator("#week input[value=sat-ev]").is_checked()
    page.locator(".tb-errors a[href='#hours']").click()
    assert page.evaluate("document.activeElement.id") == "hours"
    assert page.locator(".tb-errors a[href='#skills']").count() == 1


def test_two_clicks_on_the_button_are_one_request(
    people: Cast, session: Session, open_page: Callable[..., Any], axe: Callable[[Any], None]
) -> None:
    walk = Walk(open_page("phone"), axe).sign_in(people.coordinator.email).go("/requests/new")
    page, day = walk.page, clock.today()
    walk.fill(title=TITLE, description="De penningmeester stopt in januari.", hours="6")
    walk.fill(from_date=day.isoformat(), until_date=(day + timedelta(days=60)).isoformat())
    page.locator("#must-choose").select_option(label="boekhouding vzw")
    page.locator("#must").get_by_role("button", name=dutch("Add"), exact=True).click()
    page.locator("#must .tb-picked label").wait_for()
    with page.expect_navigation():
        walk.button("Send this request").dblclick(no_wait_after=True)
    walk.look()
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(CoachingRequest)) == 1


@pytest.mark.parametrize("press", ["I have read this and pledge these hours", "Add"])
def test_who_was_signed_out_meanwhile_gets_the_form_back_as_it_was(
    press: str, employee: Walk, people: Cast, session: Session
) -> None:
    page = employee.go("/pledges/new").page
    employee.fill(hours="12,5")
    page.locator("#week input[value=sat-ev]").check()
    page.locator("#skills-choose").select_option(label="boekhouding vzw")
    session.execute(
        update(UserSession).where(UserSession.user_id == people.employee.id).values(ended_at=clock.now())
    )
    session.commit()
    employee.button(press).first.click()
    page.get_by_text(
        dutch("You were signed out. Sign in again: what you filled in comes back then.")
    ).wait_for()
    employee.look().fill(email=people.employee.email, password=PASSWORD).press("Sign in")
    employee.sees("You were signed out, so nothing was sent. Look over what you filled in and send it again.")
    assert page.url.endswith("/pledges/new")
    assert page.locator("#hours").input_value() == "12,5"
    assert page.locator("#week input[value=sat-ev]").is_checked()
    assert page.locator("#skills .tb-picked label").count() == 1
    assert session.scalar(select(func.count()).select_from(Pledge)) == 0


def test_a_form_without_its_cookies_gets_a_clear_page(employee: Walk) -> None:
    employee.go("/pledges/new").page.context.clear_cookies()
    employee.press("I have read this and pledge these hours")
    assert employee.page.locator("h1").inner_text()
    employee.sees("This page was open for too long, or your browser blocks cookies. Reload it and try again.")


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_a_page_that_is_not_there_leads_on(
    screen: str, open_page: Callable[..., Any], axe: Callable[[Any], None]
) -> None:
    walk = Walk(open_page(screen), axe).go("/no-such-page").sees("We can't find that page")
    walk.follow("To the start")
    assert walk.page.url.endswith("/")
