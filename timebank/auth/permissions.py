"""What each role may do: the one table. Deny by default; what is one's own is checked by the service besides."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from timebank.auth.actor import Actor
from timebank.auth.models import Role
from timebank.errors import NotFound, NotPermitted

COMPANY = frozenset({Role.HR})
OPERATOR = frozenset({Role.OPERATOR})
COORDINATOR = frozenset({Role.COORDINATOR})

RULES: dict[str, frozenset[Role]] = {
    # employees, on what is their own
    "pledge.make": frozenset({Role.EMPLOYEE}),
    "match.answer_as_coach": frozenset({Role.EMPLOYEE}),
    "session.plan": frozenset({Role.EMPLOYEE}),
    "hours.log": frozenset({Role.EMPLOYEE}),
    # the company
    "pledge.approve": frozenset({Role.HR, Role.MANAGER, Role.OPERATOR}),
    "staff.import": COMPANY | OPERATOR,
    "staff.see": COMPANY,
    "staff.invite": COMPANY,
    "pledges.import": COMPANY | OPERATOR,
    "policy.change": COMPANY,
    "agreement.accept_as_company": COMPANY,
    "period.close": COMPANY,
    "report.see": frozenset({Role.HR, Role.AUDITOR}),
    "report.set": COMPANY,
    "report.audit": frozenset({Role.AUDITOR}),
    # the initiative
    "request.make": COORDINATOR,
    "match.answer_as_initiative": COORDINATOR,
    "initiative.change": COORDINATOR,
    "hours.confirm": COORDINATOR,
    "agreement.accept_as_initiative": COORDINATOR,
    # the operator
    "admission.decide": OPERATOR,
    "organisation.import": OPERATOR,
    "organisation.invite": OPERATOR,
    "request.review": OPERATOR,
    "run.see": OPERATOR,
    "run.request": OPERATOR,
    "run.decide": OPERATOR,
    "weights.change": OPERATOR,
    "run_policy.change": OPERATOR,
    "pair.decide": OPERATOR,
}


def allowed(
    actor: Actor, action: str, *, organisation_id: int | None = None, initiative_id: int | None = None
) -> bool:
    """Whether the actor has a role that allows `action` there. The system may do what its rules make it do."""
    if actor.is_system:
        return True
    roles = RULES[action]
    return any(
        g.role in roles
        and (
            g.role == Role.OPERATOR
            or (g.organisation_id is not None and g.organisation_id == organisation_id)
            or (g.initiative_id is not None and g.initiative_id == initiative_id)
        )
        for g in actor.grants
    )


def require(
    actor: Actor, action: str, *, organisation_id: int | None = None, initiative_id: int | None = None
) -> None:
    """Go on only if `action` is allowed.

    Raises NotPermitted when the actor has another role there, and NotFound when it has none: a stranger does not even
    learn that the thing exists.
    """
    if allowed(actor, action, organisation_id=organisation_id, initiative_id=initiative_id):
        return
    inside = any(
        (organisation_id is not None and g.organisation_id == organisation_id)
        or (initiative_id is not None and g.initiative_id == initiative_id)
        for g in actor.grants
    )
    if inside or (organisation_id is None and initiative_id is None):
        raise NotPermitted(_l("Your role does not allow this."))
    raise NotFound(_l("We can't find that."))
