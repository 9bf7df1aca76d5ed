"""A person in front of the screen: opens pages, presses buttons by their Dutch names, and looks at each page."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from typing import Any

from config import ROOT
from tests.support.client import PASSWORD


@cache
def _catalogue() -> gettext.GNUTranslations:
    # The compiled one, as the application speaks it; the installation compiles it.
    with (ROOT / "timebank" / "translations" / "nl" / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def dutch(text: str, /, **values: object) -> str:
    """How the interface says `text` in Dutch; of something counted, as one says it of a single thing."""
    catalogue = _catalogue()
    said = catalogue.gettext(text)
    if said == text:
        said = catalogue.ngettext(text, text, 1)
    return said % values if values else said


class Walk:
    """One person's way through the pages. Each page is looked at: language, one head, width, accessibility."""

    def __init__(self, page: Any, axe: Callable[[Any], None], *, language: str = "nl") -> None:
        self.page, self._axe, self._language = page, axe, language

    def go(self, path: str) -> Walk:
        self.page.goto(path)
        return self.look()

    def look(self) -> Walk:
        """Fail unless the page that is open now is well made."""
        page = self.page
        page.wait_for_load_state()
        page.locator("[aria-busy=true]").first.wait_for(state="detached")  # what is under way is drawn paler
        said = page.locator("html").get_attribute("lang")
        assert said == self._language, f"{page.url} speaks {said}"
        assert page.locator("h1").count() == 1, f"{page.url} has {page.locator('h1').count()} heads"
        self.fits()
        # At its end, no part of a page lies under the tabs at the bottom of a phone.
        page.evaluate("scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})")
        self._axe(page)
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        return self

    def fits(self) -> None:
        """Fail if one has to scroll sideways."""
        wide, seen = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= seen, f"{self.page.url} is {wide} pixels wide on a screen of {seen}"

    def sign_in(self, email: str, password: str = PASSWORD) -> Walk:
        """Sign in, and look at the desk. (At the page itself those look who come to see it.)"""
        self.page.goto("/sign-in")
        form = self.page.locator("form[action='/sign-in']").first
        form.locator("#email").fill(email)
        form.locator("#password").fill(password)
        return self.press("Sign in", inside="main")

    def button(self, text: str, /, *, inside: str = "main", **values: object) -> Any:
        name = dutch(text, **values)
        return self.page.locator(inside).get_by_role("button", name=name, exact=True)

    def press(self, text: str, /, *, inside: str = "main", **values: object) -> Walk:
        """Press the button `text`, which leads to another page, and look at that one."""
        with self.page.expect_navigation():
            self.button(text, inside=inside, **values).click()
        return self.look()

    def follow(self, text: str, /, *, inside: str = "main", **values: object) -> Walk:
        """Follow the link whose text begins with `text`, and look at where it leads."""
        with self.page.expect_navigation():
            self.page.locator(inside).get_by_role("link", name=dutch(text, **values)).first.click()
        return self.look()

    def fill(self, **fields: str) -> Walk:
        """Fill in fields of the page by their names."""
        for name, value in fields.items():
            self.page.locator(f"main #{name}").fill(value)
        return self

    def text(self) -> str:
        """What stands on the page."""
        return str(self.page.locator("main").inner_text())

    def sees(self, text: str, /, **values: object) -> Walk:
        """Wait until the page says `text`."""
        self.page.locator("body").get_by_text(dutch(text, **values)).first.wait_for()
        return self
