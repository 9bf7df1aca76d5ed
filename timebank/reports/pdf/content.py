"""What the printed report says, in the reader's language: words and drawings, ready to be set."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.organisations.models import Initiative
from timebank.reports import tables
from timebank.reports.pdf import drawings
from timebank.reports.pdf.setting import set_pdf
from timebank.reports.service import Report
from timebank.taxonomy.places import region_name
from timebank.web import format as words
from timebank.web.discs import discs
from timebank.web.locale import language

MOST_DISCS = 250
MOST_BARS = 8
MOST_STORIES = 3
LONGEST_STORY = 900
NARROW = 6  # characters of a column that needs little room


@dataclass(frozen=True)
class Story:
    """An initiative that HR chose to tell of: where it is, what it received, and how it describes itself."""

    name: str
    place: str
    minutes: int
    text: str


def stories_of(session: Session, report: Report, chosen: Sequence[uuid.UUID]) -> list[Story]:
    """The stories of the chosen initiatives, in that order; without any choice those that received most.

    Only of initiatives that the report itself names.
    """
    minutes = {row.public_id: row.minutes for row in report.initiatives if row.minutes > 0}
    order = [i for i in chosen if i in minutes] if chosen else sorted(minutes, key=lambda i: -minutes[i])
    order = order[:MOST_STORIES]
    found = {
        each.public_id: each
        for each in session.scalars(select(Initiative).where(Initiative.public_id.in_(order)))
    }
    return [
        Story(
            name=found[i].name,
            place=found[i].municipality,
            minutes=minutes[i],
            text=_shortened(found[i].description(language())),
        )
        for i in order
        if i in found
    ]


def _shortened(text: str) -> str:
    """A text that leaves room for two others, cut at the end of a sentence or else of a word."""
    text = text.strip()
    if len(text) <= LONGEST_STORY:
        return text
    cut = text[:LONGEST_STORY]
    sentence = max(cut.rfind(". "), cut.rfind(".\n"))
    return cut[: sentence + 1] if sentence > LONGEST_STORY // 2 else cut.rsplit(" ", 1)[0] + "…"


def render_pdf(
    session: Session, report: Report, chosen: Sequence[uuid.UUID], issuer: str, number: int | None = None
) -> bytes:
    """The printed report, with the stories of the chosen initiatives; `number` is that of a closed period."""
    return set_pdf("report.typ", report_data(report, stories_of(session, report, chosen), issuer, number))


def report_data(
    report: Report, stories: Sequence[Story], issuer: str, number: int | None = None
) -> dict[str, Any]:
    """Everything that the template shows."""
    delivered = max(int(report.figure("delivered").numerator or 0), 0)
    pledged = max(int(report.figure("pledged").numerator or 0), 0)
    return {
        "language": language(),
        "date": [report.made_at.year, report.made_at.month, report.made_at.day],
        "title": _("%(hours)s for society", hours=words.hours(delivered)),
        "subject": _(
            "Report on coaching during working time, %(period)s",
            period=words.days(report.from_date, report.until_date),
        ),
        "company": report.company,
        "number": _dotted(report.enterprise_number),
        "discs": _discs(delivered, pledged),
        "foot": _foot(report, number),
        "page": _("page"),
        "figures": _figures(report),
        "months": _months(report),
        "goals": _goals(report),
        "map": _map(report),
        "stories": _stories(stories),
        "tables": [
            _table(tables.by_group(report, "department")),
            _table(tables.by_initiative(report), leave_out={"enterprise_number"}),
        ],
        "method": _method(report, issuer),
    }


def _foot(report: Report, number: int | None) -> str:
    made, head = words.day_short(report.made_at), report.head[:16]
    if number is None:
        return str(
            _("Draft: the period is still open. Made on %(day)s from head %(head)s.", day=made, head=head)
        )
    return str(
        _("Report %(number)s, as closed on %(day)s with head %(head)s.", number=number, day=made, head=head)
    )


def _dotted(number: str | None) -> str:
    return f"{number[:4]}.{number[4:7]}.{number[7:]}" if number else ""


def _discs(delivered: int, pledged: int) -> dict[str, str]:
    drawn = discs(given=delivered, free=max(pledged - delivered, 0), most=MOST_DISCS)
    return {
        "svg": drawings.discs(drawn),
        "alt": drawn.sentence,
        "note": _("Full: confirmed by the initiative. Empty: pledged and not confirmed, so not counted.")
        + (f" {_('One disc is %(unit)s hours here.', unit=drawn.unit)}" if drawn.unit > 1 else ""),
    }


# --- figures --------------------------------------------------------------------------------------------------------


def _figures(report: Report) -> dict[str, Any]:
    return {
        "title": _("Key figures"),
        "rows": [
            {
                "value": _said("figure_value", f),
                "name": str(f.indicator.name),
                "note": _said("figure_note", f, report),
            }
            for f in report.figures
            if f.value is not None
        ],
    }


def _said(macro: str, *values: Any) -> str:
    """As the page of the report writes it, so that both always say the same."""
    macros: Any = current_app.jinja_env.get_template("reports/_tables.html").module
    written: Markup = getattr(macros, macro)(*values)
    return written.unescape().strip()


# --- plots ----------------------------------------------------------------------------------------------------------


def _months(report: Report) -> dict[str, str]:
    rows = [
        (words.month_short(m.month), max(m.totals.delivered, 0), max(m.totals.pledged, 0))
        for m in report.months
    ]
    best = max(report.months, key=lambda m: m.totals.delivered)
    finding = _(
        "Most hours were given in %(month)s: %(hours)s.",
        month=words.month(best.month),
        hours=words.hours(max(best.totals.delivered, 0)),
    )
    note = _("Hours by month: confirmed in full bars, pledged in outline.")
    return {
        "title": _("By month"),
        "svg": drawings.months(rows),
        "alt": f"{note} {finding}",
        "finding": finding if best.totals.delivered > 0 else "",
        "note": note,
    }


def _goals(report: Report) -> dict[str, str] | None:
    rows = [
        (_("SDG %(code)s: %(name)s", code=g.code, name=g.name) if g.code else g.name, g.minutes)
        for g in report.goals
        if g.minutes > 0
    ][:MOST_BARS]
    if not rows:
        return None
    alt = ", ".join(f"{name}: {words.hours(minutes)}" for name, minutes in rows)
    return {
        "title": _("By sustainable development goal"),
        "svg": drawings.bars(rows),
        "alt": alt,
        "finding": "",
        "note": _("An initiative's hours go to its primary cause and that cause's goal alone."),
    }


def _map(report: Report) -> dict[str, Any] | None:
    minutes: dict[str, int] = {}
    for row in report.initiatives:
        minutes[row.nuts2 or ""] = minutes.get(row.nuts2 or "", 0) + row.minutes
    shown = {code: m for code, m in minutes.items() if m > 0}
    if not shown:
        return None
    on_map = drawings.places()
    order = sorted(shown, key=lambda code: (-shown[code], code))
    digits = words.hours_digits(shown.values())
    rows = [
        [region_name(code, language()) if code else _("Not known"), words.hours_exact(shown[code], digits)]
        for code in order
    ]
    return {
        "title": _("Where the hours went"),
        "svg": drawings.regions({code: m for code, m in shown.items() if code in on_map}),
        "alt": _("Map of Flanders and Brussels.")
        + " "
        + ", ".join(f"{name}: {value}" for name, value in rows),
        "heads": [_("Province or region of the initiative"), _("Hours")],
        "numeric": [False, True],
        "narrow": [False, True],
        "rows": rows,
    }


def _stories(stories: Sequence[Story]) -> dict[str, Any] | None:
    if not stories:
        return None
    return {
        "title": ngettext(
            "An initiative in its own words", "%(num)s initiatives in their own words", len(stories)
        ),
        "rows": [
            {"name": s.name, "place": s.place, "hours": words.hours(s.minutes), "text": s.text.split("\n")}
            for s in stories
        ],
        "received": _("received"),
    }


# --- tables and method ----------------------------------------------------------------------------------------------


def _table(table: tables.Table, leave_out: Collection[str] = ()) -> dict[str, Any]:
    shown = [index for index, column in enumerate(table.columns) if column.key not in leave_out]
    columns = [table.columns[index] for index in shown]
    rows = [[row[index] for index in shown] for row in table.rows]
    digits = [
        words.hours_digits(row[index] for row in rows) if column.kind == tables.Kind.HOURS else 0
        for index, column in enumerate(columns)
    ]
    said = [
        [
            _said("cell", cell, column.kind.value, digit)
            for cell, column, digit in zip(row, columns, digits, strict=True)
        ]
        for row in rows
    ]
    return {
        "title": table.title,
        "heads": [column.label for column in columns],
        "numeric": [column.kind not in (tables.Kind.TEXT, tables.Kind.MONTH) for column in columns],
        "narrow": [all(len(row[index]) <= NARROW for row in said) for index in range(len(columns))],
        "rows": said,
    }


def _method(report: Report, issuer: str) -> dict[str, Any]:
    unconfirmed = int(report.unconfirmed.numerator or 0)
    notes = [
        *tables.method(report),
        _("Travel, preparation and co-ordination stand apart from the hours delivered."),
        _(
            "Headcount is that of %(day)s. People who left since and took part count.",
            day=words.day_short(report.headcount_day),
        ),
        _("This report counts time. It does not claim what that time changed for people or places."),
    ]
    if unconfirmed:
        notes.append(
            _(
                "Beside these figures: %(hours)s were logged in this period and wait for the initiative. They are in"
                " no figure.",
                hours=words.hours(unconfirmed),
            )
        )
    return {
        "title": _("How these figures came about"),
        "notes": notes,
        "definitions": _table(tables.definitions()),
        "serves": _("Serves"),
        "verify": _(
            "Whoever receives the signed package of this report can check it at %(address)s: the ledger has"
            " %(bookings)s bookings, and its head is %(head)s.",
            address=f"{issuer}/verify",
            bookings=words.number(report.last_number),
            head=report.head,
        ),
    }
