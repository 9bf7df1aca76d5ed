"""Mail can be read in the browser only where none is sent, or in a demo."""

from __future__ import annotations

import dataclasses
import re

import pytest

from timebank import clock, db, marks
from timebank.notifications import service


@pytest.fixture
def mail(app):
    with app.app_context(), db.unit_of_work() as session:
        for n, to in enumerate(("ann@example.test", "bob@example.test")):
            service.queue(
                session,
                key=f"k{n}",
                kind="t",
                email=to,
                user_id=None,
                language="nl",
                subject=f"Voor {to}",
                body="Open <b>hier</b>:\nhttp://localhost/invitations/abc.\n\nTot dan",
                now=clock.now(),
            )


def set_to(app, **changes):
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], **changes)


def test_a_test_shows_its_mail_with_links(client, mail):
    page = client.get("/dev/mail").text
    assert page.index("Voor bob") < page.index("Voor ann")
    one = client.get(re.search(r"/dev/mail/[0-9a-f-]{36}", page)[0]).text
    assert '<a href="http://localhost/invitations/abc"' in one
    assert "&lt;b&gt;hier" in one


def test_mail_is_found_by_address(client, mail):
    page = client.get("/dev/mail?to=ANN").text
    assert "Voor ann" in page
    assert "Voor bob" not in page
    assert client.get("/dev/mail?to=%00%25&before=x").status_code == 200


def test_production_shows_no_mail(app, client, mail):
    set_to(app, env="production")
    assert client.get("/dev/mail").status_code == 404


def test_development_with_a_mail_server_shows_no_mail(app, client, mail):
    set_to(app, env="development", smtp_url="smtp://mail.example")
    assert client.get("/dev/mail").status_code == 404
    set_to(app, smtp_url=None)
    assert client.get("/dev/mail").status_code == 200


def test_a_demo_shows_its_mail_unless_production_sends_it(app, client, mail):
    with app.app_context(), db.unit_of_work() as session:
        marks.mark_demo(session)
        marks.mark_demo(session)
    set_to(app, env="production")
    assert client.get("/dev/mail").status_code == 200
    set_to(app, smtp_url="smtp://mail.example")
    assert client.get("/dev/mail").status_code == 404


def test_a_message_that_is_not_there_is_not_found(client):
    assert client.get("/dev/mail/00000000-0000-0000-0000-000000000001").status_code == 404
