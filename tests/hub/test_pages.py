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
    grant,
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
from tests.support.client import TimebankClient
from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.auth.models import Role, User
from timebank.coaching import service as coaching
from timebank.coaching.models import CoachingRequest, RequestText
from timebank.hub.shown import mail_address, website
from timebank.ledger import service as ledger
from timebank.ledger.entries import Facts
from timebank.organisations.models import Admission, Initiative, InitiativeText, Organisation
from timebank.taxonomy.models import Phase

PAGES = (
    "/",
    "/open-requests",
    "/initiatives",
    "/how-it-works",
    "/who-sees-what",
    "/privacy",
    "/accessibility",
    "/help",
)


def read(client: TimebankClient, path: str, language: str = "en") -> str:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, f"{path}: {answer.status}"
    return answer.text


def page_of(request: CoachingRequest) -> str:
    return f"/open-requests/{request.public_id}"


def page_of_initiative(initiative: Initiative) -> str:
    return f"/initiatives/{initiative.slug}"


def titles(page: str) -> list[str]:
    """The rows of a list, by their heads."""
    return re.findall(r'<h3><a href="[^"]*"[^>]*>([^<]*)</a></h3>', page)


def give(session: Session, company: Organisation, initiative: Initiative, minutes: int, day: date) -> str:
    """Hours that the ledger holds as confirmed, after as many were granted and reserved; gives the key."""
    tranche, match = uuid.uuid4(), uuid.uuid4()
    common: dict[str, Any] = {
        "organisation_id": company.id,
        "activity_date": day,
        "actor_label": "test",
        "now": clock.now(),
        "facts": Facts(initiative=initiative.public_id, nis=initiative.nis, employee="E-test"),
    }
    ledger.grant(session, tranche=tranche, minutes=minutes, key=f"{tranche}:granted", **common)
    parts = [(tranche, minutes)]
    ledger.reserve(session, match=match, parts=parts, key=f"{match}:reserved", **common)
    key = f"{match}:confirmed"
    ledger.confirm(session, match=match, parts=parts, key=key, **common)
    return key


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


# --- open requests --------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_requests_are_searched_and_filtered(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    ghent = make_initiative(session, name="Herstelpunt Gent")
    make_request(session, ghent, title="Een begroting")
    make_request(session, ghent, title="Een plan", must=[(skill_id(session, "budgeting"), 1)], remote=True)
    make_request(session, ghent, title="Brussel", postcode="1000")
    make_request(session, make_initiative(session, postcode="4000"), title="Luik", postcode="4000")

    def found(query: str) -> list[str]:
        return titles(read(client, f"/open-requests?{query}"))

    assert found("") == ["Een begroting", "Een plan", "Brussel", "Luik"]
    assert found("q=begroting") == ["Een begroting"]
    assert found("q=herstelpunt") == ["Een begroting", "Een plan", "Brussel"]
    assert found("skill=budgeting") == ["Een plan"]
    assert found("region=flanders") == ["Een begroting", "Een plan", "Brussel"]
    assert found("region=BE10") == ["Brussel"]
    assert found("online=1") == ["Een plan"]
    assert found("q=begroting&online=1") == []
    assert "No open request fits" in read(client, "/open-requests?q=zzz")
    for odd in ("skill=nothing", "region=XX", "q=%00", "q=" + "x" * 5000):
        read(client, f"/open-requests?{odd}")


def test_filters_offer_only_skills_that_are_asked_and_provinces_with_their_counts(
    client: TimebankClient, session: Session
) -> None:
    make_request(session)
    page = read(client, "/open-requests")
    assert re.findall(r'<option value="([a-z_-]+)"', page) == ["bookkeeping", "flanders"]
    assert "East Flanders (1)" in page
    assert "Antwerp" not in page


@pytest.mark.both
def test_requests_are_paged_by_key_and_keep_their_filters(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    initiative = make_initiative(session)
    for number in range(23):
        make_request(session, initiative, title=f"Vraag {number:02}")
        held_clock.move(minutes=1)
    first = read(client, "/open-requests?q=vraag")
    assert len(titles(first)) == 20
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following
    second = read(client, following[1].replace("&amp;", "&"))
    assert titles(second) == ["Vraag 20", "Vraag 21", "Vraag 22"]
    assert 'rel="prev"' in second
    assert 'value="vraag"' in second
    assert len(titles(read(client, "/open-requests?after=nonsense"))) == 20


def test_a_request_is_told_in_the_readers_language_else_in_the_initiatives_own(
    client: TimebankClient, session: Session
) -> None:
    request = make_request(session, title="Een begroting", description="Het bestuur zoekt hulp.")
    request.texts.append(RequestText(language="fr", title="Un budget", description="Le conseil cherche."))
    french = read(client, page_of(request), "fr")
    assert "Un budget" in french
    assert "Le conseil cherche." in french
    english = read(client, page_of(request))
    assert "Een begroting" in english
    assert 'lang="nl"><p>Het bestuur zoekt hulp.' in english


def test_a_request_says_what_where_when_and_for_whom(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    request = make_request(session, seats=2, remote=True, nice=[(skill_id(session, "budgeting"), 1)])
    page = read(client, page_of(request))
    for said in ("6 hours a coach", "2 seats", "Gent, or online", "17 March to 8 June 2026", "At any time"):
        assert said in page
    assert request.initiative.slug in page
    assert "Welcome too" in page


def test_what_people_write_is_never_markup(client: TimebankClient, session: Session) -> None:
    initiative = make_initiative(session, name="<b>Vet</b>")
    initiative.texts = [InitiativeText(language="nl", description="<script>alert(1)</script>")]
    request = make_request(session, initiative, title="<i>Schuin</i>", description="<img src=x>")
    for path in ("/", "/open-requests", "/initiatives", page_of(request), page_of_initiative(initiative)):
        page = read(client, path)
        assert not re.search(r"<b>Vet|<script>alert|<i>Schuin|<img", page), path


def test_helping_is_explained_to_strangers_and_open_to_employees(
    client: TimebankClient, session: Session, client_as: Callable[..., TimebankClient]
) -> None:
    request = make_request(session)
    page = read(client, page_of(request))
    assert "Coaches come through their employer" in page
    assert "/pledges/new" not in page
    employment = make_employment(session)
    coach = session.get_one(User, employment.user_id)
    assert 'href="/pledges/new"' in client_as(coach).get(page_of(request)).text
    hr = grant(session, make_user(session), Role.HR, organisation_id=employment.organisation_id)
    assert "/pledges/new" not in client_as(hr).get(page_of(request)).text


# --- initiatives ----------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_initiatives_are_searched_and_filtered(client: TimebankClient, session: Session) -> None:
    make_initiative(session, name="Atelier", postcode="2000", phase=Phase.IDEA, causes=("culture",))
    make_initiative(session, name="Buurthuis", postcode="9000")
    liege = make_initiative(session, name="Coopérative", postcode="4000", language="fr")
    liege.texts = [InitiativeText(language="fr", description="Nous réparons des vélos.")]

    def found(query: str) -> list[str]:
        return titles(read(client, f"/initiatives?{query}"))

    assert found("") == ["Atelier", "Buurthuis", "Coopérative"]
    assert found("q=atel") == ["Atelier"]
    assert found("q=gent") == ["Buurthuis"]
    assert found("q=parons") == ["Coopérative"]
    assert found("cause=circular") == ["Buurthuis", "Coopérative"]
    assert found("phase=idea") == ["Atelier"]
    assert found("region=flanders") == ["Atelier", "Buurthuis"]
    assert found("region=BE21") == ["Atelier"]
    assert found("phase=nonsense") == ["Atelier", "Buurthuis", "Coopérative"]
    assert "No initiative fits" in read(client, "/initiatives?q=zzz")


def test_the_map_shows_what_was_found_and_its_table_each_province(
    client: TimebankClient, session: Session
) -> None:
    for postcode in ("9000", "9000", "2000"):
        make_initiative(session, postcode=postcode)
    page = read(client, "/initiatives")
    assert page.count('class="hit"') == 2
    assert "A map of Flanders and Brussels with 3 initiatives." in page
    assert re.search(r'East Flanders</th><td class="num">2', page)
    narrowed = read(client, "/initiatives?region=BE21")
    assert narrowed.count('class="hit"') == 1
    assert "1 initiative" in narrowed


def test_initiatives_are_paged_by_name(client: TimebankClient, session: Session) -> None:
    host = make_initiative(session, name="Huis 00").organisation
    for number in range(1, 26):
        make_initiative(session, name=f"Huis {number:02}", host=host)
    first = read(client, "/initiatives")
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following
    assert titles(first)[-1] == "Huis 23"
    assert titles(read(client, following[1].replace("&amp;", "&"))) == ["Huis 24", "Huis 25"]


def test_an_initiative_tells_who_it_is_what_it_asks_and_what_it_was_given(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    initiative = make_initiative(session, name="De Schroef", website="https://schroef.example")
    make_request(session, initiative, title="Een begroting")
    make_request(session, title="Van een ander")
    give(session, make_company(session), initiative, 150, date(2025, 5, 1))
    page = read(client, page_of_initiative(initiative))
    assert titles(page) == ["Een begroting"]
    for said in ("Gent, East Flanders", "development", "SDG 12", "2 hours 30 received"):
        assert said in page
    assert '<a href="https://schroef.example" rel="noopener nofollow ugc">schroef.example</a>' in page
    assert "Wij herstellen toestellen samen." in page


def test_only_addresses_of_sites_become_links() -> None:
    assert website("www.schroef.be/over/") == ("https://www.schroef.be/over/", "schroef.be/over")
    for address in (None, "", "javascript:alert(1)", "geen", "https://iemand@evil.example", "ftp://a.b"):
        assert website(address) is None


def test_the_operators_address_is_shown_only_where_somebody_reads_it() -> None:
    assert mail_address("Timebank <hallo@timebank.example>") == "hallo@timebank.example"
    assert mail_address("Timebank <timebank@localhost>") is None
    assert mail_address("") is None


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
