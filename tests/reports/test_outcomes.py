"""What both sides say of a completed coaching, and what the report tells of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import Told
from tests.reports.test_figures import report_of
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.models import User
from timebank.errors import WrongState
from timebank.matches import service as matches
from timebank.matches.models import CoachingFeedback, Match, MatchState, Reached, Side


def completed(session: Session, told: Told) -> tuple[Match, User, User]:
    user = factories.make_user(session, language="en")
    match = factories.make_match(
        session, factories.make_pledge(session, factories.make_employment(session, told.company, user=user))
    )
    initiative = factories.make_coordinator(session, match.request.initiative, language="en")
    now = clock.now()
    match.state, match.ended_at, match.confirmed_at = MatchState.COMPLETED, now, now
    match.coach_accepted_at = match.initiative_accepted_at = now
    session.flush()
    return match, user, initiative


@pytest.mark.both
def test_outcomes_are_told_with_their_number_of_answers_and_never_of_a_few(
    session: Session, told: Told
) -> None:
    assert report_of(session, told).outcomes == []
    for count in range(1, 7):
        match, coach, initiative = completed(session, told)
        for user, reached in ((initiative, Reached.FULLY), (coach, Reached.NO)):
            if user is initiative or count < 4:
                matches.give_feedback(
                    session,
                    match.public_id,
                    reached=reached,
                    again=count % 2 == 0,
                    actor=factories.actor(session, user),
                    now=clock.now(),
                )
        session.flush()
        initiatives, coaches = report_of(session, told).outcomes
        assert (initiatives.coachings, initiatives.answers) == (count, count)
        assert initiatives.fully == (count if count >= 5 else None)
    assert (initiatives.partly, initiatives.no, initiatives.again) == (0, 0, 3)
    assert (coaches.answers, coaches.no) == (3, None)


def test_both_sides_answer_once_on_a_page(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    match, coach, initiative = completed(session, told)
    session.commit()
    here = f"/matches/{match.public_id}"
    for user, words in ((coach, "helps in your own work"), (initiative, "answer what you asked for")):
        client = client_as(user)
        assert f"{here}/feedback" in client.get(here).get_data(as_text=True)
        assert words in client.get(f"{here}/feedback").get_data(as_text=True)
        assert client.post_form(f"{here}/feedback", {"reached": "maybe"}).status_code == 422
        assert client.post_form(f"{here}/feedback", {"reached": "partly", "again": "yes"}).status_code == 303
        assert f"{here}/feedback" not in client.get(here).get_data(as_text=True)
    assert {f.side for f in session.scalars(select(CoachingFeedback))} == {Side.COACH, Side.INITIATIVE}
    line = session.scalars(select(AuditEntry).where(AuditEntry.action == "feedback_given")).first()
    assert line is not None
    assert "partly" not in str(line.detail)
    assert client_as(told.hr).get(f"{here}/feedback").status_code == 404


def test_a_coaching_that_runs_has_no_outcome_yet(session: Session, told: Told) -> None:
    match, coach, _initiative = completed(session, told)
    match.state, match.ended_at = MatchState.ACTIVE, None
    session.flush()
    with pytest.raises(WrongState):
        matches.give_feedback(
            session,
            match.public_id,
            reached=Reached.FULLY,
            again=True,
            actor=factories.actor(session, coach),
            now=clock.now(),
        )
