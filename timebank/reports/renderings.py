"""A report as a file, by the name of its kind; all kinds are made from the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from timebank.reports.csv_file import render_csv
from timebank.reports.json_file import render_json
from timebank.reports.service import Report
from timebank.reports.workbook import render_xlsx

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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

__all__ = ["FORMATS", "XLSX_TYPE", "Format", "render_csv", "render_json", "render_xlsx"]
