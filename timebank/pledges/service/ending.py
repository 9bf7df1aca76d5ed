"""Taking back, expiring, leaving: what nobody was promised lapses."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import SYSTEM, Actor
from timebank.errors import NotFound, WrongState
from timebank.ledger import service as ledger
from timebank.pledges import queries
from timebank.pledges.approval import require_approver
from timebank.pledges.events import PledgeEnded
from timebank.pledges.facts import facts_of
from timebank.pledges.models import EndReason, Pledge, PledgeState
from timebank.pledges.service.loading import lock, lock_employment, lock_many, move, reason_of


def withdraw_pledge(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> Pledge:
    """Take one's own pledge back: what nobody was promised lapses, open proposals are cancelled, and hours reserved
    by confirmed coachings stay. Raises NotFound, WrongState."""
    pledge = lock(session, public_id)
    if actor.user_id is None or pledge.employment.user_id != actor.user_id:
        raise NotFound(_l("We can't find that pledge."))
    permissions.require(actor, "pledge.make", organisation_id=pledge.employment.organisation_id)
    if pledge.end_reason == EndReason.WITHDRAWN:
        return pledge
    end(session, pledge, EndReason.WITHDRAWN, actor, now)
    return pledge


def withdraw_approval(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> Pledge:
    """Take an approval back, with a reason that the employee reads; hours go as when the employee withdraws.

    Raises NotFound, NotPermitted (one's own), WrongState (not approved), Invalid.
    """
    pledge = lock(session, public_id)
    require_approver(session, actor, pledge, clock.local_date(now))
    if pledge.end_reason == EndReason.WITHDRAWN:
        return pledge
    if pledge.state != PledgeState.APPROVED:
        raise WrongState(_l("This pledge is not approved."))
    pledge.end_note = reason_of(reason)
    end(session, pledge, EndReason.WITHDRAWN, actor, now)
    return pledge


def withdraw_approvals(
    session: Session, public_ids: Sequence[uuid.UUID], reason: str, *, actor: Actor, now: datetime
) -> list[Pledge]:
    """Take several approvals back for one reason; all of them or, with an error, none."""
    ids = lock_many(session, public_ids)
    return [withdraw_approval(session, i, reason, actor=actor, now=now) for i in ids]


def expire_pledges(session: Session, *, now: datetime, limit: int = 200) -> int:
    """End up to `limit` pledges whose last day has passed; the number tells whether to come again."""
    due = session.execute(
        select(Pledge.public_id)
        .where(Pledge.state.in_(queries.LIVE), Pledge.until_date < clock.local_date(now))
        .order_by(Pledge.employment_id, Pledge.id)
        .limit(limit)
    ).scalars()
    ended = 0
    for public_id in due.all():
        pledge = lock(session, public_id)
        if pledge.state in queries.LIVE:
            end(session, pledge, EndReason.EXPIRED, SYSTEM, now)
            ended += 1
    return ended


def end_for_leaver(session: Session, employment_id: int, *, actor: events.ActorLike, now: datetime) -> int:
    """End the live pledges of somebody who leaves the company; hours already given can still be confirmed."""
    employment = lock_employment(session, employment_id)
    live = session.scalars(
        select(Pledge)
        .where(Pledge.employment_id == employment.id, Pledge.state.in_(queries.LIVE))
        .options(selectinload(Pledge.tranches))
        .order_by(Pledge.id)
        .with_for_update(key_share=True)
    ).all()
    for pledge in live:
        end(session, pledge, EndReason.LEFT, actor, now)
    return len(live)


def end(session: Session, pledge: Pledge, reason: EndReason, actor: events.ActorLike, now: datetime) -> None:
    was_approved = pledge.state == PledgeState.APPROVED
    move(pledge, "end")
    pledge.end_reason = reason
    pledge.ended_at = now
    session.flush()
    if was_approved:
        lapse_rest(session, pledge, str(reason), actor_label=actor.label, now=now)
    events.record(
        session,
        PledgeEnded(
            actor=actor,
            at=now,
            subject=pledge.public_id,
            organisation_id=pledge.employment.organisation_id,
            pledge_id=pledge.id,
            employment_id=pledge.employment_id,
            reason=reason,
            was_approved=was_approved,
        ),
    )


def lapse_rest(session: Session, pledge: Pledge, why: str, *, actor_label: str, now: datetime) -> int:
    """Let what is available of an ended pledge lapse, and answer how many minutes.

    Also for minutes that come back to it later, when a confirmed coaching is cancelled or ends with hours left; `why`
    goes into the ledger's key, so it names that coaching then (`match:<uuid>`).
    """
    if pledge.state != PledgeState.ENDED:
        return 0
    balances = ledger.balances(session, tranches=[t.public_id for t in pledge.tranches])
    lapsed = 0
    for tranche in pledge.tranches:
        minutes = balances[tranche.public_id].available
        if minutes == 0:
            continue
        # Always on one of the tranche's own days, so that hours lapse in the year in which they could have been given.
        day = min(max(clock.local_date(now), tranche.from_date), tranche.until_date)
        ledger.lapse(
            session,
            organisation_id=pledge.employment.organisation_id,
            tranche=tranche.public_id,
            minutes=minutes,
            activity_date=day,
            facts=facts_of(pledge.employment, day),
            actor_label=actor_label,
            now=now,
            key=f"tranche:{tranche.public_id}:lapsed:{why}",
        )
        lapsed += minutes
    return lapsed
