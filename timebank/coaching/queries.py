"""Reads of coaching requests, each scoped to who asks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import paging
from timebank.auth.actor import Actor
from timebank.auth.models import Role, RoleGrant, User
from timebank.coaching.holds import Hold, held_seats
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, RequestText, Shape
from timebank.errors import NotFound
from timebank.organisations.models import Admission, Initiative, Organisation
from timebank.taxonomy.models import Municipality, Postcode, Skill

FLANDERS = ("BE21", "BE22", "BE23", "BE24", "BE25", "BE10")


def _loaded(query: Select[CoachingRequest]) -> Select[CoachingRequest]:
    """Everything that a page shows of a request, in a fixed number of statements."""
    return query.options(
        joinedload(CoachingRequest.initiative),
        joinedload(CoachingRequest.place).joinedload(Postcode.municipality),
        selectinload(CoachingRequest.texts),
        selectinload(CoachingRequest.seats),
        selectinload(CoachingRequest.slots),
        selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
    )


# --- the initiative's own -------------------------------------------------------------------------------------------


def of_initiative(session: Session, initiative_id: int) -> Sequence[CoachingRequest]:
    """All requests of an initiative, the newest first."""
    return session.scalars(
        _loaded(
            select(CoachingRequest)
            .where(CoachingRequest.initiative_id == initiative_id)
            .order_by(CoachingRequest.created_at.desc(), CoachingRequest.id.desc())
        )
    ).all()


def own(session: Session, public_id: uuid.UUID, actor: Actor) -> CoachingRequest:
    """A request of an initiative that the actor co-ordinates. Raises NotFound for anybody else's."""
    request = session.scalar(
        _loaded(
            select(CoachingRequest).where(
                CoachingRequest.public_id == public_id,
                CoachingRequest.initiative_id.in_(actor.initiatives()),
            )
        )
    )
    if request is None:
        raise NotFound(_l("We can't find that request."))
    return request


@dataclass(frozen=True)
class SeatCount:
    """How many coaches a request asks, and how many seats are proposed, taken and free."""

    asked: int
    proposed: int
    taken: int

    @property
    def free(self) -> int:
        return self.asked - self.proposed - self.taken


def seat_counts(session: Session, requests: Sequence[CoachingRequest]) -> dict[int, SeatCount]:
    """Counts by request id, in one statement; the seats must be loaded."""
    held = held_seats(session, [r.id for r in requests])
    return {
        r.id: SeatCount(
            asked=sum(not s.withdrawn for s in r.seats),
            proposed=sum(held.get(s.id) == Hold.PROPOSED for s in r.seats),
            taken=sum(held.get(s.id) == Hold.TAKEN for s in r.seats),
        )
        for r in requests
    }


def coordinators(session: Session, initiative_id: int) -> Sequence[User]:
    """Who answers for an initiative."""
    return _holders(session, RoleGrant.role == Role.COORDINATOR, RoleGrant.initiative_id == initiative_id)


def operators(session: Session) -> Sequence[User]:
    return _holders(session, RoleGrant.role == Role.OPERATOR)


def _holders(session: Session, *where: ColumnElement[bool]) -> Sequence[User]:
    return session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(*where, RoleGrant.ended_at.is_(None), User.disabled_at.is_(None))
        .order_by(User.id)
    ).all()


# --- the operator ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewPage:
    rows: Sequence[CoachingRequest]
    next: str | None


def review_queue(session: Session, *, after: str | None = None, limit: int = 25) -> ReviewPage:
    """Requests that wait for the operator, longest waiting first."""
    order = [CoachingRequest.created_at, CoachingRequest.id]
    rows = session.scalars(
        paging.after(
            _loaded(select(CoachingRequest).where(CoachingRequest.state == RequestState.SUBMITTED)),
            order,
            after,
            limit,
        )
    ).all()
    more = paging.key([rows[limit - 1].created_at, rows[limit - 1].id]) if len(rows) > limit else None
    return ReviewPage(rows[:limit], more)


# --- the public -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenRequest:
    """What anybody may read of an open request."""

    public_id: uuid.UUID
    title: str
    description: str
    language: str
    initiative: str
    initiative_slug: str
    municipality: str
    nuts2: str
    shape: Shape
    from_date: date
    until_date: date | None
    minutes_per_coach: int
    seats: int
    free_seats: int
    remote: bool
    language_bits: int
    must: list[Skill]
    nice: list[Skill]
    opened_at: datetime


@dataclass(frozen=True)
class OpenPage:
    rows: list[OpenRequest]
    next: str | None


def public_requests(on: date) -> Select[CoachingRequest]:
    """What the public may see: open requests that are not over on `on`, of admitted initiatives of admitted hosts."""
    return (
        select(CoachingRequest)
        .join(Initiative, Initiative.id == CoachingRequest.initiative_id)
        .join(Organisation, Organisation.id == Initiative.organisation_id)
        .where(
            CoachingRequest.state == RequestState.OPEN,
            Initiative.admission == Admission.ADMITTED,
            Organisation.admission == Admission.ADMITTED,
            or_(CoachingRequest.until_date.is_(None), CoachingRequest.until_date >= on),
        )
    )


def open_request(session: Session, public_id: uuid.UUID, *, on: date) -> CoachingRequest:
    """One that the public may see, with all that its page shows. Raises NotFound for any other."""
    request = session.scalar(_loaded(public_requests(on).where(CoachingRequest.public_id == public_id)))
    if request is None:
        raise NotFound(_l("This request is no longer open, or we can't find it."))
    return request


def open_requests(
    session: Session,
    *,
    on: date,
    text: str = "",
    skill: str | None = None,
    region: str | None = None,
    remote: bool = False,
    initiative_id: int | None = None,
    after: str | None = None,
    limit: int = 20,
    language: str = "nl",
) -> OpenPage:
    """What the public may see, longest waiting first, paged by key.

    `text` is looked for in titles, descriptions and names, `skill` is a code, `region` a NUTS 2 code or "flanders"
    (its provinces and Brussels), `remote` asks for what can be done online. Texts come in `language` where there
    are any.
    """
    query = public_requests(on)
    if remote:
        query = query.where(CoachingRequest.remote)
    if initiative_id is not None:
        query = query.where(CoachingRequest.initiative_id == initiative_id)
    for word in text.split()[:5]:
        pattern = f"%{paging.escape_like(word.lower())}%"
        said = select(RequestText.request_id).where(
            or_(
                func.lower(RequestText.title).like(pattern, escape="\\"),
                func.lower(RequestText.description).like(pattern, escape="\\"),
            )
        )
        query = query.where(
            or_(CoachingRequest.id.in_(said), func.lower(Initiative.name).like(pattern, escape="\\"))
        )
    if skill:
        asked = select(RequestSkill.request_id).join(Skill).where(Skill.code == skill)
        query = query.where(CoachingRequest.id.in_(asked))
    if region:
        regions = FLANDERS if region == "flanders" else (region,)
        places = select(Postcode.code).join(Municipality).where(Municipality.nuts2.in_(regions))
        query = query.where(CoachingRequest.postcode.in_(places))
    order = [CoachingRequest.opened_at, CoachingRequest.id]
    found = session.scalars(paging.after(_loaded(query), order, after, limit)).all()
    page = found[:limit]
    counts = seat_counts(session, page)
    rows = []
    for request in page:
        said_by = request.text(language)
        rows.append(
            OpenRequest(
                public_id=request.public_id,
                title=said_by.title,
                description=said_by.description,
                language=said_by.language,
                initiative=request.initiative.name,
                initiative_slug=request.initiative.slug,
                municipality=request.place.municipality.name(language),
                nuts2=request.place.municipality.nuts2,
                shape=request.shape,
                from_date=request.from_date,
                until_date=request.until_date,
                minutes_per_coach=request.minutes_per_coach,
                seats=counts[request.id].asked,
                free_seats=counts[request.id].free,
                remote=request.remote,
                language_bits=request.language_bits,
                must=[s.skill for s in request.skills if s.must],
                nice=[s.skill for s in request.skills if not s.must],
                opened_at=request.opened_at or request.created_at,
            )
        )
    more = paging.key([page[-1].opened_at, page[-1].id]) if len(found) > limit else None
    return OpenPage(rows, more)
