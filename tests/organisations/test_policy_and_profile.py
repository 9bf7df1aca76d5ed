"""HR's rules, and what an initiative says of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.factories import make_employment, make_initiative
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.models import Invitation, Role
from timebank.organisations.models import CompanyPolicy, Initiative, InitiativePhase
from timebank.taxonomy.models import Cause

RULES = {
    "minutes_per_year": "16",
    "approval": "manager",
    "min_months": "6",
    "names_visible": "y",
    "hours_by_name": "y",
}


def rules_of(session, company):
    return session.scalars(select(CompanyPolicy).where(CompanyPolicy.organisation_id == company.id)).one()


@pytest.mark.both
def test_hr_sets_the_rules(session, hr, company):
    make_employment(session, company, with_user=False, department="Kaai")
    make_employment(session, company, with_user=False, department="Labo")
    cause = session.scalars(select(Cause).order_by(Cause.position)).first()
    session.commit()
    page = hr.get("/hr/policy").text
    assert "Kaai" in page
    form = {**RULES, "eligible_departments": ["Kaai"], "excluded_causes": [str(cause.id)]}
    assert hr.post_form("/hr/policy", form).status_code == 303
    policy = rules_of(session, company)
    assert (policy.minutes_per_year, policy.approval, policy.min_months) == (960, "manager", 6)
    assert policy.eligible_departments == ["Kaai"]
    assert policy.names_visible
    since = policy.hours_by_name_since
    assert since is not None
    assert [c.id for c in policy.excluded_causes] == [cause.id]
    line = session.scalars(select(AuditEntry).where(AuditEntry.action == "policy_changed")).one()
    assert set(line.detail["changed"]) >= {"minutes_per_year", "excluded_causes"}
    assert hr.post_form("/hr/policy", form).status_code == 303  # the same again
    assert rules_of(session, company).hours_by_name_since == since
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "policy_changed")).all()) == 1


def test_rules_can_be_taken_away_again(session, hr, company):
    hr.post_form("/hr/policy", RULES)
    assert (
        hr.post_form(
            "/hr/policy", {"minutes_per_year": "", "approval": "auto", "min_months": "0"}
        ).status_code
        == 303
    )
    policy = rules_of(session, company)
    assert (policy.minutes_per_year, policy.approval, policy.names_visible) == (None, "auto", False)
    assert policy.hours_by_name_since is None


def test_a_department_that_is_empty_now_stays_chosen(session, hr, company):
    rules_of(session, company).eligible_departments = ["Gone"]
    session.commit()
    assert "Gone" in hr.get("/hr/policy").text
    assert hr.post_form("/hr/policy", {**RULES, "eligible_departments": ["Gone"]}).status_code == 303


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("minutes_per_year", "-1"),
        ("minutes_per_year", "2001"),
        ("minutes_per_year", "many"),
        ("min_months", "-1"),
        ("min_months", "121"),
        ("min_months", ""),
        ("approval", "nobody"),
        ("excluded_causes", "4711"),
        ("eligible_departments", "Elsewhere"),
    ],
)
def test_rules_that_make_no_sense_are_refused_and_shown_again(session, hr, company, field, typed):
    answer = hr.post_form("/hr/policy", {**RULES, field: typed})
    assert answer.status_code == 422
    assert "tb-errors" in answer.text
    if field in ("minutes_per_year", "min_months"):
        assert f'value="{typed}"' in answer.text
    assert rules_of(session, company).approval == "hr"


def test_one_company_cannot_touch_anothers_rules(session, hr, other_hr, company):
    other_hr.post_form("/hr/policy", RULES)
    assert rules_of(session, company).approval == "hr"


def test_rules_want_a_token(hr, session, company):
    assert hr.post("/hr/policy", data=RULES).status_code == 400
    assert rules_of(session, company).approval == "hr"


# --- an initiative's profile ----------------------------------------------------------------------------------------


@pytest.fixture
def profile(session, initiative):
    causes = session.scalars(select(Cause.id).order_by(Cause.position).limit(3)).all()
    return {
        "text_nl": "Wij maken samen meubels.",
        "text_fr": "Nous fabriquons des meubles.",
        "text_en": "",
        "website": "atelier.example",
        "contact_name": "Fatima El Amrani",
        "primary_cause": str(causes[0]),
        "second_cause": str(causes[1]),
        "third_cause": "0",
        "work_form": "0",
    }


@pytest.mark.both
def test_the_texts_and_causes_are_kept_by_language_and_rank(session, coordinator, initiative, profile):
    assert coordinator.get("/initiative/profile").status_code == 200
    assert coordinator.post_form("/initiative/profile", profile).status_code == 303
    session.refresh(initiative)
    assert {t.language for t in initiative.texts} == {"nl", "fr"}
    assert initiative.description("fr") == "Nous fabriquons des meubles."
    assert [str(c.cause_id) for c in initiative.causes] == [profile["primary_cause"], profile["second_cause"]]
    first, second = profile["primary_cause"], profile["second_cause"]
    swapped = {**profile, "primary_cause": second, "second_cause": first, "text_fr": ""}
    assert coordinator.post_form("/initiative/profile", swapped).status_code == 303
    session.refresh(initiative)
    assert {t.language for t in initiative.texts} == {"nl"}
    assert [str(c.cause_id) for c in initiative.causes] == [profile["second_cause"], profile["primary_cause"]]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("text_nl", "x" * 100_000),
        ("text_nl", "a\x00"),
        ("website", "ftp://x.example"),
        ("contact_name", ""),
        ("primary_cause", "0"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_and_shown_again(
    session, coordinator, initiative, profile, field, typed
):
    answer = coordinator.post_form("/initiative/profile", {**profile, field: typed})
    assert answer.status_code == 422
    assert "Nous fabriquons" in answer.text
    session.refresh(initiative)
    assert initiative.description("nl") == "Wij herstellen toestellen samen."


def test_at_least_one_language_is_needed(session, coordinator, initiative, profile):
    answer = coordinator.post_form("/initiative/profile", {**profile, "text_nl": "", "text_fr": " "})
    assert answer.status_code == 422


@pytest.mark.both
def test_a_new_phase_is_a_dated_row(session, coordinator, initiative):
    url = "/initiative/profile/phase"
    since = clock.today() - timedelta(days=30)
    assert coordinator.post_form(url, {"phase": "scaling", "valid_from": str(since)}).status_code == 303
    assert (
        coordinator.post_form(url, {"phase": "scaling", "valid_from": str(clock.today())}).status_code == 303
    )
    session.refresh(initiative)
    assert initiative.phase == "scaling"
    rows = session.scalars(select(InitiativePhase).order_by(InitiativePhase.valid_from)).all()
    assert [(r.phase, r.valid_from) for r in rows][1:] == [("scaling", since)]
    # The same day again corrects it.
    coordinator.post_form(url, {"phase": "idea", "valid_from": str(since)})
    session.refresh(initiative)
    assert [p.phase for p in initiative.phases] == ["development", "idea"]


@pytest.mark.parametrize("days", [1, -4000])
def test_a_phase_begins_neither_tomorrow_nor_before_the_last(session, coordinator, initiative, days):
    day = clock.today() + timedelta(days=days)
    answer = coordinator.post_form("/initiative/profile/phase", {"phase": "idea", "valid_from": str(day)})
    assert answer.status_code == 422
    session.refresh(initiative)
    assert initiative.phase == "development"


def test_another_initiative_stays_as_it_is(session, coordinator, initiative, profile):
    other = make_initiative(session, name="Elders")
    coordinator.post_form("/initiative/profile", profile)
    assert session.get_one(Initiative, other.id).description("nl") == "Wij herstellen toestellen samen."


def test_the_profile_is_the_coordinators(hr, operator, client):
    assert hr.get("/initiative/profile").status_code == 404
    assert operator.get("/initiative/profile").status_code == 404
    assert client.get("/initiative/profile").status_code == 303


def test_a_colleague_is_invited_to_act_too(session, coordinator, initiative, client, hr):
    form = {"name": "Els Maes", "email": "els@example.test", "language": "nl"}
    assert coordinator.get("/initiative/people").status_code == 200
    assert coordinator.post_form("/initiative/people", form).status_code == 303
    assert "els@example.test" in coordinator.get("/initiative/people").text
    invitation = session.scalars(select(Invitation)).one()
    assert (invitation.role, invitation.initiative_id) == (Role.COORDINATOR, initiative.id)
    assert coordinator.post_form("/initiative/people", {**form, "email": "els"}).status_code == 422
    assert hr.post_form("/initiative/people", form).status_code == 404
    assert client.post_form("/initiative/people", form).status_code == 303
    assert len(session.scalars(select(Invitation)).all()) == 1
