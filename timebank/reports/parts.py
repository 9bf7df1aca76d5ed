"""The parts of a report that one can look at alone: what an address says of them, and which there are to choose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from timebank.errors import NotFound
from timebank.reports.queries import WHERE
from timebank.reports.service import WHO, Part, Report

LONGEST = 300


def part_of(text: str | None) -> Part | None:
    """The part that an address names as KIND:CODE; none for nothing. Raises NotFound for what is no part."""
    if not text:
        return None
    kind, colon, code = text.partition(":")
    if not colon or kind not in (*WHO, *WHERE) or len(text) > LONGEST or "\0" in code:
        raise NotFound(_l("There is no such group in this report."))
    return Part(kind, code)


def address_of(part: Part) -> str:
    return f"{part.kind}:{part.code}"


@dataclass(frozen=True)
class Choices:
    """Some parts of one kind: (as in the address, its name)."""

    label: str
    options: list[tuple[str, str]]


def choices(report: Report) -> list[Choices]:
    """What a report of everything can be narrowed to. Small groups are not among them."""
    found = [
        _choices(_("Department"), "department", ((r.code, r.name) for r in report.departments)),
        _choices(_("Site"), "site", ((r.code, r.name) for r in report.sites)),
        _choices(_("Cause"), "cause", ((r.code or None, r.name) for r in report.causes)),
        _choices(_("SDG"), "sdg", ((r.code or None, f"{r.code}. {r.name}") for r in report.goals)),
        _choices(_("Region"), "nuts2", ((r.code or None, r.name) for r in report.regions)),
        _choices(_("Phase"), "phase", ((r.code or None, r.name) for r in report.phases)),
    ]
    return [each for each in found if each.options]


def _choices(label: str, kind: str, rows: Iterable[tuple[str | None, str]]) -> Choices:
    return Choices(label, [(f"{kind}:{code}", name) for code, name in rows if code is not None])
