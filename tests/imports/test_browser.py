"""A staff list goes through the pages in a real browser, at both widths, with nothing that keeps anybody out."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from tests import factories as make
from tests.support.client import PASSWORD
from timebank.organisations.models import Employment

STAFF = Path(__file__).parent.parent / "data" / "pilot" / "staff-delta.csv"


def test_hr_uploads_looks_and_applies(session, page, axe):
    hr = make.make_hr(session, make.make_company(session))
    session.commit()
    page.goto("/sign-in?next=/hr/staff/import")
    page.fill("[name=email]", hr.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/hr/staff/import")
    axe(page)
    page.set_input_files("[name=file]", STAFF)
    page.click("main form button[type=submit]")
    page.wait_for_url("**/imports/*")
    axe(page)
    page.select_option("#filter-show", "refused")
    page.wait_for_url("**show=refused")
    page.wait_for_function("document.querySelectorAll('#rows tbody tr').length == 20")
    # From its top, since the tabs at the bottom of a phone lie over whatever happens to be scrolled under them.
    page.goto(page.url)
    axe(page)
    page.click("main form[action$=apply] button")
    page.wait_for_selector("a[href$='refused.csv']")
    axe(page)
    assert session.scalar(select(func.count()).select_from(Employment)) == 405
