"""A staff list goes through the pages in a real browser, at both widths, with nothing that keeps anybody out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from sqlalchemy import func, select

from tests import factories as make
from tests.support.browser import PATIENCE
from tests.support.client import PASSWORD
from timebank.organisations.models import Employment

STAFF = Path(__file__).parent.parent / "data" / "pilot" / "staff-delta.csv"


def check(page: Any, axe: Any) -> None:
    """From the page's end, which keeps clear of a phone's tabs: they lie over whatever is scrolled under them."""
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    axe(page)


def test_hr_uploads_looks_and_applies(session, page, axe):
    hr = make.make_hr(session, make.make_company(session))
    session.commit()
    page.goto("/sign-in?next=/hr/staff/import")
    page.fill("[name=email]", hr.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/hr/staff/import")
    check(page, axe)
    page.set_input_files("[name=file]", STAFF)
    page.click("main form button[type=submit]")
    page.wait_for_url("**/imports/*")
    check(page, axe)
    page.select_option("#filter-show", "refused")
    page.wait_for_url("**show=refused")
    expect(page.locator("#rows tbody tr")).to_have_count(20, timeout=PATIENCE)
    check(page, axe)
    page.click("main form[action$=apply] button")
    page.wait_for_selector("a[href$='refused.csv']")
    check(page, axe)
    assert session.scalar(select(func.count()).select_from(Employment)) == 405
