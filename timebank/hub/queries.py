"""What the public may read: admitted initiatives of admitted hosts, their open requests, and sums that name nobody."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from statistics import median

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import paging
from timebank.coaching.models import CoachingRequest, RequestSkill
from timebank.coaching.queries import public_requests
from timebank.errors import NotFound
from timebank.ledger.models import Category, LedgerBook, LedgerFact
from timebank.matches.models import Match
from timebank.organisations.models import (
    Admission,
    Initiative,
    InitiativeCause,
    InitiativeText,
    Organisation,
)
from timebank.taxonomy.models import Cause, Municipality, Phase, Postcode, Skill
from timebank.taxonomy.places import FLANDERS

# So many of the last first proposals say how long an initiative waits.
PROPOSALS_LOOKED_AT = 200


# --- figures of the home page ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """What happened in a calendar year; every figure is zero or None in an empty database."""

    confirmed_minutes: int
    initiatives: int
    municipalities: int
    companies: int
    pledged_minutes: int
    days_to_proposal: int | None
    open_requests: int


def figures(session: Session, *, on: date) -> Figures:
    """The year of `on` until that day, by date of activity, and the requests that are open now."""
    start = date(on.year, 1, 1)
    facts = (
        select(LedgerFact.initiative, LedgerFact.nis, func.sum(LedgerFact.minutes).label("minutes"))
        .where(
            # By book, since the index of facts begins with it.
            LedgerFact.book_id.in_(select(LedgerBook.id)),
            LedgerFact.measure == "confirmed",
            LedgerFact.category == Category.DELIVERY,
            LedgerFact.activity_date.between(start, on),
        )
        .group_by(LedgerFact.initiative, LedgerFact.nis)
        .having(func.sum(LedgerFact.minutes) > 0)
        .subquery()
    )
    minutes, initiatives, municipalities = session.execute(
        select(
            func.coalesce(func.sum(facts.c.minutes), 0),
            func.count(facts.c.initiative.distinct()),
            func.count(facts.c.nis.distinct()),
        )
    ).one()
    granted = case((LedgerFact.measure == "granted", LedgerFact.minutes), else_=0)
    companies, pledged = session.execute(
        select(func.count(LedgerFact.book_id.distinct()), func.coalesce(func.sum(granted), 0)).where(
            LedgerFact.book_id.in_(select(LedgerBook.id)),
            LedgerFact.measure.in_(("granted", "confirmed")),
            LedgerFact.activity_date.between(start, on),
        )
    ).one()
    waiting = public_requests(on).with_only_columns(func.count())
    return Figures(
        confirmed_minutes=int(minutes),
        initiatives=initiatives,
        municipalities=municipalities,
        companies=companies,
        pledged_minutes=int(pledged),
        days_to_proposal=_days_to_proposal(session),
        open_requests=session.scalar(waiting) or 0,
    )


def _days_to_proposal(session: Session) -> int | None:
    """The median from the opening of a request to its first proposal, in days that have begun."""
    first = func.min(Match.proposed_at).label("first")
    rows = session.execute(
        select(CoachingRequest.opened_at, first)
        .join(Match, Match.request_id == CoachingRequest.id)
        .where(CoachingRequest.opened_at.is_not(None))
        .group_by(CoachingRequest.id, CoachingRequest.opened_at)
        .order_by(first.desc(), CoachingRequest.id.desc())
        .limit(PROPOSALS_LOOKED_AT)
    )
    # A request that was opened again got its first proposal before that.
    days = [
        (proposed - opened).total_seconds() / 86_400
        for opened, proposed in rows
        if opened is not None and proposed >= opened
    ]
    return max(1, ceil(median(days))) if days else None


def received_minutes(session: Session, initiative: uuid.UUID) -> int:
    """What an initiative was given in all: confirmed minutes of coaching, whichever company gave them."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(LedgerFact.minutes), 0)).where(
                LedgerFact.book_id.in_(select(LedgerBook.id)),
                LedgerFact.measure == "confirmed",
                LedgerFact.category == Category.DELIVERY,
                LedgerFact.initiative == initiative,
            )
        )
        or 0
    )


# --- filters of the lists -------------------------------------------------------------------------------------------


def requests_by_region(session: Session, *, on: date) -> dict[str, int]:
    """How many open requests there are in each province, by NUTS 2 code."""
    query = (
        public_requests(on)
        .join(Postcode, Postcode.code == CoachingRequest.postcode)
        .join(Municipality, Municipality.nis == Postcode.nis)
        .with_only_columns(Municipality.nuts2, func.count())
        .group_by(Municipality.nuts2)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def skills_asked(session: Session, *, on: date) -> Sequence[Skill]:
    """The skills that some open request asks."""
    asked = (
        public_requests(on)
        .join(RequestSkill, RequestSkill.request_id == CoachingRequest.id)
        .with_only_columns(RequestSkill.skill_id)
    )
    return session.scalars(select(Skill).where(Skill.id.in_(asked))).all()


# --- the catalogue --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sought:
    """What somebody looks for in the catalogue; empty is everything."""

    text: str = ""
    cause: str = ""
    phase: Phase | None = None
    region: str = ""


@dataclass(frozen=True)
class Spot:
    """A place on the map and how many initiatives are there."""

    nuts2: str
    latitude: float
    longitude: float
    initiatives: int


@dataclass(frozen=True)
class InitiativePage:
    rows: Sequence[Initiative]
    next: str | None


def _admitted() -> Select[Initiative]:
    return (
        select(Initiative)
        .join(Organisation, Organisation.id == Initiative.organisation_id)
        .where(Initiative.admission == Admission.ADMITTED, Organisation.admission == Admission.ADMITTED)
    )


def _sought(sought: Sought) -> Select[Initiative]:
    query = _admitted()
    for word in sought.text.split()[:5]:
        pattern = f"%{paging.escape_like(word.lower())}%"
        said = select(InitiativeText.initiative_id).where(
            func.lower(InitiativeText.description).like(pattern, escape="\\")
        )
        query = query.where(
            or_(
                func.lower(Initiative.name).like(pattern, escape="\\"),
                func.lower(Initiative.municipality).like(pattern, escape="\\"),
                Initiative.id.in_(said),
            )
        )
    if sought.cause:
        served = select(InitiativeCause.initiative_id).join(Cause).where(Cause.code == sought.cause)
        query = query.where(Initiative.id.in_(served))
    if sought.phase:
        query = query.where(Initiative.phase == sought.phase)
    return query


def _in_region(query: Select[Initiative], region: str) -> Select[Initiative]:
    if not region:
        return query
    return query.where(Initiative.nuts2.in_(FLANDERS if region == "flanders" else (region,)))


def initiatives(
    session: Session, sought: Sought, *, after: str | None = None, limit: int = 24
) -> InitiativePage:
    """A page of the catalogue by name, with what its rows show, in a fixed number of statements."""
    order = [Initiative.name, Initiative.id]
    query = _in_region(_sought(sought), sought.region).options(
        joinedload(Initiative.place).joinedload(Postcode.municipality),
        selectinload(Initiative.texts),
        selectinload(Initiative.causes).joinedload(InitiativeCause.cause),
    )
    rows = session.scalars(paging.after(query, order, after, limit)).all()
    more = paging.key([rows[limit - 1].name, rows[limit - 1].id]) if len(rows) > limit else None
    return InitiativePage(rows[:limit], more)


def spots(session: Session, sought: Sought) -> list[Spot]:
    """Where the initiatives are that fit all but the region, so that each province shows what is to be found there."""
    query = (
        _sought(sought)
        .join(Postcode, Postcode.code == Initiative.postcode)
        .with_only_columns(Initiative.nuts2, Postcode.latitude, Postcode.longitude, func.count())
        .group_by(Initiative.nuts2, Postcode.latitude, Postcode.longitude)
        .order_by(Initiative.nuts2, Postcode.latitude, Postcode.longitude)
    )
    return [Spot(*row) for row in session.execute(query)]


def by_region(found: Iterable[Spot]) -> dict[str, int]:
    """Initiatives in each province, by NUTS 2 code."""
    counts: dict[str, int] = {}
    for spot in found:
        counts[spot.nuts2] = counts.get(spot.nuts2, 0) + spot.initiatives
    return counts


def in_region(counts: Mapping[str, int], region: str) -> int:
    """How many of `counts` lie in a province, in Flanders and Brussels ("flanders"), or anywhere ("")."""
    return sum(
        number
        for nuts2, number in counts.items()
        if not region or nuts2 == region or (region == "flanders" and nuts2 in FLANDERS)
    )


def initiative(session: Session, slug: str) -> Initiative:
    """An admitted initiative with what its page shows. Raises NotFound for any other."""
    found = session.scalar(
        _admitted()
        .where(Initiative.slug == slug)
        .options(
            joinedload(Initiative.place).joinedload(Postcode.municipality),
            joinedload(Initiative.work_form),
            joinedload(Initiative.organisation),
            selectinload(Initiative.texts),
            selectinload(Initiative.terms),
            selectinload(Initiative.causes).joinedload(InitiativeCause.cause),
        )
    )
    if found is None:
        raise NotFound(_l("We can't find that initiative."))
    return found


# --- for search engines ---------------------------------------------------------------------------------------------


def request_addresses(
    session: Session, *, on: date, limit: int
) -> Sequence[tuple[uuid.UUID, datetime | None]]:
    """Public ids of open requests and since when they are open, the newest first."""
    query = (
        public_requests(on)
        .with_only_columns(CoachingRequest.public_id, CoachingRequest.opened_at)
        .order_by(CoachingRequest.opened_at.desc(), CoachingRequest.id.desc())
        .limit(limit)
    )
    return [(public_id, opened_at) for public_id, opened_at in session.execute(query)]


def initiative_slugs(session: Session, *, limit: int) -> Sequence[str]:
    """The last part of each initiative's address."""
    query = _admitted().with_only_columns(Initiative.slug).order_by(Initiative.id).limit(limit)
    return session.execute(query).scalars().all()
