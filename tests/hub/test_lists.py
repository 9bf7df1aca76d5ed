"""What strangers find: open requests and initiatives, searched, filtered, paged, and each by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    grant,
    make_company,
    make_employment,
    make_initiative,
    make_request,
    make_user,
    skill_id,
)
from tests.hub.pages import give, page_of, page_of_initiative, read, titles
from tests.support.client import TimebankClient
from timebank.auth.models import Role, User
from timebank.coaching.models import RequestText
from timebank.hub.shown import mail_address, website
from timebank.organisations.models import InitiativeText
from timebank.taxonomy.models import Phase

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
