"""What was filled in when a session was over comes back into the form, for the same person, and is never sent."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select, update

import timebank.auth.forms
from tests.factories import make_employment, make_pledge
from tests.support.client import PASSWORD
from timebank import clock
from timebank.auth import drafts
from timebank.auth.models import User, UserSession
from timebank.organisations.models import Employment
from timebank.pledges.models import Pledge
from timebank.taxonomy.models import Skill
from timebank.web.forms import BaseForm, Password

FORM = "http://localhost/pledges/new"
CARRIED = re.compile(r'name="draft" value="([^"]+)"')
NEXT = re.compile(r'name="next" value="([^"]+)">\s*<input type="hidden" name="draft"')
SECRET = "not to be seen again"


@pytest.fixture
def ann(session):
    employment = make_employment(session)
    session.commit()
    return session.get_one(User, employment.user_id)


@pytest.fixture
def send(client_as, session, ann):
    """Fill in a pledge, and send it once the session is over; the answer and the browser."""
    skill = session.scalars(select(Skill.id).order_by(Skill.id)).first()

    def to(path="/pledges/new", *, came_from=FORM, **options):
        browser = client_as(ann)
        session.execute(update(UserSession).values(ended_at=clock.now()))
        filled_in = {"hours": "2u30", "week": ["sun-ev"], "skills": str(skill), "postcode": "<b>9"}
        data = {**filled_in, "password": SECRET, **options.pop("more", {})}
        return browser.post_form(path, data, headers={"Referer": came_from}, **options), browser

    return to


def again(browser, page, user):
    """The page to which signing in leads, as a browser follows."""
    data = {
        "email": user.email,
        "password": PASSWORD,
        "next": NEXT.search(page.text)[1],
        "draft": CARRIED.search(page.text)[1],
    }
    answer = browser.post_form("/sign-in", data)
    if answer.status_code == 307:  # the client itself would follow it without the form
        return browser.post(answer.location, data=data)
    return browser.get(answer.location)


@pytest.mark.parametrize("htmx", [False, True])
def test_the_form_comes_back_as_it_was_filled_in_and_is_not_sent(send, session, ann, htmx):
    page, browser = send(htmx=htmx)
    assert page.status_code == 200
    assert "Meld je opnieuw aan: wat je invulde, komt dan terug." in page.text
    shown = again(browser, page, ann)
    assert shown.status_code == 200
    assert shown.request.path == "/pledges/new"
    assert 'value="2u30"' in shown.text
    assert 'value="&lt;b&gt;9"' in shown.text
    assert re.findall(r'value="(\w+-\w\w)" checked', shown.text) == ["sun-ev"]
    assert 'name="skills"' in shown.text
    assert "er is niets verstuurd" in shown.text
    assert "tb-errors" not in shown.text
    assert session.scalar(select(func.count()).select_from(Pledge)) == 0


def test_a_small_form_beside_others_comes_back_too(send, session, ann):
    pledge = make_pledge(session, session.scalars(select(Employment)).first())
    session.commit()
    here = f"/pledges/{pledge.public_id}"
    page, browser = send(f"{here}/minutes", came_from=f"http://localhost{here}", more={"hours": "77:15"})
    shown = again(browser, page, ann)
    assert shown.request.path == here
    assert 'value="77:15"' in shown.text


@pytest.mark.parametrize(("came_from", "status"), [("/pledges/new?a=b?", 200), ("/", 303)])
def test_signing_in_leads_to_a_page_that_can_be_looked_at(send, ann, came_from, status):
    page, browser = send(came_from=f"http://localhost{came_from}")
    data = {
        "email": ann.email,
        "password": PASSWORD,
        "next": came_from,
        "draft": CARRIED.search(page.text)[1],
    }
    answer = browser.post_form("/sign-in", data)
    if answer.status_code == 307:
        answer = browser.post(answer.location, data=data)
    assert answer.status_code == status


def test_somebody_else_who_signs_in_there_sees_nothing_of_it(send, session):
    page, browser = send()
    other = session.get_one(User, make_employment(session).user_id)
    shown = again(browser, page, other)
    assert shown.request.method == "GET"
    assert "2u30" not in shown.text


def test_a_draft_is_for_its_own_page_and_is_not_to_be_altered(send, ann, client_as):
    page, _browser = send()
    draft = CARRIED.search(page.text)[1]
    browser = client_as(ann)
    assert browser.post("/account", data={"draft": draft}).status_code in (400, 405)
    assert browser.post("/pledges/new", data={"draft": draft}).status_code == 200
    assert browser.post("/pledges/new", data={"draft": draft[:-1]}).status_code == 400


def test_what_can_not_come_back_is_not_carried(send):
    for options in (
        {"came_from": "http://localhost/sign-out"},  # no page of its own
        {"came_from": "http://elsewhere.example/pledges/new"},
        {"more": {"hours": "1" * (drafts.LONGEST + 1)}},
    ):
        answer, _browser = send(**options)
        assert answer.status_code == 303
        assert not CARRIED.search(answer.text)


def test_no_password_is_carried(app, send):
    page, _browser = send()
    with app.test_request_context():
        _owner, _path, fields = drafts._signer().loads(CARRIED.search(page.text)[1])
    assert SECRET not in str(fields)
    assert "csrf_token" not in dict(fields)
    forms = [f for f in vars(timebank.auth.forms).values() if isinstance(f, type) and issubclass(f, BaseForm)]
    names = {
        name
        for form in forms
        for name, field in vars(form).items()
        if getattr(field, "field_class", 0) is Password
    }
    assert names
    assert names <= drafts.SECRETS


@pytest.mark.parametrize("htmx", [False, True])
def test_signing_in_again_elsewhere_loses_nothing_of_an_open_form(client_as, session, ann, htmx):
    browser = client_as(ann)
    data = {"hours": "2u30", "postcode": "<b>9", "csrf_token": "that of the session before"}
    headers = {"Referer": FORM} | ({"HX-Request": "true"} if htmx else {})
    page = browser.post("/pledges/new", data=data, headers=headers)
    assert page.status_code == 400
    assert "Je meldde je opnieuw aan" in page.text
    assert 'action="/pledges/new"' in page.text
    shown = browser.post("/pledges/new", data={"draft": CARRIED.search(page.text)[1]})
    assert shown.status_code == 200
    assert 'value="2u30"' in shown.text
    assert 'value="&lt;b&gt;9"' in shown.text
    assert session.scalar(select(func.count()).select_from(Pledge)) == 0


def test_a_form_that_another_site_sends_is_not_shown(client_as, ann):
    data = {"hours": "2u30", "csrf_token": "none"}
    page = client_as(ann).post("/pledges/new", data=data, headers={"Referer": "http://elsewhere.example/"})
    assert page.status_code == 400
    assert CARRIED.search(page.text) is None
