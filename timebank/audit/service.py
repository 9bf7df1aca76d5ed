"""Writing the audit log."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from timebank.audit.models import AuditEntry
from timebank.events import ActorLike


def write(
    session: Session,
    *,
    actor: ActorLike,
    at: datetime,
    action: str,
    subject: uuid.UUID,
    organisation_id: int | None,
    detail: dict[str, Any],
) -> None:
    """Add one line. `detail` holds ids, codes and numbers, never a person's name or free text."""
    session.add(
        AuditEntry(
            at=at,
            actor_user_id=actor.user_id,
            actor_label=actor.label,
            action=action,
            subject=subject,
            organisation_id=organisation_id,
            detail=detail,
        )
    )
