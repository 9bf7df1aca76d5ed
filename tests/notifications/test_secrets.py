"""A link that lets somebody in does not stay behind in the outbox."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import make_company, make_user
from tests.notifications.test_outbox import Server
from tests.support.client import TimebankClient
from timebank import clock, marks
from timebank.auth import service as auth
from timebank.auth.actor import SYSTEM
from timebank.notifications import service
from timebank.notifications.models import OutboxMessage
from timebank.organisations import service as organisations

pytestmark = pytest.mark.both


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    with app.app_context(), Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        app.config["SETTINGS"] = dataclasses.replace(
            app.config["SETTINGS"], smtp_url=server.url, mail_from="Timebank <hallo@timebank.example>"
        )
        yield server
        server.shutdown()


@pytest.fixture
def links(app: Flask, session: Session) -> list[str]:
    """Tokens of an invitation and of a new password that wait to be mailed."""
    with app.app_context():
        company, user = make_company(session), make_user(session)
        organisations.invite_hr(
            session, company.id, "An Bos", "an@x.test", "nl", actor=SYSTEM, now=clock.now()
        )
        auth.request_reset(session, user.email, "127.0.0.1", now=clock.now())
        session.commit()
    return tokens(session)


def tokens(session: Session) -> list[str]:
    session.expire_all()
    bodies = session.scalars(select(OutboxMessage.body).order_by(OutboxMessage.id)).all()
    found = [t for body in bodies for t in re.findall(r"/(?:invitations|reset)/([\w-]{20,})", body)]
    session.commit()
    return found


def states(session: Session) -> list[tuple[datetime | None, datetime | None]]:
    rows = session.execute(select(OutboxMessage.sent_at, OutboxMessage.failed_at)).all()
    session.commit()
    return [(row[0], row[1]) for row in rows]


def test_it_leaves_with_the_mail(session: Session, server: Server, links: list[str]) -> None:
    assert len(links) == 2
    assert service.send_due(clock.now()) == 2
    sent = b"".join(server.letters).decode().replace("=\n", "").replace("=\r\n", "")
    assert all(token in sent for token in links)
    assert tokens(session) == []
    messages = session.scalars(select(OutboxMessage)).all()
    assert all("…" in m.body and m.secret is None for m in messages)


def test_it_waits_for_the_next_try_and_goes_when_the_mail_is_given_up(
    session: Session, server: Server, links: list[str]
) -> None:
    server.to_recipient = "450 later"
    assert service.send_due(clock.now()) == 0
    assert tokens(session) == links
    server.to_recipient = "550 nobody"
    assert service.send_due(clock.now() + timedelta(days=2)) == 0
    assert all(failed for _sent, failed in states(session))
    assert tokens(session) == []


def test_it_stays_where_mail_is_read_in_the_browser(
    app: Flask, session: Session, client: TimebankClient, links: list[str]
) -> None:
    with app.app_context():
        assert service.send_due(clock.now()) == 2
    assert tokens(session) == links
    assert client.get(f"/invitations/{links[0]}").status_code == 200


def test_it_stays_in_a_demo_that_has_a_mail_server(
    session: Session, server: Server, links: list[str]
) -> None:
    marks.mark_demo(session)
    session.commit()
    assert service.send_due(clock.now()) == 2
    assert tokens(session) == links
