"""What both sides say of a coaching that was completed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth.actor import Actor
from timebank.errors import WrongState
from timebank.matches.events import FeedbackGiven
from timebank.matches.models import CoachingFeedback, MatchState, Reached
from timebank.matches.service import loading


def give_feedback(
    session: Session, public_id: UUID, *, reached: Reached, again: bool, actor: Actor, now: datetime
) -> CoachingFeedback:
    """Say how a completed coaching went, for one's own side; whoever answers again changes the answer.

    Raises NotFound, NotPermitted, WrongState.
    """
    match = loading.locked(session, public_id)
    loading.require_side(match, actor)
    if match.state is not MatchState.COMPLETED:
        raise WrongState(_l("This coaching is not completed yet. Come back when it is."))
    side = loading.side_of(match, actor)
    said = session.get(CoachingFeedback, (match.id, side))
    if said is None:
        said = CoachingFeedback(match_id=match.id, side=side)
        session.add(said)
    said.reached, said.again, said.answered_at = reached, again, now
    session.flush()
    events.record(
        session,
        FeedbackGiven(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            side=side,
        ),
    )
    return said
