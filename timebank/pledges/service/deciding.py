"""Approving and refusing: hours are granted in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth.actor import Actor
from timebank.errors import Conflict, Expired, WrongState
from timebank.ledger import service as ledger
from timebank.pledges.approval import require_approver
from timebank.pledges.events import PledgeApproved, PledgeRefused
from timebank.pledges.facts import facts_of
from timebank.pledges.models import Pledge, PledgeState
from timebank.pledges.service.loading import lock, lock_many, move, reason_of, require
from timebank.web.format import hours


def approve_pledge(
    session: Session,
    public_id: uuid.UUID,
    *,
    actor: Actor,
    now: datetime,
    seen_minutes: int | None = None,
) -> Pledge:
    """Approve a pledge, which grants its hours tranche by tranche; one that is approved stays as it is.

    `seen_minutes` is what the approver had before them: when the employee changed it meanwhile, nothing is approved.
    Raises NotFound, NotPermitted (one's own), WrongState, Expired, Conflict.
    """
    pledge = lock(session, public_id)
    require_approver(session, actor, pledge, clock.local_date(now))
    if pledge.state == PledgeState.APPROVED:
        return pledge
    require(pledge, "approve")
    if seen_minutes is not None and seen_minutes != pledge.minutes:
        raise Conflict(
            _l(
                "%(name)s changed this pledge to %(hours)s meanwhile. Look at it again.",
                name=pledge.employment.name,
                hours=hours(pledge.minutes),
            )
        )
    if pledge.until_date < clock.local_date(now):
        raise Expired(_l("The period of this pledge has passed."))
    if pledge.employment.state != "active":
        raise WrongState(_l("This person no longer works for the company."))
    grant_approval(session, pledge, actor, now)
    return pledge


def approve_many(
    session: Session,
    chosen: Sequence[tuple[uuid.UUID, int | None]],
    *,
    actor: Actor,
    now: datetime,
) -> list[Pledge]:
    """Approve several pledges, given with the minutes that the approver saw; all of them or, with an error, none."""
    seen = dict(chosen)
    return [
        approve_pledge(session, i, actor=actor, now=now, seen_minutes=seen[i])
        for i in lock_many(session, list(seen))
    ]


def grant_approval(session: Session, pledge: Pledge, actor: Actor, now: datetime) -> None:
    move(pledge, "approve")
    pledge.approved_at = now
    pledge.approved_by_id = actor.user_id
    for tranche in pledge.tranches:
        ledger.grant(
            session,
            organisation_id=pledge.employment.organisation_id,
            tranche=tranche.public_id,
            minutes=tranche.minutes,
            activity_date=tranche.from_date,
            facts=facts_of(pledge.employment, tranche.from_date),
            actor_label=actor.label,
            now=now,
            key=f"tranche:{tranche.public_id}:granted",
        )
    session.flush()
    events.record(
        session,
        PledgeApproved(
            actor=actor,
            at=now,
            subject=pledge.public_id,
            organisation_id=pledge.employment.organisation_id,
            pledge_id=pledge.id,
            employment_id=pledge.employment_id,
            minutes=pledge.minutes,
        ),
    )


def refuse_pledge(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> Pledge:
    """Refuse a pledge with a reason that its employee reads. Raises NotFound, NotPermitted, WrongState, Invalid."""
    pledge = lock(session, public_id)
    require_approver(session, actor, pledge, clock.local_date(now))
    if pledge.state == PledgeState.REFUSED:
        return pledge
    reason = reason_of(reason)
    move(pledge, "refuse")
    pledge.refused_reason = reason
    session.flush()
    events.record(
        session,
        PledgeRefused(
            actor=actor,
            at=now,
            subject=pledge.public_id,
            organisation_id=pledge.employment.organisation_id,
            pledge_id=pledge.id,
            employment_id=pledge.employment_id,
        ),
    )
    return pledge


def refuse_many(
    session: Session, public_ids: Sequence[uuid.UUID], reason: str, *, actor: Actor, now: datetime
) -> list[Pledge]:
    """Refuse several pledges for one reason; all of them or, with an error, none."""
    ids = lock_many(session, public_ids)
    return [refuse_pledge(session, i, reason, actor=actor, now=now) for i in ids]
