"""The test client is let in for the reasons a browser is, and sees the same data as the test."""

from __future__ import annotations

import pytest
from flask import Flask, g, request
from flask_wtf import CSRFProtect
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import HELD, HeldClock, settings_for
from tests.support.client import TimebankClient
from timebank import clock, db


@pytest.fixture
def app(database_url: str) -> Flask:
    """A small application of its own, with the protection that the real one has."""
    small = Flask("small")
    small.secret_key = settings_for(database_url).secret_key
    small.test_client_class = TimebankClient
    CSRFProtect(small)
    db.init_engine(database_url)

    @small.post("/say")
    def say() -> str:
        return f"{request.form['word']} {g.get('seen', 'first')} {request.headers.get('HX-Request')}"

    @small.get("/visit")
    def visit() -> str:
        seen = g.setdefault("seen", 0)
        g.seen = seen + 1
        with db.unit_of_work() as session:
            session.execute(text("UPDATE causes SET sdg_target = '9.9'"))
            return f"{g.seen} {clock.now().isoformat()}"

    return small


def test_a_form_without_a_token_is_refused_and_post_form_brings_one(client: TimebankClient) -> None:
    assert client.post("/say", data={"word": "uur"}).status_code == 400
    assert client.post_form("/say", {"word": "uur"}).text == "uur first None"
    assert client.post_form("/say", {"word": "uur"}, htmx=True).text == "uur first true"


def test_a_token_of_another_client_is_refused(app: Flask) -> None:
    token = TimebankClient(app, use_cookies=True).csrf_token()
    other = TimebankClient(app, use_cookies=True)
    other.csrf_token()
    assert other.post("/say", data={"word": "uur", "csrf_token": token}).status_code == 400


@pytest.mark.both
def test_requests_share_data_with_the_test_but_not_its_context(
    client: TimebankClient, session: Session, held_clock: HeldClock
) -> None:
    others = text("SELECT count(*) FROM causes WHERE sdg_target <> '9.9'")
    assert session.scalar(others)
    g.seen = 41
    assert client.get("/visit").text == f"1 {HELD.isoformat()}"
    held_clock.move(days=8)
    assert client.get("/visit").text == "1 2026-03-18T09:00:00+00:00"
    assert session.scalar(others) == 0
    assert g.seen == 41
