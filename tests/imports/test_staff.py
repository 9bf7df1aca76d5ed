"""Companies and staff: what happened since a first file decides what a second one may change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from tests import factories as make
from tests.imports.sending import figures, open_invitations, send
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import Invitation, Role, RoleGrant
from timebank.imports.errors import FileRefused
from timebank.notifications.models import OutboxMessage
from timebank.organisations import service as staff
from timebank.organisations.models import Admission, CompanyPolicy, Employment, Organisation
from timebank.pledges.models import EndReason, PledgeState


@pytest.fixture(autouse=True)
def _march(held_clock):
    return held_clock


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


def test_the_link_of_an_hr_person_whom_a_file_replaces_works_no_longer(session):
    text = COMPANIES + "Delta NV;0566.988.259;16;hr;Saskia Roosen;hr@delta.example;\n"
    send(session, "companies", text)
    assert open_invitations(session) == ["hr@delta.example"]
    send(session, "companies", text.replace("hr@", "new@"))
    assert open_invitations(session) == ["new@delta.example"]


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
