"""A report as a workbook: real numbers and dates, filters, charts; no text in it can run as a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from flask_babel import gettext as _

from timebank import clock
from timebank.reports import frameworks, tables
from timebank.reports.service import Report
from timebank.reports.tables import Column, Kind, Table, kind_of, number_of, unit_word
from timebank.reports.words import CLOSINGS, METHODS

# A column's width in characters, and how Excel shows its numbers.
WIDTHS = {Kind.TEXT: 34, Kind.MONTH: 14, Kind.DAY: 14, Kind.COUNT: 14}
NUMBERS = {
    Kind.MONTH: "mmm yyyy",
    Kind.DAY: "yyyy-mm-dd",
    Kind.HOURS: "#,##0.00",
    Kind.COUNT: "#,##0",
    Kind.SHARE: "0.0%",
    Kind.EURO: "#,##0.00 [$€-x-euro2]",
}
SHARE_OF_TIME = "0.000%"
LINE = 15  # points
LONGEST_TITLE = 31  # what Excel allows
MOST_BARS = 20


def render_xlsx(report: Report) -> bytes:
    """The sheets of a report, in the reader's language."""
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
    every = {table.key: table for table in tables.tables_of(report)}
    sheets.cover(report, every["rates"])
    sheets.key_figures(report)
    sheets.add([every["by_month"]], chart=_columns(_("Hours by month"), (1, 5), "column"))
    sheets.add([every["by_site"], every["by_department"]], title=_("By site and department"))
    sheets.add([every["by_initiative"]])
    sheets.add(
        [every["by_cause"], every["by_sdg"]],
        title=_("By cause and SDG"),
        chart=_columns(_("Hours by cause"), (2,), "bar"),
    )
    sheets.add(
        [every["by_region"], every["by_phase"], every["by_work_form"], every["by_skill"]],
        title=_("By region and phase"),
        chart=_columns(_("Hours by region"), (2,), "bar", label=1),
    )
    if every["coaches"].rows:
        sheets.add([every["coaches"]])
    sheets.add([every["targets"], every["outcomes"]], title=_("Targets and outcomes"))
    sheets.add([every["frameworks"]])
    sheets.add([every["restatements"]])
    sheets.add([tables.definitions()])
    book.close()
    return out.getvalue()


def _set_widths(sheet: Any, tables_columns: Sequence[Sequence[Column]]) -> list[int]:
    """As wide as the widest kind of column at each place; what they are now, in characters."""
    kinds = zip_longest(*([column.kind for column in columns] for columns in tables_columns))
    widths = [max(WIDTHS.get(kind, 18) for kind in place if kind is not None) for place in kinds]
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    return widths


def _make_room(sheet: Any, row: int, texts: Sequence[str], widths: Sequence[int]) -> None:
    """As many lines as the longest text takes: not every program that opens a workbook finds that out by itself."""
    lines = max(len(wrap(text, width)) for text, width in zip(texts, widths, strict=False))
    if lines > 1:
        sheet.set_row(row, LINE * lines)


def _columns(title: str, values: Sequence[int], kind: str, label: int = 0) -> dict[str, Any]:
    """A chart of the first table of a sheet: which columns it draws, against which."""
    return {"title": title, "values": values, "shape": kind, "label": label}


class _Sheets:
    """Writes sheets from top to bottom, as constant memory asks."""

    def __init__(self, book: Any) -> None:
        self.book = book
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        self.head = book.add_format({**head, "indent": 1})
        self.number_head = book.add_format({**head, "align": "right"})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.text = book.add_format({"text_wrap": True, "valign": "top", "indent": 1})
        self.left = {
            Kind.DAY: book.add_format({"num_format": NUMBERS[Kind.DAY], "align": "left"}),
            Kind.COUNT: book.add_format({"num_format": "0", "align": "left"}),
        }
        self.numbers = {k: book.add_format({"num_format": n, "valign": "top"}) for k, n in NUMBERS.items()}
        self.share_of_time = book.add_format({"num_format": SHARE_OF_TIME, "valign": "top"})

    def _sheet(self, title: str) -> Any:
        sheet = self.book.add_worksheet(title[:LONGEST_TITLE])
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        return sheet

    def _heads(self, sheet: Any, columns: Sequence[Column], row: int, widths: Sequence[int]) -> None:
        _make_room(sheet, row, [column.label for column in columns], widths)
        for place, column in enumerate(columns):
            of_text = column.kind in (Kind.TEXT, Kind.DAY, Kind.MONTH)
            sheet.write_string(row, place, column.label, self.head if of_text else self.number_head)

    def _finish(self, sheet: Any, rows: int, columns: int, *, frozen: int = 0) -> None:
        sheet.freeze_panes(1, frozen)
        sheet.autofilter(0, 0, rows, columns - 1)
        sheet.repeat_rows(0)

    def cover(self, report: Report, rates: Table) -> None:
        sheet = self._sheet(_("Cover"))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, _("CSR report"), self.title)
        lines: list[tuple[str, Any]] = [
            (_("Company"), report.company),
            (_("Enterprise number"), report.enterprise_number or ""),
            (_("First day"), report.from_date),
            (_("Last day"), report.until_date),
            (_("How people are counted"), str(METHODS[report.headcount_method])),
            (_("Headcount on"), report.headcount_day),
            (_("Made on"), clock.local_date(report.made_at)),
            (_("State"), str(CLOSINGS[report.closing])),
            (_("Version of the definitions"), report.version),
            (_("Version of the frameworks"), frameworks.VERSION),
            (_("Bookings in the ledger"), report.last_number),
            (_("Chain head"), report.head),
        ]
        if report.part is not None:
            lines.insert(2, (_("Only"), report.part.name))
        lines += [(_("Hourly rate"), _rate(row)) for row in rates.rows]
        lines += [(_("Method"), note) for note in tables.method(report)]
        for row, (label, value) in enumerate(lines, start=2):
            _make_room(sheet, row, [label, str(value)], [30, 90])
            sheet.write_string(row, 0, label, self.text)
            if isinstance(value, str):
                sheet.write_string(row, 1, value, self.text)
            elif isinstance(value, int):
                sheet.write_number(row, 1, value, self.left[Kind.COUNT])
            else:
                sheet.write_datetime(row, 1, value, self.left[Kind.DAY])

    def key_figures(self, report: Report) -> None:
        sheet = self._sheet(_("Key figures"))
        columns = [
            Column("figure", _("Figure")),
            Column("value", _("Value"), Kind.FIGURE),
            Column("unit", _("Unit")),
            Column("numerator", _("Numerator"), Kind.COUNT),
            Column("denominator", _("Denominator"), Kind.COUNT),
            Column("before", _("A year before"), Kind.FIGURE),
            Column("how", _("How it is counted")),
        ]
        widths = [*_set_widths(sheet, [columns])[:-1], 90]
        sheet.set_column(6, 6, widths[-1])
        self._heads(sheet, columns, 0, widths)
        lines = tables.key_figures(report)
        for row, line in enumerate(lines, start=1):
            figure = line.figure
            _make_room(sheet, row, [str(figure.indicator.name), *[""] * 5, tables.how(figure)], widths)
            sheet.write_string(row, 0, str(figure.indicator.name), self.text)
            self._cell(sheet, row, 1, Kind.FIGURE, figure)
            sheet.write_string(row, 2, unit_word(line.unit), self.text)
            for place, number in ((3, figure.numerator), (4, figure.divisor)):
                if number is not None:
                    sheet.write_number(row, place, number, self.numbers[Kind.COUNT])
            self._cell(sheet, row, 5, Kind.FIGURE, line.before)
            sheet.write_string(row, 6, tables.how(figure), self.text)
        self._finish(sheet, len(lines), len(columns), frozen=1)

    def add(self, stacked: Sequence[Table], *, title: str = "", chart: dict[str, Any] | None = None) -> None:
        """One sheet with tables below each other; the filter and the chart are of the first."""
        first = stacked[0]
        sheet = self._sheet(title or first.title)
        widths = _set_widths(sheet, [table.columns for table in stacked])
        row = 0
        for table in stacked:
            self._heads(sheet, table.columns, row, widths)
            for line in table.rows:
                row += 1
                texts = [
                    str(cell) if column.kind == Kind.TEXT else ""
                    for column, cell in zip(table.columns, line, strict=True)
                ]
                _make_room(sheet, row, texts, widths)
                for place, (column, cell) in enumerate(zip(table.columns, line, strict=True)):
                    self._cell(sheet, row, place, column.kind, cell)
            row += 2
        self._finish(sheet, len(first.rows), len(first.columns))
        if chart is not None and first.rows:
            self._chart(sheet, first, row, **chart)

    def _cell(self, sheet: Any, row: int, place: int, kind: Kind, cell: Any) -> None:
        if kind == Kind.TEXT:
            sheet.write_string(row, place, str(cell), self.text)
        elif isinstance(cell, date):
            sheet.write_datetime(row, place, cell, self.numbers[kind])
        elif (number := number_of(cell, kind)) is not None:
            sheet.write_number(row, place, number, self._format(cell, kind))

    def _format(self, cell: Any, kind: Kind) -> Any:
        if kind == Kind.FIGURE and cell.indicator.key == "share_of_time":
            return self.share_of_time
        return self.numbers[kind_of(cell, kind)]

    def _chart(
        self, sheet: Any, table: Table, row: int, *, title: str, values: Sequence[int], shape: str, label: int
    ) -> None:
        """A native chart below the table, of its first rows."""
        chart = self.book.add_chart({"type": shape})
        last = min(len(table.rows), MOST_BARS if shape == "bar" else len(table.rows))
        colours = ("#F4B52B", "#A8B5AB")
        for place, colour in zip(values, colours, strict=False):
            chart.add_series(
                {
                    "name": [sheet.name, 0, place],
                    "categories": [sheet.name, 1, label, last, label],
                    "values": [sheet.name, 1, place, last, place],
                    "fill": {"color": colour},
                    "border": {"color": "#16241D"},
                }
            )
        chart.set_title({"name": title, "overlay": False})
        chart.set_legend({"position": "bottom"} if len(values) > 1 else {"none": True})
        axis = {"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#D9DAD0"}}}
        if shape == "bar":
            chart.set_y_axis({"reverse": True})
            chart.set_x_axis(axis)
        else:
            chart.set_x_axis({"num_format": NUMBERS[Kind.MONTH], "text_axis": True})
            chart.set_y_axis(axis)
        chart.set_size({"width": 760, "height": 120 + 26 * last if shape == "bar" else 340})
        sheet.insert_chart(row, 0, chart, {"description": title})


def _rate(row: Sequence[Any]) -> str:
    basis, valid_from, amount, source = row
    return _(
        "€ %(amount)s an hour from %(day)s. %(basis)s. Source: %(source)s",
        amount=f"{amount:.2f}",
        day=valid_from.isoformat(),
        basis=basis,
        source=source,
    )
