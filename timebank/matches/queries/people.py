"""Who hears of matches."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from timebank.auth.models import Role, RoleGrant, User
from timebank.coaching.models import CoachingRequest
from timebank.matches.models import (
    Match,
)
from timebank.matches.queries.portions import chunks


def coordinators_of(session: Session, initiative_ids: Collection[int]) -> dict[int, list[User]]:
    """People who co-ordinate each of these initiatives now."""
    people: dict[int, list[User]] = {}
    for part in chunks(sorted(initiative_ids)):
        rows = session.execute(
            select(RoleGrant.initiative_id, User)
            .join(User, User.id == RoleGrant.user_id)
            .where(
                RoleGrant.role == Role.COORDINATOR,
                RoleGrant.ended_at.is_(None),
                RoleGrant.initiative_id.in_(part),
                User.disabled_at.is_(None),
            )
            .order_by(User.id)
        )
        for initiative_id, user in rows:
            if initiative_id is not None:
                people.setdefault(initiative_id, []).append(user)
    return people


def for_proposal_mails(session: Session, matches: Sequence[Match]) -> list[object]:
    """Texts, initiatives and logins that mails about these matches speak of, for the caller to hold."""
    held: list[object] = []
    for part in chunks(sorted({m.request_id for m in matches})):
        held += session.scalars(
            select(CoachingRequest)
            .where(CoachingRequest.id.in_(part))
            .options(selectinload(CoachingRequest.texts), joinedload(CoachingRequest.initiative))
        ).all()
    users = {m.employment.user_id for m in matches if m.employment.user_id is not None}
    for part in chunks(sorted(users)):
        held += session.scalars(select(User).where(User.id.in_(part))).all()
    return held


def coordinators(session: Session, initiative_id: int) -> Sequence[User]:
    """People who co-ordinate an initiative now."""
    grant = aliased(RoleGrant)
    return session.scalars(
        select(User)
        .join(grant, and_(grant.user_id == User.id, grant.ended_at.is_(None)))
        .where(
            grant.role == Role.COORDINATOR,
            grant.initiative_id == initiative_id,
            User.disabled_at.is_(None),
        )
        .order_by(User.id)
    ).all()


def hr_people(session: Session, organisation_id: int) -> Sequence[User]:
    """People who act as HR of a company now."""
    grant = aliased(RoleGrant)
    return session.scalars(
        select(User)
        .join(grant, and_(grant.user_id == User.id, grant.ended_at.is_(None)))
        .where(grant.role == Role.HR, grant.organisation_id == organisation_id, User.disabled_at.is_(None))
        .order_by(User.id)
    ).all()
