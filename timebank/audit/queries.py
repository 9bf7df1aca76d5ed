"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.models import AuditEntry


def newest(session: Session, *, before: datetime) -> int:
    """The id of the newest line about what was done before a moment, 0 where there is none."""
    # Ids follow time closely, so that few lines are looked at.
    newest_first = select(AuditEntry.id).where(AuditEntry.at < before).order_by(AuditEntry.id.desc())
    return session.scalar(newest_first.limit(1)) or 0


def lines_after(session: Session, id_: int) -> set[int]:
    """The ids of all lines after this one."""
    return set(session.scalars(select(AuditEntry.id).where(AuditEntry.id > id_)))


def acts(session: Session, ids: Collection[int]) -> list[tuple[str, dict[str, Any]]]:
    """Action and detail of these lines, which must be fewer than a statement takes."""
    query = select(AuditEntry.action, AuditEntry.detail).where(AuditEntry.id.in_(ids))
    return [(action, detail) for action, detail in session.execute(query)]
