"""Reads for the pages about what runs tell; each a fixed number of statements."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from timebank.coaching.models import CoachingRequest, RequestSkill
from timebank.errors import NotFound
from timebank.matches.models import OPEN_STATES, Match
from timebank.matches.queries import taken_seats
from timebank.matching.insight.models import RunInsight, Unmatched
from timebank.matching.models import Run, RunState
from timebank.pledges.models import Pledge
from timebank.taxonomy.models import Cause, Skill, Term, TermKind


@dataclass(frozen=True)
class WhyNot:
    """What the last run said of a pledge or a request, with that run."""

    row: Unmatched
    run: Run


def why_not_pledge(session: Session, pledge: Pledge) -> WhyNot | None:
    """None where nothing is to be told: a proposal is open, or no run has looked yet."""
    has_open = select(Match.id).where(Match.pledge_id == pledge.id, Match.state.in_(OPEN_STATES)).limit(1)
    if session.scalar(has_open) is not None:
        return None
    return _why_not(session, Unmatched.pledge_id == pledge.id)


def why_not_request(session: Session, request: CoachingRequest) -> WhyNot | None:
    """None where nothing is to be told: every seat is taken, or no run has looked yet."""
    taken = taken_seats(session, [request.id])
    if all(seat.withdrawn or seat.id in taken for seat in request.seats):
        return None
    return _why_not(session, Unmatched.request_id == request.id)


def got_a_coach(session: Session, request: CoachingRequest, run: Run) -> bool:
    """Whether the run proposed somebody for a seat of the request."""
    proposed = select(Match.id).where(Match.request_id == request.id, Match.run_id == run.id).limit(1)
    return session.scalar(proposed) is not None


def _why_not(session: Session, whose: ColumnElement[bool]) -> WhyNot | None:
    found = session.execute(
        select(Unmatched, Run).join(Run, Run.id == Unmatched.run_id).where(whose)
    ).one_or_none()
    return WhyNot(*found) if found else None


def insight(session: Session, run: Run) -> RunInsight | None:
    return session.get(RunInsight, run.id)


def newest_insight(session: Session) -> tuple[Run, RunInsight] | None:
    """The last run that tells what is scarce, unless it was withdrawn."""
    found = session.execute(
        select(Run, RunInsight)
        .join(RunInsight, RunInsight.run_id == Run.id)
        .where(Run.state == RunState.APPLIED)
        .order_by(Run.id.desc())
        .limit(1)
    ).one_or_none()
    return (found[0], found[1]) if found else None


def match_of_run(session: Session, run: Run, public_id: uuid.UUID) -> Match:
    """A match that the run proposed, with all that its page shows. Raises NotFound."""
    match = session.scalar(
        select(Match)
        .where(Match.run_id == run.id, Match.public_id == public_id)
        .options(
            joinedload(Match.employment),
            joinedload(Match.request).selectinload(CoachingRequest.texts),
            joinedload(Match.request).joinedload(CoachingRequest.initiative),
            joinedload(Match.request).selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
        )
    )
    if match is None:
        raise NotFound(_l("We can't find that."))
    return match


def skill_names(session: Session, language: str) -> dict[str, str]:
    """Names of all skills by code."""
    return {skill.code: skill.name(language) for skill in session.scalars(select(Skill))}


def cause_names(session: Session, language: str) -> dict[str, str]:
    """Names of all causes by code."""
    return {cause.code: cause.name(language) for cause in session.scalars(select(Cause))}


def work_form_names(session: Session, language: str) -> dict[str, str]:
    """Names of the work forms by code."""
    forms = session.scalars(select(Term).where(Term.kind == TermKind.WORK_FORM))
    return {form.code: form.name(language) for form in forms}
