"""Signs of life."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base


class SchedulerBeat(Base):
    """That a scheduler is alive, and who leads; read by /healthz."""

    __tablename__ = "scheduler_beats"

    holder: Mapped[str] = mapped_column(String(100), primary_key=True)
    leader: Mapped[bool]
    at: Mapped[datetime]
