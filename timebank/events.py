"""Facts that a business act records, handed to subscribers inside the same transaction.

A subscriber writes rows (audit, outbox, a job to do); slow work is done from those rows later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

_QUEUE = "timebank.events"


class ActorLike(Protocol):
    """Who acted, as the audit log shows it."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact, named in the past tense. `subject` is the public id of what it is about; the organisation may read it
    in its audit log."""

    actor: ActorLike
    at: datetime
    subject: UUID
    organisation_id: int | None = None

    @classmethod
    def name(cls) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


E = TypeVar("E", bound=Event)
Subscriber = Callable[[Session, Any], None]

_subscribers: list[tuple[type[Event], Subscriber]] = []


def on(kind: type[E]) -> Callable[[Callable[[Session, E], None]], Callable[[Session, E], None]]:
    """Register a subscriber for `kind` and its subclasses."""

    def register(function: Callable[[Session, E], None]) -> Callable[[Session, E], None]:
        if (kind, function) not in _subscribers:
            _subscribers.append((kind, function))
        return function

    return register


def record(session: Session, event: Event) -> None:
    """Remember a fact; the unit of work hands it to the subscribers before it commits."""
    session.info.setdefault(_QUEUE, []).append(event)


def dispatch(session: Session) -> None:
    """Call the subscribers of all recorded facts, also of those that subscribers record themselves."""
    queue: list[Event] = session.info.setdefault(_QUEUE, [])
    while queue:
        event = queue.pop(0)
        for kind, subscriber in _subscribers:
            if isinstance(event, kind):
                subscriber(session, event)


def discard(session: Session) -> None:
    """Forget what was recorded, as a rollback does with the rows."""
    session.info.pop(_QUEUE, None)
