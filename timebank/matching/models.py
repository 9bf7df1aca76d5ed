"""Runs of the matching job, what they saw and what they decided; the operator's weights."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column


class RunState(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    ABANDONED = "abandoned"


class RunTrigger(enum.StrEnum):
    NIGHTLY = "nightly"
    OPERATOR = "operator"
    COMMAND = "command"


class Outcome(enum.StrEnum):
    """What a run decided for a seat."""

    PROPOSED = "proposed"
    NO_CANDIDATE = "no_candidate"
    OUTBID = "outbid"
    CHANGED = "changed"  # pledge or seat was no longer free when the proposals were written


class WeightPolicy(PublicId, Base):
    """The operator's weights; a new row for each change, the last one holds. Every run stores those it used."""

    __tablename__ = "weight_policies"
    __table_args__ = (
        CheckConstraint(
            "w_base >= 0 AND w_nice >= 0 AND w_cause >= 0 AND w_near >= 0 AND w_remote >= 0 AND w_waiting >= 0",
            name="weights_not_negative",
        ),
        CheckConstraint("near_km BETWEEN 1 AND 300", name="near_km_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    w_base: Mapped[int] = mapped_column(default=1000)
    w_nice: Mapped[int] = mapped_column(default=100)
    w_cause: Mapped[int] = mapped_column(default=80)
    w_near: Mapped[int] = mapped_column(default=200)
    near_km: Mapped[int] = mapped_column(default=60)
    w_remote: Mapped[int] = mapped_column(default=100)
    w_waiting: Mapped[int] = mapped_column(default=5)  # for each day that the request waits
    set_at: Mapped[datetime]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Run(PublicId, Base):
    """One execution of the job: a snapshot in, proposals and a certificate out."""

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint("(trigger = 'nightly') = (nightly_date IS NOT NULL)", name="date_iff_nightly"),
        CheckConstraint(
            "state NOT IN ('done', 'applied', 'withdrawn')"
            " OR (value IS NOT NULL AND bound IS NOT NULL AND gap IS NOT NULL AND finished_at IS NOT NULL)",
            name="certificate_if_done",
        ),
        CheckConstraint("value IS NULL OR bound IS NULL OR value <= bound", name="value_within_bound"),
        # One nightly run a date; one that was cut off in the middle may be made again.
        Index(
            "uq_runs_nightly_date",
            "nightly_date",
            unique=True,
            postgresql_where=text("state <> 'abandoned'"),
            sqlite_where=text("state <> 'abandoned'"),
        ),
        Index(None, "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[RunState] = mapped_column(enum_column(RunState, "state_known"), default=RunState.QUEUED)
    trigger: Mapped[RunTrigger] = mapped_column(enum_column(RunTrigger, "trigger_known"))
    nightly_date: Mapped[date | None]
    as_of: Mapped[date]
    mode: Mapped[str] = mapped_column(String(10), default="single")
    parameters: Mapped[dict[str, Any]]
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    # Which process executes it, so that a dead one's run is found.
    holder: Mapped[str | None] = mapped_column(String(100))
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    pledges: Mapped[int | None]
    seats: Mapped[int | None]
    proposals: Mapped[int | None]
    status: Mapped[str | None] = mapped_column(String(20))  # the solver's
    value: Mapped[int | None] = mapped_column(BigInteger)
    bound: Mapped[int | None] = mapped_column(BigInteger)
    gap: Mapped[float | None]
    seconds: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(String(500))
    problem_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    solution_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))

    outcomes: Mapped[list[RunSeat]] = relationship(back_populates="run")


class RunSeat(Base):
    """What a run decided for one seat, why nobody (`rule`: the first hard rule that empties the candidates), and the
    seat's price. `position` is its row in the snapshot."""

    __tablename__ = "run_seats"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"), primary_key=True, index=True)
    position: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome, "outcome_known"))
    rule: Mapped[str | None] = mapped_column(String(40))
    price: Mapped[int] = mapped_column(BigInteger, default=0)
    match_id: Mapped[int | None] = mapped_column(ForeignKey("matches.id"))

    run: Mapped[Run] = relationship(back_populates="outcomes")
