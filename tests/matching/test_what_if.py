"""What a run would do with other weights or with one more coach or seat, asked, answered, kept or thrown away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.errors import Invalid, NotPermitted, WrongState
from timebank.jobs.models import Job, JobState
from timebank.matches.models import Match
from timebank.matching import kernel, snapshot, whatif
from timebank.matching.models import Run, WeightPolicy
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.matching.whatif import Question
from timebank.matching.whatif.wishes import Wish
from timebank.scheduler import work

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database_kind")]

Enter = Callable[[User], Any]


def asked(session: Session, question: Question) -> UUID:
    session.commit()
    with db.unit_of_work() as unit:
        return whatif.ask(unit, question, actor=COMMAND_LINE, now=clock.now()).public_id


def answered(session: Session, question: Question) -> dict[str, Any]:
    public_id = asked(session, question)
    work.work_jobs(whatif.LANE)
    job = job_of(session, public_id)
    assert job.state is JobState.DONE, job.error
    assert job.result is not None
    return job.result


def job_of(session: Session, public_id: UUID) -> Job:
    session.rollback()
    session.expire_all()
    return session.scalars(select(Job).where(Job.public_id == public_id)).one()


def wish(session: Session, skills: Sequence[str] = ("bookkeeping",), **over: Any) -> Wish:
    values: dict[str, Any] = {
        "minutes": 600,
        "skills": [make.skill_id(session, code) for code in skills],
        "level": 2,
        "languages": 1,
        "postcode": "9000",
        "remote": False,
        "radius_km": 30,
        **over,
    }
    return Wish(**values)


def test_other_weights_show_who_gains_and_who_loses(session: Session) -> None:
    pledge = make.make_pledge(session, minutes=360, wanted_cause_ids=[])
    near = make.make_request(session)
    old = make.make_request(session, make.make_initiative(session, postcode="9100"), postcode="9100")
    session.get_one(CoachingRequest, old.id).opened_at = clock.now() - timedelta(days=30)
    answer = answered(session, Question({**DEFAULT_WEIGHTS, "w_waiting": 0}))
    assert (answer["now"]["seats"], answer["then"]["seats"], answer["open"]) == (1, 1, 2)
    assert answer["gain"] == [{"request": near.id, "seats": 1}]
    assert answer["lose"] == [{"request": old.id, "seats": 1}]
    assert answer["coaches_gain"] == answer["coaches_lose"] == {"number": 0, "shown": []}
    assert answer["then_by_now"] < answer["now"]["value"]
    assert sum(row["open"] for row in answer["regions"]) == 2
    assert answer["phases"] == [
        {"code": "development", "open": 2, "now": 1, "then": 1, "now_minutes": 360, "then_minutes": 360}
    ]
    assert session.scalars(select(Match)).all() == session.scalars(select(Run)).all() == []
    assert pledge.employment_id


def test_one_more_coach_serves_a_seat_that_would_stay_empty(session: Session) -> None:
    request = make.make_request(session)
    answer = answered(session, Question(DEFAULT_WEIGHTS, coach=wish(session)))
    assert (answer["now"]["seats"], answer["then"]["seats"]) == (0, 1)
    assert answer["wished_coach"] == {"request": request.id}
    assert answer["gain"] == [{"request": request.id, "seats": 1}]
    assert answer["coaches_gain"]["number"] == 0, "whoever is wished for is nobody of the pool"


def test_a_coach_who_cannot_help_gets_nothing(session: Session) -> None:
    make.make_request(session)
    answer = answered(session, Question(DEFAULT_WEIGHTS, coach=wish(session, languages=2)))
    assert (answer["then"]["seats"], answer["wished_coach"]) == (0, None)


def test_one_more_seat_is_served_by_whoever_is_free(session: Session) -> None:
    pledge = make.make_pledge(session)
    answer = answered(session, Question(DEFAULT_WEIGHTS, seat=wish(session, minutes=240)))
    assert answer["wished_seat"] == {"coach": pledge.employment.pseudonym}
    assert answer["then"] == {**answer["then"], "seats": 1, "minutes": 240}
    assert answer["coaches_gain"] == {"number": 1, "shown": [pledge.employment.pseudonym]}


def test_a_wished_for_coach_and_seat_may_meet(session: Session) -> None:
    question = Question(DEFAULT_WEIGHTS, coach=wish(session), seat=wish(session, minutes=240))
    assert answered(session, question)["wished_seat"] == {"coach": None}


def test_nothing_to_match_is_an_answer_too(session: Session) -> None:
    answer = answered(session, Question(DEFAULT_WEIGHTS))
    assert (answer["open"], answer["now"], answer["regions"]) == (0, answer["then"], [])


def test_a_question_that_waits_is_stopped_and_never_answered(session: Session) -> None:
    public_id = asked(session, Question(DEFAULT_WEIGHTS))
    with db.unit_of_work() as unit:
        whatif.stop(unit, public_id, actor=COMMAND_LINE, now=clock.now())
    assert work.work_jobs(whatif.LANE) == 0
    assert job_of(session, public_id).state is JobState.CANCELLED


def test_a_question_is_stopped_while_it_is_solved(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    public_id = asked(session, Question(DEFAULT_WEIGHTS))
    solve = kernel.solve

    def solve_while_somebody_stops(*args: Any, **more: Any) -> kernel.Assignment:
        with db.unit_of_work() as unit:
            whatif.stop(unit, public_id, actor=COMMAND_LINE, now=clock.now())
        return solve(*args, **more)

    monkeypatch.setattr(kernel, "solve", solve_while_somebody_stops)
    work.work_jobs(whatif.LANE)
    job = job_of(session, public_id)
    assert (job.state, job.result) == (JobState.CANCELLED, None)


def test_weights_out_of_range_are_not_tried(session: Session) -> None:
    with pytest.raises(Invalid):
        asked(session, Question({**DEFAULT_WEIGHTS, "w_star": -1}))
    assert session.scalar(select(func.count()).select_from(Job)) == 0


def test_what_was_tried_is_kept_only_when_there_is_an_answer(session: Session) -> None:
    public_id = asked(session, Question({**DEFAULT_WEIGHTS, "w_near": 9}))
    with pytest.raises(WrongState), db.unit_of_work() as unit:
        whatif.keep_weights(unit, public_id, actor=COMMAND_LINE, now=clock.now())
    with pytest.raises(WrongState), db.unit_of_work() as unit:
        whatif.discard(unit, public_id, actor=COMMAND_LINE)
    work.work_jobs(whatif.LANE)
    with db.unit_of_work() as unit:
        whatif.keep_weights(unit, public_id, actor=COMMAND_LINE, now=clock.now())
    assert snapshot.weights_in_force(session)["w_near"] == 9


def test_nobody_else_asks(session: Session) -> None:
    hr = make.actor(session, make.make_hr(session, make.make_company(session)))
    public_id = asked(session, Question(DEFAULT_WEIGHTS))
    for act in (
        lambda: whatif.ask(session, Question(DEFAULT_WEIGHTS), actor=hr, now=clock.now()),
        lambda: whatif.find(session, public_id, actor=hr),
        lambda: whatif.stop(session, public_id, actor=hr, now=clock.now()),
        lambda: whatif.discard(session, public_id, actor=hr),
        lambda: whatif.keep_weights(session, public_id, actor=hr, now=clock.now()),
    ):
        with pytest.raises(NotPermitted):
            act()


# --- pages ----------------------------------------------------------------------------------------------------------


def form(session: Session, **over: Any) -> dict[str, Any]:
    weights = {name: str(value) for name, value in DEFAULT_WEIGHTS.items()}
    return {**weights, "coach_level": "2", "seat_level": "2", "coach_radius": "30", **over}


def test_the_operator_asks_looks_and_keeps_the_weights(session: Session, client_as: Enter) -> None:
    request = make.make_request(session)
    client = client_as(make.make_operator(session, language="en"))
    wanted = {
        "coach_hours": "10",
        "coach_skills": [str(make.skill_id(session, "bookkeeping"))],
        "coach_languages": ["nl"],
        "coach_postcode": "9000",
        "w_near": "7",
    }
    answer = client.post_form("/operator/runs/what-if", form(session, **wanted))
    assert answer.status_code == 303
    assert "waits for the scheduler" in client.get(answer.location).text
    assert client.get(f"{answer.location}/progress").status_code == 200
    session.rollback()
    work.work_jobs(whatif.LANE)
    page = client.get(answer.location).text
    assert request.texts[0].title in page and "7 instead of 200" in page
    assert client.get(f"{answer.location}/progress").headers["HX-Refresh"] == "true"
    assert client.post_form(f"{answer.location}/keep").status_code == 303
    assert session.scalars(select(WeightPolicy.w_near)).all() == [7]
    session.rollback()
    assert "Let these weights hold" not in client.get(answer.location).text
    assert client.post_form(f"{answer.location}/discard").status_code == 303
    assert client.get(answer.location).status_code == 404


def test_a_wish_that_is_not_complete_is_refused_beside_its_fields(session: Session, client_as: Enter) -> None:
    client = client_as(make.make_operator(session, language="en"))
    wanted = {"seat_hours": "10", "coach_hours": "5", "coach_postcode": "1"}
    answer = client.post_form("/operator/runs/what-if", form(session, **wanted))
    assert answer.status_code == 422
    assert session.scalar(select(func.count()).select_from(Job)) == 0


@pytest.mark.parametrize("path", ["", "/{job}", "/{job}/progress"])
def test_nobody_else_sees_what_was_tried(session: Session, client_as: Enter, path: str) -> None:
    public_id = asked(session, Question(DEFAULT_WEIGHTS))
    hr = make.make_hr(session, make.make_company(session))
    assert client_as(hr).get("/operator/runs/what-if" + path.format(job=public_id)).status_code == 404
