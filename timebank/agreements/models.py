"""The coaching agreement between company and initiative: without it no match becomes active."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column
from timebank.organisations.models import LANGUAGE_KNOWN, Initiative, Organisation

LIVE = text("state IN ('drafted', 'half', 'in_force')")


class AgreementState(enum.StrEnum):
    DRAFTED = "drafted"
    HALF = "half"  # accepted by one
    IN_FORCE = "in_force"
    ENDED = "ended"


LIVE_STATES = (AgreementState.DRAFTED, AgreementState.HALF, AgreementState.IN_FORCE)

# act: from which states, to which
AGREEMENT_ACTS: dict[str, tuple[frozenset[AgreementState], AgreementState]] = {
    "accept_first": (frozenset({AgreementState.DRAFTED}), AgreementState.HALF),
    "accept_second": (frozenset({AgreementState.HALF}), AgreementState.IN_FORCE),
    "end": (frozenset(LIVE_STATES), AgreementState.ENDED),
}


class AgreementTemplate(Base):
    """The text with its blanks, by version and language; a version is never changed."""

    __tablename__ = "agreement_templates"
    __table_args__ = (
        UniqueConstraint("version", "language"),
        CheckConstraint(LANGUAGE_KNOWN, name="language_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    language: Mapped[str] = mapped_column(String(2))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Agreement(PublicId, Base):
    """One text that both sides accept: for one match, or (without `match_id`) for all coachings of a company with an
    initiative. `body` is kept as accepted."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint(
            "(company_accepted_at IS NULL) = (company_accepted_by_id IS NULL)", name="company_accepted"
        ),
        CheckConstraint(
            "(initiative_accepted_at IS NULL) = (initiative_accepted_by_id IS NULL)",
            name="initiative_accepted",
        ),
        CheckConstraint(
            "state <> 'in_force' OR (company_accepted_at IS NOT NULL AND initiative_accepted_at IS NOT NULL)",
            name="both_accepted_if_in_force",
        ),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended_at_iff_ended"),
        CheckConstraint("(match_id IS NULL) = (employment_id IS NULL)", name="employment_iff_match"),
        CheckConstraint(LANGUAGE_KNOWN, name="language_known"),
        Index("uq_agreements_live_match", "match_id", unique=True, postgresql_where=LIVE, sqlite_where=LIVE),
        Index(
            "uq_agreements_live_standing",
            "organisation_id",
            "initiative_id",
            unique=True,
            postgresql_where=text("match_id IS NULL AND state IN ('drafted', 'half', 'in_force')"),
            sqlite_where=text("match_id IS NULL AND state IN ('drafted', 'half', 'in_force')"),
        ),
        Index(None, "initiative_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    match_id: Mapped[int | None] = mapped_column(ForeignKey("matches.id"))
    # Whose coaching it is, so that this person may read it; empty for a standing one.
    employment_id: Mapped[int | None] = mapped_column(ForeignKey("employments.id"))
    state: Mapped[AgreementState] = mapped_column(
        enum_column(AgreementState, "state_known"), default=AgreementState.DRAFTED
    )
    template_id: Mapped[int] = mapped_column(ForeignKey("agreement_templates.id"))
    language: Mapped[str] = mapped_column(String(2))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    # The same wording without coach and coaching, which the company may accept in its place for all of them.
    standing_body: Mapped[str | None] = mapped_column(Text)
    drafted_at: Mapped[datetime]
    company_accepted_at: Mapped[datetime | None]
    company_accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    initiative_accepted_at: Mapped[datetime | None]
    initiative_accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    initiative: Mapped[Initiative] = relationship()
    template: Mapped[AgreementTemplate] = relationship()
