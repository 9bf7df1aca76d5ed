"""What HR enters for reports: what an hour costs, fees, targets, and how figures are counted."""

from __future__ import annotations

import enum
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base, PublicId, enum_column


class HeadcountMethod(enum.StrEnum):
    """On which days people are counted: the last one of the period, or the mean of the last days of its months."""

    END = "end"
    MEAN = "mean"


class RateBasis(enum.StrEnum):
    """What an hourly rate rests on. A report uses rates of one basis only."""

    OWN_COST = "own_cost"
    PUBLIC_AVERAGE = "public_average"
    MARKET_PRICE = "market_price"


class TargetKind(enum.StrEnum):
    """What a company aims at in a year: minutes delivered, or the share of its people, in hundredths of a percent."""

    HOURS = "hours"
    PARTICIPATION = "participation"

    @property
    def figure(self) -> str:
        """The key of the indicator that tells how much of it is reached."""
        return "delivered" if self is TargetKind.HOURS else "participation"


class ReportChoices(Base):
    """How a company's figures are counted. `smallest_group` is the fewest people that a row may stand for;
    `weekly_minutes` those of a full-time contract, none until HR says so; `lists_coaches` whether hours per person are
    listed, under pseudonyms unless the company's policy says otherwise."""

    __tablename__ = "report_choices"
    __table_args__ = (
        CheckConstraint("smallest_group BETWEEN 5 AND 100", name="smallest_group_in_range"),
        CheckConstraint("weekly_minutes BETWEEN 60 AND 3600", name="weekly_minutes_in_range"),
    )

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    headcount_method: Mapped[HeadcountMethod] = mapped_column(
        enum_column(HeadcountMethod, "headcount_method_known"), default=HeadcountMethod.END
    )
    smallest_group: Mapped[int] = mapped_column(default=5)
    weekly_minutes: Mapped[int | None]
    value_basis: Mapped[RateBasis] = mapped_column(
        enum_column(RateBasis, "value_basis_known"), default=RateBasis.OWN_COST
    )
    lists_coaches: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]


class HourlyRate(PublicId, Base):
    """What an hour of the company's people costs on average, from a date on; never that of one person."""

    __tablename__ = "hourly_rates"
    __table_args__ = (
        UniqueConstraint("organisation_id", "basis", "valid_from"),
        CheckConstraint("cents BETWEEN 1 AND 100000", name="cents_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    basis: Mapped[RateBasis] = mapped_column(enum_column(RateBasis, "basis_known"))
    valid_from: Mapped[date]
    cents: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))
    entered_at: Mapped[datetime]
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ProgrammeFee(PublicId, Base):
    """What a company paid to run its programme, besides its people's time."""

    __tablename__ = "programme_fees"
    __table_args__ = (CheckConstraint("cents BETWEEN 1 AND 100000000", name="cents_in_range"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    paid_on: Mapped[date]
    cents: Mapped[int]
    what: Mapped[str] = mapped_column(String(200))
    entered_at: Mapped[datetime]
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ReportTarget(PublicId, Base):
    """What a company wants to reach in a year."""

    __tablename__ = "report_targets"
    __table_args__ = (
        UniqueConstraint("organisation_id", "year", "kind"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year_in_range"),
        CheckConstraint("value > 0", name="value_positive"),
        CheckConstraint("kind <> 'participation' OR value <= 10000", name="at_most_everybody"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    year: Mapped[int]
    kind: Mapped[TargetKind] = mapped_column(enum_column(TargetKind, "kind_known"))
    value: Mapped[int]
    set_at: Mapped[datetime]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
