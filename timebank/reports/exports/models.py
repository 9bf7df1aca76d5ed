"""Reports that were asked for as files, by whom, how often; and those that a closing froze."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column
from timebank.files import StoredFile
from timebank.jobs.models import Job
from timebank.ledger.models import LedgerPeriod


class ReportExport(PublicId, Base):
    """A file that somebody asked for. It is there when `file_id` is, and never in part."""

    __tablename__ = "report_exports"
    __table_args__ = (
        CheckConstraint("from_date <= until_date", name="from_before_until"),
        Index(None, "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[datetime]
    from_date: Mapped[date]
    until_date: Mapped[date]
    format: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(2))
    auditor: Mapped[bool] = mapped_column(default=False)
    stories: Mapped[list[Any]] = mapped_column(default=list)
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("report_schedules.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id", ondelete="SET NULL"))

    job: Mapped[Job] = relationship()
    file: Mapped[StoredFile | None] = relationship()


class Every(enum.StrEnum):
    """How often a report is sent: for each whole month, quarter or year."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class ReportSchedule(PublicId, Base):
    """That somebody wants a report of each period. `sent_until` is the last day of the last one that was made."""

    __tablename__ = "report_schedules"
    __table_args__ = (Index(None, "organisation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    every: Mapped[Every] = mapped_column(enum_column(Every, "every_known"))
    format: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    sent_until: Mapped[date]
    ended_at: Mapped[datetime | None]


class FrozenReport(Base):
    """The report of a closed period as it was then, in one language; `number` counts the company's closed reports."""

    __tablename__ = "frozen_reports"
    __table_args__ = (
        UniqueConstraint("period_id", "language"),
        UniqueConstraint("organisation_id", "number", "language"),
        CheckConstraint("number >= 1", name="number_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    period_id: Mapped[int] = mapped_column(ForeignKey("ledger_periods.id"))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(2))
    content: Mapped[dict[str, Any]]
    frozen_at: Mapped[datetime]

    period: Mapped[LedgerPeriod] = relationship()
