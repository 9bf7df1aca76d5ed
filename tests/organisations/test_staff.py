"""HR's staff list: invited by HR, tied by the person's own acceptance, and leaving."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from tests.factories import actor, grant, make_company, make_employment, make_hr, make_site, make_user
from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.errors import Conflict, Invalid, NotFound, WrongState
from timebank.notifications.models import OutboxMessage
from timebank.organisations import queries, service
from timebank.organisations.models import Admission, Employment

ACCOUNT = {
    "first_name": "Noor",
    "last_name": "Claes",
    "language": "nl",
    "password": "een lang wachtwoord",
    "again": "een lang wachtwoord",
}


def link_in_mail(session, email):
    body = session.scalars(
        select(OutboxMessage.body).where(OutboxMessage.email == email).order_by(OutboxMessage.id.desc())
    ).first()
    return re.search(r"/invitations/\S+", body)[0]


def grants(session, user_id):
    return {
        g.role
        for g in session.scalars(
            select(RoleGrant).where(RoleGrant.user_id == user_id, RoleGrant.ended_at.is_(None))
        )
    }


@pytest.fixture
def noor(session, company):
    """Somebody on the staff list who has no login."""
    return make_employment(session, company, with_user=False, email="noor@northsea.example")


@pytest.mark.both
def test_an_employee_is_invited_and_accepting_ties_the_employment(session, hr, noor, client):
    page = hr.get(f"/hr/staff/{noor.public_id}").text
    assert "Noor Claes" in page
    assert hr.post_form(f"/hr/staff/{noor.public_id}/invite").status_code == 303
    assert "Northsea Logistics" in session.scalars(select(OutboxMessage.body)).first()
    link = link_in_mail(session, "noor@northsea.example")
    assert client.get(link).status_code == 200
    assert client.post_form(link, ACCOUNT).location == "/today"
    session.refresh(noor)
    assert noor.user_id is not None
    assert grants(session, noor.user_id) == {Role.EMPLOYEE}
    assert client.get(link).status_code == 410  # one-time
    assert hr.post_form(f"/hr/staff/{noor.public_id}/invite").status_code == 409


def test_an_equal_address_alone_ties_nothing(session, hr, company):
    user = make_user(session, email="same@northsea.example")
    employment = make_employment(session, company, with_user=False, email="same@northsea.example")
    session.commit()
    assert employment.user_id is None
    hr.post_form(f"/hr/staff/{employment.public_id}/invite")
    session.refresh(employment)
    assert employment.user_id is None
    assert grants(session, user.id) == set()


def test_who_has_an_account_signs_in_and_accepts(session, hr, company, client_as, client):
    user = make_user(session, email="private@example.test")
    employment = make_employment(session, company, with_user=False, email="work@northsea.example")
    make_user(session, email="work@northsea.example")
    session.commit()
    hr.post_form(f"/hr/staff/{employment.public_id}/invite")
    link = link_in_mail(session, "work@northsea.example")
    stranger = client.get(link)
    assert "/sign-in?next=" in stranger.text
    assert client.post_form(link, ACCOUNT).status_code == 200  # no second account for that address
    me = client_as(user)
    assert "private@example.test" in me.get(link).text
    assert me.post_form(link).status_code == 303
    session.refresh(employment)
    assert employment.user_id == user.id


def test_an_invitation_that_was_sent_again_replaces_the_first(held_clock, session, hr, noor, client):
    hr.post_form(f"/hr/staff/{noor.public_id}/invite")
    first = link_in_mail(session, noor.email)
    assert hr.post_form(f"/hr/staff/{noor.public_id}/invite").status_code == 303  # the same click twice
    assert client.get(first).status_code == 200
    held_clock.move(minutes=2)
    hr.post_form(f"/hr/staff/{noor.public_id}/invite")
    assert client.get(first).status_code == 410
    assert client.get(link_in_mail(session, noor.email)).status_code == 200


def test_an_invitation_ends_after_thirty_days(session, hr, noor, client, held_clock):
    hr.post_form(f"/hr/staff/{noor.public_id}/invite")
    link = link_in_mail(session, noor.email)
    held_clock.move(days=31)
    assert client.get(link).status_code == 410
    assert client.post_form(link, ACCOUNT).status_code == 410


def test_a_failed_acceptance_leaves_nothing_behind(session, hr, noor, client):
    hr.post_form(f"/hr/staff/{noor.public_id}/invite")
    link = link_in_mail(session, noor.email)
    answer = client.post_form(link, {**ACCOUNT, "password": "short", "again": "short"})
    assert answer.status_code == 422
    assert 'value="Noor"' in answer.text
    differing = client.post_form(link, {**ACCOUNT, "again": "something else"})
    assert differing.status_code == 422
    assert session.scalars(select(Invitation)).one().accepted_at is None
    session.refresh(noor)
    assert noor.user_id is None
    assert client.post_form(link, ACCOUNT).status_code == 303


@pytest.mark.both
def test_all_who_are_not_invited_yet_are_invited_once(session, hr, company, noor):
    for _n in range(3):
        make_employment(session, company, with_user=False)
    make_employment(session, company)  # signs in already
    make_employment(session, company, with_user=False, state="left", end_date=clock.today())
    session.commit()
    assert hr.post_form("/hr/staff/invite-all").status_code == 303
    assert hr.post_form("/hr/staff/invite-all").status_code == 303
    assert len(session.scalars(select(Invitation).where(Invitation.role == Role.EMPLOYEE)).all()) == 4
    assert queries.staff_counts(session, company.id, now=clock.now()) == queries.StaffCounts(5, 1, 4)


def test_another_hr_person_is_invited(session, hr, company, client):
    form = {"name": "Tom Maes", "email": "tom@northsea.example", "language": "nl"}
    assert hr.get("/hr/staff/invite-hr").status_code == 200
    assert hr.post_form("/hr/staff/invite-hr", form).status_code == 303
    assert "tom@northsea.example" in hr.get("/hr/staff/invite-hr").text
    client.post_form(link_in_mail(session, "tom@northsea.example"), ACCOUNT)
    assert client.get("/hr/staff").status_code == 200


@pytest.mark.both
def test_a_manager_gets_the_role_whenever_both_are_known(session, company, hr, client):
    boss = make_employment(session, company, with_user=False, email="boss@northsea.example")
    make_employment(session, company, manager_email="boss@northsea.example")
    session.commit()
    hr.post_form(f"/hr/staff/{boss.public_id}/invite")
    client.post_form(link_in_mail(session, "boss@northsea.example"), ACCOUNT)
    session.refresh(boss)
    assert grants(session, boss.user_id) == {Role.EMPLOYEE, Role.MANAGER}
    later = make_employment(session, company)
    report = make_employment(session, company, manager_email=later.email)
    assert service.grant_managers(session, company.id, actor=SYSTEM, now=clock.now()) == 1
    assert grants(session, later.user_id) == {Role.EMPLOYEE, Role.MANAGER}
    assert grants(session, report.user_id) == {Role.EMPLOYEE}


# --- leaving --------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_who_left_loses_the_roles_and_the_open_invitation(session, hr, company, noor):
    tied = make_employment(session, company)
    session.commit()
    hr.post_form(f"/hr/staff/{noor.public_id}/invite")
    yesterday = str(clock.today() - timedelta(days=1))
    for employment in (tied, noor):
        assert (
            hr.post_form(f"/hr/staff/{employment.public_id}/end", {"end_date": yesterday}).status_code == 303
        )
        session.refresh(employment)
        assert (employment.state, str(employment.end_date)) == ("left", yesterday)
    assert grants(session, tied.user_id) == set()
    assert session.scalars(select(Invitation)).one().withdrawn_at is not None
    assert hr.post_form(f"/hr/staff/{tied.public_id}/end", {"end_date": yesterday}).status_code == 409


@pytest.mark.both
def test_a_last_day_to_come_closes_when_it_is_over(session, hr, company, noor, held_clock):
    day = clock.today() + timedelta(days=10)
    hr.post_form(f"/hr/staff/{noor.public_id}/end", {"end_date": day.strftime("%d/%m/%Y")})
    session.refresh(noor)
    assert (noor.state, noor.end_date) == ("active", day)
    held_clock.move(days=10)
    assert service.close_ended(session, now=clock.now()) == 0
    held_clock.move(days=1)
    assert service.close_ended(session, now=clock.now()) == 1
    assert noor.state == "left"


@pytest.mark.parametrize("typed", ["", "31/02/2026", "1999-01-01", "soon"])
def test_a_last_day_that_makes_no_sense_is_refused(session, hr, noor, typed):
    answer = hr.post_form(f"/hr/staff/{noor.public_id}/end", {"end_date": typed})
    assert answer.status_code == 422
    session.refresh(noor)
    assert (noor.state, noor.end_date) == ("active", None)


def test_an_invitation_cannot_be_accepted_after_leaving(session, hr, noor, client):
    hr.post_form(f"/hr/staff/{noor.public_id}/invite")
    link = link_in_mail(session, noor.email)
    hr.post_form(f"/hr/staff/{noor.public_id}/end", {"end_date": str(clock.today() - timedelta(days=1))})
    assert client.post_form(link, ACCOUNT).status_code == 410


def test_one_person_cannot_take_two_places_of_one_company(session, company, noor):
    tied = make_employment(session, company)
    with pytest.raises(Conflict):
        service.tie(session, noor.id, tied.user_id, actor=actor(session, make_user(session)), now=clock.now())
    with pytest.raises(Conflict):
        other = make_user(session)
        service.tie(session, tied.id, other.id, actor=actor(session, other), now=clock.now())
    noor.state, noor.end_date = "left", clock.today()
    with pytest.raises(WrongState):
        service.tie(session, noor.id, make_user(session).id, actor=actor(session, other), now=clock.now())


# --- the list -------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_list_finds_by_name_department_and_number(session, hr, company, noor):
    make_employment(
        session,
        company,
        with_user=False,
        first_name="Bart",
        last_name="Zeeman",
        department="Kaai",
        employee_number="77-1",
    )
    session.commit()
    for search in ("zeeman", "BART zee", "kaai", "77-1"):
        page = hr.get("/hr/staff", query_string={"q": search}).text
        assert "Bart Zeeman" in page, search
        assert "Noor Claes" not in page
    assert "Bart" not in hr.get("/hr/staff?q=%25").text
    assert "Bart" not in hr.get("/hr/staff?access=signs_in").text
    assert hr.get("/hr/staff?q=%00&after=nonsense&access=x").status_code == 200


@pytest.mark.both
def test_the_list_is_paged_with_as_many_statements_for_any_number_of_people(session, hr, company):
    def statements(path):
        seen = []
        listener = lambda *a: seen.append(a[2])  # noqa: E731
        event.listen(db.engine(), "before_cursor_execute", listener)
        text = hr.get(path).text
        event.remove(db.engine(), "before_cursor_execute", listener)
        return text, len(seen)

    make_employment(session, company, with_user=False, last_name="Aerts")
    session.commit()
    _text, few = statements("/hr/staff")
    for n in range(queries.PAGE + 2):
        make_employment(session, company, with_user=False, last_name=f"Peeters{n:03d}")
    session.commit()
    text, many = statements("/hr/staff")
    assert many == few
    after = re.search(r'href="(/hr/staff\?after=[^"]+)"', text)[1]
    second, _n = statements(after)
    assert f"Peeters{queries.PAGE + 1:03d}" in second
    assert "Aerts" not in second


def test_people_of_another_company_do_not_exist(session, hr, other_hr, noor, client):
    session.commit()
    url = f"/hr/staff/{noor.public_id}"
    assert other_hr.get(url).status_code == 404
    assert other_hr.post_form(f"{url}/invite").status_code == 404
    assert other_hr.post_form(f"{url}/end", {"end_date": str(clock.today())}).status_code == 404
    assert "Noor Claes" not in other_hr.get("/hr/staff").text
    assert client.get(url).status_code == 303
    assert session.scalars(select(Invitation)).all() == []


def test_colleagues_and_coordinators_do_not_see_the_list(session, company, client_as, coordinator):
    colleague = make_employment(session, company)
    session.commit()
    browser = client_as(session.get_one(User, colleague.user_id))
    for path in ("/hr/staff", "/hr/policy", "/hr/staff/invite-hr"):
        assert browser.get(path).status_code == 404
        assert coordinator.get(path).status_code == 404


def test_somebody_with_two_companies_chooses(session, company, client_as):
    other = make_company(session, name="Lumière")
    user = make_hr(session, company)
    grant(session, user, Role.HR, organisation_id=other.id)
    stranger = make_company(session, name="Delta")
    browser = client_as(user)
    assert "Northsea" in browser.get("/hr/policy").text
    page = browser.get("/acting-for").text
    assert "Lumière" in page
    assert "Delta" not in page
    assert browser.post_form(f"/acting-for/{other.public_id}").status_code == 303
    assert "Lumière" in browser.get("/hr/policy").text
    assert browser.post_form(f"/acting-for/{stranger.public_id}").status_code == 404


# --- services others build on ---------------------------------------------------------------------------------------


def test_who_may_pledge_follows_the_policy(session, company):
    employment = make_employment(
        session, company, department="Productie", start_date=clock.today() - timedelta(days=100)
    )
    policy = company.policy
    service.may_pledge(employment, policy, clock.today())
    policy.eligible_departments = ["productie"]
    service.may_pledge(employment, policy, clock.today())
    policy.min_months = 6
    with pytest.raises(Invalid, match="6"):
        service.may_pledge(employment, policy, clock.today())
    service.may_pledge(employment, policy, clock.today() + timedelta(days=90))
    policy.min_months, policy.eligible_departments = 0, ["Labo"]
    with pytest.raises(Invalid):
        service.may_pledge(employment, policy, clock.today())
    policy.eligible_departments = []
    company.admission = Admission.SUSPENDED
    with pytest.raises(Invalid):
        service.may_pledge(employment, policy, clock.today())


def test_terms_hold_from_their_day_and_the_same_day_corrects_them(session, company):
    employment = make_employment(session, company, department="Productie")
    site = service.ensure_site(session, company, "8400")
    assert service.ensure_site(session, company, "8400").id == site.id
    assert site.municipality == "Oostende"
    with pytest.raises(Invalid):
        service.ensure_site(session, company, "0001")
    day = clock.today()
    for department in ("Labo", "Kaai"):
        service.set_terms(
            session, employment, valid_from=day, department=department, site=site, fte=Decimal("0.5"),
            manager_email="Boss@Example.test",
        )  # fmt: skip
    assert [t.department for t in employment.terms] == ["Productie", "Kaai"]
    assert employment.terms_on(day - timedelta(days=1)).department == "Productie"
    assert employment.terms_on(day).manager_email == "boss@example.test"
    assert make_site(session, company, "8400").id == site.id


def test_ones_own_employment_is_found_and_nobody_elses(session, company):
    employment = make_employment(session, company)
    me = actor(session, session.get_one(User, employment.user_id))
    assert service.employment_of(session, me, company.id).id == employment.id
    with pytest.raises(NotFound):
        service.employment_of(session, me, make_company(session).id)
    with pytest.raises(NotFound):
        service.employment_of(session, actor(session, make_user(session)), company.id)
    assert session.scalars(select(Employment)).one().id == employment.id
