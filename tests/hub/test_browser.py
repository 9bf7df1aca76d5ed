"""The public pages in a real browser: accessible, and filtered without a new page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from tests.factories import make_initiative, make_request


def test_the_list_is_filtered_while_somebody_types(session: Session, page: Any) -> None:
    initiative = make_initiative(session)
    for title in ("Een begroting", "Een plan voor de gevel"):
        make_request(session, initiative, title=title)
    session.commit()
    page.goto("/open-requests")
    assert page.locator("#requests li").count() == 2
    # All letters at once: on a slow machine the answer to the last one would take the link from under the pointer.
    page.locator("#filter-q").fill("gevel")
    page.locator("#requests", has_not_text="Een begroting").wait_for()
    assert page.locator("#requests li").count() == 1
    page.wait_for_url("**q=gevel**")
    # Leaving the field asks no more, so the link stays under the finger.
    page.locator("#requests h3 a").click(delay=700)
    page.locator("h1", has_text="Een plan voor de gevel").wait_for()


def test_public_pages_are_accessible_and_never_scroll_sideways(
    session: Session, page: Any, axe: Callable[[Any], None]
) -> None:
    request = make_request(session, seats=2)
    session.commit()
    for path in (
        "/",
        "/open-requests",
        f"/open-requests/{request.public_id}",
        "/initiatives",
        f"/initiatives/{request.initiative.slug}",
        "/how-it-works",
        "/who-sees-what",
    ):
        page.goto(path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
