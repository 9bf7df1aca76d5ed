"""What every page shares: languages, themes, desks, headers, static files, and pages for what went wrong."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.gallery import make_app


@pytest.fixture(scope="module")
def app() -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token(client: FlaskClient, path: str = "/gallery") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def lang(response: TestResponse) -> str:
    found = re.search(r'<html lang="(\w+)"', response.text)
    assert found
    return found[1]


# --- language, theme, desk -------------------------------------------------------------------------------------------


def test_a_page_speaks_dutch_unless_the_browser_asks_otherwise(client: FlaskClient) -> None:
    assert lang(client.get("/gallery")) == "nl"
    assert lang(client.get("/gallery", headers={"Accept-Language": "de, fr-BE;q=0.8"})) == "fr"
    assert lang(client.get("/gallery", headers={"Accept-Language": "de"})) == "nl"


def test_a_chosen_language_stays_and_leads_back(client: FlaskClient) -> None:
    answer = client.post("/language/en", data={"csrf_token": token(client), "next": "/gallery?x=1"})
    assert (answer.status_code, answer.location) == (303, "/gallery?x=1")
    assert lang(client.get("/gallery", headers={"Accept-Language": "fr"})) == "en"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "x", ""])
def test_a_choice_never_leads_to_another_site(client: FlaskClient, target: str) -> None:
    answer = client.post("/theme/dark", data={"csrf_token": token(client), "next": target})
    assert answer.location == "/"


def test_an_unknown_language_theme_or_desk_is_not_found(client: FlaskClient) -> None:
    form = {"csrf_token": token(client)}
    for path in ("/language/de", "/theme/pink", "/desk/operator?as=person", "/desk/hr"):
        assert client.post(path, data=form).status_code == 404


def test_a_chosen_theme_is_on_the_page_until_the_device_decides_again(client: FlaskClient) -> None:
    form = {"csrf_token": token(client)}
    client.post("/theme/dark", data=form)
    assert 'data-bs-theme="dark"' in client.get("/gallery").text
    client.post("/theme/system", data=form)
    assert "data-bs-theme" not in client.get("/gallery").text


def test_the_bar_shows_the_desk_that_the_page_belongs_to(client: FlaskClient) -> None:
    page = client.get("/hr?as=person").text
    assert '<a href="/hr" aria-current="page">' in page
    assert 'href="/today"' not in page
    assert 'href="/today"' in client.get("/today?as=person").text


def test_a_chosen_desk_stays_on_pages_of_no_desk(client: FlaskClient) -> None:
    answer = client.post("/desk/hr?as=person", data={"csrf_token": token(client)})
    assert answer.location == "/hr"
    assert 'href="/hr/approvals"' in client.get("/gallery?as=person").text


def test_a_phone_has_at_most_four_tabs(client: FlaskClient) -> None:
    tabs = client.get("/hr?as=person").text.partition('<nav class="tb-tabs"')[2].partition("</nav>")[0]
    assert tabs.count("<li>") == 4


def test_strangers_get_the_public_links_and_no_tabs(client: FlaskClient) -> None:
    page = client.get("/gallery").text
    assert 'href="/open-requests"' in page
    assert "tb-tabs" not in page


# --- headers and files -----------------------------------------------------------------------------------------------


def test_every_answer_carries_the_protecting_headers(client: FlaskClient) -> None:
    for path in ("/gallery", "/nowhere", "/favicon.ico"):
        headers = client.get(path).headers
        assert "script-src 'self';" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Strict-Transport-Security" not in headers


def test_https_is_remembered_where_the_site_is_served_over_it() -> None:
    answer = make_app(base_url="https://timebank.example").test_client().get("/gallery")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_pages_hold_nothing_that_the_policy_forbids(client: FlaskClient) -> None:
    page = client.get("/gallery?as=person").text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|hx-on|https?://(?!www\.w3)", page)


def test_pages_are_not_kept_and_static_files_are(client: FlaskClient) -> None:
    page = client.get("/gallery")
    assert page.headers["Cache-Control"] == "no-store"
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(addresses) == 6
    for address in addresses:
        file = client.get(address)
        assert file.status_code == 200
        assert "immutable" in file.headers["Cache-Control"]
        assert "Set-Cookie" not in file.headers


def test_an_old_address_of_a_file_still_answers_but_is_not_kept(client: FlaskClient) -> None:
    assert client.get("/static/000000000000/css/tokens.css").headers["Cache-Control"] == "no-cache"


def test_the_font_is_found_beside_the_style_sheet(client: FlaskClient) -> None:
    sheet = re.search(r'"(/static/\w+)/css/tokens.css"', client.get("/gallery").text)
    assert sheet
    assert "../generated/manrope-latin.woff2" in client.get(f"{sheet[1]}/css/tokens.css").text
    assert client.get(f"{sheet[1]}/generated/manrope-latin.woff2").status_code == 200


@pytest.mark.parametrize("name", ["../security.py", "..%2fsecurity.py", "css/../../forms.py", "nothing.css"])
def test_nothing_outside_the_static_folder_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/x/{name}").status_code == 404


# --- what went wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("NotFound", 404),
        ("NotPermitted", 403),
        ("WrongState", 409),
        ("Conflict", 409),
        ("Expired", 409),
        ("InsufficientHours", 409),
        ("TooMany", 429),
        ("invalid", 422),
        ("lost", 503),
        ("bug", 500),
    ],
)
def test_each_refusal_has_its_status_and_a_page_with_a_reference(
    client: FlaskClient, name: str, status: int
) -> None:
    client.application.testing = False
    answer = client.get(f"/raise/{name}", headers={"Accept-Language": "en"})
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] in answer.text
    assert "<h1>" in answer.text
    assert "secret" not in answer.text
    if status < 500 and name != "invalid":
        assert "De vraag is al ingevuld." in answer.text


@pytest.mark.parametrize("name", ["deadlock", "serialization", "no_lock", "locked"])
def test_two_acts_that_met_are_told_apart_from_a_lost_connection(
    client: FlaskClient, caplog: Any, name: str
) -> None:
    client.application.testing = False
    answer = client.get(f"/raise/{name}", headers={"Accept-Language": "en"})
    assert answer.status_code == 409
    assert "Somebody else was at it at the same moment" in answer.text
    assert "secret" not in answer.text
    told = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert "acts_met" in told
    assert "database_unreachable" not in told


def test_the_reference_and_the_cause_are_in_the_log(client: FlaskClient, caplog: Any) -> None:
    with caplog.at_level(logging.INFO):
        answer = client.get("/raise/bug")
    told = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    failure = next(each for each in told if each["event"] == "unexpected_error")
    assert failure["request"] == answer.headers["X-Request-ID"]
    assert failure["kind"] == "ZeroDivisionError"
    line = next(each for each in told if each["event"] == "request")
    assert (line["status"], line["method"], line["endpoint"]) == (500, "GET", "gallery.fail")
    assert line["ms"] >= 0


@pytest.mark.parametrize("env", ["development", "production"])
def test_a_row_that_the_database_refused_is_not_in_the_log(env: str) -> None:
    app = make_app(env=env)
    stderr = next(each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    lines = stderr.setStream(io.StringIO())
    try:
        app.test_client().get("/raise/taken")
        told = stderr.stream.getvalue()
    finally:
        stderr.setStream(lines)
    assert "duplicate key" in told
    assert "ann@example.org" not in told


def test_a_page_that_does_not_exist_is_told_in_the_readers_language(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"Accept-Language": "fr"})
    assert (answer.status_code, lang(answer)) == (404, "fr")


def test_a_wrong_method_says_which_there_are(client: FlaskClient) -> None:
    answer = client.post("/today", data={"csrf_token": token(client)})
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_form_without_its_token_is_refused_with_advice(client: FlaskClient) -> None:
    answer = client.post("/gallery", data={"title": "x"}, headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert "Reload it and try again" in answer.text


def test_htmx_gets_a_part_that_stands_above_the_page(client: FlaskClient) -> None:
    answer = client.get("/raise/Conflict", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#told"
    assert answer.headers["HX-Reselect"] == ".tb-notice"
    assert 'class="tb-notice' in answer.get_data(as_text=True)
    assert "<html" not in answer.text
    assert "De vraag is al ingevuld." in answer.text


def test_machines_get_a_problem_in_json(client: FlaskClient) -> None:
    answer = client.get("/raise/invalid", headers={"Accept": "application/json"})
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem["status"] == 422
    assert problem["detail"] == "Drie velden kloppen niet."
    assert problem["errors"] == {"title": "Te lang."}
    assert problem["reference"] == answer.headers["X-Request-ID"]
    assert client.get("/api/nowhere").mimetype == "application/problem+json"


def test_an_error_leads_back_only_to_a_page_of_this_site(client: FlaskClient) -> None:
    here = client.get("/raise/Conflict", headers={"Referer": "http://localhost/gallery?page=2"})
    assert 'href="/gallery?page=2"' in here.text
    assert "evil" not in client.get("/raise/Conflict", headers={"Referer": "http://evil.example/x"}).text


# --- forms and flashes -----------------------------------------------------------------------------------------------


def test_a_refused_form_keeps_what_was_typed_and_lists_what_to_change(client: FlaskClient) -> None:
    form = {"csrf_token": token(client), "postcode": "90", "minutes": "veel", "story": "<b>Een verhaal</b>"}
    answer = client.post("/gallery", data=form)
    assert answer.status_code == 422
    assert '<a href="#postcode">Postcode</a>' in answer.text
    assert re.search(r'<input[^>]*aria-describedby="postcode-error"[^>]*value="90"', answer.text)
    assert re.search(r'<input[^>]*value="veel"', answer.text)
    assert "&lt;b&gt;Een verhaal&lt;/b&gt;" in answer.text


def test_the_skill_picker_works_without_a_script(client: FlaskClient) -> None:
    form = {"csrf_token": token(client), "skills": ["1", "3"], "skills-level-1": "3", "skills-level-3": "9"}
    added = client.post("/gallery", data={**form, "skills-add": "", "skills-choose": "4"})
    assert added.status_code == 200
    assert "Hersteltechniek</label>" in added.text
    assert added.text.count('name="skills" value=') == 3
    dropped = client.post("/gallery", data={**form, "skills-drop": "1"})
    assert "Boekhouding vzw</label>" not in dropped.text
    assert dropped.text.count('name="skills" value=') == 1


def test_what_happened_is_a_toast_and_what_is_wrong_stands_in_the_page(client: FlaskClient) -> None:
    page = client.get("/gallery/told").text
    main, _end, after = page.partition("</main>")
    assert "Kies eerst een rij." in main
    assert 'role="alert"' in main
    assert "Maak ongedaan" in after.partition('role="status"')[2]


def test_an_act_redirects_or_sends_the_part_that_changed_with_its_toast(client: FlaskClient) -> None:
    form = {"csrf_token": token(client)}
    plain = client.post("/gallery/act", data=form)
    assert (plain.status_code, plain.location) == (303, "/gallery")
    client.get("/gallery")
    part = client.post("/gallery/act", data=form, headers={"HX-Request": "true"}).text
    assert "Goedgekeurd" in part
    assert 'hx-swap-oob="true"' in part
    assert "28 uur" in part
