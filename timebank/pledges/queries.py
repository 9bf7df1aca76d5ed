"""Reads of pledges, each scoped to who asks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, String, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import paging
from timebank.auth.actor import Actor
from timebank.auth.models import Role, RoleGrant, User
from timebank.errors import NotFound
from timebank.ledger import service as ledger
from timebank.organisations.models import Approval, CompanyPolicy, Employment, EmploymentTerms, Site
from timebank.pledges.models import Pledge, PledgeSkill, PledgeState, Tranche

LIVE = (PledgeState.SUBMITTED, PledgeState.APPROVED)


# --- one's own ------------------------------------------------------------------------------------------------------


def of_employment(session: Session, employment_id: int) -> Sequence[Pledge]:
    """All pledges of an employment, the latest period first, with their tranches and skills."""
    return session.scalars(
        select(Pledge)
        .where(Pledge.employment_id == employment_id)
        .options(selectinload(Pledge.tranches), selectinload(Pledge.skills).joinedload(PledgeSkill.skill))
        .order_by(Pledge.from_date.desc(), Pledge.id.desc())
    ).all()


def live(session: Session, employment_id: int, today: date) -> Sequence[Pledge]:
    """Pledges that wait for approval or hold now or later, the first first."""
    return session.scalars(
        select(Pledge)
        .where(Pledge.employment_id == employment_id, Pledge.state.in_(LIVE), Pledge.until_date >= today)
        .order_by(Pledge.from_date)
    ).all()


def own(session: Session, public_id: uuid.UUID, actor: Actor) -> Pledge:
    """A pledge of the actor's own. Raises NotFound for anybody else's."""
    pledge = session.scalar(
        select(Pledge)
        .join(Employment)
        .where(Pledge.public_id == public_id, Employment.user_id == actor.user_id)
        .options(selectinload(Pledge.tranches), joinedload(Pledge.employment))
    )
    if pledge is None or actor.user_id is None:
        raise NotFound(_l("We can't find that pledge."))
    return pledge


def of_company(session: Session, public_id: uuid.UUID, organisation_id: int) -> Pledge:
    """A pledge of somebody of the company. Raises NotFound for any other."""
    pledge = session.scalar(
        select(Pledge)
        .join(Employment)
        .where(Pledge.public_id == public_id, Employment.organisation_id == organisation_id)
        .options(selectinload(Pledge.tranches), joinedload(Pledge.employment))
    )
    if pledge is None:
        raise NotFound(_l("We can't find that pledge."))
    return pledge


# --- hours ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hours:
    """Minutes of one or more pledges, as the ledger has them; before approval all are zero but `pledged`."""

    pledged: int
    available: int
    reserved: int
    received: int
    lapsed: int


def hours_of(session: Session, pledges: Iterable[Pledge]) -> dict[int, Hours]:
    """Hours by pledge id, in one statement. The tranches must be loaded."""
    pledges = list(pledges)
    booked = [t.public_id for p in pledges if p.approved_at is not None for t in p.tranches]
    balances = ledger.balances(session, tranches=booked) if booked else {}
    result = {}
    for pledge in pledges:
        of = [balances[t.public_id] for t in pledge.tranches if t.public_id in balances]
        result[pledge.id] = Hours(
            pledged=pledge.minutes,
            available=sum(b.available for b in of),
            reserved=sum(b.reserved for b in of),
            received=sum(b.received for b in of),
            lapsed=sum(b.lapsed for b in of),
        )
    return result


def counted_minutes(
    session: Session, employment_ids: Sequence[int], *, but: int | None = None
) -> dict[tuple[int, int], int]:
    """What counts against the cap, by employment and year; `but` leaves out one pledge.

    A pledge counts in the year of its first day: whole while it is submitted or approved. Of an ended one only what
    was given or is still reserved counts, so that withdrawn and expired hours may be pledged again; a refused one
    counts nothing.
    """
    counted: dict[tuple[int, int], int] = {}
    pledges = session.scalars(
        select(Pledge)
        .where(Pledge.employment_id.in_(employment_ids), Pledge.state.in_((*LIVE, PledgeState.ENDED)))
        .options(selectinload(Pledge.tranches))
    ).all()
    ended = hours_of(session, (p for p in pledges if p.state == PledgeState.ENDED))
    for pledge in pledges:
        if pledge.id == but:
            continue
        if pledge.state == PledgeState.ENDED:
            minutes = ended[pledge.id].reserved + ended[pledge.id].received
        else:
            minutes = pledge.minutes
        key = (pledge.employment_id, pledge.from_date.year)
        counted[key] = counted.get(key, 0) + minutes
    return counted


def budget_left(session: Session, employment: Employment, year: int, *, but: int | None = None) -> int | None:
    """Minutes that the employee may still pledge for `year` under the company's policy; None without a cap."""
    cap = session.scalar(
        select(CompanyPolicy.minutes_per_year).where(
            CompanyPolicy.organisation_id == employment.organisation_id
        )
    )
    if cap is None:
        return None
    counted = counted_minutes(session, [employment.id], but=but)
    return max(0, cap - counted.get((employment.id, year), 0))


def overlapping(session: Session, employment_id: int, from_date: date, until_date: date) -> Pledge | None:
    """The live pledge of the employment that shares a day with the period, if any."""
    return session.scalar(
        select(Pledge)
        .where(
            Pledge.employment_id == employment_id,
            Pledge.state.in_(LIVE),
            Pledge.from_date <= until_date,
            Pledge.until_date >= from_date,
        )
        .options(selectinload(Pledge.tranches), selectinload(Pledge.skills))
        .order_by(Pledge.from_date)
        .limit(1)
    )


# --- who approves ---------------------------------------------------------------------------------------------------


def other_hr(session: Session, employment: Employment) -> Sequence[User]:
    """HR people of the company who are not this employee."""
    return session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.role == Role.HR,
            RoleGrant.organisation_id == employment.organisation_id,
            RoleGrant.ended_at.is_(None),
            User.disabled_at.is_(None),
            *([User.id != employment.user_id] if employment.user_id is not None else []),
        )
        .order_by(User.id)
    ).all()


def operators(session: Session, *, but: int | None = None) -> Sequence[User]:
    """All operators; `but` leaves out one user."""
    return session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.role == Role.OPERATOR,
            RoleGrant.ended_at.is_(None),
            User.disabled_at.is_(None),
            *([User.id != but] if but is not None else []),
        )
        .order_by(User.id)
    ).all()


def manager_of(session: Session, employment: Employment, day: date) -> User | None:
    """The user whose employment in the same company has the e-mail address of the employee's manager on `day`, and
    who has the role of a manager there."""
    terms = employment.terms_on(day)
    if terms is None or not terms.manager_email:
        return None
    return session.scalar(
        select(User)
        .join(Employment, Employment.user_id == User.id)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            Employment.organisation_id == employment.organisation_id,
            Employment.email == terms.manager_email,
            Employment.state == "active",
            Employment.id != employment.id,
            RoleGrant.role == Role.MANAGER,
            RoleGrant.organisation_id == employment.organisation_id,
            RoleGrant.ended_at.is_(None),
            User.disabled_at.is_(None),
        )
        .limit(1)
    )


def approvers(session: Session, employment: Employment, day: date) -> Sequence[User]:
    """Who should hear that a pledge waits: the manager where policy says so, else HR, else the operators."""
    policy = session.scalar(
        select(CompanyPolicy).where(CompanyPolicy.organisation_id == employment.organisation_id)
    )
    if policy is not None and policy.approval == Approval.MANAGER:
        manager = manager_of(session, employment, day)
        if manager is not None:
            return [manager]
    return other_hr(session, employment) or operators(session, but=employment.user_id)


# --- the approval queue ---------------------------------------------------------------------------------------------

SORTS = ("waiting", "name", "from", "hours")


@dataclass(frozen=True)
class Waiting:
    """A pledge that waits for approval, or has it: who, hours, period, skills, and nothing of causes."""

    public_id: uuid.UUID
    name: str
    department: str | None
    site: str | None
    skills: list[PledgeSkill]
    from_date: date
    until_date: date
    monthly: bool
    minutes: int
    own: bool


@dataclass(frozen=True)
class QueuePage:
    rows: list[Waiting]
    next: str | None
    total: int


def _terms_on(day: date) -> ColumnElement[int]:
    """The id of the terms that hold on `day`: the last that began by then, else the first."""
    terms = (
        select(EmploymentTerms.id).where(EmploymentTerms.employment_id == Employment.id).correlate(Employment)
    )
    held = terms.where(EmploymentTerms.valid_from <= day).order_by(EmploymentTerms.valid_from.desc()).limit(1)
    first = terms.order_by(EmploymentTerms.valid_from).limit(1)
    return func.coalesce(held.scalar_subquery(), first.scalar_subquery())


def approval_queue(
    session: Session,
    *,
    scope: ColumnElement[bool],
    day: date,
    asker_id: int,
    text: str = "",
    sort: str = "waiting",
    after: str | None = None,
    limit: int = 50,
    state: PledgeState = PledgeState.SUBMITTED,
) -> QueuePage:
    """Pledges in `state` within `scope` whose person matches `text`, paged by key in the order of `sort`."""
    total_minutes = (
        select(func.sum(Tranche.minutes))
        .where(Tranche.pledge_id == Pledge.id)
        .correlate(Pledge)
        .scalar_subquery()
    )
    keys: dict[str, list[Any]] = {
        "waiting": [Pledge.submitted_at, Pledge.id],
        "name": [
            func.lower(Employment.last_name, type_=String()),
            func.lower(Employment.first_name, type_=String()),
            Pledge.id,
        ],
        "from": [Pledge.from_date, Pledge.id],
        "hours": [total_minutes, Pledge.id],
    }
    order = keys[sort if sort in keys else "waiting"]
    where = [Pledge.state == state, scope]
    for word in text.split()[:5]:
        pattern = f"%{paging.escape_like(word.lower())}%"
        where.append(
            or_(
                func.lower(Employment.first_name).like(pattern, escape="\\"),
                func.lower(Employment.last_name).like(pattern, escape="\\"),
                func.lower(EmploymentTerms.department).like(pattern, escape="\\"),
                func.lower(Site.municipality).like(pattern, escape="\\"),
            )
        )
    base = (
        select(Pledge, EmploymentTerms.department, Site.municipality, *order)
        .join(Employment, Employment.id == Pledge.employment_id)
        .outerjoin(EmploymentTerms, EmploymentTerms.id == _terms_on(day))
        .outerjoin(Site, Site.id == EmploymentTerms.site_id)
        .where(*where)
    )
    total = (
        session.scalar(select(func.count()).select_from(base.with_only_columns(Pledge.id).subquery())) or 0
    )
    page = paging.after(base, order, after, limit)
    found = session.execute(
        page.options(
            joinedload(Pledge.employment),
            selectinload(Pledge.tranches),
            selectinload(Pledge.skills).joinedload(PledgeSkill.skill),
        )
    ).all()
    rows = [
        Waiting(
            public_id=row[0].public_id,
            name=row[0].employment.name,
            department=row[1],
            site=row[2],
            skills=list(row[0].skills),
            from_date=row[0].from_date,
            until_date=row[0].until_date,
            monthly=row[0].monthly,
            minutes=row[0].minutes,
            own=row[0].employment.user_id == asker_id,
        )
        for row in found[:limit]
    ]
    more = paging.key(found[limit - 1][3:]) if len(found) > limit else None
    return QueuePage(rows, more, total)


def company_scope(organisation_id: int) -> ColumnElement[bool]:
    """All people of a company."""
    return Employment.organisation_id == organisation_id


def team_scope(session: Session, organisation_id: int, user_id: int, day: date) -> ColumnElement[bool]:
    """People of a company whose manager on `day` is this user."""
    address = (
        select(Employment.email)
        .where(
            Employment.organisation_id == organisation_id,
            Employment.user_id == user_id,
            Employment.state == "active",
        )
        .limit(1)
    )
    email = session.scalar(address)
    if email is None:
        # Somebody without a place in the company manages nobody; people without a manager are not theirs.
        return false()
    return (Employment.organisation_id == organisation_id) & (EmploymentTerms.manager_email == email)


def operator_scope() -> ColumnElement[bool]:
    """People whom nobody else may approve: their company has no HR person but, perhaps, themselves."""
    other = (
        select(RoleGrant.id)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.role == Role.HR,
            RoleGrant.organisation_id == Employment.organisation_id,
            RoleGrant.ended_at.is_(None),
            User.disabled_at.is_(None),
            or_(Employment.user_id.is_(None), RoleGrant.user_id != Employment.user_id),
        )
        .correlate(Employment)
    )
    return ~other.exists()


def has_live(session: Session, user_id: int, on: date) -> bool:
    """Whether a person has a pledge that runs, or waits for approval or for its first day."""
    return bool(
        session.scalar(
            select(
                select(Pledge.id)
                .join(Pledge.employment)
                .where(Employment.user_id == user_id, Pledge.state.in_(LIVE), Pledge.until_date >= on)
                .exists()
            )
        )
    )
