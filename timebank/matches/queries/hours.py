"""Sessions and hours, planned, logged and given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from timebank.auth.actor import Actor
from timebank.coaching.models import CoachingRequest
from timebank.errors import NotFound
from timebank.ledger.models import Category
from timebank.matches.models import (
    CoachingSession,
    HourEntry,
    HoursState,
    Match,
    MatchState,
    SessionState,
)
from timebank.matches.queries.sides import own_as_coach
from timebank.organisations.models import (
    Employment,
)
from timebank.pledges.models import Pledge, Tranche

LIVE_HOURS = (HoursState.LATE, HoursState.LOGGED, HoursState.CONFIRMED, HoursState.DISPUTED)
UNDECIDED_HOURS = (HoursState.LATE, HoursState.LOGGED, HoursState.DISPUTED)
# What waits for the initiative; late hours wait for the company first.
HOURS_TO_CONFIRM = (HoursState.LOGGED, HoursState.DISPUTED)


def sessions_of(
    session: Session,
    who: ColumnElement[bool],
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int = 50,
) -> Sequence[CoachingSession]:
    """Sessions of the matches `who` that end after `since` (soonest first) or by `until` (latest first).

    Moved ones are left out, since the new one stands there.
    """
    statement = (
        select(CoachingSession)
        .join(CoachingSession.match)
        .where(who, CoachingSession.state != SessionState.MOVED)
        .options(
            contains_eager(CoachingSession.match).joinedload(Match.employment),
            contains_eager(CoachingSession.match)
            .joinedload(Match.request)
            .joinedload(CoachingRequest.initiative),
            contains_eager(CoachingSession.match)
            .joinedload(Match.request)
            .selectinload(CoachingRequest.texts),
        )
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(CoachingSession.ends_at > since)
    if until is not None:
        statement = statement.where(CoachingSession.ends_at <= until)
    order = (
        (CoachingSession.starts_at, CoachingSession.id)
        if since is not None
        else (CoachingSession.starts_at.desc(), CoachingSession.id.desc())
    )
    return session.scalars(statement.order_by(*order)).all()


def sessions_to_log(session: Session, actor: Actor, *, now: datetime) -> Sequence[CoachingSession]:
    """The actor's sessions that are over, and of which no hours were logged, in matches where that is possible."""
    logged = exists().where(HourEntry.session_id == CoachingSession.id, HourEntry.state.in_(LIVE_HOURS))
    return session.scalars(
        select(CoachingSession)
        .join(CoachingSession.match)
        .where(
            own_as_coach(actor),
            Match.state == MatchState.ACTIVE,
            CoachingSession.state == SessionState.PLANNED,
            CoachingSession.ends_at <= now,
            ~logged,
        )
        .options(
            contains_eager(CoachingSession.match)
            .joinedload(Match.request)
            .joinedload(CoachingRequest.initiative)
        )
        .order_by(CoachingSession.starts_at)
        .limit(20)
    ).all()


def hours_of(
    session: Session,
    who: ColumnElement[bool],
    *,
    states: Sequence[HoursState],
    from_date: date | None = None,
    until_date: date | None = None,
    limit: int = 200,
) -> Sequence[HourEntry]:
    """Entries of the matches `who` in `states`, oldest waiting first, else newest first."""
    statement = (
        select(HourEntry)
        .join(HourEntry.match)
        .where(who, HourEntry.state.in_(states))
        .options(
            contains_eager(HourEntry.match).joinedload(Match.employment),
            contains_eager(HourEntry.match).joinedload(Match.request).joinedload(CoachingRequest.initiative),
            contains_eager(HourEntry.match).joinedload(Match.request).selectinload(CoachingRequest.texts),
            joinedload(HourEntry.session),
        )
        .limit(limit)
    )
    if from_date is not None:
        statement = statement.where(HourEntry.activity_date >= from_date)
    if until_date is not None:
        statement = statement.where(HourEntry.activity_date <= until_date)
    if set(states) <= set(UNDECIDED_HOURS):
        return session.scalars(statement.order_by(HourEntry.logged_at, HourEntry.id)).all()
    return session.scalars(statement.order_by(HourEntry.activity_date.desc(), HourEntry.id.desc())).all()


def minutes_by_state(session: Session, match_ids: Sequence[int]) -> dict[int, dict[HoursState, int]]:
    """Delivered minutes of each match by state. One statement."""
    totals: dict[int, dict[HoursState, int]] = {}
    rows = session.execute(
        select(HourEntry.match_id, HourEntry.state, func.sum(HourEntry.minutes))
        .where(HourEntry.match_id.in_(match_ids), HourEntry.category == Category.DELIVERY)
        .group_by(HourEntry.match_id, HourEntry.state)
    )
    for match_id, state, minutes in rows:
        totals.setdefault(match_id, {})[state] = int(minutes)
    return totals


def year_tranches(session: Session, actor: Actor, year: int) -> Sequence[Tranche]:
    """Tranches of the actor's own pledges that run in `year`."""
    return session.scalars(
        select(Tranche)
        .join(Tranche.pledge)
        .join(Pledge.employment)
        .where(
            Employment.user_id == actor.user_id,
            Tranche.from_date <= date(year, 12, 31),
            Tranche.until_date >= date(year, 1, 1),
        )
        .options(contains_eager(Tranche.pledge))
        .order_by(Tranche.until_date)
    ).all()


def given_minutes(session: Session, actor: Actor, year: int) -> int:
    """The actor's own coaching minutes that were confirmed, by the day of the work in `year`."""
    statement = (
        select(func.coalesce(func.sum(HourEntry.minutes), 0))
        .join(HourEntry.match)
        .where(
            own_as_coach(actor),
            HourEntry.state == HoursState.CONFIRMED,
            HourEntry.category == Category.DELIVERY,
            HourEntry.activity_date.between(date(year, 1, 1), date(year, 12, 31)),
        )
    )
    return session.scalars(statement).one()


def late_hours(session: Session, scope: ColumnElement[bool], limit: int = 200) -> Sequence[HourEntry]:
    """Hours that wait for the company, of the people whose pledges `scope` names; the longest waiting first."""
    return session.scalars(
        _late(scope).where(HourEntry.state == HoursState.LATE).order_by(HourEntry.logged_at).limit(limit)
    ).all()


def late_entry(session: Session, public_id: UUID, scope: ColumnElement[bool]) -> HourEntry:
    """One of them, decided or not. Raises NotFound."""
    entry = session.scalar(
        _late(scope).where(HourEntry.public_id == public_id, HourEntry.late_reason.is_not(None))
    )
    if entry is None:
        raise NotFound(_l("We can't find that."))
    return entry


def _late(scope: ColumnElement[bool]) -> Select[HourEntry]:
    return (
        select(HourEntry)
        .join(HourEntry.match)
        .join(Match.employment)
        .join(Match.pledge)
        .where(scope)
        .options(contains_eager(HourEntry.match).contains_eager(Match.employment))
    )
