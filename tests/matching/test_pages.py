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
from timebank.matching import runs, snapshot
from timebank.matching.models import Run, RunState, RunTrigger, WeightPolicy

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
    answer = client.post_form("/operator/runs")
    assert answer.status_code == 303
    assert session.scalars(select(Run.state)).all() == [RunState.QUEUED]
    session.rollback()
    assert 'id="progress"' in client.get(answer.location).text
    assert client.get(answer.location + "/progress").status_code == 200


def test_the_bar_shows_that_weights_belong_to_matching(session: Session, client_as: Enter) -> None:
    page = client_as(make.make_operator(session)).get("/operator/weights").text
    assert '<a href="/operator/runs" aria-current="true">' in page
    assert '<a href="/operator" aria-current' not in page


@pytest.mark.parametrize("path", ["/operator/runs", "/operator/weights", "/operator/runs/{run}"])
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
