"""Pictures of the main pages of a demo database, as each kind of person sees them: `make screenshots`.

They come into var/screenshots, as PERSON-PAGE-SCREEN-THEME.png. A demo is made first, once, in the same folder.
ARGS=initiative takes those of one person only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import click
from playwright.sync_api import Browser, Page, sync_playwright

from config import ROOT, Settings
from tests.support.browser import SCREENS, chromium_launch_args
from tests.support.live import LiveServer
from timebank import demo

OUT = ROOT / "var" / "screenshots"
DATABASE = OUT / "demo.db"

# Whom the sign-in page offers, and what each looks at. A path of two parts opens the first link that starts with the
# second, found on the page of the first.
PAGES: dict[str, tuple[str | None, tuple[str | tuple[str, str], ...]]] = {
    "public": (
        None,
        (
            "/",
            "/open-requests",
            ("/open-requests", "/open-requests/"),
            "/initiatives",
            ("/initiatives", "/initiatives/"),
            "/how-it-works",
            "/who-sees-what",
            "/privacy",
            "/accessibility",
            "/help",
            "/join",
            "/join/initiative",
            "/sign-in",
            "/reset",
            "/no-such-page",
        ),
    ),
    "employee": (
        demo.EMPLOYEE,
        (
            "/today",
            "/pledges",
            ("/pledges", "/pledges/"),
            "/pledges/new",
            ("/hours", "/matches/"),
            "/agenda",
            "/hours",
            "/hours/account",
            "/account",
        ),
    ),
    "hr": (
        demo.HR,
        (
            "/hr",
            "/hr/approvals",
            "/hr/approvals?state=approved",
            "/hr/agreements",
            ("/hr/agreements", "/agreements/"),
            "/hr/ledger",
            "/hr/ledger/1",
            "/hr/ledger/periods",
            ("/hr/ledger/periods", "/hr/ledger/periods/"),
            "/hr/policy",
            "/hr/report",
            "/hr/staff",
            ("/hr/staff", "/hr/staff/"),
            "/hr/staff/import",
            "/hr/staff/invite-hr",
        ),
    ),
    "initiative": (
        demo.INITIATIVE,
        (
            "/initiative",
            "/requests",
            ("/requests", "/requests/"),
            "/requests/new",
            "/coaches",
            ("/coaches", "/matches/"),
            "/initiative/hours",
            "/initiative/hours/account",
            "/initiative/agreements",
            "/initiative/profile",
        ),
    ),
    "operator": (
        demo.OPERATOR,
        (
            "/operator",
            "/operator/admissions",
            "/operator/organisations",
            ("/operator/organisations", "/operator/organisations/"),
            "/operator/organisations/invite",
            "/operator/requests",
            "/operator/approvals",
            "/operator/runs",
            ("/operator/runs", "/operator/runs/"),
            "/operator/weights",
            "/operator/runs/nights",
            "/operator/runs/pairs",
            "/operator/runs/what-if",
            "/operator/import",
            "/operator/import/staff",
            "/dev/mail",
        ),
    ),
}


def make_demo() -> None:
    """Migrate and fill the database, unless it is there."""
    if DATABASE.exists():
        return
    OUT.mkdir(parents=True, exist_ok=True)
    new = DATABASE.with_name("new.db")
    for old in OUT.glob("new.db*"):
        old.unlink()
    environment = {**os.environ, "TIMEBANK_DATABASE_URL": f"sqlite:///{new}"}
    for command in (["db", "upgrade"], ["demo"], ["match", "run"]):
        run = "from timebank.cli import main; main()"
        subprocess.run(
            [sys.executable, "-c", run, *command],
            check=True,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
    new.rename(DATABASE)


def name_of(page: str | tuple[str, str]) -> str:
    if isinstance(page, tuple):
        return name_of(page[1]) + "-one"
    return re.sub(r"[^a-z]+", "-", page).strip("-") or "home"


def picture(
    browser: Browser, address: str, person: str, screen: str, theme: Literal["light", "dark"]
) -> None:
    """Take the pictures of one person on one screen; says what does not fit or fails."""
    email, pages = PAGES[person]
    context = browser.new_context(
        base_url=address, locale="nl-BE", color_scheme=theme, reduced_motion="reduce", **_half(screen)
    )
    context.set_default_timeout(30_000)
    tab = context.new_page()
    if email:
        tab.goto("/sign-in")
        tab.locator("form[action='/sign-in'] #email").fill(email)
        tab.locator("form[action='/sign-in'] #password").fill(demo.PASSWORD)
        tab.locator("form[action='/sign-in'] #password").press("Enter")
        tab.wait_for_url(lambda url: "/sign-in" not in url)
    for each in pages:
        path = each if isinstance(each, str) else first_link(tab, *each)
        if path is None:
            click.echo(f"{person}: nothing of {each[1]}… on {each[0]}")
            continue
        answer = tab.goto(path, wait_until="networkidle")
        status = answer.status if answer else 0
        wide = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0 or status >= 400:
            click.echo(f"{person} {path} {screen}: status {status}, {max(wide, 0)} pixels too wide")
        tab.screenshot(path=OUT / f"{person}-{name_of(each)}-{screen}-{theme}.png", full_page=True)
    context.close()


def first_link(tab: Page, address: str, start: str) -> str | None:
    """The first link on the page `address` that begins with `start` and leads to a thing rather than to a form."""
    tab.goto(address)
    links: list[str] = tab.locator(f"main a[href^='{start}']").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    return next((link for link in links if not re.search(r"/(new|import|invite)", link)), None)


def _half(screen: str) -> dict[str, Any]:
    """The screen, with one picture pixel for each of its own, so that pictures stay small."""
    return {**SCREENS[screen], "device_scale_factor": 1}


def main(chosen: list[str]) -> None:
    make_demo()
    settings = Settings(
        env="test",
        database_url=f"sqlite:///{DATABASE}",
        secret_key="pictures-only-" + "k" * 32,
        base_url="http://localhost",
    )
    with LiveServer(settings) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_launch_args())
        for person in chosen or PAGES:
            for screen in SCREENS:
                picture(browser, server.url, person, screen, "light")
                picture(browser, server.url, person, screen, "dark")
        browser.close()
    click.echo(f"{len(list(OUT.glob('*.png')))} pictures in {Path(OUT).relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
