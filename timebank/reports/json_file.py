"""A report as JSON, and the schema that it follows."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from timebank.reports import tables
from timebank.reports.indicators import PER, Figure
from timebank.reports.plain import json_number
from timebank.reports.service import Report
from timebank.reports.tables import Kind, Table, month_code

SCHEMA = Path(__file__).with_name("report.schema.json")


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a report."""
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))


def render_json(report: Report) -> bytes:
    """The same rows as one object; hours as whole minutes, so that nothing is rounded."""
    content = {
        "$schema": schema()["$id"],
        "company": {"name": report.company, "enterprise_number": report.enterprise_number},
        "from": report.from_date.isoformat(),
        "until": report.until_date.isoformat(),
        "part": None if report.part is None else {"kind": report.part.kind, "code": report.part.code},
        "made_at": report.made_at.isoformat(),
        "state": str(report.closing),
        "definitions": report.version,
        "headcount_on": report.headcount_day.isoformat(),
        "headcount": {
            "method": str(report.headcount_method),
            "days": [day.isoformat() for day in report.headcount_days],
        },
        "smallest_group": report.smallest,
        "ledger": {"transactions": report.last_number, "head": report.head},
        "key_figures": [_figure(figure) for figure in report.figures],
        "year_before": [_figure(figure) for figure in report.before],
        "beside": [_figure(report.unconfirmed)],
        **{table.key: [_row(table, row) for row in table.rows] for table in tables.tables_of(report)},
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _figure(figure: Figure) -> dict[str, Any]:
    hours = PER.get(figure.indicator.unit) == 60
    return {
        "figure": figure.indicator.key,
        "name": str(figure.indicator.name),
        "unit": str(figure.indicator.unit),
        "minutes" if hours else "numerator": json_number(figure.numerator),
        "denominator": json_number(figure.denominator),
        "value": json_number(figure.value),
    }


def _row(table: Table, row: Any) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for column, cell in zip(table.columns, row, strict=True):
        if column.kind == Kind.HOURS:
            content[f"{column.key}_minutes"] = cell
        elif column.kind == Kind.MONTH:
            content[column.key] = month_code(cell)
        elif column.kind == Kind.DAY:
            content[column.key] = cell.isoformat()
        elif column.kind == Kind.FIGURE:
            content[column.key] = None if cell is None else _figure(cell)
        else:
            content[column.key] = json_number(cell) if isinstance(cell, Decimal) else cell
    return content
