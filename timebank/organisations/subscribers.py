"""What this room does when something happened elsewhere."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank import events
from timebank.auth.actor import actor_of
from timebank.auth.events import InvitationAccepted
from timebank.auth.models import User
from timebank.organisations import service


@events.on(InvitationAccepted)
def tie_employment(session: Session, event: InvitationAccepted) -> None:
    """Accepting an employee's invitation ties the employment to that login; nothing else ever does."""
    if event.employment_id is not None:
        user = session.get_one(User, event.user_id)
        service.tie(session, event.employment_id, event.user_id, actor=actor_of(user), now=event.at)
