"""A file between preview and apply."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base, PublicId, enum_column


class BatchState(enum.StrEnum):
    PREVIEWED = "previewed"
    APPLIED = "applied"
    CANCELLED = "cancelled"


class ImportBatch(PublicId, Base):
    """An uploaded file, the mapping of its headings, and what became of it."""

    __tablename__ = "import_batches"
    __table_args__ = (
        CheckConstraint("(state = 'applied') = (applied_at IS NOT NULL)", name="applied_at_iff_applied"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id", ondelete="SET NULL"))
    file_name: Mapped[str] = mapped_column(String(200))
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    as_of: Mapped[date]
    close_missing: Mapped[bool] = mapped_column(default=False)
    state: Mapped[BatchState] = mapped_column(
        enum_column(BatchState, "state_known"), default=BatchState.PREVIEWED
    )
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    summary: Mapped[dict[str, Any] | None]
    # Each row with its verdict, as the page shows them, so that turning pages judges nothing again.
    preview_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id", ondelete="SET NULL"))
    rejects_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
