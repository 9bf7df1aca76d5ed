"""What the last run found out about those it left empty, and what each run says about scarcity and fairness."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base


class Unmatched(Base):
    """Why a request (all its empty seats) or a pledge got nothing in the last run; rows of earlier runs are removed.

    `rule` is the first hard rule that leaves nobody, None for who was outbid, `behind` by so many points. `steps` are
    the rules in order, each with how many it leaves; `relaxations` the smallest change of each thing that would give a
    candidate, as the kernel tells them.
    """

    __tablename__ = "unmatched"
    __table_args__ = (
        CheckConstraint("(request_id IS NULL) <> (pledge_id IS NULL)", name="request_or_pledge"),
        CheckConstraint("(rule IS NULL) = (behind IS NOT NULL)", name="outbid_iff_no_rule"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("coaching_requests.id"), unique=True)
    pledge_id: Mapped[int | None] = mapped_column(ForeignKey("pledges.id"), unique=True)
    rule: Mapped[str | None] = mapped_column(String(40))
    behind: Mapped[int | None] = mapped_column(BigInteger)
    # Whether `behind` is the exact figure, or one that it is at least.
    exact: Mapped[bool] = mapped_column(default=True)
    steps: Mapped[list[Any]]
    relaxations: Mapped[list[Any]]


class RunInsight(Base):
    """What a run says about the whole: `scarcity` by skill, language and region, `wishes` for coaches that would serve
    waiting requests, `served` before and after by region, phase, work form and size. In single mode besides: the
    optimum without policy and the run's own, both in base weights, and after how many days of waiting more a request
    is passed over by no other."""

    __tablename__ = "run_insights"
    __table_args__ = (CheckConstraint("base_value <= base_optimum", name="policy_never_gains"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    scarcity: Mapped[dict[str, Any]]
    wishes: Mapped[list[Any]]
    served: Mapped[dict[str, Any]]
    base_optimum: Mapped[int | None] = mapped_column(BigInteger)
    base_value: Mapped[int | None] = mapped_column(BigInteger)
    seats_optimum: Mapped[int | None]
    overtaking_days: Mapped[int | None]
