"""The page behind an invitation's link says who invites, for whom, and to do what."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import (
    actor,
    make_company,
    make_coordinator,
    make_employment,
    make_hr,
    make_initiative,
    make_operator,
    make_user,
)
from tests.support.client import TimebankClient
from timebank import clock
from timebank.auth.actor import SYSTEM
from timebank.auth.models import User
from timebank.notifications.models import OutboxMessage
from timebank.organisations import service as organisations

ClientAs = Callable[[User], TimebankClient]


def link(session: Session) -> str:
    body = session.scalars(select(OutboxMessage.body).order_by(OutboxMessage.id.desc())).first() or ""
    found = re.search(r"/invitations/\S+", body)
    assert found
    session.commit()
    return found[0]


@pytest.mark.both
@pytest.mark.parametrize("role", ["hr", "coordinator", "employee"])
def test_it_names_person_place_and_role(session: Session, client: TimebankClient, role: str) -> None:
    now = clock.now()
    if role == "hr":
        operator = actor(session, make_operator(session, first_name="Wim", last_name="Claes"))
        organisations.invite_company(
            session, "Delta Staal", "0566.988.259", "An Bos", "an@x.test", "nl", actor=operator, now=now
        )
        said = ["Wim Claes nodigt je uit, voor Delta Staal.", "Als HR: je beheert Timebank voor Delta Staal."]
    elif role == "coordinator":
        initiative = make_initiative(session, name="De Schroef")
        own = actor(session, make_coordinator(session, initiative))
        organisations.invite_coordinator(
            session, initiative.id, "An Bos", "an@x.test", "nl", actor=own, now=now
        )
        said = ["Fatima El Amrani nodigt je uit, voor De Schroef.", "je vraagt coaches voor De Schroef."]
    else:
        company = make_company(session, name="Delta Staal")
        person = make_employment(session, company, with_user=False)
        hr = actor(session, make_hr(session, company, first_name="Sofie"))
        organisations.invite_employee(session, person.public_id, actor=hr, now=now)
        said = ["Sofie Peters nodigt je uit, voor Delta Staal.", "Als coach: Delta Staal laat je"]
    page = client.get(link(session)).text
    for words in said:
        assert words in page


def test_an_invitation_from_the_command_line_names_the_place(
    session: Session, client: TimebankClient
) -> None:
    company = make_company(session, name="Delta Staal")
    organisations.invite_hr(session, company.id, "An Bos", "an@x.test", "nl", actor=SYSTEM, now=clock.now())
    page = client.get(link(session)).text
    assert "Delta Staal nodigt je uit." in page
    assert "Als HR" in page


def test_it_says_so_to_whoever_has_an_account_too(
    session: Session, client: TimebankClient, client_as: ClientAs
) -> None:
    company, user = make_company(session, name="Delta Staal"), make_user(session)
    hr = actor(session, make_hr(session, company, first_name="Sofie"))
    organisations.invite_hr(session, company.id, "An Bos", user.email, "nl", actor=hr, now=clock.now())
    url = link(session)
    for someone in (client, client_as(user)):
        assert "Sofie Peters nodigt je uit, voor Delta Staal." in someone.get(url).text
