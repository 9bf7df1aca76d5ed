"""Hours and periods in words, in the language of the moment."""

from __future__ import annotations

from datetime import date

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _


def hours(minutes: int) -> str:
    """Minutes as hours: 12, 2,5 or, where that does not come out even, 2:20."""
    if minutes % 15:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return format_decimal(minutes / 60)


def period(from_date: date, until_date: date) -> str:
    """From one day until another, both included."""
    return _(
        "from %(start)s until %(end)s", start=format_date(from_date, "d MMMM y"), end=format_date(until_date, "d MMMM y")
    )
