"""A report as CSV: one line for each figure of each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from timebank.imports.values import formula_safe_anywhere
from timebank.reports import tables
from timebank.reports.indicators import Figure
from timebank.reports.plain import text_number
from timebank.reports.service import Report
from timebank.reports.tables import Kind, Table, kind_of, month_code, number_of
from timebank.reports.words import CLOSINGS, METHODS

COLUMNS = ("table", "item", "code", "figure", "name", "unit", "value", "numerator", "denominator")
Line = Sequence[Any]


def render_csv(report: Report, *, excel: bool = False) -> bytes:
    """By RFC 4180 in UTF-8; hours as hours, with their minutes beside.

    `excel`: as a Belgian Excel opens it, with semicolons, decimal commas and a byte order mark.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if excel else ",", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for cells in _lines(report):
        writer.writerow([_cell(cell, excel) for cell in cells])
    return out.getvalue().encode("utf-8-sig" if excel else "utf-8")


def _lines(report: Report) -> Iterator[Line]:
    yield from _cover(report)
    for line in tables.key_figures(report):
        place = "beside" if line.beside else "key_figures"
        yield (
            place,
            "",
            "",
            line.figure.indicator.key,
            str(line.figure.indicator.name),
            *_figure(line.figure),
        )
    for line in tables.key_figures(report):
        if line.before is not None:
            name = str(line.before.indicator.name)
            yield ("year_before", "", "", line.before.indicator.key, name, *_figure(line.before))
    for table in tables.tables_of(report):
        for row in table.rows:
            yield from _row(table, row)


def _cover(report: Report) -> Iterator[Line]:
    period = f"{report.from_date.isoformat()}/{report.until_date.isoformat()}"
    lines = [
        ("period", _("Period"), period),
        ("state", _("State"), str(CLOSINGS[report.closing])),
        ("headcount", _("How people are counted"), str(METHODS[report.headcount_method])),
        ("headcount_on", _("Headcount on"), " ".join(d.isoformat() for d in report.headcount_days)),
        ("definitions", _("Version of the definitions"), report.version),
        ("head", _("Chain head"), report.head),
    ]
    if report.part is not None:
        lines.insert(1, (report.part.kind, _("Only"), report.part.name))
    for key, name, value in lines:
        yield ("cover", report.company, report.enterprise_number or "", key, name, "text", value, "", "")


def _figure(figure: Figure) -> tuple[str, Decimal | None, Any, Any]:
    """Unit, value, and what it is divided from and by."""
    kind = kind_of(figure, Kind.FIGURE)
    return str(kind), figure.value, figure.numerator, figure.divisor


def _row(table: Table, row: Sequence[Any]) -> Iterator[Line]:
    item = month_code(row[0]) if table.columns[0].kind == Kind.MONTH else row[table.item]
    code = "" if table.code is None else row[table.code]
    for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
        if place in (table.item, table.code):
            continue
        start = (table.key, item, code, column.key, column.label)
        if isinstance(cell, Figure):
            yield (*start, *_figure(cell))
        elif column.kind == Kind.HOURS:
            yield (*start, "hours", number_of(cell, column.kind), cell, 60)
        elif column.kind == Kind.DAY:
            yield (*start, "date", cell.isoformat(), "", "")
        elif column.kind not in (Kind.TEXT, Kind.FIGURE):
            yield (*start, str(column.kind), number_of(cell, column.kind), "", "")
        elif table.words and cell:
            yield (*start, "text", cell, "", "")


def _cell(cell: Any, excel: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal | int):
        return text_number(cell, decimal_comma=excel)
    return formula_safe_anywhere(str(cell))
