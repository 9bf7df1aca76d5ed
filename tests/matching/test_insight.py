"""What a run tells besides its proposals, and who reads what of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.matches.models import Match
from timebank.matching import runs
from timebank.matching.insight import keeping
from timebank.matching.insight.models import RunInsight, Unmatched
from timebank.matching.models import Run, RunState, RunTrigger, WeightPolicy
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.pledges.models import Pledge
from timebank.taxonomy import bits

Enter = Callable[[User], Any]


def a_run(session: Session) -> Run:
    session.commit()
    run = runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7)
    session.expire_all()
    return run


def coach_of(session: Session, pledge: Pledge) -> User:
    return session.get_one(User, pledge.employment.user_id)


def told_of(session: Session, pledge: Pledge) -> dict[str, dict[str, Any]]:
    row = session.scalars(select(Unmatched).where(Unmatched.pledge_id == pledge.id)).one()
    return {each["what"]: each for each in row.relaxations}


def told_of_request(session: Session, request: CoachingRequest) -> dict[str, dict[str, Any]]:
    row = session.scalars(select(Unmatched).where(Unmatched.request_id == request.id)).one()
    return {each["what"]: each for each in row.relaxations}


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# --- why no match -----------------------------------------------------------------------------------------------------


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
