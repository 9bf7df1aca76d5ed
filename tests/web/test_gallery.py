"""Every component in a real browser: accessible in both themes and at both widths, and helped by the script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.support.browser import PATIENCE, Journey
from tests.web.gallery import make_app

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def open_page(address: str, new_context: Callable[..., Any]) -> Iterator[Open]:
    journey = Journey(address, new_context)
    yield journey.open
    journey.check()


@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_component_is_accessible(open_page: Open, axe: Any, screen: str, theme: str) -> None:
    page = open_page(screen, color_scheme=theme)
    page.goto("/gallery?as=person")
    axe(page)


def test_no_page_scrolls_sideways_at_320_pixels(open_page: Open) -> None:
    page = open_page("phone")
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto("/gallery?as=person")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_refused_form_is_accessible_and_the_focus_is_on_what_to_change(open_page: Open, axe: Any) -> None:
    page = open_page("desktop")
    page.goto("/gallery?as=person")
    page.fill("#postcode", "90")
    page.press("#postcode", "Enter")
    page.wait_for_selector(".tb-errors:focus")
    assert page.input_value("#postcode") == "90"
    assert page.locator(".tb-picked li").count() == 2, "Enter sent the form, and no button of the picker"
    axe(page)


def test_arrow_keys_move_through_the_week(open_page: Open) -> None:
    page = open_page("desktop")
    page.goto("/gallery")
    page.focus("input[value=mon-am]")
    for key in ("ArrowDown", "ArrowRight", "End", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.value") == "sun-pm"
    page.keyboard.press("Space")
    assert page.is_checked("input[value=sun-pm]")


def test_chosen_rows_are_counted_and_summed(open_page: Open) -> None:
    page = open_page("desktop")
    page.goto("/gallery")
    bar = page.locator("[data-bulk-text]")
    assert "40" in bar.inner_text()
    page.check("[data-bulk-all]")
    assert "80" in bar.inner_text()
    page.uncheck("[data-bulk-all]")
    assert not page.is_visible(".tb-bulk")


def test_a_skill_that_was_searched_joins_the_chosen_ones(open_page: Open) -> None:
    page = open_page("desktop")
    page.goto("/gallery?as=person")
    page.fill("#story", "Dit blijft staan")
    page.fill("#skills-search", "herstel")
    page.click("#skills-found button")
    expect(page.locator(".tb-picked li")).to_have_count(3, timeout=PATIENCE)
    assert page.input_value("#story") == "Dit blijft staan"


def test_an_act_changes_its_part_says_so_and_takes_the_focus_there(open_page: Open) -> None:
    page = open_page("desktop")
    page.goto("/gallery?as=person")
    page.locator("form[hx-post] button").first.click()
    page.wait_for_selector("#act-row:focus")
    assert "28 uur" in page.inner_text("#toasts")
    assert page.locator("[aria-busy]").count() == 0


def test_the_menu_closes_by_escape(open_page: Open) -> None:
    page = open_page("phone")
    page.goto("/gallery?as=person")
    page.click(".tb-menu summary")
    assert page.is_visible(".tb-menu-body")
    page.keyboard.press("Escape")
    assert not page.is_visible(".tb-menu-body")


def test_a_date_is_said_in_words_as_it_is_chosen(open_page: Open) -> None:
    page = open_page("desktop")
    page.goto("/gallery")
    page.fill("#first", "2027-03-31")
    page.dispatch_event("#first", "change")
    assert page.inner_text("#first-words").strip() == "woensdag 31 maart 2027"
