"""The pages about what runs tell, as browsers of both sizes show them, in two languages, accessible throughout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.journeys.walk import Walk
from tests.support.client import PASSWORD
from timebank import db
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.matches.models import Match
from timebank.matching import runs
from timebank.matching.models import RunTrigger


@pytest.mark.parametrize(("screen", "language"), [("desktop", "nl"), ("phone", "fr")])
def test_what_a_run_tells_is_well_made_for_everybody(
    session: Session, open_page: Callable[..., Any], axe: Callable[[Any], None], screen: str, language: str
) -> None:
    coach = make.make_employment(session, user=make.make_user(session, language=language))
    make.make_pledge(session, coach)
    make.make_pledge(session)
    make.make_request(session)
    lonely = make.make_employment(
        session, coach.organisation, user=make.make_user(session, language=language)
    )
    far = make.make_pledge(session, lonely, postcode="8400", language_bits=1)
    waiting = make.make_request(
        session, make.make_initiative(session, postcode="3500"), postcode="3500", remote=True
    )
    hr = make.make_hr(session, coach.organisation, language=language)
    coordinator = make.make_coordinator(session, waiting.initiative, language=language)
    operator = make.make_operator(session, language=language)
    session.commit()
    run = runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7)
    match = session.scalars(select(Match).limit(1)).one()
    taker = session.get_one(User, match.employment.user_id)
    taker.language = language
    users = (lonely.user_id, coordinator.id, hr.id, operator.id, taker.id)
    emails = [session.get_one(User, user_id).email for user_id in users]
    session.commit()
    db.engine().dispose()
    visits = (
        [
            f"/pledges/{far.public_id}",
            f"/matching/pledges/{far.public_id}/why-not",
            f"/pledges/{far.public_id}/edit",
        ],
        [
            f"/requests/{waiting.public_id}",
            f"/matching/requests/{waiting.public_id}/why-not",
            "/initiative/wanted",
        ],
        ["/hr/wanted"],
        [
            "/operator/scarcity",
            f"/operator/runs/{run.public_id}",
            f"/operator/runs/{run.public_id}/fairness",
            f"/operator/runs/{run.public_id}/matches/{match.public_id}",
        ],
        ["/today", f"/matches/{match.public_id}"],
    )
    for email, paths in zip(emails, visits, strict=True):
        walk = Walk(open_page(screen, language=language), axe, language=language)
        walk.page.goto("/sign-in")
        form = walk.page.locator("form[action='/sign-in']").first
        form.locator("#email").fill(email)
        form.locator("#password").fill(PASSWORD)
        with walk.page.expect_navigation():
            form.locator("#password").press("Enter")
        for path in paths:
            walk.page.goto(path, wait_until="networkidle")
            walk.look()
