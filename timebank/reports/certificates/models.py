"""Certificates of coachings, and what of them the coach lets others see."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId
from timebank.matches.models import Match


class Certificate(PublicId, Base):
    """That a coach gave confirmed hours in a completed coaching. Whoever has `code` may check it, and sees besides
    hours and dates only what the coach shares."""

    __tablename__ = "certificates"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("first_day <= last_day", name="first_before_last"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"), unique=True)
    code: Mapped[str] = mapped_column(String(30), unique=True)
    issued_at: Mapped[datetime]
    minutes: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    show_name: Mapped[bool] = mapped_column(default=False)
    show_company: Mapped[bool] = mapped_column(default=False)
    show_initiative: Mapped[bool] = mapped_column(default=False)
    withdrawn_at: Mapped[datetime | None]

    match: Mapped[Match] = relationship()
