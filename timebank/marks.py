"""What an installation's database says about itself, as that it holds the demo."""

from __future__ import annotations

from sqlalchemy import String, delete, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from timebank.db import Base

DEMO = "demo"
UNFINISHED = "demo-unfinished"


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


def begin_demo(session: Session) -> None:
    """Say that this database is being filled with the demo: stopped halfway, it is of no use."""
    session.add(InstanceMark(key=UNFINISHED, value="1"))
    session.flush()  # as above


def finish_demo(session: Session) -> None:
    """Say that the demo is complete."""
    session.execute(delete(InstanceMark).where(InstanceMark.key == UNFINISHED))


def is_unfinished(session: Session) -> bool:
    """Whether filling this database with the demo was begun and never finished."""
    return bool(session.scalar(select(exists().where(InstanceMark.key == UNFINISHED))))
