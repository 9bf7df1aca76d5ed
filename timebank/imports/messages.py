"""Reasons and verdicts in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from timebank.imports.errors import FileRefused

REASONS = {
    "missing": _l("This cell is empty; fill it in."),
    "email": _l("This is no e-mail address."),
    "postcode": _l("This is no postcode of Belgium."),
    "date": _l("There is no such date. Write it as 2026-03-31 or 31/03/2026."),
    "order": _l("The end lies before the start."),
    "number": _l("This is no number, or it lies outside what is possible here."),
    "unknown": _l("We do not know this value. Check the spelling."),
    "ambiguous": _l("This fits several initiatives. Use the name of the one you mean."),
    "enterprise_number": _l("This is no enterprise number: its check digits are wrong."),
    "duplicate": _l("An earlier row of this file says something else about the same."),
    "cap": _l("With this, the year goes over what the company allows for one person."),
    "overlap": _l("This overlaps with another pledge of the same person."),
    "conflict": _l("What has happened since does not allow this change."),
    "length": _l("This text is too long: 200 characters at most, 5,000 in a description."),
    "text": _l("There are characters in this text that cannot be shown."),
}

WARNINGS = {
    "unknown": _l("We do not know this person yet; the rest of the row is used."),
}

VERDICTS = {
    "new": _l("New"),
    "changed": _l("Changed"),
    "same": _l("Same as before"),
    "refused": _l("Refused"),
}


FILTERS = {
    "refused": _l("Refused rows"),
    "new": _l("New rows"),
    "changed": _l("Changed rows"),
    "same": _l("Rows that change nothing"),
    "warnings": _l("Rows with a warning"),
}


@dataclass(frozen=True)
class KindWords:
    """What pages call a kind of file: in a list, as the head of its page, and the sentence under it."""

    name: object
    title: object
    lead: object


KINDS = {
    "companies": KindWords(
        _l("Companies"),
        _l("Import companies"),
        _l("Each company is admitted at once, and its HR person gets an invitation."),
    ),
    "staff": KindWords(
        _l("Staff"),
        _l("Import staff"),
        _l("The file counts as the whole staff list. You see what each row does before anything changes."),
    ),
    "initiatives": KindWords(
        _l("Initiatives"),
        _l("Import initiatives"),
        _l("Each initiative is admitted at once, and its contact person gets an invitation."),
    ),
    "requests": KindWords(
        _l("Coaching requests"),
        _l("Import coaching requests"),
        _l("Each request opens at once and takes part in the next matching."),
    ),
    "pledges": KindWords(
        _l("Pledges on paper"),
        _l("Import pledges that were signed on paper"),
        _l("Each pledge counts as approved, and its employee hears who sees what."),
    ),
}


def reason(code: str) -> str:
    """The sentence for a reason code."""
    return str(REASONS[code])


def warning(code: str) -> str:
    """The sentence for a warning's code."""
    return str(WARNINGS.get(code) or REASONS[code])


def refusal(error: FileRefused, headings: Mapping[str, str] | None = None) -> str:
    """One line that says why a file as a whole is refused, and what to do. `headings` are what the reader calls the
    columns; without them their English names stand."""
    called = headings or {}
    p = dict(error.params)
    if "column" in p:
        p["column"] = called.get(p["column"], p["column"])
    if error.code == "no_column":
        p["columns"] = ", ".join(called.get(name, name) for name in p["columns"])
    match error.code:
        case "too_large":
            return _("The file is larger than %(megabytes)s MB. Split it.", **p)
        case "unpacks_too_large":
            return _("The workbook unpacks to more than %(megabytes)s MB. Save the sheet as CSV.", **p)
        case "empty":
            return _("The file is empty.")
        case "old_workbook":
            return _("This is an old workbook (.xls). Save it as .xlsx or as CSV.")
        case "locked_workbook":
            return _("This workbook is protected with a password. Save it without one.")
        case "utf16":
            return _("The file is in UTF-16. Save it as CSV in UTF-8.")
        case "no_text":
            return _("The file is neither text in UTF-8 or Windows-1252 nor a workbook (.xlsx).")
        case "no_workbook":
            return _("The workbook cannot be read. Save it again as .xlsx, or as CSV.")
        case "open_quote":
            return _("A quotation mark opened in row %(row)s never closes.", **p)
        case "stray_quote":
            return ngettext(
                "A quotation mark in row %(row)s swallows the line after it. Take it away or write it twice, and send "
                "the file again.",
                "A quotation mark in row %(row)s swallows the %(num)s lines after it. Take it away or write it twice, "
                "and send the file again.",
                p["lines"],
                row=p["row"],
            )
        case "nameless_row":
            return _(
                "Row %(row)s has no readable number or known address, so nobody can tell who is missing. Mend it "
                "first, or close nobody.",
                **p,
            )
        case "too_many_rows":
            return _("The file has more than %(rows)s rows. Split it.", **p)
        case "too_many_columns":
            return _("The file has more than %(columns)s columns.", **p)
        case "no_column":
            return _("The file lacks a column that is needed: %(columns)s.", **p)
        case "twin_columns":
            return _("Two headings mean the same column (%(column)s): “%(first)s” and “%(second)s”.", **p)
        case _:
            return _("The file holds no table with headings in its first row.")
