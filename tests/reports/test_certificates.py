"""Certificates of completed coachings: the coach decides what others see, and anybody may check one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.matches.arrange import Story, story
from tests.matches.test_hours import confirm, log
from timebank import clock
from timebank.auth.models import User
from timebank.matches import service as matches
from timebank.reports.certificates.models import Certificate
from timebank.reports.certificates.service import ALPHABET


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    """A coaching with two confirmed hours that was completed."""
    made = story(session)
    made.start()
    confirm(made, log(made))
    matches.complete(session, made.match.public_id, actor=made.act_as(made.coach), now=clock.now())
    session.commit()
    return made


def page(told: Story) -> str:
    return f"/matches/{told.match.public_id}/certificate"


def made(told: Story, client_as: Any, **shares: str) -> Certificate:
    assert client_as(told.coach).post_form(page(told), shares).status_code == 303
    told.session.expire_all()
    return told.session.scalars(select(Certificate)).one()


@pytest.mark.both
def test_a_coach_makes_a_certificate_and_anybody_checks_it(told: Story, client_as: Any, client: Any) -> None:
    certificate = made(told, client_as)
    assert certificate.minutes == 120
    assert set(certificate.code) <= {*ALPHABET, "-"}
    client.set_cookie("timebank_language", "en")
    pasted = f"https://timebank.example/certificates/{certificate.code}/"
    for typed in (certificate.code, certificate.code.upper().replace("-", " "), pasted):
        answer = client.get("/certificates", query_string={"code": typed}, follow_redirects=True)
        assert answer.status_code == 200 and "This certificate is genuine" in answer.text
        assert "2 hours" in answer.text.replace("\u00a0", " ")
    assert client.get("/certificates/abcd-abcd-abcd-abcd").status_code == 404


def test_nothing_personal_is_shown_that_was_not_shared(told: Story, client_as: Any, client: Any) -> None:
    parts = {
        "name": told.employment.name,
        "company": told.employment.organisation.name,
        "initiative": told.initiative.name,
    }
    for shared in (None, "name", "company", "initiative"):
        certificate = made(told, client_as, **({shared: "y"} if shared else {}))
        text = client.get(f"/certificates/{certificate.code}").text
        assert {key for key, words in parts.items() if words in text} == ({shared} if shared else set())


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_the_document_is_tagged_in_each_language(told: Story, client_as: Any, language: str) -> None:
    made(told, client_as)
    content = client_as(told.coach).get(f"{page(told)}-{language}.pdf").data
    assert content.startswith(b"%PDF-") and b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert f"<rdf:li>{language}</rdf:li>".encode() in content


def test_made_again_it_keeps_its_code_and_withdrawn_nobody_can_check_it(
    told: Story, client_as: Any, client: Any
) -> None:
    code = made(told, client_as).code
    assert made(told, client_as, name="y").code == code
    coach = client_as(told.coach)
    assert coach.post_form(f"{page(told)}/withdraw").status_code == 303
    assert client.get(f"/certificates/{code}").status_code == 404
    assert coach.get(f"{page(told)}-nl.pdf").status_code == 404
    made(told, client_as)
    assert client.get(f"/certificates/{code}").status_code == 200


def test_nobody_else_makes_or_takes_it(told: Story, client_as: Any, session: Session) -> None:
    made(told, client_as)
    other = factories.make_employment(session)
    session.commit()
    stranger = session.get_one(User, other.user_id)
    for who in (stranger, told.hr, told.coordinator):
        client = client_as(who)
        assert client.get(page(told)).status_code == 404
        assert client.post_form(page(told)).status_code == 404
        assert client.get(f"{page(told)}-nl.pdf").status_code == 404
    assert client_as(told.coach).get(f"/matches/{uuid.uuid4()}/certificate").status_code == 404


def test_an_unfinished_coaching_has_none(session: Session, held_clock: Any, client_as: Any) -> None:
    running = story(session)
    running.start()
    confirm(running, log(running))
    session.commit()
    assert client_as(running.coach).post_form(page(running)).status_code == 409
    assert session.scalar(select(Certificate)) is None
