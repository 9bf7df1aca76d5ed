"""Reads of the outbox, for where mail can be read in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.errors import NotFound
from timebank.notifications.models import OutboxMessage

PAGE = 50


def messages(session: Session, *, to: str = "", before: int | None = None) -> Sequence[OutboxMessage]:
    """A page of messages, newest first, and one more when there are older ones; `to` is a part of the address."""
    query = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(PAGE + 1)
    if to:
        query = query.where(OutboxMessage.email.contains(to.lower(), autoescape=True))
    if before is not None:
        query = query.where(OutboxMessage.id < before)
    return session.scalars(query).all()


def message(session: Session, public_id: UUID) -> OutboxMessage:
    """Raises NotFound."""
    found = session.scalar(select(OutboxMessage).where(OutboxMessage.public_id == public_id))
    if found is None:
        raise NotFound(_l("We can't find that."))
    return found
