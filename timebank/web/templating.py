"""What templates may use besides what a view gives them: formats, discs, geometry, the days of the week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names
from flask import Flask
from flask_babel import gettext as _
from flask_babel import ngettext

from timebank.web import format as formats
from timebank.web.discs import discs
from timebank.web.locale import formats as reader
from timebank.web.plots import column_plot, dot_plot, row_plot

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class WeekDay:
    """A day of the week grid."""

    code: str
    name: str
    short: str


@dataclass(frozen=True)
class HalfDay:
    """A part of a day of the week grid, and its hours."""

    code: str
    name: str
    hours: str


def week_days() -> list[WeekDay]:
    """Monday to Sunday in the reader's language."""
    names, shorts = (get_day_names(width, locale=reader()) for width in ("wide", "short"))
    return [WeekDay(code, names[index], shorts[index].removesuffix(".")) for index, code in enumerate(DAYS)]


def half_days() -> list[HalfDay]:
    """Morning, afternoon and evening."""
    return [
        HalfDay("am", _("Morning"), _("8 to 12")),
        HalfDay("pm", _("Afternoon"), _("13 to 17")),
        HalfDay("ev", _("Evening"), _("18 to 22")),
    ]


def error_text(error: Any) -> str:
    """The sentence of a field's error; fields made of fields give lists or mappings of them."""
    if isinstance(error, dict):
        error = [each for errors in error.values() for each in errors]
    if isinstance(error, list | tuple):  # a text that waits for its language can be walked through as well
        return " ".join(error_text(each) for each in error)
    return str(error)


def init_app(app: Flask) -> None:
    """Make them known to all templates, and to the macros that these import."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.globals.update(
        **formats.GLOBALS,
        _=_,
        ngettext=ngettext,
        discs=discs,
        column_plot=column_plot,
        row_plot=row_plot,
        dot_plot=dot_plot,
        week_days=week_days,
        half_days=half_days,
        error_text=error_text,
    )
