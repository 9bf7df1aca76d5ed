"""What strangers see: open requests and initiatives that are admitted, sums, and nothing about persons."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    make_company,
    make_coordinator,
    make_employment,
    make_initiative,
    make_match,
    make_pledge,
    make_request,
    make_user,
    skill_id,
)
from tests.hub.pages import PAGES, give, page_of, page_of_initiative, read, titles
from tests.support.client import TimebankClient
from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.auth.models import User
from timebank.coaching import service as coaching
from timebank.ledger import service as ledger
from timebank.organisations.models import Admission

# --- all pages ------------------------------------------------------------------------------------------------------


@pytest.mark.both
@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_public_pages_work_on_an_empty_database_in_each_language(
    client: TimebankClient, language: str
) -> None:
    for path in PAGES:
        page = read(client, path, language)
        assert f'<html lang="{language}"' in page
        assert page.count("<h1>") == 1
        assert '<meta property="og:title"' in page
        assert f'<link rel="canonical" href="http://localhost{path}">' in page
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)


def test_every_link_of_the_public_pages_leads_somewhere(client: TimebankClient, session: Session) -> None:
    make_request(session)
    seen, open_ = set(), ["/"]
    while open_:
        path = open_.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        open_ += [
            link.partition("#")[0].replace("&amp;", "&")
            for link in re.findall(r'<a [^>]*href="(/[^"]*)"', answer.text)
        ]
    assert {"/help", "/privacy", "/join/initiative", "/who-sees-what"} <= seen


def test_an_empty_home_page_shows_no_zeros_and_a_way_in(client: TimebankClient) -> None:
    page = read(client, "/")
    assert "tb-figure" not in page
    assert "Nobody waits at this moment" in page
    assert 'href="/join"' in page


def test_the_lists_are_empty_without_a_filter_bar(client: TimebankClient) -> None:
    assert "tb-filters" not in read(client, "/open-requests")
    assert "The first initiative has yet to come in" in read(client, "/initiatives")


# --- home -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_home_shows_confirmed_hours_of_this_year_from_the_ledger(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    ours, theirs = make_initiative(session), make_initiative(session, postcode="2000")
    first, second = make_company(session), make_company(session)
    give(session, first, ours, 90, clock.today())
    give(session, second, theirs, 60, clock.today())
    give(session, second, theirs, 600, date(2025, 12, 31))
    page = read(client, "/")
    figures = dict(
        zip(re.findall(r"<dt>([^<]+)</dt>", page), re.findall(r'tb-num">([^<]+)<', page), strict=False)
    )
    assert figures == {
        "hours confirmed in 2026": "2",
        "initiatives coached": "2",
        "companies take part": "2",
    }
    assert "in 2 municipalities" in page
    assert "2 hours pledged in 2026" in page


def test_hours_that_were_reversed_are_not_shown(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    company, initiative = make_company(session), make_initiative(session)
    key = give(session, company, initiative, 120, clock.today())
    assert "2 hours received" in read(client, page_of_initiative(initiative))
    ledger.reverse(
        session,
        key_of_original=key,
        key=f"{key}:reversed",
        reason="mistake",
        activity_date=clock.today(),
        actor_label="test",
        now=clock.now(),
    )
    assert "received" not in read(client, page_of_initiative(initiative))
    assert "hours confirmed" not in read(client, "/")


def test_home_says_how_long_a_first_proposal_took(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    request = make_request(session)
    session.commit()
    held_clock.move(days=3)
    make_match(session, request=request)
    page = read(client, "/")
    assert re.search(r'to a first proposal</dt><dd class="tb-num">3 <small>days', page)


def test_home_leads_a_person_with_a_desk_to_it(
    session: Session, client_as: Callable[..., TimebankClient]
) -> None:
    coach = session.get_one(User, make_employment(session).user_id)
    answer = client_as(coach).get("/")
    assert (answer.status_code, answer.location) == (303, "/today")


def test_home_shows_a_person_without_a_desk_the_public_page(
    session: Session, client_as: Callable[..., TimebankClient]
) -> None:
    assert client_as(make_user(session)).get("/").status_code == 200


def test_home_lists_who_waits_longest_and_those_without_a_proposal_first(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    initiative = make_initiative(session)
    for number in range(5):
        request = make_request(session, initiative, title=f"Vraag {number}")
        if number == 0:
            make_match(session, request=request)
        held_clock.move(hours=1)
    assert titles(read(client, "/")) == ["Vraag 1", "Vraag 2", "Vraag 3", "Vraag 4"]
    assert "See the 5 open requests" in read(client, "/")


# --- what is not public -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", ["paused", "closed", "submitted", "suspended", "applied", "host", "over"])
@pytest.mark.both
def test_what_is_not_open_or_not_admitted_is_nowhere(
    client: TimebankClient, session: Session, held_clock: HeldClock, hidden: str
) -> None:
    initiative = make_initiative(session, name="Het Verborgen Huis")
    request = make_request(session, initiative, title="Niemand mag dit zien", **_staffing(session, hidden))
    if hidden == "paused":
        coaching.pause_request(session, request.public_id, actor=SYSTEM, now=clock.now())
    elif hidden == "closed":
        coaching.cancel_request(session, request.public_id, "Opgelost", actor=SYSTEM, now=clock.now())
    elif hidden == "suspended":
        initiative.admission = Admission.SUSPENDED
    elif hidden == "applied":
        initiative.admission, initiative.decided_at = Admission.APPLIED, None
    elif hidden == "host":
        initiative.organisation.admission = Admission.SUSPENDED
    session.commit()
    if hidden == "over":
        held_clock.move(days=91)
    assert client.get(page_of(request)).status_code == 404
    for path in ("/", "/open-requests", "/open-requests?q=niemand", "/sitemap.xml"):
        page = read(client, path)
        assert "Niemand mag dit zien" not in page
        assert str(request.public_id) not in page
    gone = hidden in ("suspended", "applied", "host")
    assert client.get(page_of_initiative(initiative)).status_code == (404 if gone else 200)
    for path in ("/initiatives", "/initiatives?q=verborgen", "/sitemap.xml"):
        assert (initiative.slug in read(client, path)) is not gone


def _staffing(session: Session, hidden: str) -> dict[str, Any]:
    """A request of so many hours that the operator looks at it first."""
    if hidden != "submitted":
        return {}
    return {"minutes_per_coach": 24_000, "until_date": clock.today() + timedelta(days=60)}


def test_unknown_addresses_are_not_found(client: TimebankClient) -> None:
    for path in (f"/open-requests/{uuid.uuid4()}", "/open-requests/1", "/initiatives/nobody"):
        assert client.get(path).status_code == 404


def test_public_pages_name_no_person_no_company_and_no_address(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    company = make_company(session, name="Delta Staal")
    employment = make_employment(session, company, user=make_user(session, name="Wannes Verstraete"))
    initiative = make_initiative(session, contact_name="Ginette Vandevelde")
    make_coordinator(session, initiative, email="ginette@privaat.test")
    request = make_request(session, initiative, seats=2)
    make_match(session, make_pledge(session, employment), request)
    give(session, company, initiative, 300, clock.today())
    paths = [*PAGES, page_of(request), page_of_initiative(initiative), "/sitemap.xml"]
    for path in paths:
        page = read(client, path)
        for secret in (
            "Verstraete",
            "Vandevelde",
            "Fatima",
            "Delta Staal",
            "example.test",
            "privaat.test",
            "@",
        ):
            assert secret not in re.sub(r'<meta name="htmx-config".*', "", page), f"{secret} on {path}"


# --- search engines, statements -------------------------------------------------------------------------------------


def test_search_engines_are_told_the_public_pages_only(client: TimebankClient, session: Session) -> None:
    request = make_request(session)
    robots = client.get("/robots.txt")
    assert robots.mimetype == "text/plain"
    assert "Disallow: /\n" in robots.text
    assert "Sitemap: http://localhost/sitemap.xml" in robots.text
    sitemap = client.get("/sitemap.xml")
    assert sitemap.mimetype == "application/xml"
    assert f"<loc>http://localhost{page_of(request)}</loc>" in sitemap.text
    assert f"<loc>http://localhost{page_of_initiative(request.initiative)}</loc>" in sitemap.text
    assert "/hr" not in sitemap.text


def test_pages_are_not_kept_by_browsers_or_proxies(client: TimebankClient) -> None:
    for path in PAGES:
        assert client.get(path).headers["Cache-Control"] == "no-store"


@dataclass
class Counter:
    statements: int = 0


def count(client: TimebankClient, path: str) -> int:
    """How many statements a page takes, without the opening and closing of transactions."""
    counter = Counter()

    def heard(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counter.statements += statement.lstrip().upper().startswith("SELECT")

    event.listen(db.engine(), "before_cursor_execute", heard)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(db.engine(), "before_cursor_execute", heard)
    return counter.statements


def test_the_statements_of_a_page_do_not_grow_with_its_rows(client: TimebankClient, session: Session) -> None:
    initiative = make_initiative(session)
    request = make_request(session, initiative)
    make_match(session, request=request)
    paths = ("/", "/open-requests", "/initiatives", page_of(request), page_of_initiative(initiative))
    session.commit()
    before = {path: count(client, path) for path in paths}
    for number in range(6):
        another = make_initiative(session, name=f"Nog een {number}", postcode="2000")
        make_request(session, another, seats=3, nice=[(skill_id(session, "budgeting"), 1)])
        make_request(session, initiative, title=f"Nog een vraag {number}")
    session.commit()
    assert {path: count(client, path) for path in paths} == before
    assert max(before.values()) <= 12
