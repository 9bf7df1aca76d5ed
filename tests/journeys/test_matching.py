"""The pages about runs, wishes and stars at both widths: they fit, and nothing on them is in anybody's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories as make
from tests.journeys.arrange import TITLE, Cast, cast
from tests.journeys.walk import Walk
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.coaching.models import CoachingRequest
from timebank.matching import pairs, runs, whatif
from timebank.matching.models import Mode, PairKind, RunTrigger
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.matching.whatif import Question
from timebank.matching.whatif.wishes import Wish
from timebank.scheduler import work

Pages = dict[str, list[str]]


@pytest.fixture
def people(session: Session) -> Cast:
    return cast(session)


@pytest.fixture
def asked(session: Session, people: Cast) -> CoachingRequest:
    """Three who could, two requests, and a pair that is kept apart."""
    pledge = make.make_pledge(session, people.employment)
    for _each in range(2):
        make.make_pledge(session)
    request = make.make_request(session, people.initiative)
    other = make.make_request(session, nice=[(make.skill_id(session, "spreadsheets"), 1)])
    pairs.rule_pair(
        session,
        kind=PairKind.FORBID,
        pseudonym=pledge.employment.pseudonym,
        request_id=other.public_id,
        reason="Ze werkten al samen, en dat ging niet.",
        actor=COMMAND_LINE,
        now=clock.now(),
    )
    session.commit()
    return request


@pytest.fixture
def paths(session: Session, asked: CoachingRequest) -> Pages:
    """What each kind of person looks at."""
    with db.unit_of_work() as unit:
        preview, waiting = (
            runs.request_run(
                unit,
                actor=COMMAND_LINE,
                now=clock.now(),
                trigger=RunTrigger.OPERATOR,
                mode=mode,
                preview=preview,
            ).public_id
            for mode, preview in ((Mode.SINGLE, True), (Mode.BUNDLE, False))
        )
        weights = {**DEFAULT_WEIGHTS, "w_near": 20}
        coach = Wish(600, [make.skill_id(unit, "bookkeeping")], 2, 1, "9000", False, 30)
        question = Question(weights, coach=coach)
        answer = whatif.ask(unit, question, actor=COMMAND_LINE, now=clock.now()).public_id
    runs.execute(preview, proposal_days=7)
    work.work_jobs(whatif.LANE)
    with db.unit_of_work() as unit:
        open_question = whatif.ask(unit, Question(weights), actor=COMMAND_LINE, now=clock.now()).public_id
    return {
        "operator": [
            "/operator/runs",
            f"/operator/runs/{preview}",
            f"/operator/runs/{waiting}",
            "/operator/runs/nights",
            "/operator/runs/pairs",
            "/operator/weights",
            "/operator/runs/what-if",
            f"/operator/runs/what-if/{answer}",
            f"/operator/runs/what-if/{open_question}",
        ],
        "coordinator": [f"/requests/{asked.public_id}/profiles", f"/requests/{asked.public_id}"],
        "employee": [f"/open-requests/{asked.public_id}"],
    }


@pytest.mark.parametrize("who", ["operator", "coordinator", "employee"])
def test_the_pages_fit_and_everybody_can_use_them(
    page: Any, axe: Callable[[Any], None], people: Cast, paths: Pages, who: str
) -> None:
    walk = Walk(page, axe).sign_in(getattr(people, who).email)
    for path in paths[who]:
        walk.go(path)


def test_a_star_changes_in_place(
    desktop: Any, axe: Callable[[Any], None], people: Cast, asked: CoachingRequest
) -> None:
    walk = Walk(desktop, axe).sign_in(people.coordinator.email)
    walk.go(f"/requests/{asked.public_id}/profiles")
    wanted = walk.button("We would gladly have this coach").first
    wanted.click()
    starred = walk.button("Starred: take the star away")
    starred.wait_for()
    assert starred.count() == 1
    walk.look()
    assert TITLE in desktop.title()
