"""Interest that both sides show before a run: an employee stars open requests, an initiative stars profiles of pledges
that fit its request, without a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.auth.models import Role
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState
from timebank.errors import NotFound, NotPermitted
from timebank.matching import snapshot as snapshots
from timebank.matching.events import CoachStarred, CoachUnstarred, RequestStarred, RequestUnstarred
from timebank.matching.models import CoachStar, RequestStar
from timebank.matching.snapshot import PoolEntry
from timebank.organisations.models import Employment, Initiative, Organisation
from timebank.pledges.models import Pledge, PledgeSkill, PledgeState

# Where fewer people of a company pledge, its name would tell who it is.
FEWEST_NAMED = 5
MOST_PROFILES = 60
BANDS_KM = (5, 15, 30, 60)


# --- an employee stars requests -------------------------------------------------------------------------------------


def star_request(session: Session, public_id: UUID, wanted: bool, *, actor: Actor, now: datetime) -> bool:
    """Note that the actor would gladly coach there, or no longer. The same again changes nothing. Gives how it is now.

    Raises NotFound for what is not open, and NotPermitted for who is no employee.
    """
    if actor.user_id is None or not actor.has(Role.EMPLOYEE):
        raise NotPermitted(_l("Your role does not allow this."))
    request = session.scalar(
        select(CoachingRequest).where(
            CoachingRequest.public_id == public_id, CoachingRequest.state == RequestState.OPEN
        )
    )
    if request is None:
        raise NotFound(_l("We can't find that."))
    star = session.get(RequestStar, (actor.user_id, request.id), with_for_update=True)
    if wanted and star is None:
        _add(session, RequestStar(user_id=actor.user_id, request_id=request.id, starred_at=now))
        events.record(session, RequestStarred(actor=actor, at=now, subject=request.public_id))
    elif not wanted and star is not None:
        session.delete(star)
        events.record(session, RequestUnstarred(actor=actor, at=now, subject=request.public_id))
    session.flush()
    return wanted


def _add(session: Session, star: RequestStar | CoachStar) -> None:
    try:
        with session.begin_nested():
            session.add(star)
    except IntegrityError:
        pass  # a second click at this very moment: it is there


def starred_requests(session: Session, user_id: int | None, request_ids: Iterable[int]) -> set[int]:
    """Which of these requests a person starred. One statement."""
    mine = select(RequestStar.request_id).where(
        RequestStar.user_id == user_id, RequestStar.request_id.in_(list(request_ids))
    )
    return set(session.scalars(mine))


# --- an initiative stars profiles -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Profile:
    """A pledge as an initiative may read it before both said yes: no name, and no company that would tell it."""

    pledge: Pledge
    company: str | None
    on_site: bool
    band: int | None
    starred: bool


def own_request(session: Session, public_id: UUID, *, actor: Actor) -> CoachingRequest:
    """An open request of the actor's initiative.

    Raises NotFound, NotPermitted.
    """
    request = session.scalar(
        select(CoachingRequest)
        .where(CoachingRequest.public_id == public_id, CoachingRequest.state == RequestState.OPEN)
        .options(
            joinedload(CoachingRequest.place),
            selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
            selectinload(CoachingRequest.texts),
            selectinload(CoachingRequest.seats),
            joinedload(CoachingRequest.initiative).selectinload(Initiative.causes),
        )
    )
    if request is None:
        raise NotFound(_l("We can't find that."))
    permissions.require(actor, "request.make", initiative_id=request.initiative_id)
    return request


def profiles(session: Session, request: CoachingRequest, as_of: date) -> Sequence[Profile]:
    """The free pledges that break no rule with the request, the nearest first."""
    pool = snapshots.free_pool(session, as_of, holding=_rarest(session, request))
    near = _fitting(session, request, pool, as_of)
    starred = set(session.scalars(select(CoachStar.employment_id).where(CoachStar.request_id == request.id)))
    shown = [pool[j] for j in sorted(near, key=lambda j: (near[j] is None, near[j] or 0, j))][:MOST_PROFILES]
    named = _named_companies(session, {e.pledge.employment.organisation_id for e in shown})
    metres = {pool[j].pledge.id: distance for j, distance in near.items()}
    return [
        Profile(
            pledge=e.pledge,
            company=named.get(e.pledge.employment.organisation_id),
            on_site=metres[e.pledge.id] is not None,
            band=_band(metres[e.pledge.id]),
            starred=e.pledge.employment_id in starred,
        )
        for e in shown
    ]


def _rarest(session: Session, request: CoachingRequest) -> tuple[int, int] | None:
    """Of the skills that a coach must have the one that fewest pledges name, with its level."""
    must = {s.skill_id: s.level for s in request.skills if s.must}
    if not must:
        return None
    counted: Counter[int] = Counter(dict.fromkeys(must, 0))
    rows = session.execute(
        select(PledgeSkill.skill_id, func.count())
        .where(PledgeSkill.skill_id.in_(list(must)))
        .group_by(PledgeSkill.skill_id)
    )
    counted.update(dict(rows.all()))
    skill = min(must, key=lambda each: (counted[each], each))
    return skill, must[skill]


def _fitting(
    session: Session, request: CoachingRequest, pool: Sequence[PoolEntry], as_of: date
) -> dict[int, int | None]:
    """Which of the pool are candidates, by column, with the metres to the place; None who would come online only."""
    import numpy as np

    from timebank.matching.kernel.candidates import blocks, distance, on_site

    seats = [seat for seat in request.seats if not seat.withdrawn][:1]
    problem = snapshots.of(session, seats, pool, as_of).problem
    found: dict[int, int | None] = {}
    for _looked_at, pairs in blocks(problem):
        i, j = pairs.seat.astype(np.int64), pairs.pledge.astype(np.int64)
        for column, site, metres in zip(
            j.tolist(), on_site(problem, i, j).tolist(), distance(problem, i, j).tolist(), strict=True
        ):
            found[column] = metres if site else None
    return found


def _band(metres: int | None) -> int | None:
    """The smallest of the round distances that holds it; None beyond the last, or online."""
    if metres is None:
        return None
    return next((km for km in BANDS_KM if metres <= km * 1000), None)


def _named_companies(session: Session, organisation_ids: set[int]) -> dict[int, str]:
    """The names of those companies of which enough people pledge."""
    rows = session.execute(
        select(Organisation.id, Organisation.name)
        .join(Employment, Employment.organisation_id == Organisation.id)
        .join(Pledge, Pledge.employment_id == Employment.id)
        .where(Organisation.id.in_(organisation_ids), Pledge.state == PledgeState.APPROVED)
        .group_by(Organisation.id, Organisation.name)
        .having(func.count(func.distinct(Employment.id)) >= FEWEST_NAMED)
    )
    return dict(rows.all())


def star_coach(
    session: Session,
    request_id: UUID,
    pledge_id: UUID,
    wanted: bool,
    *,
    actor: Actor,
    now: datetime,
    as_of: date,
) -> bool:
    """Note that the initiative would gladly have this coach for its request, or no longer. The same again changes
    nothing. Gives how it is now.

    Raises NotFound, also for a pledge that does not fit the request, and NotPermitted.
    """
    request = own_request(session, request_id, actor=actor)
    pledge = session.scalar(
        select(Pledge).where(Pledge.public_id == pledge_id, Pledge.state == PledgeState.APPROVED)
    )
    if pledge is None:
        raise NotFound(_l("We can't find that."))
    star = session.get(CoachStar, (request.id, pledge.employment_id), with_for_update=True)
    if wanted and star is None:
        # Only what its list shows: who guesses addresses learns nothing of other pledges.
        if all(each.pledge.id != pledge.id for each in profiles(session, request, as_of)):
            raise NotFound(_l("We can't find that."))
        _add(
            session,
            CoachStar(
                request_id=request.id,
                employment_id=pledge.employment_id,
                starred_at=now,
                starred_by_id=actor.user_id,
            ),
        )
        events.record(
            session, CoachStarred(actor=actor, at=now, subject=request.public_id, pledge_id=pledge.id)
        )
    elif not wanted and star is not None:
        session.delete(star)
        events.record(
            session, CoachUnstarred(actor=actor, at=now, subject=request.public_id, pledge_id=pledge.id)
        )
    session.flush()
    return wanted
