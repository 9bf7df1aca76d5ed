"""The operator's pages about runs and weights, and who may see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.matching import queries, runs, snapshot
from timebank.matching.models import PairRule, RequestStar, Run, RunState, RunTrigger, WeightPolicy

Enter = Callable[[User], Any]


@pytest.fixture
def run(session: Session) -> Run:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    return runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7)


def test_the_operator_reads_a_run_and_its_certificate(session: Session, client_as: Enter, run: Run) -> None:
    client = client_as(make.make_operator(session, language="en"))
    assert str(run.public_id) in client.get("/operator/runs").text
    page = client.get(f"/operator/runs/{run.public_id}").text
    assert "Optimal, proved" in page
    assert f"{run.value:,}" in page
    content = client.get(f"/operator/runs/{run.public_id}/problem.npz")
    assert (content.status_code, content.data[:2]) == (200, b"PK")


def test_a_run_on_request_waits_for_the_scheduler_and_the_page_tells(
    session: Session, client_as: Enter
) -> None:
    client = client_as(make.make_operator(session))
    answer = client.post_form("/operator/runs", {"mode": "single", "time_limit": "60"})
    assert answer.status_code == 303
    assert session.scalars(select(Run.state)).all() == [RunState.QUEUED]
    session.rollback()
    assert 'id="progress"' in client.get(answer.location).text
    assert client.get(answer.location + "/progress").status_code == 200


def test_the_bar_shows_that_weights_belong_to_matching(session: Session, client_as: Enter) -> None:
    page = client_as(make.make_operator(session)).get("/operator/weights").text
    assert '<a href="/operator/runs" aria-current="true">' in page
    assert '<a href="/operator" aria-current' not in page


@pytest.mark.parametrize(
    "path", ["/operator/runs", "/operator/weights", "/operator/runs/nights", "/operator/runs/{run}"]
)
def test_nobody_else_sees_runs(session: Session, client_as: Enter, run: Run, path: str) -> None:
    hr = make.make_hr(session, make.make_company(session))
    assert client_as(hr).get(path.format(run=run.public_id)).status_code in (403, 404)


@pytest.mark.parametrize("key", ["99999999999999999999", "-1", "x", "²"])
def test_a_key_made_by_hand_breaks_no_page(session: Session, client_as: Enter, run: Run, key: str) -> None:
    client = client_as(make.make_operator(session))
    assert client.get(f"/operator/runs?before={key}").status_code == 200
    assert client.get(f"/operator/runs/{run.public_id}?after={key}").status_code == 200
    assert client.get(f"/dev/mail?before={key}").status_code == 200


def test_weights_hold_from_the_next_run_on(session: Session, client_as: Enter) -> None:
    client = client_as(make.make_operator(session))
    weights = {name: str(value) for name, value in snapshot.DEFAULT_WEIGHTS.items()}
    assert client.post_form("/operator/weights", {**weights, "w_near": "7"}).status_code == 303
    assert session.scalars(select(WeightPolicy.w_near)).all() == [7]
    assert snapshot.weights_in_force(session)["w_near"] == 7


def test_weights_out_of_range_are_kept_in_the_form_and_change_nothing(
    session: Session, client_as: Enter
) -> None:
    client = client_as(make.make_operator(session))
    weights = {name: str(value) for name, value in snapshot.DEFAULT_WEIGHTS.items()}
    answer = client.post_form("/operator/weights", {**weights, "near_km": "9000"})
    assert answer.status_code == 422
    assert 'value="9000"' in answer.text
    assert session.scalars(select(WeightPolicy)).all() == []


def test_a_pledge_form_tells_how_many_requests_would_fit(session: Session, client_as: Enter) -> None:
    employment = make.make_employment(session)
    make.make_request(session)
    client = client_as(session.get_one(User, employment.user_id))
    offer = {
        "hours": "12",
        "rhythm": "once",
        "from_date": make.a_day(1).isoformat(),
        "until_date": make.a_day(90).isoformat(),
        "skills": str(make.skill_id(session, "bookkeeping")),
        "languages": "nl",
        "week": ["mon-am", "tue-pm"],
        "postcode": "9000",
        "radius_km": "30",
    }
    assert ">1<" in client.get("/matching/preview", query_string=offer).text
    assert ">1<" not in client.get("/matching/preview", query_string={**offer, "hours": "2"}).text
    assert client.get("/matching/preview", query_string={"hours": "lots"}).status_code == 200


def test_the_operator_looks_at_a_run_before_it_is_sent(session: Session, client_as: Enter) -> None:
    make.make_pledge(session)
    make.make_request(session)
    client = client_as(make.make_operator(session, language="en"))
    form = {"mode": "single", "time_limit": "60", "preview": "y"}
    place = client.post_form("/operator/runs", form).location
    public_id = session.scalars(select(Run.public_id)).one()
    session.rollback()  # an open transaction would hold SQLite's write lock
    runs.execute(public_id, proposal_days=7)
    page = client.get(place).text
    assert "Not sent" in page and "Send these proposals" in page
    assert client.post_form(f"{place}/apply").status_code == 303
    page = client.get(place).text
    assert "Send these proposals" not in page and "Take all its proposals back" in page
    assert client.post_form(f"{place}/withdraw", {"reason": "Too early"}).status_code == 303
    session.expire_all()
    assert session.scalars(select(Run.state)).all() == [RunState.WITHDRAWN]


def test_a_run_that_waits_is_cancelled_from_its_page(session: Session, client_as: Enter) -> None:
    client = client_as(make.make_operator(session, language="en"))
    place = client.post_form("/operator/runs", {"mode": "single"}).location
    assert "Cancel this run" in client.get(place).text
    assert client.post_form(f"{place}/cancel").status_code == 303
    assert "Cancel this run" not in client.get(place).text


@pytest.mark.parametrize(
    "form",
    [{"mode": "best"}, {"mode": "bundle", "time_limit": "0"}, {"mode": "bundle", "time_limit": "x"}],
)
def test_a_run_that_cannot_be_asked_for_is_refused_beside_its_form(
    session: Session, client_as: Enter, form: dict[str, str]
) -> None:
    answer = client_as(make.make_operator(session)).post_form("/operator/runs", form)
    assert answer.status_code == 422
    assert session.scalars(select(Run)).all() == []


@pytest.mark.parametrize("act", ["apply", "discard", "cancel", "withdraw"])
def test_nobody_else_decides_about_runs(session: Session, client_as: Enter, run: Run, act: str) -> None:
    hr = make.make_hr(session, make.make_company(session))
    assert client_as(hr).post_form(f"/operator/runs/{run.public_id}/{act}").status_code == 404
    session.expire_all()
    assert session.scalars(select(Run.state)).all() == [RunState.APPLIED]


def test_the_operator_says_how_the_nights_go(session: Session, client_as: Enter) -> None:
    client = client_as(make.make_operator(session, language="en"))
    assert "Nothing was changed yet" in client.get("/operator/runs/nights").text
    form = {"nightly_mode": "bundle", "time_limit": "120"}
    assert client.post_form("/operator/runs/nights", form).status_code == 303
    policy = queries.policy_in_force(session)
    assert (policy.nightly_mode, policy.time_limit, policy.reoffers) == ("bundle", 120, False)
    assert "Oda Beheer" in client.get("/operator/runs/nights").text
    assert client.post_form("/operator/runs/nights", {**form, "time_limit": "7200"}).status_code == 422


def test_the_operator_keeps_two_apart_and_undoes_it(session: Session, client_as: Enter) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    pseudonym, request_id = pledge.employment.pseudonym, request.public_id
    client = client_as(make.make_operator(session, language="en"))
    assert "No pair has a rule" in client.get("/operator/runs/pairs").text
    form = {
        "kind": "forbid",
        "request": str(request_id),
        "pseudonym": pseudonym,
        "reason": "They asked for it",
    }
    for name, said in (
        ("reason", "Fill this in"),
        ("request", "Choose a request from"),
        ("kind", "fits best"),
    ):
        refused = client.post_form("/operator/runs/pairs", {**form, name: ""})
        assert refused.status_code == 422 and said in refused.text, name
    assert client.post_form("/operator/runs/pairs", form).status_code == 303
    assert client.post_form("/operator/runs/pairs", form).status_code == 422, "a pair has one rule"
    assert "They asked for it" in client.get("/operator/runs/pairs").text
    kept = session.scalars(select(PairRule.public_id)).one()
    session.rollback()
    assert client.post_form(f"/operator/runs/pairs/{kept}/undo").status_code == 303
    assert "No pair has a rule" in client.get("/operator/runs/pairs").text


def test_an_employee_stars_an_open_request_and_takes_the_star_away(
    session: Session, client_as: Enter
) -> None:
    employment, request = make.make_employment(session), make.make_request(session)
    place = f"/open-requests/{request.public_id}"
    client = client_as(session.get_one(User, employment.user_id))
    assert "Dit doe ik graag" in client.get(place).text
    assert client.post_form(f"{place}/star", {"star": "1"}).status_code == 303
    assert "haal de ster weg" in client.get(place).text
    assert client.post_form(f"{place}/star", {"star": "0"}).status_code == 303
    assert session.scalars(select(RequestStar)).all() == []


def test_an_initiative_stars_a_profile_that_has_no_name(session: Session, client_as: Enter) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    coordinator = make.make_coordinator(session, request.initiative)
    stranger = make.make_coordinator(session, make.make_initiative(session))
    place, pledge_id = f"/requests/{request.public_id}/profiles", pledge.public_id
    names = (pledge.employment.last_name, pledge.employment.organisation.name, pledge.employment.email)
    client = client_as(coordinator)
    page = client.get(place).text
    assert str(pledge_id) in page and not any(name in page for name in names)
    assert client.post_form(f"{place}/{pledge_id}/star", {"star": "1"}).status_code == 303
    assert "haal de ster weg" in client.get(place).text
    other = client_as(stranger)
    assert other.get(place).status_code == 404
    assert other.post_form(f"{place}/{pledge_id}/star", {"star": "1"}).status_code == 404


@pytest.mark.parametrize("path", ["/operator/runs/pairs", "/requests/{request}/profiles"])
def test_an_employee_sees_neither_pairs_nor_profiles(session: Session, client_as: Enter, path: str) -> None:
    employment, request = make.make_employment(session), make.make_request(session)
    address = path.format(request=request.public_id)
    assert client_as(session.get_one(User, employment.user_id)).get(address).status_code == 404
