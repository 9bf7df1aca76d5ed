"""A report as tables: the rows that the web page, CSV, XLSX and JSON all show."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from timebank.reports.indicators import BY_KEY, INDICATORS, UNCONFIRMED, Figure, Unit
from timebank.reports.service import Report


class Kind(enum.StrEnum):
    """What a column holds. Hours are given in minutes, months by their first day."""

    TEXT = "text"
    MONTH = "month"
    HOURS = "hours"
    COUNT = "count"
    SHARE = "share"


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Table:
    """Rows of raw cells, in the order of the columns. `key` is the same in every language."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


def number_of(cell: Any, kind: Kind) -> Decimal | int | None:
    """The number that a cell of hours, a count or a share stands for; hours unrounded."""
    if cell is None or kind not in (Kind.HOURS, Kind.COUNT, Kind.SHARE):
        return None
    return Decimal(cell) / 60 if kind == Kind.HOURS else cell


def how(figure: Figure) -> str:
    """What a figure was divided by, in a few words."""
    if figure.denominator is None:
        return str(figure.indicator.meaning)
    return f"{figure.indicator.numerator} / {figure.indicator.denominator}"


def tables_of(report: Report) -> list[Table]:
    """All tables of a report, in the reader's language."""
    return [
        by_month(report),
        by_department(report),
        by_initiative(report),
        by_cause(report),
        by_goal(report),
    ]


def _hours(key: str) -> Column:
    return Column(key, str(BY_KEY[key].name), Kind.HOURS)


def by_month(report: Report) -> Table:
    measures = ("delivered", "pledged", "reserved", "lapsed")
    return Table(
        "by_month",
        _("By month"),
        [Column("month", _("Month"), Kind.MONTH), *(_hours(m) for m in measures)],
        [[row.month, *(getattr(row.totals, m) for m in measures)] for row in report.months],
    )


def by_department(report: Report) -> Table:
    measures = ("delivered", "pledged")
    return Table(
        "by_department",
        _("By department"),
        [
            Column("department", _("Department")),
            Column("headcount", _("People"), Kind.COUNT),
            Column("participants", _("Took part"), Kind.COUNT),
            Column("participation", _("Rate"), Kind.SHARE),
            *(_hours(m) for m in measures),
        ],
        [
            [
                row.name,
                row.headcount,
                row.participants,
                Decimal(row.participants) / row.headcount if row.headcount else None,
                *(getattr(row.totals, m) for m in measures),
            ]
            for row in report.departments
        ],
    )


def by_initiative(report: Report) -> Table:
    return Table(
        "by_initiative",
        _("By initiative"),
        [
            Column("initiative", _("Initiative")),
            Column("enterprise_number", _("Enterprise number")),
            Column("region", _("Region (NUTS 2)")),
            Column("cause", _("Cause")),
            Column("sdg", _("SDG")),
            _hours("delivered"),
        ],
        [
            [row.name, row.number or "", row.nuts2 or "", row.cause, row.sdg or "", row.minutes]
            for row in report.initiatives
        ],
    )


def by_cause(report: Report) -> Table:
    return Table(
        "by_cause",
        _("By cause"),
        [Column("cause", _("Cause")), Column("sdg", _("SDG")), _hours("delivered")],
        [[row.name, row.sdg, row.minutes] for row in report.causes],
    )


def by_goal(report: Report) -> Table:
    return Table(
        "by_sdg",
        _("By sustainable development goal"),
        [Column("sdg", _("SDG")), Column("goal", _("Goal")), _hours("delivered")],
        [[row.code, row.name, row.minutes] for row in report.goals],
    )


@dataclass(frozen=True)
class KeyFigure:
    """One line of the key figures; the last one stands beside them and is no figure."""

    figure: Figure
    beside: bool = False

    @property
    def unit(self) -> Unit:
        return self.figure.indicator.unit


def key_figures(report: Report) -> list[KeyFigure]:
    return [*(KeyFigure(f) for f in report.figures), KeyFigure(report.unconfirmed, beside=True)]


def definitions() -> Table:
    """The registry of indicators as a table."""
    return Table(
        "definitions",
        _("Definitions"),
        [
            Column("figure", _("Figure")),
            Column("meaning", _("Meaning")),
            Column("numerator", _("Numerator")),
            Column("denominator", _("Denominator")),
        ],
        [
            [str(i.name), str(i.meaning), str(i.numerator), str(i.denominator or "")]
            for i in (*INDICATORS, UNCONFIRMED)
        ],
    )


def month_code(month: date) -> str:
    return month.isoformat()[:7]
