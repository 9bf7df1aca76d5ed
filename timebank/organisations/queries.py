"""Reads of organisations, their people and initiatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank.auth.actor import Actor
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.errors import NotFound
from timebank.organisations.imports.slugs import Slugs
from timebank.organisations.models import (
    Admission,
    CompanyPolicy,
    Employment,
    EmploymentTerms,
    Initiative,
    InitiativeCause,
    Organisation,
)
from timebank.taxonomy.models import Term, TermKind

PAGE: Final = 50
Kind = type[Organisation] | type[Initiative]


def free_slug(session: Session, kind: Kind, name: str) -> str:
    """A short name for addresses that no other has."""
    stem = Slugs(()).take(name)
    taken = session.scalars(select(kind.slug).where(kind.slug.startswith(stem, autoescape=True)))
    return Slugs(taken).take(name)


# --- the operator's lists -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """What the operator has to decide: how many, and since when the first waits."""

    applications: int
    since: datetime | None


def waiting(session: Session) -> Waiting:
    count, since = session.execute(
        select(func.count(Initiative.id), func.min(Initiative.applied_at)).where(
            Initiative.admission == Admission.APPLIED
        )
    ).one()
    return Waiting(count, since)


def applications(session: Session, after: UUID | None = None) -> Sequence[Initiative]:
    """A page of initiatives that wait for admission, longest waiting first, and one more when there are others."""
    query = (
        select(Initiative)
        .where(Initiative.admission == Admission.APPLIED)
        .options(*_whole())
        .order_by(Initiative.id)
        .limit(PAGE + 1)
    )
    if after is not None:
        query = query.where(
            Initiative.id > select(Initiative.id).where(Initiative.public_id == after).scalar_subquery()
        )
    return session.scalars(query).all()


def _whole() -> Iterable[Any]:
    return (
        joinedload(Initiative.organisation),
        joinedload(Initiative.work_form),
        selectinload(Initiative.causes).joinedload(InitiativeCause.cause),
        selectinload(Initiative.texts),
        selectinload(Initiative.terms),
        selectinload(Initiative.phases),
    )


def organisations(
    session: Session,
    *,
    search: str = "",
    kind: str = "",
    state: Admission | None = None,
    after: UUID | None = None,
) -> Sequence[Organisation]:
    """A page of companies and hosts by name, and one more when there are others. `kind`: company or host."""
    query = _listed(session, Organisation, search, state, after)
    if kind == "company":
        query = query.where(Organisation.is_company)
    elif kind == "host":
        query = query.where(Organisation.is_host)
    return session.scalars(query).all()


def initiatives(
    session: Session, *, search: str = "", state: Admission | None = None, after: UUID | None = None
) -> Sequence[Initiative]:
    """A page of initiatives by name, and one more when there are others."""
    query = _listed(session, Initiative, search, state, after)
    return session.scalars(query.options(joinedload(Initiative.organisation))).all()


def _listed(
    session: Session, kind: Any, search: str, state: Admission | None, after: UUID | None
) -> Select[Any]:
    key = func.lower(kind.name)
    query = select(kind).order_by(key, kind.id).limit(PAGE + 1)
    if search:
        found = key.contains(search.lower(), autoescape=True)
        digits = "".join(c for c in search if c in "0123456789")
        if kind is Organisation and len(digits) >= 4:
            found = or_(found, Organisation.enterprise_number.contains(digits))
        query = query.where(found)
    if state is not None:
        query = query.where(kind.admission == state)
    last = None
    if after is not None:
        last = session.execute(select(key, kind.id).where(kind.public_id == after)).first()
    if last is not None:
        query = query.where(or_(key > last[0], and_(key == last[0], kind.id > last[1])))
    return query


def organisation(session: Session, public_id: UUID) -> Organisation:
    """Raises NotFound."""
    found = session.scalar(
        select(Organisation)
        .where(Organisation.public_id == public_id)
        .options(selectinload(Organisation.policy))
    )
    if found is None:
        raise NotFound(_l("We can't find that."))
    return found


def organisation_or_initiative(session: Session, public_id: UUID) -> Organisation | Initiative:
    """What the operator decides on. Raises NotFound."""
    found = session.scalar(select(Initiative).where(Initiative.public_id == public_id).options(*_whole()))
    return found if found is not None else organisation(session, public_id)


def initiative_by_id(session: Session, initiative_id: int) -> Initiative:
    return session.scalars(select(Initiative).where(Initiative.id == initiative_id).options(*_whole())).one()


def initiatives_of(session: Session, organisation_id: int) -> Sequence[Initiative]:
    return session.scalars(
        select(Initiative)
        .where(Initiative.organisation_id == organisation_id)
        .order_by(Initiative.name, Initiative.id)
    ).all()


@dataclass(frozen=True)
class Contact:
    """Somebody who manages a company or co-ordinates an initiative, or has the `invitation` to."""

    name: str
    email: str
    invitation: UUID | None


def contacts(
    session: Session, role: Role, *, organisation_id: int | None = None, initiative_id: int | None = None
) -> list[Contact]:
    """Who has the role there, then who is invited to it."""
    holders = session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.role == role,
            RoleGrant.ended_at.is_(None),
            RoleGrant.organisation_id == organisation_id,
            RoleGrant.initiative_id == initiative_id,
        )
        .order_by(User.last_name, User.id)
    )
    invited = session.scalars(
        select(Invitation)
        .where(
            Invitation.role == role,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.organisation_id == organisation_id,
            Invitation.initiative_id == initiative_id,
        )
        .order_by(Invitation.id)
    )
    return [Contact(u.name, u.email, None) for u in holders] + [
        Contact(f"{i.first_name} {i.last_name}".strip(), i.email, i.public_id) for i in invited
    ]


def place_of_invitation(session: Session, invitation: Invitation) -> UUID:
    """The public id of the organisation or initiative that somebody is invited to."""
    if invitation.initiative_id is not None:
        return session.get_one(Initiative, invitation.initiative_id).public_id
    return session.get_one(Organisation, invitation.organisation_id).public_id


# --- HR's lists -----------------------------------------------------------------------------------------------------


def company(session: Session, organisation_id: int) -> Organisation:
    """A company with its policy."""
    return session.scalars(
        select(Organisation)
        .where(Organisation.id == organisation_id)
        .options(selectinload(Organisation.policy).selectinload(CompanyPolicy.excluded_causes))
    ).one()


def departments(session: Session, organisation_id: int) -> list[str]:
    """The departments that a company's active people are in, now or at any time."""
    return list(
        session.scalars(
            select(EmploymentTerms.department)
            .join(Employment, Employment.id == EmploymentTerms.employment_id)
            .where(
                Employment.organisation_id == organisation_id,
                Employment.state == "active",
                EmploymentTerms.department.is_not(None),
            )
            .distinct()
            .order_by(EmploymentTerms.department)
        )
    )


@dataclass(frozen=True)
class StaffRow:
    """Somebody on the staff list. `access`: signs_in, invited, not_invited or left."""

    public_id: UUID
    name: str
    number: str
    email: str
    department: str
    municipality: str
    end_date: date | None
    access: str


def staff(
    session: Session,
    organisation_id: int,
    *,
    day: date,
    now: datetime,
    search: str = "",
    access: str = "",
    after: UUID | None = None,
) -> list[StaffRow]:
    """A page of a company's people by name, and one more when there are others. Two more statements for their terms."""
    invited = _invited(now)
    query = (
        select(Employment, invited.label("invited"))
        .where(Employment.organisation_id == organisation_id)
        .options(selectinload(Employment.terms).joinedload(EmploymentTerms.site))
        .order_by(func.lower(Employment.last_name), func.lower(Employment.first_name), Employment.id)
        .limit(PAGE + 1)
    )
    active = Employment.state == "active"
    conditions = {
        "left": ~active,
        "signs_in": and_(active, Employment.user_id.is_not(None)),
        "invited": and_(active, Employment.user_id.is_(None), invited),
        "not_invited": and_(active, Employment.user_id.is_(None), ~invited),
    }
    query = query.where(conditions.get(access, active))
    for word in search.lower().split()[:5]:
        query = query.where(_found(word))
    if after is not None:
        last = session.execute(
            select(func.lower(Employment.last_name), func.lower(Employment.first_name), Employment.id).where(
                Employment.public_id == after, Employment.organisation_id == organisation_id
            )
        ).first()
        if last is not None:
            query = query.where(_beyond(last[0], last[1], last[2]))
    return [_staff_row(employment, bool(asked), day) for employment, asked in session.execute(query)]


def _found(word: str) -> ColumnElement[bool]:
    return or_(
        func.lower(Employment.first_name).contains(word, autoescape=True),
        func.lower(Employment.last_name).contains(word, autoescape=True),
        func.lower(Employment.employee_number).contains(word, autoescape=True),
        Employment.email.contains(word, autoescape=True),
        exists().where(
            EmploymentTerms.employment_id == Employment.id,
            func.lower(EmploymentTerms.department).contains(word, autoescape=True),
        ),
    )


def _beyond(last_name: str, first_name: str, id_: int) -> ColumnElement[bool]:
    last, first = func.lower(Employment.last_name), func.lower(Employment.first_name)
    return or_(
        last > last_name,
        and_(last == last_name, first > first_name),
        and_(last == last_name, first == first_name, Employment.id > id_),
    )


def _invited(now: datetime) -> ColumnElement[bool]:
    return exists().where(
        Invitation.employment_id == Employment.id,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > now,
    )


def _staff_row(employment: Employment, invited: bool, day: date) -> StaffRow:
    terms = employment.terms_on(day)
    if employment.state != "active":
        access = "left"
    elif employment.user_id is not None:
        access = "signs_in"
    else:
        access = "invited" if invited else "not_invited"
    return StaffRow(
        public_id=employment.public_id,
        name=employment.name,
        number=employment.employee_number,
        email=employment.email,
        department=(terms.department or "") if terms else "",
        municipality=terms.site.municipality if terms and terms.site else "",
        end_date=employment.end_date,
        access=access,
    )


@dataclass(frozen=True)
class StaffCounts:
    active: int
    signs_in: int
    invited: int

    @property
    def not_invited(self) -> int:
        return self.active - self.signs_in - self.invited


def staff_counts(session: Session, organisation_id: int, *, now: datetime) -> StaffCounts:
    """How many people there are, and how many of them can sign in. One statement."""
    tied = Employment.user_id.is_not(None)
    row = session.execute(
        select(
            func.count(),
            func.count().filter(tied),
            func.count().filter(~tied, _invited(now)),
        )
        .select_from(Employment)
        .where(Employment.organisation_id == organisation_id, Employment.state == "active")
    ).one()
    return StaffCounts(*row)


def staff_member(session: Session, organisation_id: int, public_id: UUID) -> Employment:
    """One of a company's people.

    Raises NotFound, also for one of another company.
    """
    found = session.scalar(
        select(Employment)
        .where(Employment.public_id == public_id, Employment.organisation_id == organisation_id)
        .options(selectinload(Employment.terms).joinedload(EmploymentTerms.site))
    )
    if found is None:
        raise NotFound(_l("We can't find that."))
    return found


# --- forms ----------------------------------------------------------------------------------------------------------


def terms_by_kind(session: Session) -> dict[TermKind, list[Term]]:
    """Work forms, functions and roles, each in its order. One statement."""
    found: dict[TermKind, list[Term]] = {kind: [] for kind in TermKind}
    for term in session.scalars(select(Term).order_by(Term.position, Term.id)):
        found[term.kind].append(term)
    return found


def places_of_actor(session: Session, actor: Actor) -> tuple[Sequence[Organisation], Sequence[Initiative]]:
    """The companies and the initiatives that somebody acts for, by name."""
    companies = [g.organisation_id for g in actor.grants if g.organisation_id is not None]
    own = actor.initiatives()
    return (
        session.scalars(
            select(Organisation).where(Organisation.id.in_(companies)).order_by(Organisation.name)
        ).all(),
        session.scalars(select(Initiative).where(Initiative.id.in_(own)).order_by(Initiative.name)).all(),
    )
