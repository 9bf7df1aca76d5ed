"""What an employee sees of their own hours."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import extract, func, select
from sqlalchemy.orm import Session

from timebank.auth.actor import Actor
from timebank.imports.values import formula_safe_anywhere
from timebank.ledger.models import Category, LedgerFact
from timebank.ledger.service import balances
from timebank.matches import queries as matches
from timebank.matches.models import HourEntry, HoursState
from timebank.organisations.models import Employment
from timebank.reports.queries import DELIVERED

STATES = {
    HoursState.LATE: ("held", _l("came late, waits for the company")),
    HoursState.LOGGED: ("held", _l("waits for the initiative")),
    HoursState.CONFIRMED: ("given", _l("confirmed")),
    HoursState.DISPUTED: ("due", _l("disputed")),
    HoursState.WITHDRAWN: ("gone", _l("withdrawn")),
    HoursState.CORRECTED: ("gone", _l("corrected")),
}
CATEGORIES = {
    Category.DELIVERY: _l("coaching"),
    Category.PREPARATION: _l("preparation"),
    Category.TRAVEL: _l("travel"),
    Category.MANAGEMENT: _l("co-ordination"),
}
MOST_ROWS = 5000


@dataclass(frozen=True)
class Year:
    """Minutes of the pledges that begin in a year, as the ledger has them, and what was logged in that year."""

    year: int
    granted: int
    available: int
    reserved: int
    received: int
    lapsed: int
    entries: Sequence[HourEntry]

    @property
    def waiting(self) -> int:
        """Minutes of coaching that wait for the initiative."""
        return sum(
            e.minutes
            for e in self.entries
            if e.category == Category.DELIVERY and e.state in matches.UNDECIDED_HOURS
        )


def own_year(session: Session, actor: Actor, year: int) -> Year:
    """The actor's own hours of a year."""
    tranches = matches.year_tranches(session, actor, year)
    held = balances(session, tranches=[t.public_id for t in tranches]).values()
    return Year(
        year=year,
        granted=sum(b.granted for b in held),
        available=sum(b.available for b in held),
        reserved=sum(b.reserved for b in held),
        received=sum(b.received for b in held),
        lapsed=sum(b.lapsed for b in held),
        entries=matches.hours_of(
            session,
            matches.own_as_coach(actor),
            states=list(HoursState),
            from_date=date(year, 1, 1),
            until_date=date(year, 12, 31),
            limit=MOST_ROWS,
        ),
    )


def confirmed_by_year(session: Session, actor: Actor) -> list[tuple[int, int]]:
    """(year, confirmed minutes of coaching by the date of the activity), newest first."""
    year = extract("year", LedgerFact.activity_date)
    own = select(Employment.pseudonym).where(Employment.user_id == actor.user_id)
    rows = session.execute(
        select(year, func.sum(LedgerFact.minutes))
        .where(LedgerFact.employee.in_(own), DELIVERED)
        .group_by(year)
    ).all()
    return sorted(((int(row[0]), int(row[1])) for row in rows), reverse=True)


def statement_csv(year: Year, language: str) -> bytes:
    """The activities of a year as a spreadsheet opens them: semicolons, decimal commas, a byte order mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(
        [_("Date"), _("Initiative"), _("Coaching"), _("Kind"), _("Minutes"), _("Hours"), _("State")]
    )
    for entry in reversed(year.entries):
        request = entry.match.request
        writer.writerow(
            [
                entry.activity_date.isoformat(),
                formula_safe_anywhere(request.initiative.name),
                formula_safe_anywhere(request.text(language).title),
                CATEGORIES[entry.category],
                entry.minutes,
                f"{entry.minutes / 60:.2f}".replace(".", ","),
                STATES[entry.state][1],
            ]
        )
    return out.getvalue().encode("utf-8-sig")
