"""A company's people: invited by HR, tied to a login by their own acceptance, and leaving."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth import service as auth
from timebank.auth.actor import SYSTEM, Actor
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.errors import Conflict, Invalid, NotFound, WrongState
from timebank.organisations.events import EmployeeInvited, EmploymentLeft, EmploymentTied
from timebank.organisations.models import (
    Admission,
    CompanyPolicy,
    Employment,
    EmploymentTerms,
    Organisation,
    Site,
)
from timebank.taxonomy import queries as taxonomy

MOST_AT_ONCE: Final = 300
SAME_CLICK: Final = timedelta(minutes=1)


# --- invitations ----------------------------------------------------------------------------------------------------


def invite_employee(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> Invitation:
    """Mail somebody on the staff list a link that opens an account; an earlier link stops working.

    A second click within `SAME_CLICK` sends nothing more.
    Raises NotFound, NotPermitted, WrongState when the person left or has an account.
    """
    employment = _of_company(session, public_id, "staff.invite", actor)
    if employment.state != "active" or employment.user_id is not None:
        raise WrongState(_l("This person left, or signs in already."))
    just_sent = session.scalar(
        select(Invitation).where(
            Invitation.employment_id == employment.id,
            Invitation.withdrawn_at.is_(None),
            Invitation.created_at > now - SAME_CLICK,
        )
    )
    if just_sent is not None:
        return just_sent
    return _invite(session, employment, actor=actor, now=now)


def invite_all(session: Session, organisation_id: int, *, actor: Actor, now: datetime) -> int:
    """Invite people on the staff list whom nobody invited yet, `MOST_AT_ONCE` at a time; returns how many.

    Raises NotFound, NotPermitted.
    """
    permissions.require(actor, "staff.invite", organisation_id=organisation_id)
    waiting = session.scalars(
        select(Employment)
        .where(
            Employment.organisation_id == organisation_id,
            Employment.state == "active",
            Employment.user_id.is_(None),
            ~exists().where(
                Invitation.employment_id == Employment.id,
                Invitation.withdrawn_at.is_(None),
                Invitation.expires_at > now,
            ),
        )
        .order_by(Employment.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for employment in waiting:
        _invite(session, employment, actor=actor, now=now)
    return len(waiting)


def _invite(session: Session, employment: Employment, *, actor: Actor, now: datetime) -> Invitation:
    company = session.get_one(Organisation, employment.organisation_id)
    invitation = auth.invite(
        session,
        email=employment.email,
        role=Role.EMPLOYEE,
        organisation_id=employment.organisation_id,
        employment_id=employment.id,
        first_name=employment.first_name,
        last_name=employment.last_name,
        language=employment.language,
        actor=actor,
        now=now,
        inviter=company.name,
    )
    events.record(
        session,
        EmployeeInvited(
            actor=actor,
            at=now,
            subject=employment.public_id,
            organisation_id=employment.organisation_id,
            employment_id=employment.id,
        ),
    )
    return invitation


def tie(session: Session, employment_id: int, user_id: int, *, actor: Actor, now: datetime) -> Employment:
    """Give an employment its login, as its own person accepted; with it come the roles.

    Raises Conflict when the employment or that person's place in the company is taken, WrongState when it ended.
    """
    employment = session.get_one(Employment, employment_id, with_for_update=True)
    if employment.state != "active":
        raise WrongState(_l("This employment has ended. Ask your company."))
    if employment.user_id == user_id:
        return employment
    taken = session.scalar(
        select(Employment.id).where(
            Employment.organisation_id == employment.organisation_id,
            Employment.user_id == user_id,
            Employment.state == "active",
        )
    )
    if employment.user_id is not None or taken is not None:
        raise Conflict(
            _l("This account or this place on the staff list is in use already. Ask your company.")
        )
    employment.user_id = user_id
    session.flush()
    events.record(
        session,
        EmploymentTied(
            actor=actor,
            at=now,
            subject=employment.public_id,
            organisation_id=employment.organisation_id,
            employment_id=employment.id,
            user_id=user_id,
        ),
    )
    auth.grant_role(
        session,
        session.get_one(User, user_id),
        Role.EMPLOYEE,
        organisation_id=employment.organisation_id,
        actor=actor,
        now=now,
    )
    grant_managers(session, employment.organisation_id, actor=SYSTEM, now=now)
    return employment


def grant_managers(session: Session, organisation_id: int, *, actor: Actor, now: datetime) -> int:
    """Give the role of manager to those who are named as such in somebody's terms; returns to how many.

    Call it after a change of the staff list.
    """
    person, member = aliased(Employment), aliased(Employment)
    named = (
        exists()
        .where(EmploymentTerms.employment_id == member.id, EmploymentTerms.manager_email == person.email)
        .where(member.organisation_id == organisation_id, member.state == "active")
    )
    granted = exists().where(
        RoleGrant.user_id == person.user_id,
        RoleGrant.organisation_id == organisation_id,
        RoleGrant.role == Role.MANAGER,
        RoleGrant.ended_at.is_(None),
    )
    managers = session.scalars(
        select(User)
        .join(person, person.user_id == User.id)
        .where(person.organisation_id == organisation_id, person.state == "active", named, ~granted)
    ).all()
    for user in managers:
        auth.grant_role(session, user, Role.MANAGER, organisation_id=organisation_id, actor=actor, now=now)
    return len(managers)


def grant_employees(session: Session, employment_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Give those of these active employments that have a login the role that ended when they left; returns how many.

    Call it after employments were opened again.
    """
    users = session.execute(
        select(User, Employment.organisation_id)
        .join(Employment, Employment.user_id == User.id)
        .where(Employment.id.in_(employment_ids), Employment.state == "active")
        .order_by(Employment.id)
    ).all()
    for user, organisation_id in users:
        auth.grant_role(session, user, Role.EMPLOYEE, organisation_id=organisation_id, actor=actor, now=now)
    return len(users)


# --- employments ----------------------------------------------------------------------------------------------------


def employment_of(session: Session, actor: Actor, organisation_id: int) -> Employment:
    """The actor's own active employment in a company.

    Raises NotFound.
    """
    found = session.scalar(
        select(Employment).where(
            Employment.organisation_id == organisation_id,
            Employment.user_id == actor.user_id,
            Employment.user_id.is_not(None),
            Employment.state == "active",
        )
    )
    if found is None:
        raise NotFound(_l("We can't find that."))
    return found


def ensure_site(session: Session, organisation: Organisation, postcode: str) -> Site:
    """The company's site at a postcode, made where there is none. Its municipality is kept as it is called today.

    Raises Invalid where Belgium has no such postcode.
    """
    site = session.scalar(
        select(Site).where(Site.organisation_id == organisation.id, Site.postcode == postcode)
    )
    if site is not None:
        return site
    place = taxonomy.postcode(session, postcode)
    if place is None:
        message = _("Belgium has no postcode %(code)s.", code=postcode)
        raise Invalid(message, {"postcode": message})
    name = place.municipality.name(organisation.language)
    site = Site(
        organisation_id=organisation.id, name=name, postcode=postcode, nis=place.nis, municipality=name
    )
    session.add(site)
    session.flush()  # gives it its id
    return site


def set_terms(
    session: Session,
    employment: Employment,
    *,
    valid_from: date,
    department: str | None,
    site: Site | None,
    fte: Decimal,
    manager_email: str | None,
) -> EmploymentTerms:
    """Let department, site, working time and manager hold from a date; the same date again corrects them."""
    terms = next((t for t in employment.terms if t.valid_from == valid_from), None)
    if terms is None:
        terms = EmploymentTerms(valid_from=valid_from)
        employment.terms.append(terms)
        employment.terms.sort(key=lambda t: t.valid_from)
    terms.department, terms.site, terms.fte = department, site, fte
    terms.manager_email = manager_email.lower() if manager_email else None
    session.flush()
    return terms


def end_employment(
    session: Session, public_id: UUID, end_date: date, *, actor: Actor, now: datetime
) -> Employment:
    """HR says when somebody leaves, or left: a day to come is kept, and closes the employment when it is over.

    Raises NotFound, NotPermitted, WrongState, Invalid for a day before the first.
    """
    employment = _of_company(session, public_id, "staff.import", actor)
    if employment.state != "active":
        raise WrongState(_l("This person left already."))
    if employment.start_date is not None and end_date < employment.start_date:
        message = _("The last day cannot come before the first.")
        raise Invalid(message, {"end_date": message})
    if end_date >= clock.local_date(now):
        employment.end_date = end_date
        session.flush()
        return employment
    return close_employment(session, employment, end_date, actor=actor, now=now)


def close_employment(
    session: Session, employment: Employment, end_date: date, *, actor: Actor, now: datetime
) -> Employment:
    """End an employment with the roles that came with it; its pledges end by the event. Again: changes nothing.

    Raises NotFound, NotPermitted.
    """
    permissions.require(actor, "staff.import", organisation_id=employment.organisation_id)
    if employment.state != "active":
        return employment
    employment.state, employment.end_date = "left", end_date
    session.execute(
        update(Invitation)
        .where(
            Invitation.employment_id == employment.id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )
    if employment.user_id is not None:
        user = session.get_one(User, employment.user_id)
        for role in (Role.EMPLOYEE, Role.MANAGER):
            auth.end_role(
                session, user, role, organisation_id=employment.organisation_id, actor=actor, now=now
            )
    session.flush()
    events.record(
        session,
        EmploymentLeft(
            actor=actor,
            at=now,
            subject=employment.public_id,
            organisation_id=employment.organisation_id,
            employment_id=employment.id,
            end_date=end_date,
        ),
    )
    return employment


def close_ended(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Close the employments whose last day is over, and those of companies that left for good; returns how many."""
    today = clock.local_date(now)
    ended = session.execute(
        select(Employment, Organisation.decided_at)
        .join(Organisation, Organisation.id == Employment.organisation_id)
        .where(
            Employment.state == "active",
            or_(Employment.end_date < today, Organisation.admission == Admission.CLOSED),
        )
        .order_by(Employment.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Employment)
    ).all()
    for employment, decided_at in ended:
        last = employment.end_date
        if last is None or last >= today:
            left = clock.local_date(decided_at or now)
            last = max(left, employment.start_date or left)
        close_employment(session, employment, last, actor=SYSTEM, now=now)
    return len(ended)


def may_pledge(employment: Employment, policy: CompanyPolicy | None, day: date) -> None:
    """Whether the company lets this person pledge on `day`.

    Raises Invalid, saying why not.
    """
    if employment.organisation.admission != Admission.ADMITTED:
        raise Invalid(_("Your company does not take part at the moment."))
    if policy is None:
        return
    allowed = {str(name).casefold() for name in policy.eligible_departments}
    terms = employment.terms_on(day)
    department = (terms.department or "").casefold() if terms else ""
    if allowed and department not in allowed:
        raise Invalid(_("Your company lets other departments pledge hours, not yours yet. Ask HR."))
    if employment.start_date is not None and _months_between(employment.start_date, day) < policy.min_months:
        raise Invalid(
            _(
                "Your company lets people pledge hours after %(months)s months of service.",
                months=policy.min_months,
            )
        )


def _months_between(start: date, day: date) -> int:
    months = (day.year - start.year) * 12 + day.month - start.month
    return months - (day.day < start.day)


def _of_company(session: Session, public_id: UUID, action: str, actor: Actor) -> Employment:
    employment = session.scalar(select(Employment).where(Employment.public_id == public_id).with_for_update())
    if employment is None:
        raise NotFound(_l("We can't find that."))
    permissions.require(actor, action, organisation_id=employment.organisation_id)
    return employment
