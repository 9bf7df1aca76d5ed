"""A file of companies: each is admitted, gets its policy, and its HR person an invitation."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from timebank.auth import service as auth
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.imports.judge import Judged, Values, Verdict
from timebank.imports.kinds import BaseKind, write_audit
from timebank.imports.registry import Act, Scope, Spec
from timebank.organisations.imports.columns import company_columns
from timebank.organisations.imports.slugs import Slugs
from timebank.organisations.models import Admission, Approval, CompanyPolicy, Organisation


@dataclass
class HeldCompany:
    """What is held of an organisation with a number."""

    id: int
    public_id: uuid.UUID
    is_company: bool
    facts: dict[str, Any]
    # Address → name of HR people, the name None once the person has a login: from then on it is theirs.
    hr: dict[str, str | None] = field(default_factory=dict)


class Companies(BaseKind):
    name = "companies"
    uniques = (("organisation_number",),)

    def __init__(self, session: Session) -> None:
        self.columns = company_columns()
        self.held = _load(session)

    def compare(self, values: Values) -> Verdict:
        held = self.held.get(values["organisation_number"])
        if held is None or not held.is_company:
            return Verdict.NEW
        same = all(held.facts[name] == values[name] for name in held.facts if name in values)
        known_hr = values["hr_email"] in held.hr and held.hr[values["hr_email"]] in (None, values["hr_name"])
        return Verdict.SAME if same and known_hr else Verdict.CHANGED


def _load(session: Session) -> dict[str, HeldCompany]:
    held: dict[str, HeldCompany] = {}
    by_id: dict[int, HeldCompany] = {}
    for organisation, policy in session.execute(
        select(Organisation, CompanyPolicy)
        .outerjoin(CompanyPolicy, CompanyPolicy.organisation_id == Organisation.id)
        .where(Organisation.enterprise_number.is_not(None))
    ):
        facts: dict[str, Any] = {"name": organisation.name, "language": organisation.language}
        if policy is not None:
            facts |= {"hours_per_year": policy.minutes_per_year, "approval": policy.approval.value}
        company = HeldCompany(
            organisation.id,
            organisation.public_id,
            organisation.is_company and organisation.admission == Admission.ADMITTED,
            facts,
        )
        held[organisation.enterprise_number or ""] = by_id[organisation.id] = company
    for organisation_id, email, first, last in session.execute(
        select(
            Invitation.organisation_id, Invitation.email, Invitation.first_name, Invitation.last_name
        ).where(Invitation.role == Role.HR, Invitation.withdrawn_at.is_(None))
    ):
        if organisation_id in by_id:
            by_id[organisation_id].hr[email] = f"{first} {last}".strip()
    for organisation_id, email in session.execute(
        select(RoleGrant.organisation_id, User.email)
        .join(User, User.id == RoleGrant.user_id)
        .where(RoleGrant.role == Role.HR, RoleGrant.ended_at.is_(None))
    ):
        if organisation_id in by_id:
            by_id[organisation_id].hr[email] = None
    return held


def apply(session: Session, kind: Companies, rows: Sequence[Judged], scope: Scope, act: Act) -> None:
    slugs = Slugs(session.scalars(select(Organisation.slug)))
    audit = []
    for row in rows:
        values = row.values or {}
        held = kind.held.get(values["organisation_number"])
        if held is None:
            organisation = Organisation(
                slug=slugs.take(values["name"]),
                name=values["name"],
                enterprise_number=values["organisation_number"],
                is_company=True,
                language=values.get("language", "nl"),
                admission=Admission.ADMITTED,
                applied_at=act.now,
                decided_at=act.now,
                policy=_policy(values, act),
            )
            session.add(organisation)
            session.flush()  # gives it its id
            organisation_id, public_id = organisation.id, organisation.public_id
        else:
            organisation_id, public_id = held.id, held.public_id
            _change(session, held, values, act)
        _invite(session, organisation_id, held, values, act)
        action = "organisation_admitted" if row.verdict is Verdict.NEW else "organisation_changed"
        audit.append((action, public_id, organisation_id, row.row.number))
    write_audit(session, act, audit)


def _policy(values: Values, act: Act) -> CompanyPolicy:
    return CompanyPolicy(
        minutes_per_year=values.get("hours_per_year"),
        approval=Approval(values.get("approval", Approval.HR)),
        updated_at=act.now,
    )


def _change(session: Session, held: HeldCompany, values: Values, act: Act) -> None:
    organisation = session.get_one(Organisation, held.id, with_for_update=True)
    if not held.is_company:
        # A host of initiatives that now takes part as a company, too, or one that was not admitted yet.
        organisation.is_company = True
        organisation.admission, organisation.decided_at = Admission.ADMITTED, act.now
    organisation.name = values["name"]
    organisation.language = values.get("language", organisation.language)
    if organisation.policy is None:
        organisation.policy = _policy(values, act)
        return
    policy = organisation.policy
    policy.minutes_per_year = values.get("hours_per_year", policy.minutes_per_year)
    policy.approval = Approval(values.get("approval", policy.approval))
    policy.updated_at = act.now


def _invite(
    session: Session, organisation_id: int, held: HeldCompany | None, values: Values, act: Act
) -> None:
    first, _, last = values["hr_name"].partition(" ")
    if held is not None and values["hr_email"] in held.hr:
        # Invited before; only the name may have been corrected.
        session.execute(
            update(Invitation)
            .where(
                Invitation.organisation_id == organisation_id,
                Invitation.role == Role.HR,
                Invitation.email == values["hr_email"],
                Invitation.accepted_at.is_(None),
            )
            .values(first_name=first, last_name=last)
        )
        return
    _withdraw_earlier(session, organisation_id, act)
    auth.invite(
        session,
        email=values["hr_email"],
        role=Role.HR,
        organisation_id=organisation_id,
        first_name=first,
        last_name=last,
        language=values.get("language", "nl"),
        actor=act.actor,
        now=act.now,
        inviter=values["name"],
    )


def _withdraw_earlier(session: Session, organisation_id: int, act: Act) -> None:
    """Another HR person than before: an open link of the one before works no longer. Those whom the company's own HR
    people invited are theirs."""
    own_people = select(RoleGrant.user_id).where(
        RoleGrant.organisation_id == organisation_id, RoleGrant.role == Role.HR, RoleGrant.ended_at.is_(None)
    )
    session.execute(
        update(Invitation)
        .where(
            Invitation.organisation_id == organisation_id,
            Invitation.role == Role.HR,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.invited_by_id.is_(None) | Invitation.invited_by_id.not_in(own_people),
        )
        .values(withdrawn_at=act.now)
    )


def _kind(session: Session, scope: Scope, rows: Sequence[Judged] | None) -> Companies:
    return Companies(session)


SPEC = Spec("companies", of_company=False, action="organisation.import", load=_kind, apply=apply)
