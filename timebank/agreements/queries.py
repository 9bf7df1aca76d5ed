"""Reads of agreements."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from timebank.agreements.models import LIVE_STATES, Agreement, AgreementState
from timebank.auth.actor import Actor
from timebank.auth.models import Role
from timebank.errors import NotFound
from timebank.organisations.models import Employment


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """HR and auditors of the company, co-ordinators of the initiative, and the coach it is about. A standing one names
    nobody: every employee of the company may read what holds for their coaching."""
    own = exists().where(
        Employment.user_id == actor.user_id,
        or_(
            Employment.id == Agreement.employment_id,
            and_(Agreement.match_id.is_(None), Employment.organisation_id == Agreement.organisation_id),
        ),
    )
    return or_(
        Agreement.organisation_id.in_(actor.organisations(Role.HR, Role.AUDITOR)),
        Agreement.initiative_id.in_(actor.initiatives()),
        own,
    )


def agreement(session: Session, public_id: UUID, *, actor: Actor) -> Agreement:
    """One agreement that the actor may read.

    Raises NotFound.
    """
    statement = (
        select(Agreement)
        .where(Agreement.public_id == public_id, visible_to(actor))
        .options(joinedload(Agreement.organisation), joinedload(Agreement.initiative))
    )
    found = session.scalar(statement)
    if found is None:
        raise NotFound("agreement")
    return found


def of_company(session: Session, organisation_id: int, *, limit: int = 200) -> Sequence[Agreement]:
    """A company's agreements, those that wait first, then the newest. One statement."""
    return _listed(session, Agreement.organisation_id == organisation_id, limit)


def of_initiative(session: Session, initiative_id: int, *, limit: int = 200) -> Sequence[Agreement]:
    """An initiative's agreements, those that wait first, then the newest. One statement."""
    return _listed(session, Agreement.initiative_id == initiative_id, limit)


def _listed(session: Session, where: ColumnElement[bool], limit: int) -> Sequence[Agreement]:
    waits = case((Agreement.state.in_((AgreementState.DRAFTED, AgreementState.HALF)), 0), else_=1)
    statement = (
        select(Agreement)
        .where(where)
        .options(joinedload(Agreement.organisation), joinedload(Agreement.initiative))
        .order_by(waits, Agreement.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


def for_match(
    session: Session, *, organisation_id: int, initiative_id: int, match_id: int
) -> Agreement | None:
    """What holds, or waits to hold, for one match: its own, else the standing one of the two."""
    statement = (
        select(Agreement)
        .where(
            Agreement.organisation_id == organisation_id,
            Agreement.initiative_id == initiative_id,
            Agreement.state.in_(LIVE_STATES),
            or_(Agreement.match_id == match_id, Agreement.match_id.is_(None)),
        )
        .order_by(
            case((Agreement.state == AgreementState.IN_FORCE, 0), else_=1),
            case((Agreement.match_id == match_id, 0), else_=1),
        )
        .limit(1)
    )
    return session.scalar(statement)


def waiting_for_company(session: Session, organisation_id: int) -> Sequence[Agreement]:
    """Texts that HR has not accepted yet. One statement."""
    return session.scalars(
        select(Agreement)
        .where(
            Agreement.organisation_id == organisation_id,
            Agreement.state.in_((AgreementState.DRAFTED, AgreementState.HALF)),
            Agreement.company_accepted_at.is_(None),
        )
        .options(joinedload(Agreement.initiative))
        .order_by(Agreement.id)
    ).all()


def waiting_for_initiative(session: Session, initiative_id: int) -> Sequence[Agreement]:
    """Texts that the initiative has not accepted yet. One statement."""
    return session.scalars(
        select(Agreement)
        .where(
            Agreement.initiative_id == initiative_id,
            Agreement.state.in_((AgreementState.DRAFTED, AgreementState.HALF)),
            Agreement.initiative_accepted_at.is_(None),
        )
        .options(joinedload(Agreement.organisation))
        .order_by(Agreement.id)
    ).all()
