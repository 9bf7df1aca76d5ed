"""Companies: invited by the operator, with a policy that their HR sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import permissions
from timebank.auth import service as auth
from timebank.auth.actor import Actor
from timebank.auth.models import Invitation, Role
from timebank.errors import Invalid, NotFound, WrongState
from timebank.organisations import queries
from timebank.organisations.events import OrganisationAdmitted, PolicyChanged
from timebank.organisations.models import Admission, Approval, CompanyPolicy, Initiative, Organisation
from timebank.organisations.numbers import enterprise_number
from timebank.taxonomy.models import Cause


def invite_company(
    session: Session,
    name: str,
    number: str,
    hr_name: str,
    hr_email: str,
    language: str,
    *,
    actor: Actor,
    now: datetime,
) -> Organisation:
    """Admit a company and invite its first HR person. An organisation that hosts initiatives may become one too.

    Raises NotPermitted, Invalid for a wrong number or a company that is there already.
    """
    permissions.require(actor, "organisation.invite")
    digits = enterprise_number(number)
    company = session.scalar(
        select(Organisation).where(Organisation.enterprise_number == digits).with_for_update()
    )
    if company is not None and (company.is_company or company.admission == Admission.SUSPENDED):
        message = _("%(name)s has this number and is already here.", name=company.name)
        raise Invalid(message, {"enterprise_number": message})
    if company is None:
        company = Organisation(
            slug=queries.free_slug(session, Organisation, name),
            name=name,
            enterprise_number=digits,
            language=language,
            applied_at=now,
        )
        session.add(company)
    company.is_company = True
    company.admission, company.admission_reason, company.decided_at = Admission.ADMITTED, None, now
    session.flush()  # gives it its ids
    session.add(CompanyPolicy(organisation_id=company.id, approval=Approval.HR, updated_at=now))
    session.flush()
    events.record(
        session,
        OrganisationAdmitted(actor=actor, at=now, subject=company.public_id, organisation_id=company.id),
    )
    _invite_hr(session, company, hr_name, hr_email, language, actor=actor, now=now)
    return company


def invite_hr(
    session: Session,
    organisation_id: int,
    name: str,
    email: str,
    language: str,
    *,
    actor: Actor,
    now: datetime,
) -> Invitation:
    """Invite one more person who manages the company.

    Raises NotFound, NotPermitted.
    """
    permissions.require(actor, "staff.invite", organisation_id=organisation_id)
    company = session.get_one(Organisation, organisation_id)
    return _invite_hr(session, company, name, email, language, actor=actor, now=now)


def _invite_hr(
    session: Session,
    company: Organisation,
    name: str,
    email: str,
    language: str,
    *,
    actor: Actor,
    now: datetime,
) -> Invitation:
    first, _space, last = name.partition(" ")
    return auth.invite(
        session,
        email=email,
        role=Role.HR,
        organisation_id=company.id,
        first_name=first,
        last_name=last,
        language=language,
        actor=actor,
        now=now,
        inviter=company.name,
    )


def invite_again(session: Session, invitation_id: UUID, *, actor: Actor, now: datetime) -> Invitation:
    """Send HR or a co-ordinator a new link when the first was lost or is over; the first stops working.

    Raises NotFound, NotPermitted, WrongState when it was accepted.
    """
    old = session.scalar(select(Invitation).where(Invitation.public_id == invitation_id).with_for_update())
    if old is None or old.role not in (Role.HR, Role.COORDINATOR):
        raise NotFound(_l("We can't find that."))
    permissions.require(
        actor,
        "organisation.invite",
        organisation_id=old.organisation_id,
        initiative_id=old.initiative_id,
    )
    if old.accepted_at is not None or old.withdrawn_at is not None:
        raise WrongState(
            _l("This invitation was accepted or replaced. Reload the page to see how it stands.")
        )
    place = (
        session.get_one(Organisation, old.organisation_id)
        if old.organisation_id is not None
        else session.get_one(Initiative, old.initiative_id)
    )
    return auth.invite(
        session,
        email=old.email,
        role=old.role,
        organisation_id=old.organisation_id,
        initiative_id=old.initiative_id,
        first_name=old.first_name,
        last_name=old.last_name,
        language=old.language,
        actor=actor,
        now=now,
        inviter=place.name,
    )


@dataclass(frozen=True)
class PolicyChange:
    """A company's rules, all of them. Without `minutes_per_year` there is no cap; no departments means all."""

    minutes_per_year: int | None
    approval: Approval
    eligible_departments: Sequence[str]
    min_months: int
    excluded_cause_ids: Sequence[int]
    names_visible: bool
    late_after_days: int | None = None
    hours_by_name: bool = False
    blackouts: Sequence[tuple[date, date]] = ()


def change_policy(
    session: Session, organisation_id: int, change: PolicyChange, *, actor: Actor, now: datetime
) -> CompanyPolicy:
    """Set a company's rules; they hold for what is pledged from now on.

    Raises NotFound, NotPermitted, Invalid.
    """
    permissions.require(actor, "policy.change", organisation_id=organisation_id)
    if change.minutes_per_year is not None and not 0 <= change.minutes_per_year <= 2000 * 60:
        message = _("Give from 0 to 2000 hours, or leave it empty for no limit.")
        raise Invalid(message, {"minutes_per_year": message})
    if not 0 <= change.min_months <= 120:
        message = _("Give from 0 to 120 months.")
        raise Invalid(message, {"min_months": message})
    if change.late_after_days is not None and not 1 <= change.late_after_days <= 366:
        message = _("Give from 1 to 366 days, or leave it empty for 30.")
        raise Invalid(message, {"late_after_days": message})
    if any(first > last for first, last in change.blackouts):
        message = _("The last day is before the first. Turn them round.")
        raise Invalid(message, {"blackouts": message})
    causes = session.scalars(
        select(Cause).where(Cause.id.in_(change.excluded_cause_ids)).order_by(Cause.position)
    ).all()
    policy = session.scalar(
        select(CompanyPolicy).where(CompanyPolicy.organisation_id == organisation_id).with_for_update()
    )
    if policy is None:
        policy = CompanyPolicy(organisation_id=organisation_id, updated_at=now)
        session.add(policy)
    wanted: dict[str, Any] = {
        "minutes_per_year": change.minutes_per_year,
        "approval": change.approval,
        "eligible_departments": sorted(set(change.eligible_departments)),
        "min_months": change.min_months,
        "names_visible": change.names_visible,
        "late_after_days": change.late_after_days,
        "blackouts": [[first.isoformat(), last.isoformat()] for first, last in sorted(change.blackouts)],
    }
    if change.hours_by_name != (policy.hours_by_name_since is not None):
        wanted["hours_by_name_since"] = now if change.hours_by_name else None
    changed = [name for name, value in wanted.items() if getattr(policy, name) != value]
    if {c.id for c in policy.excluded_causes} != {c.id for c in causes}:
        changed.append("excluded_causes")
    if not changed:
        return policy
    for name, value in wanted.items():
        setattr(policy, name, value)
    policy.excluded_causes = list(causes)
    policy.updated_at = now
    session.flush()
    company = session.get_one(Organisation, organisation_id)
    events.record(
        session,
        PolicyChanged(
            actor=actor,
            at=now,
            subject=company.public_id,
            organisation_id=organisation_id,
            changed=tuple(changed),
        ),
    )
    return policy
