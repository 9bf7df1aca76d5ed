"""The desk of an employee: what waits, the agenda."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, render_template
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.ledger import service as ledger
from timebank.matches import mails, queries, words
from timebank.matches.calendar import calendar_text
from timebank.matches.models import (
    OPEN_STATES,
    HoursState,
    MatchState,
    SessionState,
    Side,
)
from timebank.matches.views import bp
from timebank.pledges import queries as pledges
from timebank.web.format import hours
from timebank.web.locale import language

SOON = timedelta(days=60)


@dataclass(frozen=True)
class Year:
    """The person's own hours of a year, in minutes: reserved is what both sides agreed, and of what is free, open
    proposals hold a part."""

    year: int
    received: int
    reserved: int
    free: int
    held: int
    lapsed: int

    @property
    def total(self) -> int:
        return self.received + self.reserved + self.free + self.lapsed


@bp.get("/today")
@role_required(Role.EMPLOYEE)
def today() -> str:
    session, actor, now = db.request_session(), current_actor(), clock.now()
    own = queries.own_as_coach(actor)
    matches = queries.matches_of_coach(
        session, actor, states=(*OPEN_STATES, MatchState.CONFIRMED, MatchState.ACTIVE)
    )
    proposals = [
        m for m in matches if m.state in OPEN_STATES and m.coach_accepted_at is None and m.expires_at > now
    ]
    answered = [m for m in matches if m.state is MatchState.ACCEPTED_BY_COACH]
    running = [m for m in matches if m.state in (MatchState.CONFIRMED, MatchState.ACTIVE)]
    year, expiring = _year(session, now)
    return render_template(
        "matches/today.html",
        proposals=proposals,
        free=queries.free_minutes(session, [m.pledge_id for m in proposals]),
        reasons={m.id: words.why(m, language(), side=Side.COACH) for m in proposals},
        otherwise={m.id: words.otherwise(m, language(), side=Side.COACH) for m in proposals},
        answered=answered,
        running=running,
        pledged=pledges.has_live(session, actor.user_id or 0, clock.local_date(now)),
        unplanned=[m for m in running if not any(s.state is SessionState.PLANNED for s in m.sessions)],
        to_log=queries.sessions_to_log(session, actor, now=now),
        disputed=queries.hours_of(session, own, states=(HoursState.DISPUTED,)),
        logged=queries.hours_of(session, own, states=(HoursState.LOGGED,)),
        year=year,
        expiring=expiring,
        timeline=_timeline(session, now),
        language=language(),
        now=now,
        first_name=_first_name(matches),
    )


@bp.get("/agenda")
@role_required(Role.EMPLOYEE)
def agenda() -> str:
    session, actor, now = db.request_session(), current_actor(), clock.now()
    own = queries.own_as_coach(actor)
    return render_template(
        "matches/agenda.html",
        coming=queries.sessions_of(session, own, since=now, until=None),
        past=queries.sessions_of(session, own, since=None, until=now),
        plannable=queries.matches_of_coach(session, actor, states=(MatchState.CONFIRMED, MatchState.ACTIVE)),
        states=words.SESSION_STATES,
        language=language(),
        now=now,
    )


@bp.get("/agenda.ics")
@role_required(Role.EMPLOYEE)
def agenda_calendar() -> Response:
    session, now = db.request_session(), clock.now()
    own = queries.own_as_coach(current_actor())
    meetings = [
        *queries.sessions_of(session, own, since=now, until=None, limit=500),
        *queries.sessions_of(session, own, since=None, until=now, limit=500),
    ]
    entries = [mails.calendar_entry(m.match, m, language()) for m in meetings]
    return calendar(calendar_text(entries, now=now))


def calendar(text: str) -> Response:
    """A download that calendars open."""
    return Response(
        text,
        mimetype="text/calendar",
        headers={"Content-Disposition": "attachment; filename=timebank.ics"},
    )


def _first_name(matches: Any) -> str:
    from flask_login import current_user

    name: str = matches[0].employment.first_name if matches else current_user.name.split(" ")[0]
    return name


def _year(session: Any, now: datetime) -> tuple[Year, tuple[int, date] | None]:
    """The hours of this year, and what of them lapses soon and when."""
    day = clock.local_date(now)
    tranches = queries.year_tranches(session, current_actor(), day.year)
    balances = ledger.balances(session, tranches=[t.public_id for t in tranches])
    holds = queries.held_by_open(session, [t.id for t in tranches])
    reserved = free = held = lapsed = 0
    soon: dict[date, int] = {}
    for tranche in tranches:
        balance = balances.get(tranche.public_id)
        if balance is None:
            continue
        open_holds = min(holds.get(tranche.id, 0), balance.available)
        left = balance.available - open_holds
        reserved += balance.reserved
        free += balance.available
        held += open_holds
        if tranche.until_date.year == day.year:
            lapsed += balance.lapsed
        if left and day <= tranche.until_date <= day + SOON:
            soon[tranche.until_date] = soon.get(tranche.until_date, 0) + left
    first = min(soon) if soon else None
    received = queries.given_minutes(session, current_actor(), day.year)
    return Year(day.year, received, reserved, free, held, lapsed), (soon[first], first) if first else None


def _timeline(session: Any, now: datetime) -> list[tuple[date, str, str]]:
    """What the person's hours did, and the next session, newest first."""
    own = queries.own_as_coach(current_actor())
    rows: list[tuple[date, str, str]] = [
        (
            clock.local_date(meeting.starts_at),
            "h",
            _(
                "Session at %(initiative)s: %(title)s",
                initiative=meeting.match.request.initiative.name,
                title=meeting.match.request.text(language()).title,
            ),
        )
        for meeting in reversed(queries.sessions_of(session, own, since=now, until=None, limit=3))
    ]
    rows += [
        (
            entry.activity_date,
            "g",
            _(
                "%(initiative)s confirmed %(hours)s",
                initiative=entry.match.request.initiative.name,
                hours=hours(entry.minutes),
            ),
        )
        for entry in queries.hours_of(session, own, states=(HoursState.CONFIRMED,), limit=8)
    ]
    return rows
