"""What an employee offers: hours in a period, in one tranche or one a month."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column
from timebank.organisations.models import Employment
from timebank.taxonomy.models import Cause, Postcode, Skill

ANY_LANGUAGE = 0b111  # bits: nl, fr, en
ANY_TIME = (1 << 21) - 1  # bits: mon-am, mon-pm, mon-ev, tue-am … sun-ev


class PledgeState(enum.StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


class EndReason(enum.StrEnum):
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    LEFT = "left"


# act: from which states, to which
PLEDGE_ACTS: dict[str, tuple[frozenset[PledgeState], PledgeState]] = {
    "submit": (frozenset({PledgeState.DRAFT}), PledgeState.SUBMITTED),
    "approve": (frozenset({PledgeState.SUBMITTED}), PledgeState.APPROVED),
    "refuse": (frozenset({PledgeState.SUBMITTED}), PledgeState.REFUSED),
    "end": (frozenset({PledgeState.DRAFT, PledgeState.SUBMITTED, PledgeState.APPROVED}), PledgeState.ENDED),
}


class Pledge(PublicId, Base):
    """Hours that one employee offers from one date until another (both included).

    `language_bits`: 1 nl, 2 fr, 4 en. `week_bits`: bit 3·day + part, Monday morning first. Live pledges of one
    employment never overlap in time; the service checks it under a lock on the employment.
    """

    __tablename__ = "pledges"
    __table_args__ = (
        CheckConstraint("from_date <= until_date", name="from_before_until"),
        CheckConstraint("language_bits BETWEEN 1 AND 7", name="some_language"),
        CheckConstraint("week_bits BETWEEN 1 AND 2097151", name="some_time"),
        CheckConstraint("radius_km BETWEEN 0 AND 300", name="radius_in_range"),
        CheckConstraint("(state = 'ended') = (end_reason IS NOT NULL)", name="end_reason_iff_ended"),
        CheckConstraint("(state = 'refused') = (refused_reason IS NOT NULL)", name="reason_iff_refused"),
        CheckConstraint("state <> 'approved' OR approved_at IS NOT NULL", name="approved_at_if_approved"),
        Index(None, "employment_id", "state"),
        Index(None, "state", "until_date"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    employment_id: Mapped[int] = mapped_column(ForeignKey("employments.id"))
    state: Mapped[PledgeState] = mapped_column(
        enum_column(PledgeState, "state_known"), default=PledgeState.DRAFT
    )
    end_reason: Mapped[EndReason | None] = mapped_column(enum_column(EndReason, "end_reason_known"))
    from_date: Mapped[date]
    until_date: Mapped[date]
    monthly: Mapped[bool] = mapped_column(default=False)
    language_bits: Mapped[int]
    week_bits: Mapped[int] = mapped_column(default=ANY_TIME)
    postcode: Mapped[str] = mapped_column(ForeignKey("postcodes.code"))
    radius_km: Mapped[int] = mapped_column(default=30)
    remote: Mapped[bool] = mapped_column(default=False)
    # The employee's choice that HR may see which initiative the hours go to.
    shares_choice: Mapped[bool] = mapped_column(default=False)
    notice_at: Mapped[datetime | None]  # when the privacy notice was shown, or queued for a paper pledge
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    refused_reason: Mapped[str | None] = mapped_column(String(2000))
    ended_at: Mapped[datetime | None]
    # Why HR took its approval back; the employee reads it.
    end_note: Mapped[str | None] = mapped_column(String(2000))

    employment: Mapped[Employment] = relationship()
    place: Mapped[Postcode] = relationship()
    tranches: Mapped[list[Tranche]] = relationship(back_populates="pledge", order_by="Tranche.from_date")
    skills: Mapped[list[PledgeSkill]] = relationship(cascade="all, delete-orphan")
    causes: Mapped[list[PledgeCause]] = relationship(cascade="all, delete-orphan")

    @property
    def minutes(self) -> int:
        return sum(t.minutes for t in self.tranches)

    @property
    def conditions(self) -> tuple[Any, ...]:
        """All that decides which requests fit, to see whether it changed; skills, causes and tranches have to be
        loaded."""
        return (
            self.from_date,
            self.until_date,
            self.monthly,
            self.language_bits,
            self.week_bits,
            self.postcode,
            self.radius_km,
            self.remote,
            tuple(sorted((s.skill_id, s.level) for s in self.skills)),
            tuple(sorted((c.cause_id, c.excluded) for c in self.causes)),
            tuple(t.minutes for t in self.tranches),
        )


class Tranche(PublicId, Base):
    """A part of a pledge with its own dates; the ledger's accounts hang on its `public_id`."""

    __tablename__ = "tranches"
    __table_args__ = (
        UniqueConstraint("pledge_id", "from_date"),
        CheckConstraint("from_date <= until_date", name="from_before_until"),
        CheckConstraint("minutes >= 0", name="minutes_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledges.id"))
    from_date: Mapped[date]
    until_date: Mapped[date]
    minutes: Mapped[int]
    # How often its minutes were changed once approved: the ledger's keys of grants and cuts number them.
    amendments: Mapped[int] = mapped_column(default=0)

    pledge: Mapped[Pledge] = relationship(back_populates="tranches")


class PledgeSkill(Base):
    """A skill offered: 1 basic, 2 good, 3 expert."""

    __tablename__ = "pledge_skills"
    __table_args__ = (CheckConstraint("level BETWEEN 1 AND 3", name="level_in_range"),)

    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledges.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id"), primary_key=True)
    level: Mapped[int]

    skill: Mapped[Skill] = relationship()


class PledgeCause(Base):
    """A cause the employee prefers or, with `excluded`, does not want. HR and managers never see it."""

    __tablename__ = "pledge_causes"

    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledges.id"), primary_key=True)
    cause_id: Mapped[int] = mapped_column(ForeignKey("causes.id"), primary_key=True)
    excluded: Mapped[bool] = mapped_column(default=False)

    cause: Mapped[Cause] = relationship()
