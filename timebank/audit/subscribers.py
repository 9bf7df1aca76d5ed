"""Every event leaves an audit line, in the same transaction as the act."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from timebank import events
from timebank.audit import service

COMMON = {f.name for f in fields(events.Event)}


@events.on(events.Event)
def write_line(session: Session, event: events.Event) -> None:
    service.write(
        session,
        actor=event.actor,
        at=event.at,
        action=event.name(),
        subject=event.subject,
        organisation_id=event.organisation_id,
        detail={f.name: _plain(getattr(event, f.name)) for f in fields(event) if f.name not in COMMON},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID | date | datetime):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return value
