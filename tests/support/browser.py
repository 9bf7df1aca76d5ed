"""Chromium as the journeys use it, and what is checked on every page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}
QUIET = (
    "--no-sandbox",  # the tests may run as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
# Chromium reports each answer with status 4xx as an error; what those pages say is tested elsewhere.
EXPECTED = "Failed to load resource: the server responded with a status of 4"


def chromium_launch_args() -> dict[str, Any]:
    """How Playwright starts the system's Chromium. Fails when there is none."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail(
            "The journeys need Chromium: `make test` installs it, or: apt-get install chromium libatomic1"
        )
    return {"executable_path": path, "args": list(QUIET)}


PATIENCE = 30_000
"""Milliseconds to wait for what a page will show; `wait_for_function` is no choice, as it needs eval in the page."""


class Journey:
    """The pages of one test: each in a profile of its own, all watched for errors."""

    def __init__(self, address: str, new_context: Callable[..., Any]) -> None:
        self._address = address
        self._new_context = new_context
        self._errors: list[str] = []

    def open(self, screen: str = "desktop", *, language: str = "nl", **options: Any) -> Any:
        """A page in a fresh profile whose browser asks for `language`; addresses may start with a slash."""
        context = self._new_context(
            base_url=self._address,
            locale=f"{language}-BE" if language != "en" else "en-GB",
            timezone_id="Europe/Brussels",
            reduced_motion="reduce",
            **SCREENS[screen],
            **options,
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: self._errors.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._hear(page.url, message))
        return page

    def _hear(self, address: str, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            self._errors.append(f"{address}: {message.text}")

    def check(self, log: str = "") -> None:
        """Fail with what the browser reported, beside the end of the server's `log`."""
        heard = "\n".join(self._errors)
        assert not self._errors, f"The browser reported:\n{heard}\n--- the server's log\n{log[-4000:]}"


def check_accessibility(page: Any) -> None:
    """Fail with every violation of WCAG 2.2 A and AA that axe finds on the page as it stands."""
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
    page.evaluate(Axe().axe_script)
    # As text, and the violations alone: the whole answer takes longer to fetch than to find.
    found = page.evaluate(f"axe.run({json.dumps(options)}).then(found => JSON.stringify(found.violations))")
    lines = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n"
        + "\n".join(f"    {node['html'][:200]}" for node in violation["nodes"][:5])
        for violation in json.loads(found)
    ]
    if lines:
        pytest.fail(f"{page.url} is not accessible:\n" + "\n".join(lines))
