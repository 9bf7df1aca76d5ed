"""Initiatives and requests: what happened since a first file decides what a second one may change."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select, update

from tests import factories as make
from tests.imports.sending import figures, open_invitations, send
from timebank import clock
from timebank.auth.models import Invitation, Role
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.imports import service
from timebank.imports.judge import Note
from timebank.imports.registry import Scope, spec
from timebank.organisations.models import (
    Admission,
    Initiative,
    InitiativePhase,
    Organisation,
)

PERIOD = "2026-04-01;2026-09-30"


@pytest.fixture(autouse=True)
def _march(held_clock):
    return held_clock


# --- initiatives ----------------------------------------------------------------------------------------------------

INITIATIVES = (
    "naam;ondernemingsnummer;werkvorm;fase;postcode;thema's;contactpersoon;e-mail contact;taal;omschrijving\n"
)
SCREW = "De Schroef;;vereniging;idee;9000;kringloop en herstel|youth;Fatima El Amrani;f@x.example;nl;Wij herstellen.\n"


def test_an_initiative_is_admitted_with_its_host_and_its_contact_invited(session):
    hosted = "A;0566.988.259;;idee;9000;;F;f@x.example;;\nB;0566.988.259;;idee;9000;;F;f@x.example;;\n"
    assert figures(send(session, "initiatives", INITIATIVES + SCREW + hosted)) == (3, 0, 0)
    screw = session.scalars(select(Initiative).where(Initiative.name == "De Schroef")).one()
    assert (screw.admission, screw.organisation.enterprise_number) == (Admission.ADMITTED, None)
    assert [c.cause.code for c in screw.causes] == ["circular", "youth"]
    assert (screw.description("nl"), screw.nuts2) == ("Wij herstellen.", "BE23")
    assert session.scalar(select(func.count()).select_from(Organisation)) == 2
    assert session.scalar(select(func.count()).where(Invitation.role == Role.COORDINATOR)) == 3
    changed = SCREW.replace(";idee;", ";uitwerking;").replace("|youth", "")
    assert figures(send(session, "initiatives", INITIATIVES + changed, as_of=date(2026, 5, 1))) == (0, 1, 0)
    session.expire_all()
    assert [c.cause.code for c in screw.causes] == ["circular"]
    phases = session.execute(
        select(InitiativePhase.phase, InitiativePhase.valid_from)
        .where(InitiativePhase.initiative_id == screw.id)
        .order_by(InitiativePhase.valid_from)
    )
    assert [tuple(p) for p in phases] == [("idea", clock.today()), ("development", date(2026, 5, 1))]


def test_the_link_of_a_contact_whom_a_file_replaces_works_no_longer(session):
    send(session, "initiatives", INITIATIVES + SCREW)
    assert open_invitations(session) == ["f@x.example"]
    send(session, "initiatives", INITIATIVES + SCREW.replace("f@", "g@"))
    assert open_invitations(session) == ["g@x.example"]


def test_the_key_of_an_initiative_names_the_column_of_a_duplicate(session):
    hosted = "A;0566.988.259;;idee;9000;;F;f@x.example;;\n"
    text = INITIATIVES + SCREW + SCREW.replace("idee", "later").replace("later", "opschaling") + hosted
    text += hosted.replace("idee", "opschaling") + hosted
    assert send(session, "initiatives", text)["refused"] == [
        (3, "name", "duplicate"),
        (5, "organisation_number", "duplicate"),
    ]


def test_an_initiative_that_was_refused_or_closed_is_not_brought_back_by_a_file(session):
    send(session, "initiatives", INITIATIVES + SCREW)
    session.execute(update(Initiative).values(admission=Admission.CLOSED))
    assert figures(send(session, "initiatives", INITIATIVES + SCREW)) == (0, 0, 1)
    changed = SCREW.replace(";idee;", ";opschaling;")
    assert send(session, "initiatives", INITIATIVES + changed)["refused"] == [(2, "name", "conflict")]


# --- requests -------------------------------------------------------------------------------------------------------

REQUESTS = "initiative;title;seats;hours_per_coach;from;until;must_skills;languages;remote\n"


def test_requests_open_at_once_and_a_host_of_several_is_ambiguous(session):
    hosted = "A;0566.988.259;;idee;9000;;F;f@x.example;;\nB;0566.988.259;;idee;9000;;F;f@x.example;;\n"
    send(session, "initiatives", INITIATIVES + SCREW + hosted)
    text = REQUESTS + "De Schroef;Boekhouding;2;7,5;2026-05-01;;bookkeeping:2;nl|fr;ja\n"
    text += (
        "0566988259;Wie;1;4;2026-05-01;2026-06-01;bookkeeping;nl;\nB;Wat;1;4;2026-05-01;2026-06-01;crm;nl;\n"
    )
    found = send(session, "requests", text)
    assert (figures(found), found["refused"]) == ((2, 0, 0), [(3, "initiative", "ambiguous")])
    request = session.scalars(select(CoachingRequest).where(CoachingRequest.until_date.is_(None))).one()
    assert (request.state, request.shape, request.minutes_per_coach, len(request.seats)) == (
        "open",
        "open_ended",
        450,
        2,
    )
    assert (request.postcode, request.remote, request.text("nl").title) == ("9000", True, "Boekhouding")


def test_what_coaches_said_yes_to_and_closed_requests_stay(session):
    request = make.make_request(session, seats=2, from_date=make.a_day(7), until_date=make.a_day(90))
    make.make_match(session, request=request)
    name, title = request.initiative.name, request.text("nl").title
    row = f"{name};{title};2;6;{request.from_date};{request.until_date};bookkeeping:2;nl;no\n"
    assert figures(send(session, "requests", REQUESTS + row)) == (0, 0, 1)
    # A seat that is proposed: its hours cannot change, the number of seats can.
    assert send(session, "requests", REQUESTS + row.replace(";6;", ";8;"))["refused"] == [
        (2, "hours_per_coach", "conflict")
    ]
    for old, new, column in (
        (f";{request.until_date};", ";;", "until"),
        (f";{request.until_date};", f";{make.a_day(60)};", "until"),
        ("bookkeeping:2", "bookkeeping:3", "must_skills"),
        (";nl;no", ";nl|fr;no", "languages"),
        (";nl;no", ";nl;yes", "remote"),
    ):
        changed = send(session, "requests", REQUESTS + row.replace(old, new))
        assert changed["refused"] == [(2, column, "conflict")]
    later = row.replace(f";{request.until_date};", f";{make.a_day(120)};")
    assert figures(send(session, "requests", REQUESTS + later)) == (0, 1, 0)
    assert figures(send(session, "requests", REQUESTS + later.replace(";2;6;", ";3;6;"))) == (0, 1, 0)
    assert session.scalar(select(func.count()).where(Seat.request_id == request.id)) == 3


def test_what_the_operator_sends_counts_as_decided_whatever_the_days_and_hours(session):
    send(session, "initiatives", INITIATIVES + SCREW)
    rows = (
        "De Schroef;A;2;20;2026-12-01;2026-12-21;bookkeeping;nl;\n"
        "De Schroef;B;2;20;2026-01-01;2026-02-28;bookkeeping;nl;\n"
        "De Schroef;C;2;20;2026-12-01;2031-12-21;bookkeeping;nl;\n"
    )
    assert figures(send(session, "requests", REQUESTS + rows)) == (3, 0, 0)
    heavier = rows.replace("A;2;20", "A;2;40").replace("B;2;", "B;3;").replace("C;2;", "C;3;")
    for expected in ((0, 3, 0), (0, 0, 3)):
        assert figures(send(session, "requests", REQUESTS + heavier)) == expected
    assert set(session.scalars(select(CoachingRequest.state))) == {RequestState.OPEN}


def test_seats_below_those_held_are_a_conflict_already_in_the_preview(session):
    request = make.make_request(session, seats=2, from_date=make.a_day(7), until_date=make.a_day(90))
    for seat in range(2):
        make.make_match(session, request=request, seat=seat)
    name, title = request.initiative.name, request.text("nl").title
    row = f"{name};{title};1;6;{request.from_date};{request.until_date};bookkeeping:2;nl;no\n"
    session.commit()
    found = service.preview(spec("requests"), (REQUESTS + row).encode(), Scope(None, clock.today()))
    assert [r.note for r in found.judgement.rows] == [Note("seats", "conflict")]


def test_an_empty_postcode_of_a_request_is_the_initiatives_and_no_column_changes_nothing(session):
    send(session, "initiatives", INITIATIVES + SCREW)
    head = REQUESTS.replace("remote", "postcode")
    row = "De Schroef;A;2;20;2026-12-01;;bookkeeping;nl;1000\n"
    assert figures(send(session, "requests", head + row)) == (1, 0, 0)
    assert figures(send(session, "requests", head.replace(";postcode", "") + row.replace(";1000", ""))) == (
        0,
        0,
        1,
    )
    for expected in ((0, 1, 0), (0, 0, 1)):
        assert figures(send(session, "requests", head + row.replace("1000", ""))) == expected
    assert session.scalars(select(CoachingRequest.postcode)).one() == "9000"


def test_a_closed_request_is_the_same_or_a_conflict(session):
    request = make.make_request(session, from_date=make.a_day(7), until_date=make.a_day(90))
    session.commit()
    session.execute(
        update(CoachingRequest).values(
            state=RequestState.CLOSED, closed_reason="cancelled", closed_at=clock.now()
        )
    )
    row = (
        f"{request.initiative.name};{request.text('nl').title};1;6;{request.from_date};{request.until_date};"
    )
    assert figures(send(session, "requests", REQUESTS + row + "bookkeeping:2;nl;no\n")) == (0, 0, 1)
    changed = send(session, "requests", REQUESTS + row + "bookkeeping:3;nl;no\n")
    assert changed["refused"] == [(2, "initiative", "conflict")]
