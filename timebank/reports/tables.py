"""A report as tables: the rows that the web page, CSV, XLSX, PDF and JSON all show."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from timebank.reports.frameworks import entries, served_by
from timebank.reports.indicators import BY_KEY, INDICATORS, UNCONFIRMED, Figure, Unit
from timebank.reports.rows import GroupRow, PartRow
from timebank.reports.service import Report
from timebank.reports.words import BASES, TARGETS, reason


class Kind(enum.StrEnum):
    """What a column holds. Hours are given in minutes, months by their first day; a figure brings its own unit."""

    TEXT = "text"
    MONTH = "month"
    DAY = "day"
    HOURS = "hours"
    COUNT = "count"
    SHARE = "share"
    EURO = "euro"
    FIGURE = "figure"


NUMERIC = (Kind.HOURS, Kind.COUNT, Kind.SHARE, Kind.EURO)
KIND_OF = {
    Unit.HOURS: Kind.HOURS,
    Unit.HOURS_EACH: Kind.HOURS,
    Unit.COUNT: Kind.COUNT,
    Unit.SHARE: Kind.SHARE,
    Unit.EURO: Kind.EURO,
}


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Table:
    """Rows of raw cells, in the order of the columns. `key` is the same in every language; `item` and `code` are the
    places of the columns that say what a row is about, `words` tells whether its other texts are content, too."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    item: int = 0
    code: int | None = None
    words: bool = False


def number_of(cell: Any, kind: Kind) -> Decimal | int | None:
    """The number that a cell stands for: hours as hours, unrounded; none for words and for what is not known."""
    if isinstance(cell, Figure):
        return cell.value
    if cell is None or kind not in NUMERIC:
        return None
    return Decimal(cell) / 60 if kind == Kind.HOURS else cell


def kind_of(cell: Any, kind: Kind) -> Kind:
    """A column's kind, and that of its own for a figure."""
    return KIND_OF[cell.indicator.unit] if isinstance(cell, Figure) else kind


def how(figure: Figure) -> str:
    """What a figure was divided by, in a few words."""
    if figure.denominator is None:
        return str(figure.indicator.meaning)
    return f"{figure.indicator.numerator} / {figure.indicator.denominator}"


def tables_of(report: Report) -> list[Table]:
    """All tables of a report, in the reader's language."""
    return [
        by_month(report),
        by_group(report, "department"),
        by_group(report, "site"),
        by_initiative(report),
        by_cause(report),
        by_goal(report),
        by_part("by_region", _("By region"), _("Region"), report.regions),
        by_part("by_phase", _("By phase"), _("Phase"), report.phases),
        by_part("by_work_form", _("By work form"), _("Work form"), report.work_forms),
        by_part("by_skill", _("By skill"), _("Skill"), report.skills),
        coaches(report),
        targets(report),
        outcomes(report),
        rates(report),
        frameworks(report),
        restatements(report),
    ]


def table_of(report: Report, key: str) -> Table:
    """One table by its key."""
    return next(table for table in tables_of(report) if table.key == key)


def _hours(key: str) -> Column:
    return Column(key, str(BY_KEY[key].name), Kind.HOURS)


def by_month(report: Report) -> Table:
    measures = ("delivered", "pledged", "reserved", "lapsed")
    return Table(
        "by_month",
        _("By month"),
        [
            Column("month", _("Month"), Kind.MONTH),
            *(_hours(m) for m in measures),
            Column("delivered_before", _("Delivered a year before"), Kind.HOURS),
        ],
        [
            [row.month, *(getattr(row.totals, m) for m in measures), row.before.delivered]
            for row in report.months
        ],
    )


def by_group(report: Report, kind: str) -> Table:
    """By department or by site."""
    measures = ("delivered", "pledged")
    title, label, rows = {
        "department": (_("By department"), _("Department"), report.departments),
        "site": (_("By site"), _("Site"), report.sites),
    }[kind]
    return Table(
        f"by_{kind}",
        title,
        [
            Column(kind, label),
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
                _share(row),
                *(getattr(row.totals, m) for m in measures),
            ]
            for row in rows
        ],
    )


def _share(row: GroupRow) -> Decimal | None:
    return Decimal(row.participants) / row.headcount if row.headcount else None


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
        code=1,
    )


def by_cause(report: Report) -> Table:
    return Table(
        "by_cause",
        _("By cause"),
        [Column("cause", _("Cause")), Column("sdg", _("SDG")), _hours("delivered")],
        [[row.name, row.sdg, row.minutes] for row in report.causes],
        code=1,
    )


def by_goal(report: Report) -> Table:
    return Table(
        "by_sdg",
        _("By sustainable development goal"),
        [Column("sdg", _("SDG")), Column("goal", _("Goal")), _hours("delivered")],
        [[row.code, row.name, row.minutes] for row in report.goals],
        item=1,
        code=0,
    )


def by_part(key: str, title: str, label: str, rows: Iterable[PartRow]) -> Table:
    return Table(
        key,
        title,
        [Column("code", _("Code")), Column(key.removeprefix("by_"), label), _hours("delivered")],
        [[row.code, row.name, row.minutes] for row in rows],
        item=1,
        code=0,
    )


def coaches(report: Report) -> Table:
    return Table(
        "coaches",
        _("Coaches"),
        [Column("coach", _("Coach")), _hours("delivered")],
        [[row.name, row.minutes] for row in report.coaches],
    )


def targets(report: Report) -> Table:
    return Table(
        "targets",
        _("Targets"),
        [
            Column("target", _("Target")),
            Column("year", _("Year")),
            Column("aim", _("To reach"), Kind.FIGURE),
            Column("reached", _("Reached"), Kind.FIGURE),
            Column("progress", _("Progress"), Kind.SHARE),
        ],
        [
            [
                str(TARGETS[row.kind]),
                str(row.year),
                Figure(BY_KEY[row.kind.figure], *_as_figure(row.target, row.kind.figure)),
                Figure(BY_KEY[row.kind.figure], *_as_figure(row.reached, row.kind.figure)),
                row.progress,
            ]
            for row in report.targets
        ],
        code=1,
    )


def _as_figure(value: Decimal | None, key: str) -> tuple[Decimal | None, int | None]:
    return value, None if BY_KEY[key].denominator is None else 1


def outcomes(report: Report) -> Table:
    return Table(
        "outcomes",
        _("Outcomes"),
        [
            Column("question", _("Question")),
            Column("side", _("Asked of")),
            Column("coachings", _("Coachings completed"), Kind.COUNT),
            Column("answers", _("Answers"), Kind.COUNT),
            Column("fully", _("Fully"), Kind.COUNT),
            Column("partly", _("Partly"), Kind.COUNT),
            Column("no", _("No"), Kind.COUNT),
            Column("again", _("Would do it again"), Kind.COUNT),
        ],
        [
            [
                row.question,
                row.side,
                row.coachings,
                row.answers,
                row.fully,
                row.partly,
                row.no,
                row.again,
            ]
            for row in report.outcomes
        ],
        code=1,
    )


def rates(report: Report) -> Table:
    return Table(
        "rates",
        _("Hourly rates"),
        [
            Column("basis", _("Basis")),
            Column("valid_from", _("Holds from"), Kind.DAY),
            Column("rate", _("An hour"), Kind.EURO),
            Column("source", _("Source")),
        ],
        [
            [str(BASES[row.basis]), row.valid_from, Decimal(row.cents) / 100, row.source]
            for row in report.rates
        ],
        words=True,
    )


def frameworks(report: Report) -> Table:
    return Table(
        "frameworks",
        _("Frameworks"),
        [
            Column("framework", _("Framework")),
            Column("data_point", _("Data point")),
            Column("what", _("What it asks")),
            Column("figure", _("Figure")),
            Column("value", _("Value"), Kind.FIGURE),
            Column("note", _("Note")),
        ],
        [
            [
                entry.framework,
                entry.code,
                entry.asks,
                str(entry.figure.indicator.name) if entry.figure else _("Not covered by this programme"),
                entry.figure,
                entry.note,
            ]
            for entry in entries(report)
        ],
        code=1,
        words=True,
    )


def restatements(report: Report) -> Table:
    return Table(
        "restatements",
        _("Restatements"),
        [
            Column("booking", _("Booking")),
            Column("reverses", _("Takes back")),
            Column("booked_on", _("Booked on"), Kind.DAY),
            Column("activity_date", _("Day of the activity"), Kind.DAY),
            Column("reason", _("Reason")),
            Column("effect", _("Effect on hours delivered"), Kind.HOURS),
        ],
        [
            [
                str(row.number),
                "" if row.reverses is None else str(row.reverses),
                row.booked_on,
                row.activity_date,
                reason(row.reason),
                row.minutes,
            ]
            for row in report.restatements
        ],
        words=True,
    )


@dataclass(frozen=True)
class KeyFigure:
    """One line of the key figures, with the figure of a year before; the last one stands beside and is no figure."""

    figure: Figure
    before: Figure | None = None
    beside: bool = False

    @property
    def unit(self) -> Unit:
        return self.figure.indicator.unit


def key_figures(report: Report) -> list[KeyFigure]:
    return [
        *(KeyFigure(now, then) for now, then in zip(report.figures, report.before, strict=True)),
        KeyFigure(report.unconfirmed, beside=True),
    ]


def definitions() -> Table:
    """The registry of indicators as a table."""
    return Table(
        "definitions",
        _("Definitions"),
        [
            Column("figure", _("Figure")),
            Column("meaning", _("Meaning")),
            Column("unit", _("Unit")),
            Column("numerator", _("Numerator")),
            Column("denominator", _("Denominator")),
            Column("standards", _("Serves")),
        ],
        [
            [
                str(i.name),
                str(i.meaning),
                unit_word(i.unit),
                str(i.numerator),
                str(i.denominator or ""),
                ", ".join(served_by(i.key)),
            ]
            for i in (*INDICATORS, UNCONFIRMED)
        ],
    )


def unit_word(unit: Unit) -> str:
    return {
        Unit.HOURS: _("hours"),
        Unit.HOURS_EACH: _("hours"),
        Unit.SHARE: _("share"),
        Unit.COUNT: _("count"),
        Unit.EURO: _("euro"),
    }[unit]


def month_code(month: date) -> str:
    return month.isoformat()[:7]


def method(report: Report) -> list[str]:
    """How the figures came about and what they leave out, sentence by sentence."""
    notes = [
        _(
            "Every figure leads back to bookings in the company's ledger; its chain head stands in this report."
        ),
        _("Only hours that the initiative confirmed count, on the date of the activity; pledges never do."),
        _(
            "One hour is one hour, whatever the skill. All of it is paid working time; unpaid time is left out."
        ),
        _("An initiative's hours go to its primary cause and that cause's goal alone."),
        _(
            "Groups of fewer than %(count)s people stand together with others, where subtraction would give them away,"
            " too.",
            count=report.smallest,
        ),
        _("Standards are referred to; no claim is made that the company complies with them."),
    ]
    if not report.rates:
        notes.append(
            _("There is no value of time, since the company entered no hourly rate for this period.")
        )
    return notes
