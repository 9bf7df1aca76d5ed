"""What an installation's database says about itself, as that it holds the demo."""

from __future__ import annotations

from sqlalchemy import String, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from timebank.db import Base

DEMO = "demo"


class InstanceMark(Base):
    """A fact about this database, by key."""

    __tablename__ = "instance_marks"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), default="")


def is_demo(session: Session) -> bool:
    """Whether this database holds the demo: only there the demo's people and all mail are shown to everybody."""
    return bool(session.scalar(select(exists().where(InstanceMark.key == DEMO))))


def mark_demo(session: Session) -> None:
    """Say that this database holds the demo."""
    if not is_demo(session):
        session.add(InstanceMark(key=DEMO, value="1"))
        session.flush()  # what follows in this transaction must see it
