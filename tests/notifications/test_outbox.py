"""Mail is queued with the act and leaves later, once."""

from __future__ import annotations

import dataclasses
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask_babel import gettext as _
from sqlalchemy import select

from tests.conftest import settings_for
from timebank import clock, db
from timebank.notifications import service, smtp
from timebank.notifications.models import OutboxMessage


def put(key: str = "k", **over) -> None:
    values = {
        "key": key,
        "kind": "test",
        "email": "ann@example.test",
        "user_id": None,
        "language": "nl",
        "subject": "Hallo",
        "body": "Lees http://localhost/today.",
        "now": clock.now(),
        **over,
    }
    with db.unit_of_work() as session:
        service.queue(session, **values)


def all_messages() -> list[OutboxMessage]:
    with db.read_session() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


@pytest.fixture(autouse=True)
def _context(app):
    with app.app_context():
        yield


class Server(socketserver.ThreadingTCPServer):
    """A mail server that takes what it is given, or answers as told."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.letters: list[bytes] = []
        self.to_recipient = "250 ok"
        self.to_data = "250 kept"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        server = self.server
        self.say("220 here")
        while line := self.rfile.readline().decode().strip().upper():
            if line.startswith("QUIT"):
                self.say("221 bye")
                return
            if line.startswith("RCPT"):
                self.say(server.to_recipient)
            elif line.startswith("DATA"):
                self.say("354 go on")
                letter: list[bytes] = []
                while (part := self.rfile.readline()) != b".\r\n":
                    letter.append(part)
                if server.to_data.startswith("250"):
                    server.letters.append(b"".join(letter))
                self.say(server.to_data)
            else:
                self.say("250 ok")


@pytest.fixture
def server(app):
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        app.config["SETTINGS"] = dataclasses.replace(
            app.config["SETTINGS"], smtp_url=server.url, mail_from="Timebank <hallo@timebank.example>"
        )
        yield server
        server.shutdown()


def test_a_message_leaves_once(server):
    put()
    assert service.send_due(clock.now()) == 1
    assert service.send_due(clock.now() + timedelta(days=2)) == 0
    letter = message_from_bytes(server.letters[0], policy=policy.default)
    assert letter["To"] == "ann@example.test"
    assert letter["Subject"] == "Hallo"
    assert letter["From"] == "Timebank <hallo@timebank.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().strip() == "Lees http://localhost/today."
    assert all_messages()[0].sent_at is not None


def test_letters_of_any_script_and_a_calendar_arrive(server):
    put(subject="Première séance 🗓", body="Πού; Вот здесь.", calendar="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert service.send_due(clock.now()) == 1
    letter = message_from_bytes(server.letters[0], policy=policy.default)
    assert letter["Subject"] == "Première séance 🗓"
    text, calendar = letter.iter_parts()
    assert text.get_content().strip() == "Πού; Вот здесь."
    assert calendar.get_content_type() == "text/calendar"


def test_the_same_key_is_queued_once():
    put()
    put(subject="Again")
    assert [m.subject for m in all_messages()] == ["Hallo"]


def test_a_subject_cannot_bring_another_header(server):
    put(subject="Hallo\r\nBcc: all@example.test")
    service.send_due(clock.now())
    letter = message_from_bytes(server.letters[0], policy=policy.default)
    assert letter["Bcc"] is None
    assert letter["Subject"] == "Hallo Bcc: all@example.test"


def test_an_act_that_fails_queues_nothing():
    with pytest.raises(ZeroDivisionError), db.unit_of_work() as session:
        message = {"key": "k", "kind": "t", "email": "a@b.be", "language": "nl", "subject": "s", "body": "b"}
        service.queue(session, user_id=None, now=clock.now(), **message)
        raise ZeroDivisionError
    assert all_messages() == []


def test_a_message_for_later_waits(server):
    put(send_after=clock.now() + timedelta(hours=3))
    assert service.send_due(clock.now()) == 0
    assert service.send_due(clock.now() + timedelta(hours=4)) == 1


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(server):
    server.to_data = "451 later"
    put()
    now = clock.now()
    for attempt in range(len(service.BACKOFF)):
        assert service.send_due(now) == 0
        message = all_messages()[0]
        assert (message.attempts, message.failed_at) == (attempt + 1, None)
        assert message.send_after == now + service.BACKOFF[attempt]
        assert service.send_due(now) == 0  # not before its time
        now = message.send_after
    service.send_due(now)
    message = all_messages()[0]
    assert message.failed_at == now
    assert "451" in message.last_error
    assert message.sent_at is None


def test_it_arrives_when_the_server_is_back(server):
    server.to_data = "451 later"
    put()
    service.send_due(clock.now())
    server.to_data = "250 kept"
    assert service.send_due(clock.now() + timedelta(minutes=2)) == 1
    assert all_messages()[0].last_error is None


def test_an_address_that_the_server_refuses_is_given_up_at_once_and_others_go_on(server):
    server.to_recipient = "550 nobody here"
    put("a")
    put("b")
    assert service.send_due(clock.now()) == 0
    assert all(m.failed_at is not None for m in all_messages())


def test_an_address_that_no_letter_can_hold_is_given_up_and_the_other_letters_leave(server):
    put("a", email="=?utf-8?q?a=0ab?=@acme.be")
    put("b")
    assert service.send_due(clock.now()) == 1
    poison, other = all_messages()
    assert poison.failed_at is not None
    assert "acme" not in poison.last_error
    assert other.sent_at is not None


def test_a_letter_that_breaks_the_postman_is_noted_and_the_others_leave(server, monkeypatch):
    put("a", subject="Break")
    put("b")
    whole = smtp.Postman.deliver

    def deliver(postman, message):
        if message.subject == "Break":
            raise RuntimeError("whatever it may be")
        whole(postman, message)

    monkeypatch.setattr(smtp.Postman, "deliver", deliver)
    assert service.send_due(clock.now()) == 1
    broken = all_messages()[0]
    assert (broken.sent_at, broken.failed_at, broken.last_error) == (None, None, "RuntimeError")


def test_a_server_that_is_gone_costs_nothing(app):
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], smtp_url="smtp://127.0.0.1:9")
    put()
    assert service.send_due(clock.now()) == 0
    assert all_messages()[0].failed_at is None


@pytest.mark.both
def test_four_senders_send_each_message_once(app, server, database_kind):
    for n in range(12):
        put(f"k{n}")

    def send(_n):
        with app.app_context():
            return sum(service.send_due(clock.now(), limit=2) for _ in range(8))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(4))) == 12
    ids = [message_from_bytes(letter)["Message-ID"] for letter in server.letters]
    assert len(ids) == len(set(ids)) == 12


def test_without_a_server_a_test_keeps_the_mail_and_production_leaves_it_waiting(app):
    put()
    production = dataclasses.replace(settings_for(app.config["SETTINGS"].database_url), env="production")
    kept = app.config["SETTINGS"]
    app.config["SETTINGS"] = production
    assert service.send_due(clock.now()) == 0
    assert all_messages()[0].sent_at is None
    app.config["SETTINGS"] = kept
    assert service.send_due(clock.now()) == 1


def test_a_text_is_in_the_language_of_its_reader():
    with service.in_language("fr"):
        french = _("Sign in")
    with service.in_language("nl"):
        dutch = _("Sign in")
    assert french != dutch or french == "Sign in"


def test_links_are_whole():
    assert service.link("/today") == "http://localhost/today"
