"""Pages of coaching requests: what initiatives and the operator see, type, and get back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    a_day,
    make_coordinator,
    make_initiative,
    make_operator,
    make_request,
    make_user,
    skill_id,
)
from tests.support.client import TimebankClient
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest, RequestState
from timebank.organisations.models import Initiative

ClientAs = Callable[[User], TimebankClient]


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


@pytest.fixture
def initiative(session: Session) -> Initiative:
    return make_initiative(session)


@pytest.fixture
def own(session: Session, initiative: Initiative, client_as: ClientAs) -> TimebankClient:
    return client_as(make_coordinator(session, initiative))


@pytest.fixture
def answers(session: Session) -> dict[str, Any]:
    skill = skill_id(session, "bookkeeping")
    return {
        "title": "Een begroting die het bestuur begrijpt",
        "description": "De penningmeester stopt.\n\nWie helpt?",
        "language": "nl",
        "seats": "2",
        "shape": "window",
        "hours": "6",
        "from_date": a_day(7).isoformat(),
        "until_date": a_day(90).isoformat(),
        "week": ["mon-am", "thu-pm"],
        "must": [str(skill)],
        f"must-level-{skill}": "2",
        "languages": ["nl"],
        "postcode": "9000",
        "remote": "y",
    }


def test_the_form_says_for_each_shape_what_it_needs(own: TimebankClient) -> None:
    page = own.get("/requests/new").text
    for field, words in (
        ("hours", "niet op vaste momenten"),
        ("from_date", "niet op vaste momenten"),
        ("until_date", "alleen tussen twee datums"),
    ):
        label = page.split(f'for="{field}">')[1].split("</label>")[0]
        assert words in label
        assert "niet verplicht" not in label
    assert "alleen op vaste momenten" in page


@pytest.mark.parametrize(
    ("shape", "missing"),
    [
        ("window", ["hours", "from_date", "until_date"]),
        ("open_ended", ["hours", "from_date"]),
        ("slots", ["slots"]),
    ],
)
def test_what_a_shape_needs_is_said_beside_the_field_together_with_the_rest(
    own: TimebankClient, answers: dict[str, Any], shape: str, missing: list[str]
) -> None:
    empty = {"hours": "", "from_date": "", "until_date": "", "title": "", "shape": shape}
    answer = own.post_form("/requests/new", {**answers, **empty})
    assert answer.status_code == 422
    said = set(re.findall(r'id="([a-z_]+)-error"', answer.text))
    assert said == {"title", *missing}


def test_dates_turned_round_are_said_together_with_the_rest(
    own: TimebankClient, answers: dict[str, Any]
) -> None:
    turned = {"from_date": a_day(40).isoformat(), "until_date": a_day(20).isoformat(), "title": ""}
    answer = own.post_form("/requests/new", {**answers, **turned})
    assert set(re.findall(r'id="([a-z_]+)-error"', answer.text)) == {"title", "until_date"}


def test_a_last_day_that_is_no_date_is_said_and_shown_again(
    own: TimebankClient, answers: dict[str, Any]
) -> None:
    answer = own.post_form("/requests/new", {**answers, "until_date": "31/02/2027"})
    assert answer.status_code == 422
    assert set(re.findall(r'id="([a-z_]+)-error"', answer.text)) == {"until_date"}
    assert 'value="31/02/2027"' in answer.text


def test_fixed_moments_need_no_hours(own: TimebankClient, answers: dict[str, Any]) -> None:
    moments = {"slots-day": [a_day(7).isoformat()], "slots-start": ["13:30"], "slots-end": ["15:30"]}
    empty = {"hours": "", "from_date": "", "until_date": "", "shape": "slots"}
    assert own.post_form("/requests/new", {**answers, **moments, **empty}).status_code == 303


def test_an_initiative_asks_changes_and_closes(
    session: Session, own: TimebankClient, answers: dict[str, Any]
) -> None:
    assert own.get("/requests").status_code == 200
    assert own.get("/requests/new").status_code == 200
    answer = own.post_form("/requests/new", answers)
    again = own.post_form("/requests/new", answers)
    assert answer.status_code == 303
    assert again.location == answer.location
    request = session.scalars(select(CoachingRequest)).one()
    address = f"/requests/{request.public_id}"
    assert answer.location.endswith(address)
    page = own.get(address).text
    assert f"/matches/seats/{request.public_id}" in page
    assert "Wie helpt?" in page
    assert own.get(f"{address}/edit").status_code == 200
    assert own.post_form(f"{address}/edit", {**answers, "title": "Anders"}).status_code == 303
    assert "Anders" in own.get("/requests").text
    assert own.post_form(f"{address}/seats", {"seats": "3"}).status_code == 303
    assert own.post_form(f"{address}/seats", {"seats": "51"}).status_code == 422
    for act in ("pause", "pause", "reopen", "reopen"):
        assert own.post_form(f"{address}/{act}").status_code == 303
    assert own.post_form(f"{address}/cancel", {"reason": " "}).status_code == 422
    assert own.post_form(f"{address}/cancel", {"reason": "Opgelost"}).status_code == 303
    assert "Opgelost" in own.get(address).text
    assert own.post_form(f"{address}/pause").status_code == 409


def test_fixed_moments_are_typed_in_rows(
    session: Session, own: TimebankClient, answers: dict[str, Any]
) -> None:
    rows = {
        "shape": "slots",
        "hours": "",
        "slots-day": ["17/03/2026", "", "2026-03-26"],
        "slots-start": ["13:30", "", "9"],
        "slots-end": ["15u30", "", "10.30"],
    }
    more = own.post_form("/requests/new", {**answers, **rows, "slots-more": "1"})
    assert more.status_code == 200
    assert more.text.count('name="slots-day"') == 5
    assert 'value="17/03/2026"' in more.text
    wrong = own.post_form("/requests/new", {**answers, **rows, "slots-end": ["15:30", "", "laat"]})
    assert wrong.status_code == 422
    assert 'value="laat"' in wrong.text
    assert own.post_form("/requests/new", {**answers, **rows}).status_code == 303
    request = session.scalars(select(CoachingRequest)).one()
    assert request.minutes_per_coach == 210
    assert own.get(f"/requests/{request.public_id}").status_code == 200
    assert 'value="26/03/2026"' in own.get(f"/requests/{request.public_id}/edit").text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("title", "x" * 201),
        ("title", "a\x07b"),
        ("description", "x" * 100_000),
        ("seats", "-1"),
        ("hours", "999999"),
        ("hours", ""),
        ("until_date", "2020-01-01"),
        ("postcode", "9999"),
        ("shape", "sometimes"),
        ("must", ""),
    ],
)
def test_what_was_typed_stays_after_an_error(
    session: Session, own: TimebankClient, answers: dict[str, Any], field: str, typed: str
) -> None:
    answer = own.post_form("/requests/new", {**answers, field: typed})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "De penningmeester stopt." in answer.text or field == "description"
    assert session.scalars(select(CoachingRequest)).all() == []


def test_a_name_that_turns_the_text_around_loses_only_that(
    session: Session, own: TimebankClient, answers: dict[str, Any]
) -> None:
    own.post_form("/requests/new", {**answers, "title": "Hulp \u202egnihcaoc"})
    assert session.scalars(select(CoachingRequest)).one().text("nl").title == "Hulp gnihcaoc"


def test_other_initiatives_requests_do_not_exist(session: Session, own: TimebankClient) -> None:
    other = make_request(session)
    for id_ in (other.public_id, uuid.uuid4()):
        assert own.get(f"/requests/{id_}").status_code == 404
        assert own.get(f"/requests/{id_}/edit").status_code == 404
        for act in ("pause", "reopen", "cancel", "seats"):
            assert own.post_form(f"/requests/{id_}/{act}", {"seats": "x"}).status_code == 404
    session.expire_all()
    assert session.get_one(CoachingRequest, other.id).state == RequestState.OPEN


def test_the_operator_releases_or_refuses_what_looks_like_staffing(
    session: Session, client_as: ClientAs, initiative: Initiative, own: TimebankClient
) -> None:
    first = make_request(session, initiative, minutes_per_coach=24_000)
    second = make_request(session, initiative, minutes_per_coach=24_000, title="Nog een")
    operator = client_as(make_operator(session))
    page = operator.get("/operator/requests").text
    assert str(first.public_id) in page
    assert operator.post_form(f"/operator/requests/{first.public_id}/release").status_code == 303
    address = f"/operator/requests/{second.public_id}/refuse"
    assert operator.post_form(address, {"reason": ""}).status_code == 422
    assert operator.post_form(address, {"reason": "Een vaste job"}).status_code == 303
    assert own.post_form(f"/operator/requests/{second.public_id}/release").status_code == 404
    session.expire_all()
    assert session.get_one(CoachingRequest, first.id).state == RequestState.OPEN
    assert session.get_one(CoachingRequest, second.id).closed_note == "Een vaste job"


@pytest.mark.parametrize("path", ["/requests", "/requests/new", "/operator/requests"])
def test_pages_exist_only_for_their_role(
    session: Session, client_as: ClientAs, client: TimebankClient, path: str
) -> None:
    assert client.get(path).status_code == 303
    assert client_as(make_user(session)).get(path).status_code == 404
