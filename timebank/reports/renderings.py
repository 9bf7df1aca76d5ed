"""A report as a file: CSV, XLSX or JSON, all from the same rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _

from timebank import clock
from timebank.imports.values import formula_safe_anywhere
from timebank.reports import tables
from timebank.reports.indicators import Unit
from timebank.reports.service import Report
from timebank.reports.tables import Kind, Table, month_code, number_of

CSV_COLUMNS = ("table", "item", "code", "figure", "name", "unit", "value", "numerator", "denominator")
PLACES = Decimal("0.000001")
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- CSV ------------------------------------------------------------------------------------------------------------


def render_csv(report: Report, *, excel: bool = False) -> bytes:
    """One line for each figure of each row, by RFC 4180 in UTF-8; hours as hours, with their minutes beside.

    `excel`: as a Belgian Excel opens it, with semicolons, decimal commas and a byte order mark.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if excel else ",", lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for cells in _csv_rows(report):
        writer.writerow([_csv_cell(cell, excel) for cell in cells])
    return out.getvalue().encode("utf-8-sig" if excel else "utf-8")


def _csv_rows(report: Report) -> list[list[Any]]:
    period = f"{report.from_date.isoformat()}/{report.until_date.isoformat()}"
    rows: list[list[Any]] = [
        [
            "cover",
            report.company,
            report.enterprise_number or "",
            "period",
            _("Period"),
            "text",
            period,
            "",
            "",
        ],
        [
            "cover",
            report.company,
            report.enterprise_number or "",
            "head",
            _("Chain head"),
            "text",
            report.head,
            "",
            "",
        ],
    ]
    for line in tables.key_figures(report):
        figure, indicator = line.figure, line.figure.indicator
        rows.append(
            [
                "beside" if line.beside else "key_figures",
                "",
                "",
                indicator.key,
                str(indicator.name),
                "hours" if indicator.unit == Unit.HOURS_EACH else str(indicator.unit),
                figure.value,
                figure.numerator,
                _denominator(indicator.unit, figure.denominator),
            ]
        )
    for table in tables.tables_of(report):
        for row in table.rows:
            rows += _csv_of_row(table, row)
    return rows


def _denominator(unit: Unit, denominator: int | None) -> int | str:
    """What the numerator is divided by: hours are minutes over 60."""
    if unit in (Unit.HOURS, Unit.HOURS_EACH):
        return 60 * (1 if denominator is None else denominator)
    return "" if denominator is None else denominator


def _csv_of_row(table: Table, row: Any) -> list[list[Any]]:
    item, code = row[0], ""
    if table.columns[0].kind == Kind.MONTH:
        item = month_code(row[0])
    if table.key == "by_sdg":
        code, item = row[0], row[1]
    elif table.key in ("by_initiative", "by_cause"):
        code = row[1]
    lines = []
    for column, cell in zip(table.columns, row, strict=True):
        if column.kind in (Kind.HOURS, Kind.COUNT, Kind.SHARE):
            lines.append(
                [
                    table.key,
                    item,
                    code,
                    column.key,
                    column.label,
                    str(column.kind),
                    number_of(cell, column.kind),
                    cell if column.kind == Kind.HOURS else "",
                    60 if column.kind == Kind.HOURS else "",
                ]
            )
    return lines


def _csv_cell(cell: Any, excel: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal | int):
        text = _plain_number(Decimal(cell))
        return text.replace(".", ",") if excel else text
    return formula_safe_anywhere(str(cell))


def _plain_number(value: Decimal) -> str:
    """Without exponent, to a millionth, without trailing zeros."""
    text = f"{value.quantize(PLACES):f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


# --- JSON -----------------------------------------------------------------------------------------------------------


def render_json(report: Report) -> bytes:
    """The same rows as one object; hours as whole minutes, so that nothing is rounded."""
    content = {
        "company": {"name": report.company, "enterprise_number": report.enterprise_number},
        "from": report.from_date.isoformat(),
        "until": report.until_date.isoformat(),
        "made_at": report.made_at.isoformat(),
        "headcount_on": report.headcount_day.isoformat(),
        "ledger": {"transactions": report.last_number, "head": report.head},
        "key_figures": [_json_figure(line.figure) for line in tables.key_figures(report) if not line.beside],
        "beside": [_json_figure(report.unconfirmed)],
        **{table.key: [_json_row(table, row) for row in table.rows] for table in tables.tables_of(report)},
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _json_figure(figure: Any) -> dict[str, Any]:
    hours = figure.indicator.unit in (Unit.HOURS, Unit.HOURS_EACH)
    return {
        "figure": figure.indicator.key,
        "name": str(figure.indicator.name),
        "unit": str(figure.indicator.unit),
        "minutes" if hours else "numerator": figure.numerator,
        "denominator": figure.denominator,
        "value": None if figure.value is None else float(figure.value.quantize(PLACES)),
    }


def _json_row(table: Table, row: Any) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for column, cell in zip(table.columns, row, strict=True):
        if column.kind == Kind.HOURS:
            content[f"{column.key}_minutes"] = cell
        elif column.kind == Kind.MONTH:
            content[column.key] = month_code(cell)
        else:
            content[column.key] = float(cell.quantize(PLACES)) if isinstance(cell, Decimal) else cell
    return content


# --- XLSX -----------------------------------------------------------------------------------------------------------

# A column's width in characters, and how Excel shows its numbers.
WIDTHS = {Kind.TEXT: 34, Kind.MONTH: 14, Kind.HOURS: 18, Kind.COUNT: 16, Kind.SHARE: 18}
NUMBERS = {Kind.MONTH: "mmm yyyy", Kind.HOURS: "#,##0.00", Kind.COUNT: "#,##0", Kind.SHARE: "0.0%"}


def render_xlsx(report: Report) -> bytes:
    """A workbook with real numbers and dates, frozen headings and filters; no text in it can run as a formula."""
    out = io.BytesIO()
    import xlsxwriter  # slow to load, and seldom asked

    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    made = report.made_at.astimezone(clock.BRUSSELS).replace(tzinfo=None)
    book.set_properties({"title": _("CSR report"), "company": report.company, "created": made})
    sheets = _Sheets(book)
    sheets.cover(report)
    sheets.key_figures(report)
    sheets.add(tables.by_month(report))
    sheets.add(tables.by_department(report))
    sheets.add(tables.by_initiative(report))
    sheets.add(tables.by_cause(report), tables.by_goal(report), title=_("By cause and SDG"))
    sheets.add(tables.definitions())
    book.close()
    return out.getvalue()


class _Sheets:
    """Writes sheets from top to bottom, as constant memory asks."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.numbers = {k: book.add_format({"num_format": n, "valign": "top"}) for k, n in NUMBERS.items()}

    def _sheet(self, title: str) -> Any:
        sheet = self.book.add_worksheet(title)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def cover(self, report: Report) -> None:
        sheet = self._sheet(_("Cover"))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, _("CSR report"), self.title)
        lines: list[tuple[str, Any]] = [
            (_("Company"), report.company),
            (_("Enterprise number"), report.enterprise_number or ""),
            (_("First day"), report.from_date),
            (_("Last day"), report.until_date),
            (_("Headcount on"), report.headcount_day),
            (_("Made on"), clock.local_date(report.made_at)),
            (_("State"), _("Draft: the period is still open")),
            (_("Bookings in the ledger"), report.last_number),
            (_("Chain head"), report.head),
        ]
        for row, (label, value) in enumerate(lines, start=2):
            sheet.write_string(row, 0, label)
            if isinstance(value, str):
                sheet.write_string(row, 1, value, self.text)
            elif isinstance(value, int):
                sheet.write_number(row, 1, value, self.book.add_format({"align": "left"}))
            else:
                sheet.write_datetime(row, 1, value, self.day)

    def key_figures(self, report: Report) -> None:
        sheet = self._sheet(_("Key figures"))
        heads = (_("Figure"), _("Value"), _("Unit"), _("Numerator"), _("Denominator"), _("How it is counted"))
        widths = (34, 14, 16, 14, 14, 70)
        for column, (label, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, label, self.head)
        units = {
            Unit.HOURS: (_("hours"), Kind.HOURS),
            Unit.HOURS_EACH: (_("hours"), Kind.HOURS),
            Unit.SHARE: (_("share"), Kind.SHARE),
            Unit.COUNT: (_("count"), Kind.COUNT),
        }
        lines = tables.key_figures(report)
        for row, line in enumerate(lines, start=1):
            figure = line.figure
            word, kind = units[line.unit]
            sheet.write_string(row, 0, str(figure.indicator.name), self.text)
            if figure.value is not None:
                sheet.write_number(row, 1, figure.value, self.numbers[kind])
            sheet.write_string(row, 2, word, self.text)
            sheet.write_number(row, 3, figure.numerator, self.numbers[Kind.COUNT])
            under = _denominator(line.unit, figure.denominator)
            if isinstance(under, int):
                sheet.write_number(row, 4, under, self.numbers[Kind.COUNT])
            sheet.write_string(row, 5, tables.how(figure), self.text)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(lines), len(heads) - 1)

    def add(self, *side_by_side: Table, title: str = "") -> None:
        """One sheet with tables beside each other; the filter is that of the first."""
        sheet = self._sheet(title or side_by_side[0].title)
        starts, start = [], 0
        for table in side_by_side:
            starts.append(start)
            for offset, column in enumerate(table.columns):
                sheet.set_column(start + offset, start + offset, WIDTHS[column.kind])
                sheet.write_string(0, start + offset, column.label, self.head)
            start += len(table.columns) + 1
        for index in range(max(len(table.rows) for table in side_by_side)):
            for table, begin in zip(side_by_side, starts, strict=True):
                if index < len(table.rows):
                    self._row(sheet, index + 1, begin, table, table.rows[index])
        sheet.freeze_panes(1, 0)
        first = side_by_side[0]
        sheet.autofilter(0, 0, len(first.rows), len(first.columns) - 1)

    def _row(self, sheet: Any, row: int, begin: int, table: Table, cells: Any) -> None:
        for offset, (column, cell) in enumerate(zip(table.columns, cells, strict=True)):
            if column.kind == Kind.TEXT:
                sheet.write_string(row, begin + offset, cell, self.text)
            elif column.kind == Kind.MONTH:
                sheet.write_datetime(row, begin + offset, cell, self.numbers[Kind.MONTH])
            elif (number := number_of(cell, column.kind)) is not None:
                sheet.write_number(row, begin + offset, number, self.numbers[column.kind])


# --- by name --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    mimetype: str
    render: Callable[[Report], bytes]


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", render_csv),
    "xlsx": Format(XLSX_TYPE, render_xlsx),
    "json": Format("application/json", render_json),
}
