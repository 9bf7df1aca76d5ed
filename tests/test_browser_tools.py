"""The journeys' own tools notice what they are there to notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from _pytest.outcomes import Failed

from tests.support.browser import SCREENS, Journey

GOOD = """<!doctype html><html lang="nl"><head><title>Uren</title></head>
<body><main><h1>Uren</h1><p>Goed zo.</p></main></body></html>"""
BAD = """<!doctype html><html><head><title>Uren</title></head>
<body><main><h1>Uren</h1><img src="data:,"><button></button></main></body></html>"""


@pytest.mark.parametrize(("screen", "width"), [("desktop", 1280), ("phone", 390)])
def test_pages_have_the_width_of_their_screen(
    screen: str, width: int, new_context: Callable[..., Any], axe: Callable[[Any], None]
) -> None:
    page = new_context(**SCREENS[screen]).new_page()
    page.set_content(GOOD.replace("<head>", '<head><meta name="viewport" content="width=device-width">'))
    assert page.evaluate("window.innerWidth") == width
    axe(page)


def test_axe_names_what_is_not_accessible(
    new_context: Callable[..., Any], axe: Callable[[Any], None]
) -> None:
    page = new_context().new_page()
    page.set_content(BAD)
    with pytest.raises(Failed) as caught:
        axe(page)
    for rule in ("image-alt", "button-name", "html-has-lang"):
        assert rule in str(caught.value)


def test_a_script_that_stumbles_or_is_forbidden_fails_the_journey(new_context: Callable[..., Any]) -> None:
    stumbling, forbidden = Journey("http://localhost", new_context), Journey("http://localhost", new_context)
    stumbling.open().evaluate("setTimeout(() => { throw new Error('lost') })")
    page = forbidden.open()
    policy = '<head><meta http-equiv="Content-Security-Policy" content="script-src \'none\'">'
    page.set_content(GOOD.replace("<head>", policy).replace("<p>", "<script>1</script><p>"))
    page.wait_for_timeout(200)
    with pytest.raises(AssertionError, match="lost"):
        stumbling.check()
    with pytest.raises(AssertionError, match="Content Security Policy"):
        forbidden.check()
