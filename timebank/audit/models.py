"""Who did what, when. Append-only."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base


class AuditEntry(Base):
    """One fact: `action` is the event's name, `subject` the public id of what it is about."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "organisation_id", "id"),
        Index(None, "subject", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_label: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[uuid.UUID]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    detail: Mapped[dict[str, Any]]
