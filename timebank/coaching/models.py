"""What an initiative asks: a coaching request and its seats, one for each coach."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column
from timebank.organisations.models import LANGUAGE_KNOWN, Initiative
from timebank.taxonomy.models import Postcode, Skill


class RequestState(enum.StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class ClosedReason(enum.StrEnum):
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


class Shape(enum.StrEnum):
    """Fixed slots, so many hours between two dates, or open-ended."""

    SLOTS = "slots"
    WINDOW = "window"
    OPEN_ENDED = "open_ended"


# act: from which states, to which. What looks like staffing is submitted to the operator; the rest opens at once.
REQUEST_ACTS: dict[str, tuple[frozenset[RequestState], RequestState]] = {
    "submit": (frozenset({RequestState.DRAFT}), RequestState.SUBMITTED),
    "open": (frozenset({RequestState.DRAFT, RequestState.SUBMITTED, RequestState.PAUSED}), RequestState.OPEN),
    "pause": (frozenset({RequestState.OPEN}), RequestState.PAUSED),
    "close": (
        frozenset({RequestState.DRAFT, RequestState.SUBMITTED, RequestState.OPEN, RequestState.PAUSED}),
        RequestState.CLOSED,
    ),
    # Only of a filled one whose seat became free again; the service sees to that.
    "reopen": (frozenset({RequestState.CLOSED}), RequestState.OPEN),
}


class CoachingRequest(PublicId, Base):
    """So many coaches for so many minutes each. Bits of languages and week as in a pledge."""

    __tablename__ = "coaching_requests"
    __table_args__ = (
        CheckConstraint("until_date IS NULL OR from_date <= until_date", name="from_before_until"),
        CheckConstraint("(shape = 'open_ended') = (until_date IS NULL)", name="no_until_iff_open_ended"),
        CheckConstraint("minutes_per_coach BETWEEN 30 AND 24000", name="minutes_in_range"),
        CheckConstraint("language_bits BETWEEN 1 AND 7", name="some_language"),
        CheckConstraint("week_bits BETWEEN 1 AND 2097151", name="some_time"),
        CheckConstraint("(state = 'closed') = (closed_reason IS NOT NULL)", name="closed_reason_iff_closed"),
        CheckConstraint("state NOT IN ('open', 'paused') OR opened_at IS NOT NULL", name="opened_at_if_open"),
        Index(None, "initiative_id", "state"),
        Index(None, "state", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    state: Mapped[RequestState] = mapped_column(
        enum_column(RequestState, "state_known"), default=RequestState.DRAFT
    )
    closed_reason: Mapped[ClosedReason | None] = mapped_column(
        enum_column(ClosedReason, "closed_reason_known")
    )
    closed_note: Mapped[str | None] = mapped_column(String(2000))
    shape: Mapped[Shape] = mapped_column(enum_column(Shape, "shape_known"))
    from_date: Mapped[date]
    until_date: Mapped[date | None]
    minutes_per_coach: Mapped[int]
    language_bits: Mapped[int]
    week_bits: Mapped[int]
    postcode: Mapped[str] = mapped_column(ForeignKey("postcodes.code"))
    remote: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    initiative: Mapped[Initiative] = relationship()
    place: Mapped[Postcode] = relationship()
    texts: Mapped[list[RequestText]] = relationship(cascade="all, delete-orphan")
    skills: Mapped[list[RequestSkill]] = relationship(cascade="all, delete-orphan")
    slots: Mapped[list[RequestSlot]] = relationship(
        cascade="all, delete-orphan", order_by="RequestSlot.starts_at"
    )
    seats: Mapped[list[Seat]] = relationship(back_populates="request", order_by="Seat.position")

    @property
    def conditions(self) -> tuple[Any, ...]:
        """All that decides which coaches fit, to see whether it changed; skills and causes have to be loaded."""
        return (
            self.minutes_per_coach,
            self.from_date,
            self.until_date,
            self.language_bits,
            self.week_bits,
            self.postcode,
            self.remote,
            tuple(sorted((s.skill_id, s.level, s.must) for s in self.skills)),
            tuple(sorted(c.cause_id for c in self.initiative.causes)),
        )

    def text(self, language: str) -> RequestText:
        """In `language`, else in the initiative's own, else in any; a request always has one."""
        texts = {t.language: t for t in self.texts}
        return texts.get(language) or texts.get(self.initiative.language) or next(iter(texts.values()))


class RequestText(Base):
    """What a request says, by language."""

    __tablename__ = "request_texts"
    __table_args__ = (CheckConstraint(LANGUAGE_KNOWN, name="language_known"), Index(None, "title"))

    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")


class RequestSkill(Base):
    """A skill asked at a level: must or nice."""

    __tablename__ = "request_skills"
    __table_args__ = (CheckConstraint("level BETWEEN 1 AND 3", name="level_in_range"),)

    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id"), primary_key=True)
    level: Mapped[int]
    must: Mapped[bool]

    skill: Mapped[Skill] = relationship()


class RequestSlot(Base):
    """A fixed time of a request of shape `slots`."""

    __tablename__ = "request_slots"
    __table_args__ = (CheckConstraint("starts_at < ends_at", name="starts_before_end"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class Seat(PublicId, Base):
    """One coach's place. Taken while a live match holds it; `withdrawn` when the request was made smaller."""

    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("request_id", "position"),
        CheckConstraint("position BETWEEN 1 AND 50", name="position_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"))
    position: Mapped[int]
    withdrawn: Mapped[bool] = mapped_column(default=False)

    request: Mapped[CoachingRequest] = relationship(back_populates="seats")
