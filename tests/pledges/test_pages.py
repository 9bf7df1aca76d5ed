"""Pages of pledges: what people see, type, and get back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    a_day,
    grant,
    make_company,
    make_employment,
    make_hr,
    make_operator,
    make_pledge,
    make_user,
    skill_id,
)
from tests.support.client import TimebankClient
from timebank.auth.models import Role, User
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Approval, Employment, Organisation
from timebank.pledges.models import Pledge, PledgeState
from timebank.taxonomy import queries as taxonomy

ClientAs = Callable[[User], TimebankClient]


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


@pytest.fixture
def company(session: Session) -> Organisation:
    return make_company(session, minutes_per_year=2400)


@pytest.fixture
def employment(session: Session, company: Organisation) -> Employment:
    return make_employment(session, company)


def user_of(session: Session, employment: Employment) -> User:
    return session.get_one(User, employment.user_id)


@pytest.fixture
def answers(session: Session) -> dict[str, Any]:
    skill = skill_id(session, "bookkeeping")
    return {
        "hours": "10",
        "rhythm": "once",
        "from_date": a_day(1).isoformat(),
        "until_date": a_day(100).isoformat(),
        "skills": [str(skill)],
        f"skills-level-{skill}": "3",
        "languages": ["nl", "fr"],
        "week": ["mon-am", "thu-pm"],
        "postcode": "9000",
        "radius_km": "25",
        "remote": "y",
        "shares_choice": "",
    }


# --- the employee ---------------------------------------------------------------------------------------------------


def test_an_employee_pledges_and_sees_it(
    session: Session, client_as: ClientAs, employment: Employment, answers: dict[str, Any]
) -> None:
    client = client_as(user_of(session, employment))
    page = client.get("/pledges/new").text
    assert "csrf_token" in page
    assert 'name="week"' in page
    cause, other = taxonomy.causes(session)[:2]
    answer = client.post_form(
        "/pledges/new", {**answers, "wanted": [str(cause.id)], "excluded": [str(other.id)]}
    )
    assert answer.status_code == 303
    pledge = session.scalars(select(Pledge)).one()
    assert answer.location.endswith(f"/pledges/{pledge.public_id}")
    assert (pledge.minutes, pledge.radius_km, pledge.remote, pledge.week_bits) == (600, 25, True, 1 | 1 << 10)
    assert {(c.cause_id, c.excluded) for c in pledge.causes} == {(cause.id, False), (other.id, True)}
    assert pledge.state == PledgeState.SUBMITTED
    detail = client.get(answer.location).text
    assert cause.name_nl in detail
    assert f"/pledges/{pledge.public_id}" in client.get("/pledges").text
    assert f"/pledges/{pledge.public_id}" in client.get("/pledges/new").text, "said before it is refused"


def test_the_same_click_twice_makes_one_pledge(
    session: Session, client_as: ClientAs, employment: Employment, answers: dict[str, Any]
) -> None:
    client = client_as(user_of(session, employment))
    first = client.post_form("/pledges/new", answers)
    second = client.post_form("/pledges/new", answers)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert len(session.scalars(select(Pledge)).all()) == 1


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("hours", "-5"),
        ("hours", "99999999999"),
        ("hours", "veel"),
        ("hours", "x" * 100_000),
        ("from_date", "31/02/2026"),
        ("until_date", "2020-01-01"),
        ("postcode", "9999"),
        ("postcode", "Gent\x00"),
        ("radius_km", "400"),
        ("radius_km", "-1"),
        ("languages", ""),
        ("week", "someday"),
        ("wanted", "999999"),
        ("rhythm", "weekly"),
    ],
)
def test_what_was_typed_stays_after_an_error(
    session: Session,
    client_as: ClientAs,
    employment: Employment,
    answers: dict[str, Any],
    field: str,
    typed: str,
) -> None:
    client = client_as(user_of(session, employment))
    answer = client.post_form("/pledges/new", {**answers, field: typed})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="25"' in answer.text or field == "radius_km"
    skill = skill_id(session, "bookkeeping")
    assert f'name="skills-level-{skill}"' in answer.text
    assert session.scalars(select(Pledge)).all() == []


def test_dates_turned_round_are_said_beside_the_field(
    session: Session, client_as: ClientAs, employment: Employment, answers: dict[str, Any]
) -> None:
    turned = {**answers, "from_date": answers["until_date"], "until_date": answers["from_date"]}
    client = client_as(user_of(session, employment))
    answer = client.post_form("/pledges/new", turned)
    assert answer.status_code == 422
    assert 'id="until_date-error"' in answer.text
    both = client.post_form("/pledges/new", {**turned, "hours": "veel"}).text
    assert 'id="until_date-error"' in both and 'id="hours-error"' in both, "all is said at once"
    assert f'value="{answers["from_date"]}"' in answer.text


def test_the_budget_that_is_left_is_shown_and_guarded(
    session: Session, client_as: ClientAs, employment: Employment, answers: dict[str, Any]
) -> None:
    client = client_as(user_of(session, employment))
    answer = client.post_form("/pledges/new", {**answers, "hours": "40:30"})
    assert answer.status_code == 422
    assert 'id="hours-error"' in answer.text
    assert 'value="40:30"' in answer.text


def test_skills_are_added_and_dropped_without_a_script(
    session: Session, client_as: ClientAs, employment: Employment, answers: dict[str, Any]
) -> None:
    client = client_as(user_of(session, employment))
    bookkeeping, budgeting = skill_id(session, "bookkeeping"), skill_id(session, "budgeting")
    added = client.post_form(
        "/pledges/new", {**answers, "hours": "nonsense", "skills-choose": str(budgeting), "skills-add": ""}
    )
    assert added.status_code == 200
    assert f'name="skills-level-{budgeting}"' in added.text
    assert 'value="nonsense"' in added.text
    dropped = client.post_form("/pledges/new", {**answers, "skills-drop": str(bookkeeping)})
    assert f'name="skills-level-{bookkeeping}"' not in dropped.text
    assert session.scalars(select(Pledge)).all() == []


def test_skills_are_searched(session: Session, client_as: ClientAs, employment: Employment) -> None:
    client = client_as(user_of(session, employment))
    found = client.get("/pledges/skills?q=boekhoud").text
    assert f'value="{skill_id(session, "bookkeeping")}"' in found
    assert client.get("/pledges/skills?q=" + "x" * 5000).status_code == 200
    assert client.get("/pledges/skills?q=&url=//evil.example&name=<script>").status_code == 200


def test_a_missing_token_changes_nothing(
    session: Session, client_as: ClientAs, employment: Employment, answers: dict[str, Any]
) -> None:
    client = client_as(user_of(session, employment))
    assert client.post("/pledges/new", data=answers).status_code == 400
    assert session.scalars(select(Pledge)).all() == []


def test_an_employee_changes_and_withdraws_their_own(
    session: Session, client_as: ClientAs, employment: Employment
) -> None:
    pledge = make_pledge(session, employment)
    client = client_as(user_of(session, employment))
    address = f"/pledges/{pledge.public_id}"
    assert client.post_form(f"{address}/minutes", {"hours": "5"}).status_code == 303
    more = client.post_form(f"{address}/minutes", {"hours": "12:30"})
    assert more.status_code == 403
    assert 'value="12:30"' in more.text
    assert client.post_form(f"{address}/minutes", {"hours": "nul"}).status_code == 422
    for _twice in range(2):
        assert client.post_form(f"{address}/withdraw").status_code == 303
    session.expire_all()
    assert session.get_one(Pledge, pledge.id).state == PledgeState.ENDED
    assert client.post_form(f"{address}/minutes", {"hours": "4"}).status_code == 409


def test_other_peoples_pledges_do_not_exist(
    session: Session, client_as: ClientAs, company: Organisation, employment: Employment
) -> None:
    pledge = make_pledge(session, employment)
    colleague = make_employment(session, company)
    client = client_as(user_of(session, colleague))
    for id_ in (pledge.public_id, uuid.uuid4()):
        assert client.get(f"/pledges/{id_}").status_code == 404
        assert client.post_form(f"/pledges/{id_}/withdraw").status_code == 404
        assert client.post_form(f"/pledges/{id_}/minutes", {"hours": "x"}).status_code == 404
    assert client.get("/pledges/nonsense").status_code == 404


# --- approving ------------------------------------------------------------------------------------------------------


def test_hr_approves_several_at_once(session: Session, client_as: ClientAs, company: Organisation) -> None:
    people = [make_employment(session, company) for _each in range(3)]
    pledges = [make_pledge(session, p, approved=False) for p in people]
    client = client_as(make_hr(session, company))
    page = client.get("/hr/approvals").text
    assert all(str(p.public_id) in page for p in pledges)
    chosen = [f"{p.public_id}:{p.minutes}" for p in pledges[:2]]
    assert client.post_form("/hr/approvals", {"chosen": chosen, "act": "approve"}).status_code == 303
    session.expire_all()
    states = [session.get_one(Pledge, p.id).state for p in pledges]
    assert states == [PledgeState.APPROVED, PledgeState.APPROVED, PledgeState.SUBMITTED]


def test_hr_sees_no_causes(
    session: Session, client_as: ClientAs, company: Organisation, employment: Employment
) -> None:
    cause = next(c for c in taxonomy.causes(session) if c.code == "energy")
    make_pledge(session, employment, approved=False, wanted_cause_ids=[cause.id])
    page = client_as(make_hr(session, company)).get("/hr/approvals").text
    assert cause.name_nl not in page


def test_a_refusal_without_a_reason_keeps_the_choice(
    session: Session, client_as: ClientAs, company: Organisation, employment: Employment
) -> None:
    pledge = make_pledge(session, employment, approved=False)
    client = client_as(make_hr(session, company))
    value = f"{pledge.public_id}:600"
    answer = client.post_form("/hr/approvals", {"chosen": [value], "act": "refuse", "reason": " "})
    assert answer.status_code == 422
    assert f'value="{value}" data-minutes="600" checked' in answer.text
    long = client.post_form("/hr/approvals", {"chosen": [value], "act": "refuse", "reason": "é" * 100_000})
    assert long.status_code == 422
    assert (
        client.post_form(
            "/hr/approvals", {"chosen": [value], "act": "refuse", "reason": "Te druk"}
        ).status_code
        == 303
    )
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "pledge.refused")).one()
    assert "Te druk" in mail.body


def test_an_approval_is_taken_back_from_the_list(
    session: Session, client_as: ClientAs, company: Organisation, employment: Employment
) -> None:
    pledge = make_pledge(session, employment)
    client = client_as(make_hr(session, company))
    page = client.get("/hr/approvals?state=approved").text
    value = f"{pledge.public_id}:600"
    assert value in page
    answer = client.post_form(
        "/hr/approvals", {"chosen": [value], "act": "take_back", "reason": "Weg", "state": "approved"}
    )
    assert answer.status_code == 303
    session.expire_all()
    assert session.get_one(Pledge, pledge.id).end_note == "Weg"


def test_nothing_chosen_or_nonsense_is_said(
    session: Session, client_as: ClientAs, company: Organisation
) -> None:
    client = client_as(make_hr(session, company))
    for data in (
        {"act": "approve"},
        {"act": "approve", "chosen": ["nonsense", "1:2:3", f"{uuid.uuid4()}:x"]},
    ):
        assert client.post_form("/hr/approvals", data).status_code == 422
    unknown = {"act": "explode", "chosen": [f"{uuid.uuid4()}:60"]}
    assert client.post_form("/hr/approvals", unknown).status_code == 422


def test_another_companys_pledge_does_not_exist_for_hr(
    session: Session, client_as: ClientAs, employment: Employment
) -> None:
    pledge = make_pledge(session, employment, approved=False)
    client = client_as(make_hr(session, make_company(session)))
    assert str(pledge.public_id) not in client.get("/hr/approvals").text
    for act in ("approve", "refuse", "take_back"):
        data = {"act": act, "chosen": [f"{pledge.public_id}:600"], "reason": "x"}
        assert client.post_form("/hr/approvals", data).status_code == 404
    session.expire_all()
    assert session.get_one(Pledge, pledge.id).state == PledgeState.SUBMITTED


def test_hr_finds_no_box_for_their_own_pledge_and_is_refused_without_it(
    session: Session, client_as: ClientAs, company: Organisation
) -> None:
    hr = make_hr(session, company)
    pledge = make_pledge(session, make_employment(session, company, user=hr), approved=False)
    client = client_as(hr)
    page = client.get("/hr/approvals").text
    assert str(pledge.public_id) not in page
    data = {"act": "approve", "chosen": [f"{pledge.public_id}:600"]}
    assert client.post_form("/hr/approvals", data).status_code == 403


def test_a_manager_sees_only_their_team(session: Session, client_as: ClientAs) -> None:
    company = make_company(session, approval=Approval.MANAGER)
    manager = grant(session, make_user(session), Role.MANAGER, organisation_id=company.id)
    make_employment(session, company, user=manager)
    team = make_pledge(
        session, make_employment(session, company, manager_email=manager.email), approved=False
    )
    other = make_pledge(session, make_employment(session, company), approved=False)
    client = client_as(manager)
    page = client.get("/team/approvals").text
    assert str(team.public_id) in page
    assert str(other.public_id) not in page
    post = {"act": "approve", "chosen": [f"{other.public_id}:600"]}
    assert client.post_form("/team/approvals", post).status_code == 404
    post = {"act": "approve", "chosen": [f"{team.public_id}:600"]}
    assert client.post_form("/team/approvals", post).status_code == 303


def test_the_operator_sees_only_whom_nobody_else_may_approve(
    session: Session, client_as: ClientAs, company: Organisation, employment: Employment
) -> None:
    hr = make_hr(session, company)
    colleague = make_pledge(session, employment, approved=False)
    alone = make_pledge(session, make_employment(session, company, user=hr), approved=False)
    page = client_as(make_operator(session)).get("/operator/approvals").text
    assert str(alone.public_id) in page
    assert str(colleague.public_id) not in page


@pytest.mark.both
def test_the_queue_is_searched_sorted_and_paged(
    session: Session, client_as: ClientAs, company: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from timebank import clock
    from timebank.pledges import queries

    for number, name in enumerate(("Zoë Aerts", "Amina Zidi", "Bram Maes")):
        first, last = name.split()
        person = make_employment(
            session, company, first_name=first, last_name=last, department=f"Afdeling {last}"
        )
        make_pledge(session, person, minutes=600 - 60 * number, approved=False)
    session.commit()

    def names(**options: Any) -> list[str]:
        page = queries.approval_queue(
            session, scope=queries.company_scope(company.id), day=clock.today(), asker_id=0, **options
        )
        return [row.name for row in page.rows]

    assert names(sort="name") == ["Zoë Aerts", "Bram Maes", "Amina Zidi"]
    assert names(sort="hours") == ["Bram Maes", "Amina Zidi", "Zoë Aerts"]
    assert names(sort="waiting") == names(sort="nonsense") == ["Zoë Aerts", "Amina Zidi", "Bram Maes"]
    assert names(text="maes") == ["Bram Maes"]
    assert names(text="afdeling zidi") == ["Amina Zidi"]
    assert names(text="%") == []
    for sort in queries.SORTS:
        walked: list[str] = []
        after = None
        for _each in range(3):
            page = queries.approval_queue(
                session,
                scope=queries.company_scope(company.id),
                day=clock.today(),
                asker_id=0,
                sort=sort,
                after=after,
                limit=1,
            )
            walked += [row.name for row in page.rows]
            assert page.total == 3
            after = page.next
        assert after is None
        assert walked == names(sort=sort)
    client = client_as(make_hr(session, company))
    assert client.get("/hr/approvals?q=maes&sort=name&after=e30").status_code == 200


@pytest.mark.parametrize(
    "path", ["/pledges", "/pledges/new", "/hr/approvals", "/team/approvals", "/operator/approvals"]
)
def test_pages_exist_only_for_their_role(
    session: Session, client_as: ClientAs, client: TimebankClient, path: str
) -> None:
    assert client.get(path).status_code == 303
    nobody = client_as(make_user(session))
    assert nobody.get(path).status_code == 404
