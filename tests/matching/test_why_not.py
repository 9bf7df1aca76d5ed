"""Why somebody has no proposal: the rule, the smallest change, by how much they were outbid; and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matching.told import a_run, coach_of, told_of, told_of_request, words_of
from timebank import clock
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.matches.models import Match
from timebank.matching.insight import keeping
from timebank.matching.insight.models import RunInsight, Unmatched
from timebank.matching.models import RunState
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.pledges.models import Pledge

Enter = Callable[[User], Any]


@pytest.mark.both
@pytest.mark.usefixtures("database_kind")
def test_the_kilometres_that_are_told_are_just_enough(session: Session) -> None:
    """Ghent and Mechelen: the pledge goes 30 km. At one kilometre less than told, nothing is proposed."""
    pledge, request = make.make_pledge(session), make.make_request(session, postcode="2800")
    assert a_run(session).proposals == 0
    needed = told_of(session, pledge)["radius"]
    assert set(told_of(session, pledge)) == {"radius"}
    assert needed["value"] == 30 + needed["amount"]
    assert told_of_request(session, request) == {}, (
        "where an employee lives is not the initiative's to change"
    )
    session.get_one(Pledge, pledge.id).radius_km = needed["value"] - 1
    assert a_run(session).proposals == 0
    session.get_one(Pledge, pledge.id).radius_km = needed["value"]
    assert a_run(session).proposals == 1
    assert session.scalars(select(Unmatched)).all() == [], "what earlier runs said is gone"


@pytest.mark.parametrize(
    ("pledged", "asked", "told", "of_request"),
    [
        ({"remote": True}, {"postcode": "2800"}, {"radius"}, {"remote"}),
        ({}, {"postcode": "2800", "remote": True}, {"radius", "remote"}, set()),
        ({"language_bits": 2}, {}, {"language"}, {"language"}),
        ({"skills": "spreadsheets"}, {}, {"level"}, set()),
        ({"skills": "basic"}, {}, {"level"}, {"level"}),
        ({"minutes": 200}, {}, {"hours"}, {"hours"}),
        ({"until_date": 3}, {"minutes_per_coach": 60}, {"until"}, {"since"}),
        ({"week_bits": 1}, {"week_bits": 6}, {"week"}, {"week"}),
    ],
)
def test_both_sides_are_told_what_they_could_change(
    session: Session,
    pledged: dict[str, Any],
    asked: dict[str, Any],
    told: set[str],
    of_request: set[str],
) -> None:
    if "skills" in pledged:
        basic = [(make.skill_id(session, "bookkeeping"), 1)]
        other = [(make.skill_id(session, "spreadsheets"), 2)]
        pledged = {"skills": basic if pledged["skills"] == "basic" else other}
    if "until_date" in pledged:
        pledged = {"until_date": make.a_day(pledged["until_date"])}
    pledge, request = make.make_pledge(session, **pledged), make.make_request(session, **asked)
    a_run(session)
    assert set(told_of(session, pledge)) == told
    assert set(told_of_request(session, request)) == of_request


def test_hours_and_days_are_told_as_the_form_takes_them(session: Session) -> None:
    pledge, request = make.make_pledge(session, minutes=200), make.make_request(session)
    late = make.make_pledge(session, until_date=make.a_day(3), minutes=300)
    a_run(session)
    assert told_of(session, pledge)["hours"]["value"] == 360, "what the request asks, and not 380"
    assert told_of_request(session, request)["hours"]["value"] == 180
    assert told_of(session, late) == {}, "neither hours alone nor days alone would do"


def test_no_request_is_told_to_begin_in_the_past(session: Session) -> None:
    make.make_pledge(session, until_date=make.a_day(1))
    request = make.make_request(session, minutes_per_coach=60)
    a_run(session)
    since = told_of_request(session, request)["since"]
    assert date.fromisoformat(since["value"]) >= clock.today()


def test_the_employee_reads_why_and_what_would_help(session: Session, client_as: Enter) -> None:
    pledge = make.make_pledge(session)
    make.make_request(session, postcode="2800", remote=True)
    a_run(session)
    km = told_of(session, pledge)["radius"]["value"]
    client = client_as(coach_of(session, pledge))
    page = client.get(f"/matching/pledges/{pledge.public_id}/why-not")
    assert "<h1>" in page.text
    assert f"{km} km" in words_of(page.text)
    assert f'href="/pledges/{pledge.public_id}/edit#radius_km"' in page.text
    assert f'href="/pledges/{pledge.public_id}/edit#remote"' in page.text
    fragment = client.get(f"/matching/pledges/{pledge.public_id}/why-not", headers={"HX-Request": "true"})
    assert "<h1>" not in fragment.text
    assert f"/matching/pledges/{pledge.public_id}/why-not" in client.get(f"/pledges/{pledge.public_id}").text


def test_the_initiative_reads_why_and_what_would_help(session: Session, client_as: Enter) -> None:
    make.make_pledge(session, remote=True)
    request = make.make_request(session, postcode="2800")
    coordinator = make.make_coordinator(session, request.initiative, language="en")
    a_run(session)
    client = client_as(coordinator)
    page = client.get(f"/matching/requests/{request.public_id}/why-not")
    assert "Let the coaching be at a distance. Then somebody fits." in words_of(page.text)
    assert f'href="/requests/{request.public_id}/edit#remote"' in page.text
    assert "fewer than 5" in page.text, "so few people are not counted"
    assert (
        f"/matching/requests/{request.public_id}/why-not" in client.get(f"/requests/{request.public_id}").text
    )


def test_who_was_outbid_reads_by_how_much_without_points(session: Session, client_as: Enter) -> None:
    """Two coaches for one seat, and two requests for one coach."""
    near, far = make.make_pledge(session), make.make_pledge(session, postcode="9230")
    request = make.make_request(session)
    coordinator = make.make_coordinator(session, request.initiative, language="en")
    a_run(session)
    row = session.scalars(select(Unmatched).where(Unmatched.pledge_id == far.id)).one()
    match = session.scalars(select(Match)).one()
    assert (match.pledge_id, row.rule, row.exact) == (near.id, None, True)
    page = words_of(client_as(coach_of(session, far)).get(f"/matching/pledges/{far.public_id}/why-not").text)
    assert "km" in page
    assert str(match.weight) not in page
    # The seat has its proposal, so the initiative is told nothing; nor is the coach who got it.
    told = client_as(coordinator).get(f"/matching/requests/{request.public_id}/why-not").text
    assert "The next run looks at it" in told


def test_a_request_that_was_outbid_comes_first_after_as_many_days_as_are_told(
    session: Session, client_as: Enter
) -> None:
    # Ten hours for two requests of six: the one with the welcome skill is worth more.
    make.make_pledge(
        session,
        skills=[(make.skill_id(session, "bookkeeping"), 3), (make.skill_id(session, "spreadsheets"), 2)],
    )
    make.make_request(session, nice=[(make.skill_id(session, "spreadsheets"), 1)])
    plain = make.make_request(session)
    coordinator = make.make_coordinator(session, plain.initiative, language="en")
    session.commit()
    a_run(session)
    row = session.scalars(select(Unmatched).where(Unmatched.request_id == plain.id)).one()
    assert row.behind == DEFAULT_WEIGHTS["w_nice"]
    waiting = row.behind // DEFAULT_WEIGHTS["w_waiting"] + 1
    page = client_as(coordinator).get(f"/matching/requests/{plain.public_id}/why-not").text
    assert f"With {waiting} more days of waiting" in words_of(page)


@pytest.mark.parametrize(("days", "first"), [(19, False), (21, True)])
def test_the_days_of_waiting_that_are_told_are_just_enough(session: Session, days: int, first: bool) -> None:
    """The same two requests, of which the plain one has waited: a welcome skill is worth 100, a day 5 points, and at
    twenty days they are equal."""
    skills = [(make.skill_id(session, "bookkeeping"), 3), (make.skill_id(session, "spreadsheets"), 2)]
    make.make_pledge(session, skills=skills)
    make.make_request(session, nice=[(make.skill_id(session, "spreadsheets"), 1)])
    plain = make.make_request(session)
    session.get_one(CoachingRequest, plain.id).opened_at = clock.now() - timedelta(days=days)
    a_run(session)
    assert (session.scalars(select(Match.request_id)).one() == plain.id) == first


def test_a_request_whose_other_place_got_the_coach_is_told_so(session: Session, client_as: Enter) -> None:
    make.make_pledge(session)
    request = make.make_request(session, seats=2)
    coordinator = make.make_coordinator(session, request.initiative, language="en")
    a_run(session)
    page = client_as(coordinator).get(f"/matching/requests/{request.public_id}/why-not").text
    assert "One of your places has a coach now" in words_of(page)
    assert "waiting" not in words_of(page).partition("Why nobody yet?")[2].partition("As the run")[0]


def test_before_a_run_the_next_one_is_named(session: Session, client_as: Enter) -> None:
    pledge = make.make_pledge(session)
    page = client_as(coach_of(session, pledge)).get(f"/matching/pledges/{pledge.public_id}/why-not")
    assert page.status_code == 200


def test_nobody_else_reads_why(session: Session, client_as: Enter) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session, postcode="2800")
    colleague = make.make_employment(session, pledge.employment.organisation)
    stranger = make.make_coordinator(session, make.make_initiative(session))
    hr = make.make_hr(session, pledge.employment.organisation)
    a_run(session)
    for user in (session.get_one(User, colleague.user_id), stranger, hr):
        client = client_as(user)
        assert client.get(f"/matching/pledges/{pledge.public_id}/why-not").status_code == 404
        assert client.get(f"/matching/requests/{request.public_id}/why-not").status_code == 404


def test_a_run_stands_though_what_it_tells_cannot_be_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_pledge(session)
    make.make_request(session)

    def fails(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(keeping.served, "served", fails)
    run = a_run(session)
    assert (run.state, run.proposals) == (RunState.APPLIED, 1)
    assert session.scalar(select(func.count()).select_from(RunInsight)) == 0
