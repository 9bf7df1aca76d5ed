"""Who may decide on a pledge: HR, the manager where the policy says so, the operator when nobody else is left; never
oneself."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.auth.models import Role
from timebank.errors import NotFound, NotPermitted
from timebank.organisations.models import Approval, CompanyPolicy
from timebank.pledges import holds, queries
from timebank.pledges.models import Pledge


def policy_of(session: Session, organisation_id: int) -> CompanyPolicy | None:
    return session.scalar(select(CompanyPolicy).where(CompanyPolicy.organisation_id == organisation_id))


def require_approver(session: Session, actor: Actor, pledge: Pledge, day: date) -> None:
    """Go on only if the actor may decide on this pledge.

    Raises NotPermitted for one's own pledge, for one whose hours the actor confirmed for an initiative, and for a
    colleague without the role; NotFound for anybody else.
    """
    employment = pledge.employment
    company = employment.organisation_id
    permissions.require(actor, "pledge.approve", organisation_id=company)
    if actor.is_system:
        return
    if employment.user_id == actor.user_id:
        raise NotPermitted(
            _l("You cannot decide on your own pledge. Somebody else of HR does, or the operator.")
        )
    if actor.user_id is not None and holds.confirmed_hours(session, pledge.id, actor.user_id):
        raise NotPermitted(
            _l(
                "You confirmed hours of this pledge for the initiative. Somebody else decides on it for the company."
            )
        )
    if company in actor.organisations(Role.HR):
        return
    if company in actor.organisations(Role.MANAGER):
        policy = policy_of(session, company)
        if policy is not None and policy.approval == Approval.MANAGER:
            manager = queries.manager_of(session, employment, day)
            if manager is not None and manager.id == actor.user_id:
                return
    if actor.has(Role.OPERATOR) and not queries.other_hr(session, employment):
        return
    raise NotFound(_l("We can't find that pledge."))
