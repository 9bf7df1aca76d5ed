"""What a run told about those whom it left out, as a test reads it."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.matching import runs
from timebank.matching.insight.models import Unmatched
from timebank.matching.models import Run, RunTrigger
from timebank.pledges.models import Pledge


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
