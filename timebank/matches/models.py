"""A proposal's life: answers, sessions, hours."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.coaching.models import CoachingRequest, Seat
from timebank.db import Base, PublicId, enum_column
from timebank.ledger.models import Category
from timebank.organisations.models import Employment
from timebank.pledges.models import Pledge, Tranche


class MatchState(enum.StrEnum):
    PROPOSED = "proposed"
    ACCEPTED_BY_COACH = "accepted_by_coach"
    ACCEPTED_BY_INITIATIVE = "accepted_by_initiative"
    CONFIRMED = "confirmed"
    ACTIVE = "active"
    COMPLETED = "completed"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN_STATES = (MatchState.PROPOSED, MatchState.ACCEPTED_BY_COACH, MatchState.ACCEPTED_BY_INITIATIVE)
LIVE_STATES = (*OPEN_STATES, MatchState.CONFIRMED, MatchState.ACTIVE)
LIVE = text("state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')")

# act: from which states. Where it leads is told by the service, since an acceptance depends on the other side's.
MATCH_ACTS: dict[str, frozenset[MatchState]] = {
    "accept_as_coach": frozenset({MatchState.PROPOSED, MatchState.ACCEPTED_BY_INITIATIVE}),
    "accept_as_initiative": frozenset({MatchState.PROPOSED, MatchState.ACCEPTED_BY_COACH}),
    "decline": frozenset(OPEN_STATES),
    "expire": frozenset(OPEN_STATES),
    "activate": frozenset({MatchState.CONFIRMED}),
    "complete": frozenset({MatchState.ACTIVE}),
    "cancel": frozenset(LIVE_STATES),
}


class Side(enum.StrEnum):
    COACH = "coach"
    INITIATIVE = "initiative"


class DeclineReason(enum.StrEnum):
    """Why somebody said no; free text stands beside it."""

    TIME = "time"
    DISTANCE = "distance"
    SKILLS = "skills"
    CAUSE = "cause"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    FOUND_ELSEWHERE = "found_elsewhere"
    OTHER = "other"


class Match(PublicId, Base):
    """One employment in one seat. `minutes` are held by its reservations from the proposal on, and booked when both
    said yes. `reasons` are the terms of its weight as data: `[{"term": …, "points": …, …}]`. `next_best` is what each
    side would have got instead, by the prices of the run: see `matching.reasons`."""

    __tablename__ = "matches"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("(state = 'declined') = (declined_by IS NOT NULL)", name="declined_by_iff_declined"),
        CheckConstraint(
            "state NOT IN ('confirmed', 'active', 'completed') OR confirmed_at IS NOT NULL",
            name="confirmed_at_if_confirmed",
        ),
        CheckConstraint(
            "state NOT IN ('confirmed', 'active', 'completed')"
            " OR (coach_accepted_at IS NOT NULL AND initiative_accepted_at IS NOT NULL)",
            name="both_accepted_if_confirmed",
        ),
        CheckConstraint(
            "(state IN ('completed', 'declined', 'expired', 'cancelled')) = (ended_at IS NOT NULL)",
            name="ended_at_iff_ended",
        ),
        Index(
            "uq_matches_live_pair",
            "employment_id",
            "request_id",
            unique=True,
            postgresql_where=LIVE,
            sqlite_where=LIVE,
        ),
        Index("uq_matches_live_seat", "seat_id", unique=True, postgresql_where=LIVE, sqlite_where=LIVE),
        Index(None, "pledge_id", "state"),
        Index(None, "request_id", "state"),
        Index(None, "state", "expires_at"),
        Index(None, "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"))
    employment_id: Mapped[int] = mapped_column(ForeignKey("employments.id"))
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledges.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[MatchState] = mapped_column(
        enum_column(MatchState, "state_known"), default=MatchState.PROPOSED
    )
    minutes: Mapped[int]
    weight: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    next_best: Mapped[dict[str, Any] | None]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    coach_accepted_at: Mapped[datetime | None]
    initiative_accepted_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    declined_by: Mapped[Side | None] = mapped_column(enum_column(Side, "declined_by_known"))
    decline_reason: Mapped[DeclineReason | None] = mapped_column(
        enum_column(DeclineReason, "decline_reason_known")
    )
    end_note: Mapped[str | None] = mapped_column(String(2000))

    seat: Mapped[Seat] = relationship()
    request: Mapped[CoachingRequest] = relationship()
    employment: Mapped[Employment] = relationship()
    pledge: Mapped[Pledge] = relationship()
    reservations: Mapped[list[Reservation]] = relationship(
        back_populates="match", order_by="Reservation.tranche_id"
    )
    sessions: Mapped[list[CoachingSession]] = relationship(
        back_populates="match", order_by="CoachingSession.starts_at"
    )
    hours: Mapped[list[HourEntry]] = relationship(back_populates="match", order_by="HourEntry.activity_date")


class Reservation(Base):
    """Minutes of a tranche that a match holds; a hold while it is open, booked in the ledger once confirmed."""

    __tablename__ = "reservations"
    __table_args__ = (CheckConstraint("minutes > 0", name="minutes_positive"),)

    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"), primary_key=True)
    tranche_id: Mapped[int] = mapped_column(ForeignKey("tranches.id"), primary_key=True, index=True)
    minutes: Mapped[int]

    match: Mapped[Match] = relationship(back_populates="reservations")
    tranche: Mapped[Tranche] = relationship()


class SessionState(enum.StrEnum):
    PLANNED = "planned"
    HELD = "held"
    LATE_CANCELLED = "late_cancelled"
    NO_SHOW = "no_show"
    MOVED = "moved"


SESSION_ACTS: dict[str, tuple[frozenset[SessionState], SessionState]] = {
    "hold": (frozenset({SessionState.PLANNED}), SessionState.HELD),
    "move": (frozenset({SessionState.PLANNED}), SessionState.MOVED),
    "cancel_late": (frozenset({SessionState.PLANNED}), SessionState.LATE_CANCELLED),
    "miss": (frozenset({SessionState.PLANNED}), SessionState.NO_SHOW),
}


class CoachingSession(PublicId, Base):
    """A planned meeting: its date, place and time are fixed before it."""

    __tablename__ = "coaching_sessions"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint("remote OR place <> ''", name="place_unless_remote"),
        Index(None, "match_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"))
    state: Mapped[SessionState] = mapped_column(
        enum_column(SessionState, "state_known"), default=SessionState.PLANNED
    )
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(String(200), default="")
    remote: Mapped[bool] = mapped_column(default=False)
    planned_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    moved_to_id: Mapped[int | None] = mapped_column(ForeignKey("coaching_sessions.id"))

    match: Mapped[Match] = relationship(back_populates="sessions")

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


class HoursState(enum.StrEnum):
    """Late ones wait for the company first, logged ones for the initiative."""

    LATE = "late"
    LOGGED = "logged"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"


HOURS_ACTS: dict[str, tuple[frozenset[HoursState], HoursState]] = {
    "confirm": (frozenset({HoursState.LOGGED, HoursState.DISPUTED}), HoursState.CONFIRMED),
    "dispute": (frozenset({HoursState.LOGGED}), HoursState.DISPUTED),
    "withdraw": (
        frozenset({HoursState.LATE, HoursState.LOGGED, HoursState.DISPUTED}),
        HoursState.WITHDRAWN,
    ),
    "approve": (frozenset({HoursState.LATE}), HoursState.LOGGED),
    "refuse": (frozenset({HoursState.LATE}), HoursState.WITHDRAWN),
    "correct": (frozenset({HoursState.CONFIRMED}), HoursState.CORRECTED),
}

LIVE_HOURS = text("session_id IS NOT NULL AND state IN ('late', 'logged', 'confirmed', 'disputed')")


class HourEntry(PublicId, Base):
    """Minutes that a coach logged. Confirmed ones are booked in the same transaction and never edited.

    Whoever logged never confirms, nor does whoever approved them for the company because they came late: the database
    refuses it, too. On `consent_at` hours that nobody answered count as confirmed, provided that both sides were
    reminded before; without it they wait for an answer.
    """

    __tablename__ = "hour_entries"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes_of_one_day"),
        CheckConstraint("category IN ('delivery', 'preparation', 'travel')", name="category_logged"),
        CheckConstraint(
            "(state IN ('confirmed', 'corrected')) = (transaction_key IS NOT NULL)",
            name="booked_iff_confirmed",
        ),
        CheckConstraint("state <> 'disputed' OR dispute_reason IS NOT NULL", name="reason_if_disputed"),
        CheckConstraint(
            "confirmed_by_id IS NULL OR logged_by_id IS NULL OR confirmed_by_id <> logged_by_id",
            name="logger_never_confirms",
        ),
        CheckConstraint("state <> 'late' OR late_reason IS NOT NULL", name="reason_if_late"),
        CheckConstraint(
            "late_decided_by_id IS NULL"
            " OR ((logged_by_id IS NULL OR late_decided_by_id <> logged_by_id)"
            " AND (confirmed_by_id IS NULL OR late_decided_by_id <> confirmed_by_id))",
            name="approver_does_nothing_else",
        ),
        # The same work never twice: of one session and category at most one entry lives.
        Index(
            "uq_hour_entries_live_session",
            "session_id",
            "category",
            unique=True,
            postgresql_where=LIVE_HOURS,
            sqlite_where=LIVE_HOURS,
        ),
        Index(None, "match_id", "state"),
        Index(None, "state", "logged_at"),
        Index(None, "state", "consent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("coaching_sessions.id"))
    state: Mapped[HoursState] = mapped_column(
        enum_column(HoursState, "state_known"), default=HoursState.LOGGED
    )
    activity_date: Mapped[date]
    minutes: Mapped[int]
    category: Mapped[Category] = mapped_column(
        enum_column(Category, "category_known"), default=Category.DELIVERY
    )
    note: Mapped[str] = mapped_column(String(5000), default="")
    # What the form sent along: the same click twice logs once.
    idempotency_key: Mapped[str] = mapped_column(String(100), unique=True)
    logged_at: Mapped[datetime]
    logged_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    confirmed_by_role: Mapped[str | None] = mapped_column(String(20))
    dispute_reason: Mapped[str | None] = mapped_column(String(2000))
    dispute_answer: Mapped[str | None] = mapped_column(String(2000))
    transaction_key: Mapped[str | None] = mapped_column(String(200))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("hour_entries.id"))
    consent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    # What the company reads of hours that come late, and what it answered when it refused them.
    late_reason: Mapped[str | None] = mapped_column(String(2000))
    late_refusal: Mapped[str | None] = mapped_column(String(2000))
    late_decided_at: Mapped[datetime | None]
    late_decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    match: Mapped[Match] = relationship(back_populates="hours")
    session: Mapped[CoachingSession | None] = relationship()


class Reached(enum.StrEnum):
    """How far a coaching came with what it was for."""

    NO = "no"
    PARTLY = "partly"
    FULLY = "fully"


class CoachingFeedback(Base):
    """What one side says of a coaching that was completed: whether the initiative's question was answered, or what the
    coach learned for their own work; and whether they would do it again."""

    __tablename__ = "coaching_feedback"

    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"), primary_key=True)
    side: Mapped[Side] = mapped_column(enum_column(Side, "side_known"), primary_key=True)
    reached: Mapped[Reached] = mapped_column(enum_column(Reached, "reached_known"))
    again: Mapped[bool]
    answered_at: Mapped[datetime]

    match: Mapped[Match] = relationship()
