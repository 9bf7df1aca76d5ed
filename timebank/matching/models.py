"""Runs of the matching job, what they saw and what they decided; the operator's weights."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.coaching.models import CoachingRequest
from timebank.db import Base, PublicId, enum_column
from timebank.organisations.models import Employment


class RunState(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"  # solved, nothing proposed yet
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"
    FAILED = "failed"
    ABANDONED = "abandoned"


# act: from which states, to which
RUN_ACTS: dict[str, tuple[frozenset[RunState], RunState]] = {
    "start": (frozenset({RunState.QUEUED}), RunState.RUNNING),
    "finish": (frozenset({RunState.RUNNING}), RunState.DONE),
    "apply": (frozenset({RunState.RUNNING, RunState.DONE}), RunState.APPLIED),
    "discard": (frozenset({RunState.DONE}), RunState.DISCARDED),
    "withdraw": (frozenset({RunState.APPLIED}), RunState.WITHDRAWN),
    "cancel": (frozenset({RunState.QUEUED, RunState.RUNNING}), RunState.CANCELLED),
    "fail": (frozenset({RunState.RUNNING}), RunState.FAILED),
    "abandon": (frozenset({RunState.RUNNING}), RunState.ABANDONED),
}


class RunTrigger(enum.StrEnum):
    NIGHTLY = "nightly"
    OPERATOR = "operator"
    COMMAND = "command"
    REOFFER = "reoffer"  # what became free is offered again at once


class Mode(enum.StrEnum):
    """What a pledge may take in one run: one seat, or several while their hours fit."""

    SINGLE = "single"
    BUNDLE = "bundle"


class Outcome(enum.StrEnum):
    """What a run decided for a seat."""

    CHOSEN = "chosen"  # a coach was found; nothing is proposed unless the run is applied
    PROPOSED = "proposed"
    NO_CANDIDATE = "no_candidate"
    OUTBID = "outbid"
    CHANGED = "changed"  # pledge or seat was no longer free when the proposals were written


class WeightPolicy(PublicId, Base):
    """The operator's weights; a new row for each change, the last one holds. Every run stores those it used."""

    __tablename__ = "weight_policies"
    __table_args__ = (
        CheckConstraint(
            "w_base >= 0 AND w_nice >= 0 AND w_cause >= 0 AND w_near >= 0 AND w_remote >= 0 AND w_waiting >= 0"
            " AND w_star >= 0",
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
    w_star: Mapped[int] = mapped_column(default=150)  # for the interest that a side showed
    set_at: Mapped[datetime]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class RunPolicy(PublicId, Base):
    """How the scheduler's process matches by itself; a new row for each change, the last one holds."""

    __tablename__ = "run_policies"
    __table_args__ = (CheckConstraint("time_limit BETWEEN 1 AND 3600", name="time_limit_in_range"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    nightly_mode: Mapped[Mode] = mapped_column(enum_column(Mode, "nightly_mode_known"), default=Mode.SINGLE)
    time_limit: Mapped[int] = mapped_column(default=60)  # seconds, of bundles
    # Whether what becomes free is offered again at once, or with the next night.
    reoffers: Mapped[bool] = mapped_column(default=True)
    set_at: Mapped[datetime]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Run(PublicId, Base):
    """One execution of the job: a snapshot in, proposals and a certificate out."""

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint("(trigger = 'nightly') = (nightly_date IS NOT NULL)", name="date_iff_nightly"),
        CheckConstraint(
            "state NOT IN ('done', 'applied', 'withdrawn', 'discarded')"
            " OR (value IS NOT NULL AND bound IS NOT NULL AND gap IS NOT NULL AND finished_at IS NOT NULL)",
            name="certificate_if_done",
        ),
        CheckConstraint(
            "(state IN ('applied', 'withdrawn')) = (applied_at IS NOT NULL)", name="applied_at_iff_applied"
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
    mode: Mapped[Mode] = mapped_column(enum_column(Mode, "mode_known"), default=Mode.SINGLE)
    time_limit: Mapped[int | None]  # seconds
    # To be looked at: it stops at `done`, and somebody applies or discards it.
    preview: Mapped[bool] = mapped_column(default=False)
    parameters: Mapped[dict[str, Any]]
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    # Which process executes it, so that a dead one's run is found.
    holder: Mapped[str | None] = mapped_column(String(100))
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]  # when it was solved, or ended otherwise
    applied_at: Mapped[datetime | None]
    pledges: Mapped[int | None]
    seats: Mapped[int | None]
    proposals: Mapped[int | None]
    status: Mapped[str | None] = mapped_column(String(20))  # the solver's
    value: Mapped[int | None] = mapped_column(BigInteger)
    bound: Mapped[int | None] = mapped_column(BigInteger)
    gap: Mapped[float | None]
    seconds: Mapped[float | None]
    # Pairs that would both rather be together, each by its own view; None where they were not counted.
    blocking_pairs: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(500))
    problem_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    solution_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))

    outcomes: Mapped[list[RunSeat]] = relationship(back_populates="run")


class RunSeat(Base):
    """What a run decided for one seat: whose pledge, or why nobody (`rule`: the first hard rule that empties the
    candidates), and the seat's price. `position` is its row in the snapshot, None for a pinned pair, which is outside
    of it. `reasons` and `next_best`, as a match has them, are kept until the run is applied, `seen` to tell whether
    the two changed until then. `reserve` is who comes next, best first: `[{"pledge": id, "weight": …, "less": …}]`."""

    __tablename__ = "run_seats"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"), primary_key=True, index=True)
    position: Mapped[int | None]
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome, "outcome_known"))
    rule: Mapped[str | None] = mapped_column(String(40))
    price: Mapped[int] = mapped_column(BigInteger, default=0)
    pledge_id: Mapped[int | None] = mapped_column(ForeignKey("pledges.id"))
    weight: Mapped[int | None] = mapped_column(BigInteger)
    reasons: Mapped[list[Any] | None]
    next_best: Mapped[dict[str, Any] | None]
    seen: Mapped[str | None] = mapped_column(String(64))
    reserve: Mapped[list[Any] | None]
    match_id: Mapped[int | None] = mapped_column(ForeignKey("matches.id"))

    run: Mapped[Run] = relationship(back_populates="outcomes")


class RequestStar(Base):
    """A person would gladly coach in this request."""

    __tablename__ = "request_stars"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"), primary_key=True, index=True)
    starred_at: Mapped[datetime]


class CoachStar(Base):
    """An initiative would gladly have this person, whom it knows by a profile without a name, in its request."""

    __tablename__ = "coach_stars"

    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"), primary_key=True)
    employment_id: Mapped[int] = mapped_column(ForeignKey("employments.id"), primary_key=True, index=True)
    starred_at: Mapped[datetime]
    starred_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class PairKind(enum.StrEnum):
    PIN = "pin"  # proposed first, outside the optimum
    FORBID = "forbid"


LIVE_RULE = text("undone_at IS NULL")


class PairRule(PublicId, Base):
    """What the operator decided about an employment and a request, and why; undone ones stay as they were."""

    __tablename__ = "pair_rules"
    __table_args__ = (
        Index(
            "uq_pair_rules_live_pair",
            "employment_id",
            "request_id",
            unique=True,
            postgresql_where=LIVE_RULE,
            sqlite_where=LIVE_RULE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PairKind] = mapped_column(enum_column(PairKind, "kind_known"))
    employment_id: Mapped[int] = mapped_column(ForeignKey("employments.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("coaching_requests.id"), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    set_at: Mapped[datetime]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    employment: Mapped[Employment] = relationship()
    request: Mapped[CoachingRequest] = relationship()
