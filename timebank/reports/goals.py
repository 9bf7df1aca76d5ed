"""The names of the sustainable development goals."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

GOALS = {
    "1": _l("No poverty"),
    "2": _l("Zero hunger"),
    "3": _l("Good health and well-being"),
    "4": _l("Quality education"),
    "5": _l("Gender equality"),
    "6": _l("Clean water and sanitation"),
    "7": _l("Affordable and clean energy"),
    "8": _l("Decent work and economic growth"),
    "9": _l("Industry, innovation and infrastructure"),
    "10": _l("Reduced inequalities"),
    "11": _l("Sustainable cities and communities"),
    "12": _l("Responsible consumption and production"),
    "13": _l("Climate action"),
    "14": _l("Life below water"),
    "15": _l("Life on land"),
    "16": _l("Peace, justice and strong institutions"),
    "17": _l("Partnerships for the goals"),
}


def goal_name(code: str | None) -> str:
    """A goal's name by its number, in the reader's language."""
    return str(GOALS[code]) if code in GOALS else _("Without a goal")
