"""An initiative applies with the public form; the operator lets it in, or not."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from tests.factories import actor, make_company, make_initiative, make_operator
from timebank import clock, db
from timebank.audit.models import AuditEntry
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.errors import Invalid, NotPermitted, WrongState
from timebank.notifications.models import OutboxMessage
from timebank.organisations import numbers, queries, service
from timebank.organisations.models import Admission, Initiative, Organisation
from timebank.taxonomy.models import Cause, Term

FORM = {
    "name": "Repaircafé De Schroef",
    "description": "Wij herstellen toestellen samen met de buurt.",
    "phase": "development",
    "postcode": "9000",
    "enterprise_number": "",
    "host_name": "",
    "website": "www.deschroef.example",
    "contact_name": "Fatima El Amrani",
    "contact_email": "Fatima@DeSchroef.example",
    "language": "nl",
    "second_cause": "0",
    "third_cause": "0",
    "work_form": "0",
}


@pytest.fixture
def send(client, session):
    """Send the public form, with what differs."""
    cause = session.scalars(select(Cause.id).where(Cause.code == "circular")).one()

    def send(**over):
        return client.post_form("/join/initiative", {**FORM, "primary_cause": str(cause), **over})

    return send


def applied(session) -> Initiative:
    return session.scalars(select(Initiative).order_by(Initiative.id.desc())).first()


def mails(session, kind=None):
    query = select(OutboxMessage).order_by(OutboxMessage.id)
    return [m for m in session.scalars(query) if kind in (None, m.kind)]


def test_the_way_in_is_public(client):
    assert client.get("/join").status_code == 200
    page = client.get("/join/initiative")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1


@pytest.mark.both
def test_an_application_waits_for_the_operator_and_is_confirmed_by_mail(send, session, operator):
    assert send().location == "/join/thanks"
    initiative = applied(session)
    assert (initiative.admission, initiative.municipality, initiative.nuts2) == ("applied", "Gent", "BE23")
    assert initiative.contact_email == "fatima@deschroef.example"
    assert initiative.website == "https://www.deschroef.example"
    assert initiative.organisation.enterprise_number is None
    assert [m.email for m in mails(session, "initiative_applied")] == ["fatima@deschroef.example"]
    assert len(mails(session, "admission_waits")) == 1
    assert "Repaircafé De Schroef" in operator.get("/operator/admissions").text
    assert operator.get("/operator").status_code == 200


def test_the_same_application_twice_is_one(send, session):
    send()
    assert send(name="REPAIRCAFÉ DE SCHROEF".replace("É", "é")).status_code == 303
    assert len(session.scalars(select(Initiative)).all()) == 1
    assert len(mails(session, "initiative_applied")) == 1


def test_somebody_else_cannot_apply_under_the_same_name_in_the_same_place(send, session):
    send()
    answer = send(contact_email="other@example.test")
    assert answer.status_code == 422
    assert len(session.scalars(select(Initiative)).all()) == 1


def test_a_known_number_joins_the_organisation_that_has_it(send, session, company):
    company.enterprise_number = "0566988259"
    assert send(enterprise_number="BE 0566.988.259").status_code == 303
    assert applied(session).organisation_id == company.id
    assert not company.is_host  # not before the operator decides


def test_the_operator_sees_which_application_names_a_known_number(send, session, company, operator):
    company.enterprise_number = "0566988259"
    session.commit()
    warning = f"ondernemingsnummer van {company.name}, dat hier al is"
    send(name="Nieuw", enterprise_number="0202.239.951")
    assert "dat hier al is" not in operator.get("/operator/admissions").text
    send(name="Bekend", enterprise_number="0566.988.259")
    page = operator.get("/operator/admissions").text
    assert page.count(warning) == 1
    assert f"/operator/organisations/{company.public_id}" in page
    own = operator.get(f"/operator/organisations/{applied(session).public_id}").text
    assert warning in own
    operator.post_form(f"/operator/admissions/{applied(session).public_id}/admit")
    assert warning not in operator.get(f"/operator/organisations/{applied(session).public_id}").text


def test_a_second_application_with_the_number_of_a_first_that_waits_is_marked_too(send, session, operator):
    send(name="Eerste", enterprise_number="0566.988.259")
    send(name="Tweede", enterprise_number="0566.988.259")
    assert operator.get("/operator/admissions").text.count("ondernemingsnummer van Eerste") == 1


@pytest.mark.both
def test_functions_roles_and_three_causes_are_kept_in_order(send, session):
    ids = session.scalars(select(Cause.id).order_by(Cause.position).limit(3)).all()
    terms = session.scalars(select(Term).order_by(Term.kind, Term.position)).all()
    functions = [str(t.id) for t in terms if t.kind == "function"][:2]
    work_form = next(str(t.id) for t in terms if t.kind == "work_form")
    answer = send(
        primary_cause=str(ids[2]),
        second_cause=str(ids[0]),
        third_cause=str(ids[1]),
        functions=functions,
        work_form=work_form,
    )
    assert answer.status_code == 303
    initiative = applied(session)
    assert [c.cause_id for c in initiative.causes] == [ids[2], ids[0], ids[1]]
    assert {str(t.id) for t in initiative.terms} == set(functions)
    assert str(initiative.work_form_id) == work_form


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("name", "\u200f"),
        ("description", "x" * 100_000),
        ("description", "bell\x07"),
        ("postcode", "0001"),
        ("postcode", "Gent"),
        ("enterprise_number", "0566.988.250"),
        ("website", "javascript:alert(1)"),
        ("contact_email", "nobody"),
        ("primary_cause", "0"),
        ("primary_cause", "4711"),
        ("primary_cause", "x"),
        ("work_form", "4711"),
        ("phase", "heaven"),
        ("language", "de"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(send, session, field, typed):
    answer = send(**{field: typed})
    assert answer.status_code == 422
    assert "tb-errors" in answer.text
    assert "Wij herstellen" in answer.text or field == "description"
    assert session.scalars(select(Initiative)).all() == []
    assert mails(session) == []


def test_an_override_of_direction_is_taken_out(send, session):
    send(name="Schroef\u202egnp")
    assert applied(session).name == "Schroefgnp"


@pytest.mark.parametrize("name", ["ورشة الحي", "Εργαστήρι", "Ателье", "李家"])
def test_a_name_may_be_in_any_script(send, session, name):
    assert send(name=name).status_code == 303
    assert applied(session).name == name
    assert applied(session).slug


def test_a_program_that_fills_in_every_field_is_thanked_and_forgotten(send, session):
    assert send(homepage="http://spam.example").location == "/join/thanks"
    assert session.scalars(select(Initiative)).all() == []


def test_without_a_token_nothing_is_sent(client, session):
    assert client.post("/join/initiative", data=FORM).status_code == 400
    assert session.scalars(select(Initiative)).all() == []


def test_one_address_cannot_flood_the_operator(send, session):
    statuses = [send(name=f"Initiative {n}").status_code for n in range(11)]
    assert statuses == [303] * 10 + [429]


def test_the_municipality_is_shown_for_a_postcode(client):
    assert "Gent" in client.get("/join/initiative/place?postcode=9000").text
    assert client.get("/join/initiative/place?postcode=0001").status_code == 200


# --- the decision ---------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_admitting_invites_the_contact_and_admits_the_host(send, session, operator, client):
    send()
    initiative = applied(session)
    url = f"/operator/admissions/{initiative.public_id}/admit"
    assert operator.post_form(url, {"from": "list"}).location == "/operator/admissions"
    session.refresh(initiative)
    assert initiative.admission == Admission.ADMITTED
    assert session.get_one(Organisation, initiative.organisation_id).admission == Admission.ADMITTED
    invitation = session.scalars(select(Invitation)).one()
    assert (invitation.role, invitation.initiative_id) == (Role.COORDINATOR, initiative.id)
    link = re.search(r"/invitations/\S+", mails(session, "invitation")[0].body)[0]
    opened = client.post_form(
        link,
        {
            "first_name": "Fatima",
            "last_name": "El Amrani",
            "language": "nl",
            "password": "een lang wachtwoord",
            "again": "een lang wachtwoord",
        },
    )
    assert opened.location == "/initiative"
    assert client.get("/initiative/profile").status_code == 200
    grant = session.scalars(select(RoleGrant).where(RoleGrant.initiative_id == initiative.id)).one()
    assert grant.role == Role.COORDINATOR
    assert {
        "initiative_applied",
        "initiative_admitted",
        "organisation_admitted",
        "invitation_accepted",
    } <= set(session.scalars(select(AuditEntry.action)))


def test_the_second_decision_is_told_so(send, session, operator):
    send()
    url = f"/operator/admissions/{applied(session).public_id}"
    assert operator.post_form(f"{url}/admit").status_code == 303
    assert operator.post_form(f"{url}/admit").status_code == 409
    assert operator.post_form(f"{url}/refuse", {"reason": "Too late."}).status_code == 409
    assert len(mails(session, "invitation")) == 1


@pytest.mark.both
def test_refusing_needs_a_reason_and_mails_it(send, session, operator):
    send()
    initiative = applied(session)
    url = f"/operator/admissions/{initiative.public_id}/refuse"
    assert operator.post_form(url, {"reason": "  "}).status_code == 422
    long = operator.post_form(url, {"reason": "x" * 100_000})
    assert long.status_code == 422
    assert "x" * 100_000 in long.text
    assert operator.post_form(url, {"reason": "Jullie zijn een bedrijf."}).status_code == 303
    session.refresh(initiative)
    assert initiative.admission == Admission.REFUSED
    assert "Jullie zijn een bedrijf." in mails(session, "initiative_refused")[0].body
    assert session.get_one(Organisation, initiative.organisation_id).admission == Admission.REFUSED


def test_after_a_refusal_one_may_apply_again(send, session, operator):
    send()
    operator.post_form(f"/operator/admissions/{applied(session).public_id}/refuse", {"reason": "Nog niet."})
    assert send().status_code == 303
    assert applied(session).admission == Admission.APPLIED


def test_suspended_and_admitted_again_without_a_second_invitation(session, operator, initiative, coordinator):
    url = f"/operator/admissions/{initiative.public_id}"
    assert operator.post_form(f"{url}/suspend", {"reason": "Conflict"}).status_code == 303
    assert operator.post_form(f"{url}/admit").status_code == 303
    session.refresh(initiative)
    assert initiative.admission == Admission.ADMITTED
    assert mails(session, "invitation") == []
    assert operator.post_form(f"{url}/close", {"reason": "Opgehouden"}).status_code == 303
    assert operator.post_form(f"{url}/admit").status_code == 409


@pytest.mark.parametrize("act", ["admit", "refuse", "suspend", "close"])
def test_only_the_operator_decides(session, hr, coordinator, client, act):
    waiting = make_initiative(session, admission=Admission.APPLIED, decided_at=None)
    session.commit()
    url = f"/operator/admissions/{waiting.public_id}/{act}"
    assert hr.post_form(url, {"reason": "x"}).status_code == 404
    assert coordinator.post_form(url, {"reason": "x"}).status_code == 404
    assert client.post_form(url, {"reason": "x"}).status_code == 303  # to the sign-in page
    session.refresh(waiting)
    assert waiting.admission == Admission.APPLIED


def test_the_service_itself_asks_who_decides(session, initiative):
    user = session.scalars(select(User)).first() or make_operator(session)
    for grant in user.grants:
        grant.ended_at = clock.now()
    session.flush()
    with pytest.raises(NotPermitted):
        service.suspend(session, initiative.public_id, "x", actor=actor(session, user), now=clock.now())


@pytest.mark.both
def test_of_two_operators_who_decide_at_once_one_is_told(app, session, database_kind):
    waiting = make_initiative(session, admission=Admission.APPLIED, decided_at=None)
    operators = [actor(session, make_operator(session)) for _n in range(2)]
    session.commit()

    def decide(n):
        with app.app_context():
            try:
                with db.unit_of_work() as unit:
                    if n:
                        service.refuse(unit, waiting.public_id, "Neen", actor=operators[n], now=clock.now())
                    else:
                        service.admit(unit, waiting.public_id, actor=operators[n], now=clock.now())
            except WrongState:
                return "told"
            return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, (0, 1))) == ["done", "told"]


# --- organisations --------------------------------------------------------------------------------------------------


def test_a_company_comes_in_by_invitation(session, operator, client):
    form = {
        "name": "Delta Staal",
        "enterprise_number": "0566.988.259",
        "hr_name": "Hanne Peters",
        "hr_email": "hanne@delta.example",
        "language": "fr",
    }
    assert operator.get("/operator/organisations/invite").status_code == 200
    answer = operator.post_form("/operator/organisations/invite", form)
    assert answer.status_code == 303
    company = session.scalars(select(Organisation)).one()
    assert (company.enterprise_number, company.admission, company.slug) == (
        "0566988259",
        "admitted",
        "delta-staal",
    )
    assert company.policy.approval == "hr"
    mail = mails(session, "invitation")[0]
    assert (mail.email, mail.language) == ("hanne@delta.example", "fr")
    assert "Delta Staal" in mail.body
    page = operator.get(answer.location).text
    assert "0566.988.259" in page
    assert "hanne@delta.example" in page
    again = operator.post_form("/operator/organisations/invite", form)
    assert again.status_code == 422
    assert "hanne@delta.example" in again.text


def test_a_lost_link_is_sent_again_and_the_first_stops_working(session, operator, hr, client, held_clock):
    operator.post_form(
        "/operator/organisations/invite",
        {
            "name": "Delta",
            "enterprise_number": "0566988259",
            "hr_name": "Hanne Peters",
            "hr_email": "hanne@delta.example",
            "language": "nl",
        },
    )
    held_clock.move(days=29)
    first = session.scalars(select(Invitation)).one()
    url = f"/operator/invitations/{first.public_id}/again"
    assert hr.post_form(url).status_code == 404
    answer = operator.post_form(url)
    assert answer.status_code == 303
    assert operator.get(answer.location).status_code == 200
    assert operator.post_form(url).status_code == 409
    links = [re.search(r"/invitations/\S+", m.body)[0] for m in mails(session, "invitation")]
    assert [client.get(link).status_code for link in links] == [410, 200]


@pytest.mark.parametrize("number", ["0566.988.250", "123", "", "0566.988.259x", "2566988259"])
def test_a_wrong_number_is_no_company(session, operator, number):
    answer = operator.post_form(
        "/operator/organisations/invite",
        {
            "name": "Delta",
            "enterprise_number": number,
            "hr_name": "H",
            "hr_email": "h@d.example",
            "language": "nl",
        },
    )
    assert answer.status_code == 422
    assert session.scalars(select(Organisation)).all() == []


def test_numbers_may_begin_with_a_one(app):
    with app.test_request_context():
        digits = "10000000" + f"{97 - 10000000 % 97:02d}"
        assert numbers.enterprise_number(digits) == digits
        assert numbers.written("0566988259") == "0566.988.259"
        with pytest.raises(Invalid):
            numbers.enterprise_number("0566988250")


@pytest.mark.both
def test_the_list_finds_by_name_number_kind_and_state(session, operator, company, initiative):
    company.enterprise_number = "0566988259"
    session.commit()
    listed = operator.get("/operator/organisations?q=northsea").text
    assert "Northsea Logistics" in listed
    assert "Buurtatelier" not in listed
    assert "Northsea" in operator.get("/operator/organisations?q=0566.988").text
    assert "Buurtatelier" in operator.get("/operator/organisations?kind=initiative").text
    assert "Northsea" not in operator.get("/operator/organisations?state=suspended").text
    assert operator.get("/operator/organisations?state=x&kind=y&after=z&q=%00%25").status_code == 200
    assert operator.get(f"/operator/organisations/{initiative.public_id}").status_code == 200


@pytest.mark.both
def test_the_list_is_paged_by_key(session, operator):
    for n in range(queries.PAGE + 5):
        make_company(session, name=f"Company {n:03d}")
    session.commit()
    first = operator.get("/operator/organisations").text
    more = re.search(r'href="(/operator/organisations\?after=[^"]+)"', first)[1]
    second = operator.get(more).text
    assert "Company 000" in first
    assert f"Company {queries.PAGE + 4:03d}" in second
    assert f"Company {queries.PAGE - 1:03d}" not in second


def test_the_operators_pages_are_for_operators(hr, coordinator, client, company):
    for path in (
        "/operator",
        "/operator/admissions",
        "/operator/organisations",
        f"/operator/organisations/{company.public_id}",
        "/operator/organisations/invite",
    ):
        assert hr.get(path).status_code == 404
        assert coordinator.get(path).status_code == 404
        assert client.get(path).status_code == 303
