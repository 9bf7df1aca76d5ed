"""What kinds of files, periods and acts are called."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from timebank.reports.exports.models import Every

FORMATS: dict[str, Any] = {
    "pdf": _l("PDF to read and hand out"),
    "zip": _l("Signed package that anybody can check"),
    "xlsx": _l("Workbook"),
    "csv": _l("CSV"),
    "json": _l("JSON"),
}
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
EVERY: dict[Every, Any] = {
    Every.MONTH: _l("every month"),
    Every.QUARTER: _l("every quarter"),
    Every.YEAR: _l("every year"),
}
ACTS: dict[str, Any] = {
    "report_exported": _l("made"),
    "report_downloaded": _l("downloaded"),
}
