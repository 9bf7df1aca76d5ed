"""Hours in words, in the language of the moment."""

from __future__ import annotations

from flask_babel import format_decimal


def hours(minutes: int) -> str:
    """Minutes as hours: 12, 2,5 or, where that does not come out even, 2:20."""
    if minutes % 15:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return str(format_decimal(minutes / 60))
