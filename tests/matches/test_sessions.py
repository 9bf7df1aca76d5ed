"""Sessions are fixed before they take place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, at, mails_to, story
from timebank import clock
from timebank.errors import Invalid, NotFound, WrongState
from timebank.matches import service
from timebank.matches.calendar import CalendarEntry, calendar_text
from timebank.matches.models import CoachingSession, SessionState

pytestmark = pytest.mark.usefixtures("held_clock")


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    told = story(session)
    told.accept()
    return told


def plan(told: Story, starts: datetime, ends: datetime, **over: Any) -> CoachingSession:
    values: dict[str, Any] = {
        "place": "Gent",
        "remote": False,
        "actor": told.act_as(told.coach),
        "now": clock.now(),
        **over,
    }
    meeting = service.plan_session(
        told.session, told.match.public_id, starts_at=starts, ends_at=ends, **values
    )
    told.session.commit()
    return meeting


def test_a_session_stands_in_both_calendars(told: Story, session: Session) -> None:
    meeting = plan(told, at(2, 13, 30), at(2, 15, 30))
    for email in (told.coach.email, told.coordinator.email):
        mail = mails_to(session, email)[-1]
        assert mail.calendar is not None
        assert "DTSTART:20260312T123000Z" in mail.calendar
    assert plan(told, at(2, 13, 30), at(2, 15, 30)) is meeting


def test_nothing_is_planned_before_both_said_yes(session: Session) -> None:
    with pytest.raises(WrongState):
        plan(story(session), at(2, 13), at(2, 15))


@pytest.mark.parametrize(
    ("field", "starts", "ends", "over"),
    [
        ("date", (-1, 13), (-1, 15), {}),
        ("date", (200, 13), (200, 15), {}),  # after the hour budget
        ("date", (27, 13), (27, 15), {}),  # Easter Monday 2026
        ("ends", (2, 15), (2, 13), {}),
        ("ends", (2, 13), (3, 13), {}),
        ("place", (2, 13), (2, 15), {"place": ""}),
    ],
)
def test_a_session_that_cannot_be_is_refused_beside_its_field(
    told: Story, field: str, starts: tuple[int, int], ends: tuple[int, int], over: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refusal:
        plan(told, at(*starts), at(*ends), **over)
    assert field in refusal.value.fields


def test_back_to_back_is_fine_and_overlap_is_not(told: Story, session: Session) -> None:
    other = make.make_request(session, minutes_per_coach=60)
    second = make.make_match(session, told.pledge, other)
    coordinator = make.make_coordinator(session, other.initiative)
    service.accept_as_coach(session, second.public_id, actor=told.act_as(told.coach), now=clock.now())
    service.accept_as_initiative(session, second.public_id, actor=told.act_as(coordinator), now=clock.now())
    session.commit()
    plan(told, at(2, 13), at(2, 15))
    first = told.match
    told.match = second
    plan(told, at(2, 15), at(2, 16))
    with pytest.raises(Invalid) as refusal:
        plan(told, at(2, 14), at(2, 16, 30))
    assert "starts" in refusal.value.fields
    told.match = first


def test_a_moved_session_leads_to_the_new_one(told: Story, session: Session) -> None:
    meeting = plan(told, at(2, 13), at(2, 15))
    for _twice in range(2):
        target = service.move_session(
            session,
            meeting.public_id,
            starts_at=at(3, 14),
            ends_at=at(3, 16),
            place="Gent",
            remote=False,
            actor=told.act_as(told.coach),
            now=clock.now(),
        )
        session.commit()
    assert (meeting.state, meeting.moved_to_id) == (SessionState.MOVED, target.id)
    assert target.state is SessionState.PLANNED
    assert "STATUS:CANCELLED" in (mails_to(session, told.coordinator.email)[-2].calendar or "")


def test_either_side_cancels_and_no_stranger(told: Story, session: Session) -> None:
    meeting = plan(told, at(2, 13), at(2, 15))
    stranger = story(session)
    with pytest.raises(NotFound):
        service.cancel_session(session, meeting.public_id, actor=told.act_as(stranger.coach), now=clock.now())
    service.cancel_session(session, meeting.public_id, actor=told.act_as(told.coordinator), now=clock.now())
    session.commit()
    assert meeting.state is SessionState.LATE_CANCELLED
    with pytest.raises(WrongState):
        service.miss_session(session, meeting.public_id, actor=told.act_as(told.coach), now=clock.now())


def test_only_what_has_begun_can_be_missed(told: Story, session: Session, held_clock: Any) -> None:
    meeting = plan(told, at(2, 13), at(2, 15))
    coach = told.act_as(told.coach)
    with pytest.raises(WrongState):
        service.miss_session(session, meeting.public_id, actor=coach, now=clock.now())
    held_clock.move(days=3)
    assert service.miss_session(session, meeting.public_id, actor=coach, now=clock.now()).state is (
        SessionState.NO_SHOW
    )


def test_calendar_lines_are_escaped_and_folded() -> None:
    from uuid import uuid4

    moment = datetime(2026, 3, 12, 12, tzinfo=UTC)
    entry = CalendarEntry(
        uuid4(), moment, moment, "Een begroting, die; het bestuur\nbegrijpt " + "é" * 80, "Gent"
    )
    text = calendar_text([entry], now=moment)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert r"Een begroting\, die\; het bestuur\nbegrijpt" in text.replace("\r\n ", "")
