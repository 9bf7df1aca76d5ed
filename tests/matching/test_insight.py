"""Scarcity, fairness and the next best: what a run says, and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matching.told import a_run, coach_of, words_of
from timebank import clock, db
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.matches.models import Match
from timebank.matching.insight import operator_words
from timebank.matching.insight.models import RunInsight
from timebank.matching.models import Run, WeightPolicy
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.pledges.models import Pledge
from timebank.taxonomy import bits

Enter = Callable[[User], Any]


# --- scarcity ---------------------------------------------------------------------------------------------------------


def three_waiting(session: Session) -> list[CoachingRequest]:
    """Near Hasselt nobody keeps books: three requests wait, one of them in a town beside it. And one in Ostend."""
    hours = [360, 120, 240]
    waiting = [
        make.make_request(
            session, make.make_initiative(session, postcode=code), postcode=code, minutes_per_coach=minutes
        )
        for code, minutes in zip(["3500", "3500", "3590"], hours, strict=True)
    ]
    make.make_request(session, make.make_initiative(session, postcode="8400"), postcode="8400")
    return waiting


@pytest.mark.both
@pytest.mark.usefixtures("database_kind")
def test_the_wished_for_coach_serves_as_many_requests_as_are_told(session: Session) -> None:
    make.make_pledge(session)
    waiting = three_waiting(session)
    run = a_run(session)
    wish = session.get_one(RunInsight, run.id).wishes[0]
    assert (wish["requests"], wish["minutes"], wish["place"]["nl"]) == (3, 720, "Hasselt")
    assert (wish["skills"], wish["language"]) == ([["bookkeeping", 2]], "nl")
    # Here comes this coach: with the level, the language, the place, and the hours for all.
    coach = make.make_pledge(
        session, postcode="3500", radius_km=25, minutes=wish["minutes"],
        skills=[(make.skill_id(session, "bookkeeping"), 2)],
    )  # fmt: skip
    for _each in range(wish["requests"]):
        assert a_run(session).proposals == 1
    assert a_run(session).proposals == 0
    served = session.scalars(select(Match.request_id).where(Match.pledge_id == coach.id)).all()
    assert sorted(served) == sorted(r.id for r in waiting)
    assert [w["place"]["nl"] for w in session.scalars(select(RunInsight)).all()[-1].wishes] == ["Oostende"]


def test_what_somebody_there_can_serve_tomorrow_is_no_wish(session: Session) -> None:
    """One pledge, two requests, and hours for both: the second gets its coach in the next run."""
    make.make_pledge(session, minutes=720)
    make.make_request(session)
    make.make_request(session)
    run = a_run(session)
    assert run.proposals == 1
    assert session.get_one(RunInsight, run.id).wishes == []


def test_a_price_tells_what_one_more_coach_of_a_kind_would_bring(session: Session) -> None:
    make.make_pledge(session)
    for _each in range(2):
        make.make_request(session)
    run = a_run(session)
    cells = session.get_one(RunInsight, run.id).scarcity
    # The second request gets nobody; one more such coach would bring its whole weight.
    one = cells["skill"]["bookkeeping"]
    assert one == {"pledges": 1, "price": run.value, "asked": 2, "empty": 1, "minutes": 360}
    assert set(cells["region"]) == {"BE23"}
    assert cells["language"]["nl"]["empty"] == 1


@pytest.mark.parametrize(
    ("path", "who"),
    [("/operator/scarcity", "operator"), ("/hr/wanted", "hr"), ("/initiative/wanted", "initiative")],
)
def test_each_desk_reads_what_is_scarce_and_nobody_else(
    session: Session, client_as: Enter, path: str, who: str
) -> None:
    pledge = make.make_pledge(session)
    people = {
        "operator": make.make_operator(session, language="en"),
        "hr": make.make_hr(session, pledge.employment.organisation, language="en"),
        "initiative": make.make_coordinator(session, make.make_initiative(session), language="en"),
        "employee": coach_of(session, pledge),
    }
    clients = {name: client_as(user) for name, user in people.items()}
    assert clients[who].get(path).status_code == 200, "before the first run"
    session.rollback()
    three_waiting(session)
    a_run(session)
    for name, client in clients.items():
        answer = client.get(path)
        assert answer.status_code == (200 if name == who else 404)
        if name == who:
            sentence = "One more coach near Hasselt who speaks Dutch and knows bookkeeping (good or better)"
            assert sentence in words_of(answer.text)
            assert "would serve 3 waiting requests." in words_of(answer.text)
            if name != "operator":
                assert pledge.employment.pseudonym not in answer.text


# --- fairness ---------------------------------------------------------------------------------------------------------


def test_a_run_tells_who_is_served_before_and_after(session: Session, client_as: Enter) -> None:
    make.make_match(session, make.make_pledge(session), make.make_request(session, seats=2))
    make.make_pledge(session, skills=[(make.skill_id(session, "spreadsheets"), 2)], postcode="2800")
    make.make_request(
        session, make.make_initiative(session, postcode="2800"), postcode="2800", minutes_per_coach=120,
        must=[(make.skill_id(session, "spreadsheets"), 1)],
    )  # fmt: skip
    run = a_run(session)
    told = session.get_one(RunInsight, run.id).served
    assert told["region"]["BE23"] == {
        "seats": 2, "before": 1, "after": 1, "minutes": 720, "minutes_before": 360, "minutes_after": 360,
    }  # fmt: skip
    assert told["region"]["BE21"] == {
        "seats": 1, "before": 0, "after": 1, "minutes": 120, "minutes_before": 0, "minutes_after": 120,
    }  # fmt: skip
    assert {kind: sum(g["after"] for g in groups.values()) for kind, groups in told.items()} == {
        "region": 2, "phase": 2, "work_form": 2, "size": 2,
    }  # fmt: skip
    assert set(told["size"]) == {"one", "few"}
    client = client_as(make.make_operator(session, language="en"))
    page = words_of(client.get(f"/operator/runs/{run.public_id}/fairness").text)
    assert "price of fairness" in page
    assert "two or three coaches" in page
    assert f"/operator/runs/{run.public_id}/fairness" in client.get(f"/operator/runs/{run.public_id}").text


def test_the_price_of_fairness_is_what_the_policy_gives_up(session: Session) -> None:
    """The older request goes first, although the younger one would be worth a welcome skill more."""
    skills = [(make.skill_id(session, "bookkeeping"), 3), (make.skill_id(session, "spreadsheets"), 2)]
    make.make_pledge(session, skills=skills)
    make.make_request(session, nice=[(make.skill_id(session, "spreadsheets"), 1)])
    old = make.make_request(session)
    session.get_one(CoachingRequest, old.id).opened_at = clock.now() - timedelta(days=60)
    run = a_run(session)
    assert session.scalars(select(Match.request_id)).all() == [old.id]
    told = session.get_one(RunInsight, run.id)
    assert (told.base_optimum or 0) - (told.base_value or 0) == DEFAULT_WEIGHTS["w_nice"]
    assert told.overtaking_days == DEFAULT_WEIGHTS["w_nice"] // DEFAULT_WEIGHTS["w_waiting"] + 1


def test_weights_without_waiting_say_that_nobody_is_protected(session: Session, client_as: Enter) -> None:
    session.add(WeightPolicy(**{**DEFAULT_WEIGHTS, "w_waiting": 0}, set_at=clock.now()))
    make.make_pledge(session)
    make.make_request(session)
    run = a_run(session)
    assert session.get_one(RunInsight, run.id).overtaking_days is None
    client = client_as(make.make_operator(session, language="en"))
    page = words_of(client.get(f"/operator/runs/{run.public_id}/fairness").text)
    assert "may be passed over for ever" in page


# --- why this match ---------------------------------------------------------------------------------------------------


def a_proposal_with_next_bests(session: Session) -> tuple[Run, Match, Pledge, CoachingRequest]:
    """A coach in Ghent for a request in Ghent; in Dendermonde another coach and another request."""
    make.make_pledge(session, minutes=360)
    make.make_request(session)
    someone = make.make_employment(session, user=make.make_user(session, name="Zeno Bas"))
    good = [(make.skill_id(session, "bookkeeping"), 2)]
    other = make.make_pledge(session, someone, minutes=360, postcode="9200", skills=good)
    elsewhere = make.make_request(
        session, make.make_initiative(session, name="Buurthuis"), title="Een kasboek", postcode="9200"
    )
    run = a_run(session)
    match = session.scalars(select(Match).where(Match.pledge_id != other.id)).one()
    return run, match, other, elsewhere


def test_a_proposal_freezes_what_both_sides_would_have_got_instead(session: Session) -> None:
    _run, match, other, elsewhere = a_proposal_with_next_bests(session)
    best = match.next_best
    assert best is not None
    assert best["seat_price"] + best["pledge_price"] == match.weight
    assert (best["seat"]["request"], best["seat"]["titles"]) == (
        str(elsewhere.public_id),
        {"nl": "Een kasboek"},
    )
    assert best["pledge"]["pseudonym"] == other.employment.pseudonym
    assert best["pledge"]["levels"] == {"bookkeeping": 2}
    for end, own in (("seat", best["pledge_price"]), ("pledge", best["seat_price"])):
        assert best[end]["behind"] == own - (best[end]["weight"] - best[end]["price"]) >= 0


def test_both_sides_read_the_next_best_in_words(session: Session, client_as: Enter) -> None:
    _run, match, other, _elsewhere = a_proposal_with_next_bests(session)
    coach = coach_of(session, match.pledge)
    coach.language = "en"
    coordinator = make.make_coordinator(session, match.request.initiative, language="en")
    own = words_of(client_as(coach).get(f"/matches/{match.public_id}").text)
    theirs = words_of(client_as(coordinator).get(f"/matches/{match.public_id}").text)
    assert "Your next best would be “Een kasboek” of Buurthuis" in own
    assert "with bookkeeping: good" in own
    assert "with bookkeeping: good" in theirs
    assert "Een kasboek" not in theirs, "where else a coach would fit is the coach's own affair"
    for page in (own, theirs):
        assert other.employment.name not in page
        assert other.employment.pseudonym not in page
        assert str(match.weight) not in page


def test_who_is_alone_in_fitting_reads_that(session: Session, client_as: Enter) -> None:
    pledge = make.make_pledge(session)
    make.make_request(session)
    a_run(session)
    match = session.scalars(select(Match)).one()
    assert match.next_best is not None
    assert (match.next_best["seat"], match.next_best["pledge"]) == (None, None)
    coach = coach_of(session, pledge)
    coach.language = "en"
    page = words_of(client_as(coach).get("/today").text)
    assert "Without you, nobody else would fit this place now." in page


def test_the_operator_reads_points_and_prices(session: Session, client_as: Enter) -> None:
    run, match, other, _elsewhere = a_proposal_with_next_bests(session)
    address = f"/operator/runs/{run.public_id}/matches/{match.public_id}"
    client = client_as(make.make_operator(session, language="en"))
    assert address in client.get(f"/operator/runs/{run.public_id}").text
    page = client.get(address).text
    assert f"{match.weight:,}" in page
    assert other.employment.pseudonym in page
    assert other.employment.name not in page
    assert match.employment.name not in page
    hr = make.make_hr(session, match.employment.organisation)
    assert client_as(hr).get(address).status_code == 404
    assert client_as(coach_of(session, match.pledge)).get(address).status_code == 404
    stranger = f"/operator/runs/{a_run(session).public_id}/matches/{match.public_id}"
    assert client.get(stranger).status_code == 404, "a match of another run"


# --- as many statements, however many rows ----------------------------------------------------------------------------


def test_the_operator_reads_stars_and_pins_in_words(app: Flask) -> None:
    reasons = [
        {"term": "star", "points": 150, "by": "coach"},
        {"term": "star", "points": 150, "by": "initiative"},
        {"term": "pinned", "points": 1000},
    ]
    with app.test_request_context(), force_locale("nl"):
        said = [text for text, _points in operator_words.terms(reasons, {})]
    assert said == ["Een ster van de coach", "Een ster van het initiatief", "Samengezet door de operator"]


def test_pages_take_no_more_statements_for_more_rows(session: Session, client_as: Enter) -> None:
    pledge = make.make_pledge(session, postcode="8400")
    make.make_request(session, postcode="2800")
    client = client_as(make.make_operator(session))
    coach = client_as(coach_of(session, pledge))

    def counted() -> dict[str, int]:
        run = a_run(session)
        session.rollback()
        counts = {}
        for who, path in (
            (client, "/operator/scarcity"),
            (client, f"/operator/runs/{run.public_id}/fairness"),
            (coach, f"/matching/pledges/{pledge.public_id}/why-not"),
        ):
            statements: list[str] = []

            def note(
                _c: Any, _cursor: Any, statement: str, *_more: Any, seen: list[str] = statements
            ) -> None:
                seen.append(statement)

            event.listen(db.engine(), "before_cursor_execute", note)
            assert who.get(path).status_code == 200
            event.remove(db.engine(), "before_cursor_execute", note)
            counts[path.rpartition("/")[2]] = len(statements)
        return counts

    before = counted()
    for code in ("3500", "9200", "1000"):
        make.make_pledge(session, postcode=code, language_bits=bits.language_bits(["fr"]))
        make.make_request(session, postcode=code, must=[(make.skill_id(session, "spreadsheets"), 3)])
    assert counted() == before
