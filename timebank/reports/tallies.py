"""The rows of a report about where coaching went, in the reader's language."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank import clock
from timebank.ledger.models import Category, TransactionKind
from timebank.ledger.queries import Restatement
from timebank.matches.models import Side
from timebank.matches.words import FEEDBACK
from timebank.reports.counting import minutes_by
from timebank.reports.goals import goal_name
from timebank.reports.models import HourlyRate
from timebank.reports.queries import Answers, Received, Scope
from timebank.reports.rows import CauseRow, InitiativeRow, OutcomeRow, PartRow, RateRow, RestatementRow
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.models import Phase, TermKind
from timebank.taxonomy.places import REGION_NAMES
from timebank.taxonomy.places import region_name as place_name

# The reason of hours that were confirmed after their period was closed.
LATE = "late"

# With `whole`, everything stands in one row: so few people work there that the rows would show what one of them chose.


def language() -> str:
    locale = get_locale()
    return locale.language if locale else "nl"


def region_name(nuts2: str) -> str:
    """A province's name, or Brussels."""
    return place_name(nuts2, language()) if nuts2 in REGION_NAMES else nuts2


def phase_name(phase: str) -> str:
    names = {
        Phase.IDEA.value: _("idea"),
        Phase.DEVELOPMENT.value: _("development"),
        Phase.SCALING.value: _("scaling"),
    }
    return _capital(str(names.get(phase, phase)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def initiatives(session: Session, cells: Sequence[Received], *, whole: bool) -> list[InitiativeRow]:
    """Most hours first. An initiative that changed its name or cause in the period stands once, as it was last."""
    if whole:
        minutes = sum(cell.minutes for cell in cells)
        return [InitiativeRow(None, _("All initiatives"), None, None, "", None, minutes)] if cells else []
    names = cause_names(session)
    minutes_of: dict[uuid.UUID, int] = {}
    last: dict[uuid.UUID, Received] = {}
    for cell in cells:
        minutes_of[cell.initiative] = minutes_of.get(cell.initiative, 0) + cell.minutes
        last[cell.initiative] = cell
    rows = [
        InitiativeRow(
            public_id=initiative,
            name=cell.name,
            number=cell.number,
            nuts2=cell.nuts2,
            cause=names.get(cell.cause or "", cell.cause or ""),
            sdg=cell.sdg,
            minutes=minutes_of[initiative],
        )
        for initiative, cell in last.items()
    ]
    return sorted(rows, key=lambda i: (-i.minutes, i.name, str(i.public_id)))


def causes(session: Session, cells: Sequence[Received], *, whole: bool) -> list[CauseRow]:
    """By the primary cause of each initiative, and the goal and target that it serves."""
    if whole:
        return [CauseRow("", row.name, "", row.name, row.minutes) for row in _whole(cells)]
    known = {cause.code: cause for cause in taxonomy.causes(session)}
    rows = []
    for both, minutes in minutes_by(cells, lambda c: f"{c.cause or ''}|{c.sdg or ''}"):
        code, _bar, sdg = both.partition("|")
        cause = known.get(code)
        target = cause.sdg_target if cause is not None and cause.sdg == sdg else ""
        name = _capital(cause.name(language())) if cause is not None else code
        rows.append(CauseRow(code, name or _("Without a cause"), sdg, goal_name(sdg), minutes, target))
    return rows


def goals(rows: Iterable[CauseRow]) -> list[PartRow]:
    minutes: dict[str, int] = {}
    names = {}
    for row in rows:
        minutes[row.sdg] = minutes.get(row.sdg, 0) + row.minutes
        names[row.sdg] = row.sdg_name
    found = [PartRow(code, names[code], total) for code, total in minutes.items()]
    return sorted(found, key=lambda g: (-g.minutes, g.code))


def _parts(
    cells: Sequence[Received],
    key: Callable[[Received], str | None],
    name: Callable[[str], str],
    *,
    whole: bool,
) -> list[PartRow]:
    if whole:
        return _whole(cells)
    return [
        PartRow(code, name(code) if code else _("Not known"), minutes)
        for code, minutes in minutes_by(cells, key)
    ]


def _whole(cells: Sequence[Received]) -> list[PartRow]:
    return [PartRow("", _("All together"), sum(cell.minutes for cell in cells))] if cells else []


def regions(cells: Sequence[Received], *, whole: bool) -> list[PartRow]:
    return _parts(cells, lambda c: c.nuts2, region_name, whole=whole)


def phases(cells: Sequence[Received], *, whole: bool) -> list[PartRow]:
    return _parts(cells, lambda c: c.phase, phase_name, whole=whole)


def work_forms(session: Session, cells: Sequence[Received], *, whole: bool) -> list[PartRow]:
    names = {t.code: t.name(language()) for t in taxonomy.terms(session, TermKind.WORK_FORM)}
    return _parts(cells, lambda c: c.work_form, lambda code: _capital(names.get(code, code)), whole=whole)


def skills(session: Session, cells: Sequence[Received], *, whole: bool) -> list[PartRow]:
    names = {s.code: s.name(language()) for s in taxonomy.skills(session)}
    return _parts(cells, lambda c: c.skill, lambda code: _capital(names.get(code, code)), whole=whole)


def cause_names(session: Session) -> dict[str, str]:
    return {c.code: _capital(c.name(language())) for c in taxonomy.causes(session)}


def part_name(session: Session, kind: str, code: str, cells: Sequence[Received]) -> str:
    """What a part of the initiatives is called."""
    if kind == "initiative":
        return cells[-1].name if cells else code
    if kind == "cause":
        return cause_names(session).get(code, code)
    names = {"sdg": goal_name, "nuts2": region_name, "phase": phase_name}
    return names[kind](code)


def rates_used(rates: Sequence[HourlyRate], scope: Scope) -> list[RateRow]:
    """The hourly rates that held on some day of a period."""
    ends = [*(rate.valid_from for rate in rates[1:]), None]
    return [
        RateRow(rate.basis, rate.valid_from, rate.cents, rate.source)
        for rate, end in zip(rates, ends, strict=False)
        if rate.valid_from <= scope.until_date and (end is None or end > scope.from_date)
    ]


def outcomes(found: Iterable[Answers], smallest: int) -> list[OutcomeRow]:
    """What both sides said; no answer is told where there are so few that it could be somebody's."""
    rows = []
    for each in found:
        enough = each.answers >= smallest
        rows.append(
            OutcomeRow(
                question=str(FEEDBACK[each.side][0]),
                side=str(_("Initiatives") if each.side == Side.INITIATIVE else _("Coaches")),
                coachings=each.coachings,
                answers=each.answers,
                fully=each.fully if enough else None,
                partly=each.partly if enough else None,
                no=each.no if enough else None,
                again=each.again if enough else None,
            )
        )
    return rows if any(row.coachings for row in rows) else []


def restatements(found: Iterable[Restatement]) -> list[RestatementRow]:
    """What was booked in the period about hours delivered in closed ones before it."""
    return [
        RestatementRow(
            number=r.number,
            booked_on=clock.local_date(r.booked_at),
            activity_date=r.restates,
            minutes=r.minutes,
            reason=r.reason or ("" if r.kind == TransactionKind.REVERSAL else LATE),
            reverses=r.reverses,
        )
        for r in found
        if r.measure == "confirmed" and r.category == Category.DELIVERY
    ]
