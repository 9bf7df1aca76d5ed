"""What happened since a first file decides what a second one may change; and what an import leaves behind."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests import factories as make
from timebank import clock, db
from timebank.audit.models import AuditEntry
from timebank.auth.actor import COMMAND_LINE, Actor
from timebank.auth.models import Invitation, Role, RoleGrant
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.errors import NotFound, NotPermitted
from timebank.imports import service
from timebank.imports.errors import FileRefused
from timebank.imports.judge import Note, Verdict
from timebank.imports.registry import Act, Scope, spec
from timebank.ledger import service as ledger
from timebank.ledger.verify import verify
from timebank.notifications.models import OutboxMessage
from timebank.organisations import service as staff
from timebank.organisations.models import (
    Admission,
    CompanyPolicy,
    Employment,
    Initiative,
    InitiativePhase,
    Organisation,
)
from timebank.pledges.models import EndReason, Pledge, PledgeState
from timebank.taxonomy.bits import language_bits

PERIOD = "2026-04-01;2026-09-30"


@pytest.fixture(autouse=True)
def _march(held_clock):
    return held_clock


def send(
    session: Any,
    kind: str,
    text: str,
    *,
    company: Organisation | None = None,
    actor: Actor = COMMAND_LINE,
    **scope: Any,
) -> dict[str, Any]:
    """Preview and apply; figures as numbers, refusals as (row, column, reason)."""
    organisation_id = company.id if company else None
    # The arranging session must not hold the database while the import writes.
    session.commit()
    where = Scope(organisation_id, scope.pop("as_of", clock.today()), importer_id=actor.user_id, **scope)
    found = service.preview(spec(kind), text.encode(), where)
    summary = service.apply(spec(kind), found, where, Act(actor, clock.now(), f"{kind}.csv"))
    session.expire_all()
    return summary | {
        name: [(r["row"], r["column"], r["reason"]) for r in summary[name]]
        for name in ("refused", "warnings")
    }


def figures(summary: dict[str, Any]) -> tuple[int, int, int]:
    return summary["new"], summary["changed"], summary["same"]


# --- companies ------------------------------------------------------------------------------------------------------

COMPANIES = "name;organisation_number;hours_per_year;approval;hr_name;hr_email;language\n"


def test_a_company_is_admitted_with_its_policy_and_its_hr_person_invited_once(session):
    text = COMPANIES + "Delta NV;0566.988.259;16;manager;Saskia Roosen;hr@delta.example;fr\n"
    assert figures(send(session, "companies", text)) == (1, 0, 0)
    company = session.scalars(select(Organisation)).one()
    assert (company.admission, company.language, company.is_host) == (Admission.ADMITTED, "fr", False)
    assert (company.policy.minutes_per_year, company.policy.approval) == (960, "manager")
    assert figures(send(session, "companies", text)) == (0, 0, 1)
    assert figures(send(session, "companies", text.replace(";16;", ";20;"))) == (0, 1, 0)
    assert session.scalars(select(CompanyPolicy.minutes_per_year)).one() == 1200
    invited = session.scalars(select(Invitation)).one()
    assert (invited.email, invited.role, invited.last_name) == ("hr@delta.example", Role.HR, "Roosen")
    assert session.scalars(select(OutboxMessage.email)).all() == ["hr@delta.example"]


def test_each_row_that_changed_something_stands_in_the_audit_log_with_the_files_name(session):
    send(session, "companies", COMPANIES + "\nDelta NV;0566.988.259;;;Saskia;hr@delta.example;\n")
    company = session.scalars(select(Organisation)).one()
    line = session.scalars(select(AuditEntry).where(AuditEntry.subject == company.public_id)).one()
    assert (line.action, line.detail) == ("organisation_admitted", {"file": "companies.csv", "row": 3})
    assert line.actor_label == "system:cli"


# --- staff ----------------------------------------------------------------------------------------------------------

STAFF = "employee_number;email;first_name;last_name;department;site_postcode;manager_email;start_date;end_date;fte\n"
AN = "1;an@x.example;An;Claes;IT;9000;;2020-01-01;;1\n"
BO = "2;bo@x.example;Bo;Maes;HR;9000;an@x.example;2020-01-01;;0,5\n"


def test_changed_terms_hold_from_the_day_of_the_import_and_keep_what_held_before(session):
    company = make.make_company(session)
    assert figures(send(session, "staff", STAFF + AN + BO, company=company)) == (2, 0, 0)
    changed = STAFF + AN.replace("IT;9000", "Finance;1000") + BO
    assert figures(send(session, "staff", changed, company=company, as_of=date(2026, 6, 1))) == (0, 1, 1)
    an = session.scalars(select(Employment).where(Employment.employee_number == "1")).one()
    assert [(t.valid_from, t.department, t.site.postcode) for t in an.terms] == [
        (date(2020, 1, 1), "IT", "9000"),
        (date(2026, 6, 1), "Finance", "1000"),
    ]
    again = changed.replace("Finance;1000", "Sales;1000")
    assert figures(send(session, "staff", again, company=company, as_of=date(2026, 6, 1))) == (0, 1, 1)
    session.expire_all()
    assert [t.department for t in an.terms] == ["IT", "Sales"]


def test_people_whom_the_file_lacks_are_missing_and_closed_only_on_demand(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    refused_row = BO.replace("0,5", "voltijds")
    assert send(session, "staff", STAFF + AN + refused_row, company=company)["missing"] == 0
    assert send(session, "staff", STAFF + AN, company=company)["missing"] == 1
    assert session.scalar(select(func.count()).where(Employment.state == "active")) == 2
    assert send(session, "staff", STAFF + AN, company=company, close_missing=True)["missing"] == 1
    bo = session.scalars(select(Employment).where(Employment.employee_number == "2")).one()
    assert (bo.state, bo.end_date) == ("left", clock.today())
    assert figures(send(session, "staff", STAFF + AN + BO, company=company)) == (0, 1, 1)
    session.expire_all()
    assert (bo.state, bo.end_date) == ("active", None)


def test_a_row_refused_for_its_number_is_still_the_person_with_that_address(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    done = send(session, "staff", STAFF + AN + BO.removeprefix("2"), company=company, close_missing=True)
    assert done["refused"] == [(3, "employee_number", "missing")]
    assert done["missing"] == 0
    assert session.scalar(select(func.count()).where(Employment.state == "active")) == 2


def test_a_row_that_could_be_anybody_lets_nobody_be_closed(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    unclear = STAFF + AN + BO.removeprefix("2").replace("bo@", "bob@")
    with pytest.raises(FileRefused) as refused:
        send(session, "staff", unclear, company=company, close_missing=True)
    assert (refused.value.code, refused.value.params) == ("nameless_row", {"row": 3})
    assert send(session, "staff", unclear, company=company)["missing"] == 1
    assert len(addresses(session)) == 2


@pytest.mark.both
def test_who_comes_back_by_a_file_has_the_role_again(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    bo = session.scalars(select(Employment).where(Employment.employee_number == "2")).one()
    user = make.make_user(session, email="bo@x.example")
    bo.user_id = user.id
    make.grant(session, user, Role.EMPLOYEE, organisation_id=company.id)
    live = select(func.count()).where(
        RoleGrant.user_id == user.id, RoleGrant.role == Role.EMPLOYEE, RoleGrant.ended_at.is_(None)
    )
    send(session, "staff", STAFF + AN, company=company, close_missing=True)
    assert session.scalar(live) == 0
    for _again in range(2):
        send(session, "staff", STAFF + AN + BO, company=company)
        assert session.scalar(live) == 1


def test_who_leaves_by_the_file_gives_no_more_hours(session):
    company = make.make_company(session)
    employment = make.make_employment(session, company, email="an@x.example", employee_number="1")
    pledge = make.make_pledge(session, employment)
    left = AN.replace("2020-01-01;;", "2020-01-01;2026-02-28;")
    assert figures(send(session, "staff", STAFF + left, company=company)) == (0, 1, 0)
    session.expire_all()
    assert (employment.state, pledge.state, pledge.end_reason) == ("left", PledgeState.ENDED, EndReason.LEFT)


def test_an_unknown_manager_is_a_warning_and_a_later_row_may_be_one(session):
    company = make.make_company(session)
    text = STAFF + BO + AN + AN.replace("1;an", "3;cleo").replace(";9000;;", ";9000;nobody@x.example;")
    found = send(session, "staff", text, company=company)
    assert (figures(found), found["warnings"]) == ((3, 0, 0), [(4, "manager_email", "unknown")])


def test_an_address_that_somebody_else_of_the_company_holds_is_a_conflict(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN, company=company)
    renumbered = STAFF + AN.replace("1;an", "9;an")
    assert send(session, "staff", renumbered, company=company)["refused"] == [(2, "email", "conflict")]
    assert figures(send(session, "staff", renumbered, company=company, close_missing=True)) == (1, 0, 0)


def addresses(session: Any) -> dict[str, str]:
    query = select(Employment.employee_number, Employment.email).where(Employment.state == "active")
    return dict(session.execute(query.order_by(Employment.employee_number)).all())


@pytest.mark.both
def test_two_people_may_exchange_addresses_and_a_new_one_take_what_a_later_row_gives_up(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    crossed = AN.replace("an@", "bo@") + BO.replace("bo@", "an@", 1)
    assert figures(send(session, "staff", STAFF + crossed, company=company)) == (0, 2, 0)
    assert addresses(session) == {"1": "bo@x.example", "2": "an@x.example"}
    third = AN.replace("1;an@", "3;bo@") + AN.replace("an@", "new@") + BO.replace("bo@", "an@", 1)
    assert figures(send(session, "staff", STAFF + third, company=company)) == (1, 1, 1)
    assert addresses(session) == {"1": "new@x.example", "2": "an@x.example", "3": "bo@x.example"}


def test_a_refused_row_keeps_its_address_and_so_refuses_who_wanted_it(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    chain = (
        AN.replace("1;an@", "3;bo@")
        + BO.replace("bo@", "an@", 1)
        + AN.replace("an@", "new@").replace(";;1", ";;9")
    )
    done = send(session, "staff", STAFF + chain, company=company)
    assert done["refused"] == [(2, "email", "conflict"), (3, "email", "conflict"), (4, "fte", "number")]
    assert addresses(session) == {"1": "an@x.example", "2": "bo@x.example"}
    both = AN.replace("1;an@", "3;bo@").replace(";;1", ";;9") + BO
    assert send(session, "staff", STAFF + AN + both, company=company)["refused"] == [(3, "email", "conflict")]


def test_a_day_to_come_closes_nobody_now_and_a_past_one_opens_nothing_again(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN + BO, company=company)
    later = {"company": company, "as_of": date(2027, 1, 1)}
    leaves = AN.replace("2020-01-01;;", "2020-01-01;2026-12-31;")
    for expected in ((0, 1, 0), (0, 0, 1)):
        assert figures(send(session, "staff", STAFF + leaves, close_missing=True, **later)) == expected
    people = session.execute(select(Employment.state, Employment.end_date).order_by(Employment.id)).all()
    assert [tuple(p) for p in people] == [("active", date(2026, 12, 31)), ("active", date(2027, 1, 1))]
    left = AN.replace("2020-01-01;;", "2020-01-01;2026-02-20;") + BO
    assert figures(send(session, "staff", STAFF + left, company=company)) == (0, 2, 0)
    again = send(session, "staff", STAFF + left, company=company, as_of=date(2026, 2, 1))
    assert figures(again) == (0, 0, 2)
    assert addresses(session) == {"2": "bo@x.example"}


def test_the_link_that_went_to_an_address_that_a_staff_file_changes_works_no_longer(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN, company=company)
    an = session.scalars(select(Employment)).one()
    staff.invite_employee(session, an.public_id, actor=COMMAND_LINE, now=clock.now())
    send(session, "staff", STAFF + AN.replace("an@", "anna@"), company=company)
    assert open_invitations(session) == []


def test_a_file_without_a_column_leaves_that_alone(session):
    company = make.make_company(session)
    send(session, "staff", STAFF + AN, company=company)
    short = "employee_number;email;first_name;last_name\n1;an@x.example;An;Claes\n"
    assert figures(send(session, "staff", short, company=company)) == (0, 0, 1)


def test_the_same_numbers_in_another_company_are_other_people(session):
    for _ in range(2):
        assert figures(send(session, "staff", STAFF + AN, company=make.make_company(session))) == (1, 0, 0)


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


def open_invitations(session) -> list[str]:
    return sorted(session.scalars(select(Invitation.email).where(Invitation.withdrawn_at.is_(None))))


def test_the_link_of_a_contact_or_hr_person_whom_a_file_replaces_works_no_longer(session):
    text = COMPANIES + "Delta NV;0566.988.259;16;hr;Saskia Roosen;hr@delta.example;\n"
    send(session, "companies", text)
    send(session, "initiatives", INITIATIVES + SCREW)
    assert open_invitations(session) == ["f@x.example", "hr@delta.example"]
    send(session, "companies", text.replace("hr@", "new@"))
    send(session, "initiatives", INITIATIVES + SCREW.replace("f@", "g@"))
    assert open_invitations(session) == ["g@x.example", "new@delta.example"]


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


# --- pledges --------------------------------------------------------------------------------------------------------

PLEDGES = "email;hours;from;until;skills;languages;postcode\n"


@pytest.fixture
def company(session):
    made = make.make_company(session, minutes_per_year=20 * 60)
    make.make_employment(session, made, with_user=False, email="an@x.example", language="fr", postcode="1000")
    return made


def pledge_row(hours: str = "8", period: str = PERIOD, rest: str = "bookkeeping:3;;") -> str:
    return f"an@x.example;{hours};{period};{rest}\n"


def test_a_pledge_on_paper_is_approved_booked_and_its_person_told(session, company):
    assert figures(send(session, "pledges", PLEDGES + pledge_row(), company=company)) == (1, 0, 0)
    pledge = session.scalars(select(Pledge)).one()
    assert (pledge.state, pledge.postcode, pledge.language_bits, pledge.radius_km) == (
        "approved",
        "1000",
        2,
        30,
    )
    tranche = pledge.tranches[0].public_id
    assert ledger.balances(session, tranches=[tranche])[tranche].available == 480
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "pledge.notice")).one()
    assert (told.email, told.language, pledge.notice_at) == ("an@x.example", "fr", clock.now())
    assert company.name in told.body
    assert verify(session).first_break is None


def test_a_pledge_for_a_year_above_the_cap_is_refused_on_hours(session, company):
    later = "2026-10-01;2026-12-31"
    text = PLEDGES + pledge_row("12") + pledge_row("9", later) + pledge_row("8", later)
    found = send(session, "pledges", text, company=company)
    assert (figures(found), found["refused"]) == ((2, 0, 0), [(3, "hours", "cap")])
    assert send(session, "pledges", PLEDGES + pledge_row("13"), company=company)["refused"] == [
        (2, "hours", "cap")
    ]
    assert figures(
        send(session, "pledges", PLEDGES + pledge_row("1", "2027-01-01;2027-02-01"), company=company)
    ) == (1, 0, 0)


def test_a_pledge_that_overlaps_a_live_one_is_refused_on_its_first_day(session, company):
    text = (
        PLEDGES
        + pledge_row("4")
        + pledge_row("4", "2026-09-30;2026-12-31")
        + pledge_row("4", "2026-10-01;2026-12-31")
    )
    found = send(session, "pledges", text, company=company)
    assert (figures(found), found["refused"]) == ((2, 0, 0), [(3, "from", "overlap")])


def test_changed_hours_are_granted_or_lapse_and_never_go_below_what_is_given(session, company):
    send(session, "pledges", PLEDGES + pledge_row("8"), company=company)
    pledge = session.scalars(select(Pledge)).one()
    tranche = pledge.tranches[0].public_id
    for hours, available in (("10", 600), ("6", 360)):
        assert figures(send(session, "pledges", PLEDGES + pledge_row(hours), company=company)) == (0, 1, 0)
        assert ledger.balances(session, tranches=[tranche])[tranche].available == available
    ledger.reserve(
        session,
        organisation_id=company.id,
        match=pledge.public_id,
        parts=[(tranche, 300)],
        activity_date=clock.today(),
        facts=ledger.Facts(),
        actor_label="system",
        now=clock.now(),
        key="test:reserve",
    )
    assert send(session, "pledges", PLEDGES + pledge_row("4"), company=company)["refused"] == [
        (2, "hours", "conflict")
    ]
    assert figures(send(session, "pledges", PLEDGES + pledge_row("5"), company=company)) == (0, 1, 0)
    assert verify(session).first_break is None


def test_an_empty_language_or_postcode_of_a_pledge_is_the_persons_and_no_column_changes_nothing(
    session, company
):
    own = PLEDGES + f"an@x.example;8;{PERIOD};bookkeeping:2;nl|en;9000\n"
    assert figures(send(session, "pledges", own, company=company)) == (1, 0, 0)
    short = own.replace(";languages;postcode", "").replace(";nl|en;9000", "")
    assert figures(send(session, "pledges", short, company=company)) == (0, 0, 1)
    for expected in ((0, 1, 0), (0, 0, 1)):
        assert figures(send(session, "pledges", own.replace("nl|en;9000", ";"), company=company)) == expected
    pledge = session.scalars(select(Pledge)).one()
    assert (pledge.language_bits, pledge.postcode) == (language_bits(["fr"]), "1000")


def test_a_withdrawn_pledge_is_not_brought_back_by_the_same_file(session, company):
    send(session, "pledges", PLEDGES + pledge_row(), company=company)
    session.execute(
        update(Pledge).values(state=PledgeState.ENDED, end_reason=EndReason.WITHDRAWN, ended_at=clock.now())
    )
    assert figures(send(session, "pledges", PLEDGES + pledge_row(), company=company)) == (0, 0, 1)
    assert send(session, "pledges", PLEDGES + pledge_row("9"), company=company)["refused"] == [
        (2, "hours", "conflict")
    ]


def test_nobody_approves_their_own_pledge_by_sending_the_file(session, company):
    hr = make.make_hr(session, company)
    session.execute(update(Employment).values(user_id=hr.id))
    actor = make.actor(session, hr)
    for expected in ((1, 0, 0), (0, 0, 1)):
        assert (
            figures(send(session, "pledges", PLEDGES + pledge_row(), company=company, actor=actor))
            == expected
        )
        assert session.scalars(select(Pledge.state)).one() == PledgeState.SUBMITTED


def test_a_row_that_no_longer_fits_at_apply_costs_that_row_alone(session, company):
    make.make_employment(session, company, with_user=False, email="bo@x.example")
    session.commit()
    where = Scope(company.id, clock.today())
    text = PLEDGES + pledge_row() + pledge_row().replace("an@", "bo@")
    found = service.preview(spec("pledges"), text.encode(), where)
    assert found.judgement.count(Verdict.NEW) == 2
    send(session, "pledges", PLEDGES + pledge_row("4", "2026-05-01;2026-05-31"), company=company)
    summary = service.apply(spec("pledges"), found, where, Act(COMMAND_LINE, clock.now(), "pledges.csv"))
    assert (summary["new"], summary["refused"]) == (1, [{"row": 2, "column": "from", "reason": "overlap"}])


def test_pledges_are_applied_in_chunks_and_go_on_where_they_stopped(session, company, monkeypatch):
    for i in range(5):
        make.make_employment(session, company, with_user=False, email=f"p{i}@x.example")
    session.commit()
    text = PLEDGES + "".join(pledge_row().replace("an@", f"p{i}@") for i in range(5))
    kind = spec("pledges")
    small = type(kind)(**{**vars(kind), "chunk": 2})
    where = Scope(company.id, clock.today())
    act = Act(COMMAND_LINE, clock.now(), "pledges.csv")

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.apply(small, service.preview(small, text.encode(), where), where, act, progress=stop)
    with db.read_session() as look:
        assert look.scalar(select(func.count()).select_from(Pledge)) == 4
    summary = service.apply(small, service.preview(small, text.encode(), where), where, act)
    assert figures(summary) == (1, 0, 4)


def test_only_the_companys_hr_and_the_operator_may_import_for_it(session, company):
    other = make.make_hr(session, make.make_company(session))
    colleague = make.make_employment(session, company)
    for user, refusal in ((other, NotFound), (session.get_one(type(other), colleague.user_id), NotPermitted)):
        with pytest.raises(refusal):
            send(session, "pledges", PLEDGES + pledge_row(), company=company, actor=make.actor(session, user))
    operator = make.actor(session, make.make_operator(session))
    assert figures(send(session, "pledges", PLEDGES + pledge_row(), company=company, actor=operator)) == (
        1,
        0,
        0,
    )
