"""What tests of books begin with."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.matches.arrange import Story, story
from timebank import clock
from timebank.ledger.models import Category
from timebank.matches import service as matches
from timebank.matches.models import HourEntry

FEBRUARY = date(2026, 2, 20)


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    """A coaching of February; it is March now."""
    with clock.hold(date(2026, 2, 2)):
        found = story(session)
        found.start()
    return found


def log(told: Story, minutes: int = 120, *, on: date = FEBRUARY, key: str = "a") -> HourEntry:
    entry = matches.log_hours(
        told.session,
        told.match.public_id,
        session_public_id=None,
        activity_date=on,
        minutes=minutes,
        category=Category.DELIVERY,
        note="",
        key=key,
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    return entry


def confirm(told: Story, entry: HourEntry) -> None:
    matches.confirm_hours(told.session, entry.public_id, actor=told.act_as(told.coordinator), now=clock.now())
    told.session.commit()
