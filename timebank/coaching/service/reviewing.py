"""The operator's look at what may be staffing."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.coaching.models import ClosedReason, CoachingRequest, RequestState
from timebank.coaching.service.shared import WRONG, close, lock, open_request, reason_of
from timebank.errors import WrongState


def release_request(
    session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Let a request through that looked like staffing. Raises NotFound, NotPermitted, WrongState."""
    permissions.require(actor, "request.review")
    request = lock(session, public_id)
    if request.state == RequestState.OPEN:
        return request
    if request.state != RequestState.SUBMITTED:
        raise WrongState(WRONG[request.state])
    open_request(session, request, actor, now, released=True)
    return request


def refuse_request(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Refuse a request that is staffing, with a reason that the initiative reads.

    Raises NotFound, NotPermitted, WrongState, Invalid.
    """
    permissions.require(actor, "request.review")
    request = lock(session, public_id)
    if request.closed_reason == ClosedReason.REFUSED:
        return request
    if request.state != RequestState.SUBMITTED:
        raise WrongState(WRONG[request.state])
    close(session, request, ClosedReason.REFUSED, actor, now, note=reason_of(reason))
    return request
