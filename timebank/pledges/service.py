"""What people do with pledges: offer, approve, change, end. Hours are booked in the same transaction.

The row of the employment is locked before anything else: two clicks, two approvers or an approval beside a withdrawal
come one after the other.
"""

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
from timebank.errors import Conflict, Expired, Invalid, NotFound, NotPermitted, WrongState
from timebank.ledger import service as ledger
from timebank.organisations import service as organisations
from timebank.organisations.models import Approval, Employment
from timebank.pledges import holds, queries
from timebank.pledges.approval import policy_of, require_approver
from timebank.pledges.events import PledgeApproved, PledgeChanged, PledgeEnded, PledgeRefused, PledgeSubmitted
from timebank.pledges.facts import facts_of
from timebank.pledges.models import (
    PLEDGE_ACTS,
    EndReason,
    Pledge,
    PledgeCause,
    PledgeSkill,
    PledgeState,
    Tranche,
)
from timebank.pledges.rules import REASON_MAX, PledgeInput, check, check_minutes, total_minutes, tranches_of
from timebank.taxonomy import queries as taxonomy

__all__ = [
    "PledgeInput",
    "approve_many",
    "approve_pledge",
    "change_minutes",
    "end_for_leaver",
    "expire_pledges",
    "lapse_rest",
    "refuse_pledge",
    "submit_pledge",
    "withdraw_approval",
    "withdraw_pledge",
]

# --- offering -------------------------------------------------------------------------------------------------------


def submit_pledge(
    session: Session, employment_id: int, offer: PledgeInput, *, actor: Actor, now: datetime
) -> Pledge:
    """Offer hours as the employee of `employment_id`; where the policy approves by itself they count at once.

    The page that asks shows who sees what: that moment is kept as `notice_at`. The very same offer again gives back
    the pledge that was made of it, so that a second click changes nothing.
    Raises NotFound, Invalid (also for the company's cap, a live pledge in the same days, or a policy that does not let
    this person pledge).
    """
    employment = _lock_employment(session, employment_id)
    if not actor.is_system and employment.user_id != actor.user_id:
        raise NotFound(_l("We can't find that."))
    permissions.require(actor, "pledge.make", organisation_id=employment.organisation_id)
    if employment.state != "active":
        raise WrongState(_l("You no longer work for this company, so you cannot pledge its hours."))
    today = clock.local_date(now)
    check(
        offer,
        today=today,
        skill_ids=taxonomy.skill_ids(session).values(),
        cause_ids=taxonomy.cause_ids(session).values(),
        postcode_known=taxonomy.postcode(session, offer.postcode) is not None,
    )
    other = queries.overlapping(session, employment.id, offer.from_date, offer.until_date)
    if other is not None:
        if _same(other, offer):
            return other
        message = _l("You already have a pledge in these days. Change its hours, or choose other days.")
        raise Invalid(message, {"from": message})
    policy = policy_of(session, employment.organisation_id)
    if policy is not None:
        organisations.may_pledge(employment, policy, today)
    _check_cap(session, employment, offer.from_date.year, total_minutes(offer))

    pledge = Pledge(
        employment=employment,
        state=PledgeState.DRAFT,
        from_date=offer.from_date,
        until_date=offer.until_date,
        monthly=offer.monthly,
        language_bits=offer.language_bits,
        week_bits=offer.week_bits,
        postcode=offer.postcode,
        radius_km=offer.radius_km,
        remote=offer.remote,
        shares_choice=offer.shares_choice,
        notice_at=now,
        created_at=now,
        tranches=[
            Tranche(from_date=p.from_date, until_date=p.until_date, minutes=p.minutes)
            for p in tranches_of(offer.from_date, offer.until_date, offer.minutes, offer.monthly)
        ],
        skills=[PledgeSkill(skill_id=skill, level=level) for skill, level in offer.skills],
        causes=[
            *(PledgeCause(cause_id=c, excluded=False) for c in dict.fromkeys(offer.wanted_cause_ids)),
            *(PledgeCause(cause_id=c, excluded=True) for c in dict.fromkeys(offer.excluded_cause_ids)),
        ],
    )
    session.add(pledge)
    _move(pledge, "submit")
    pledge.submitted_at = now
    session.flush()
    events.record(
        session,
        PledgeSubmitted(
            actor=actor,
            at=now,
            subject=pledge.public_id,
            organisation_id=employment.organisation_id,
            pledge_id=pledge.id,
            employment_id=employment.id,
            minutes=pledge.minutes,
        ),
    )
    if policy is not None and policy.approval == Approval.AUTO:
        _approve(session, pledge, SYSTEM, now)
    return pledge


def _same(pledge: Pledge, offer: PledgeInput) -> bool:
    """Whether the live pledge was made of this very offer."""
    parts = tranches_of(offer.from_date, offer.until_date, offer.minutes, offer.monthly)
    return (
        pledge.monthly == offer.monthly
        and [(t.from_date, t.until_date, t.minutes) for t in pledge.tranches]
        == [(p.from_date, p.until_date, p.minutes) for p in parts]
        and {(s.skill_id, s.level) for s in pledge.skills} == set(offer.skills)
        and (pledge.postcode, pledge.radius_km, pledge.remote, pledge.week_bits, pledge.language_bits)
        == (offer.postcode, offer.radius_km, offer.remote, offer.week_bits, offer.language_bits)
    )


def _check_cap(
    session: Session, employment: Employment, year: int, minutes: int, *, but: int | None = None
) -> None:
    left = queries.budget_left(session, employment, year, but=but)
    if left is not None and minutes > left:
        message = _l(
            "Your company's budget leaves you %(left)s hours for %(year)s. Give at most that.",
            left=_hours(left),
            year=year,
        )
        raise Invalid(message, {"hours": message})


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes % 60 else str(minutes // 60)


# --- deciding -------------------------------------------------------------------------------------------------------


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
    pledge = _lock(session, public_id)
    require_approver(session, actor, pledge, clock.local_date(now))
    if pledge.state == PledgeState.APPROVED:
        return pledge
    _require(pledge, "approve")
    if seen_minutes is not None and seen_minutes != pledge.minutes:
        raise Conflict(
            _l(
                "%(name)s changed this pledge to %(hours)s hours meanwhile. Look at it again.",
                name=pledge.employment.name,
                hours=_hours(pledge.minutes),
            )
        )
    if pledge.until_date < clock.local_date(now):
        raise Expired(_l("The period of this pledge has passed."))
    if pledge.employment.state != "active":
        raise WrongState(_l("This person no longer works for the company."))
    _approve(session, pledge, actor, now)
    return pledge


def approve_many(
    session: Session,
    chosen: Sequence[tuple[uuid.UUID, int | None]],
    *,
    actor: Actor,
    now: datetime,
) -> list[Pledge]:
    """Approve several pledges, given with the minutes that the approver saw; all of them or, with an error, none."""
    found = select(Pledge.public_id, Pledge.employment_id).where(Pledge.public_id.in_([c[0] for c in chosen]))
    employment = {row.public_id: row.employment_id for row in session.execute(found)}
    # In one order for everybody: two bulk approvals of the same rows wait for each other instead of locking crosswise.
    order = sorted(chosen, key=lambda c: (employment.get(c[0], 0), str(c[0])))
    return [approve_pledge(session, i, actor=actor, now=now, seen_minutes=seen) for i, seen in order]


def _approve(session: Session, pledge: Pledge, actor: Actor, now: datetime) -> None:
    _move(pledge, "approve")
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
    pledge = _lock(session, public_id)
    require_approver(session, actor, pledge, clock.local_date(now))
    if pledge.state == PledgeState.REFUSED:
        return pledge
    reason = _reason(reason)
    _move(pledge, "refuse")
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


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        message = _l("Give a reason of at most 2,000 characters: the employee reads it.")
        raise Invalid(message, {"reason": message})
    return reason


# --- changing -------------------------------------------------------------------------------------------------------


def change_minutes(
    session: Session, public_id: uuid.UUID, minutes: int, *, actor: Actor, now: datetime
) -> Pledge:
    """Set a pledge's minutes: those of the whole period or, for a monthly one, of each month that is not over yet.

    Once approved, more is granted and less lapses. The employee may always give less, and more where the policy
    approves by itself or nobody approved yet; who approves may do both.
    Raises NotFound, NotPermitted, WrongState, Invalid, Conflict (below what is reserved, received or proposed).
    """
    pledge = _lock(session, public_id)
    employment = pledge.employment
    today = clock.local_date(now)
    mine = actor.user_id is not None and employment.user_id == actor.user_id
    if not mine:
        require_approver(session, actor, pledge, today)
    else:
        permissions.require(actor, "pledge.make", organisation_id=employment.organisation_id)
    if pledge.state not in queries.LIVE:
        raise WrongState(_l("This pledge has ended, so its hours cannot change."))
    check_minutes(minutes)
    open_tranches = [t for t in pledge.tranches if t.until_date >= today]
    before = pledge.minutes
    after = sum(t.minutes for t in pledge.tranches if t not in open_tranches) + minutes * len(open_tranches)
    if not open_tranches:
        raise Expired(_l("The period of this pledge has passed."))
    if after == before:
        return pledge
    if after > before:
        policy = policy_of(session, employment.organisation_id)
        approved_by_people = policy is None or policy.approval != Approval.AUTO
        if mine and pledge.state == PledgeState.APPROVED and approved_by_people:
            raise NotPermitted(
                _l("More hours need a new approval. Ask HR to raise them, or make a pledge for other days.")
            )
        _check_cap(session, employment, pledge.from_date.year, after, but=pledge.id)
    if pledge.state == PledgeState.APPROVED:
        _book_changes(session, pledge, open_tranches, minutes, actor, now)
    for tranche in open_tranches:
        tranche.minutes = minutes
    session.flush()
    events.record(
        session,
        PledgeChanged(
            actor=actor,
            at=now,
            subject=pledge.public_id,
            organisation_id=employment.organisation_id,
            pledge_id=pledge.id,
            employment_id=employment.id,
            minutes_before=before,
            minutes=after,
        ),
    )
    return pledge


def _book_changes(
    session: Session, pledge: Pledge, tranches: Sequence[Tranche], minutes: int, actor: Actor, now: datetime
) -> None:
    balances = ledger.balances(session, tranches=[t.public_id for t in tranches])
    held = holds.held_minutes(session, [t.id for t in tranches])
    for tranche in tranches:
        free = balances[tranche.public_id].available - held.get(tranche.id, 0)
        if tranche.minutes - minutes > free:
            least = tranche.minutes - max(0, free)
            raise Conflict(
                _l(
                    "%(hours)s hours are promised or given already. Choose at least that many.",
                    hours=_hours(least),
                )
            )
    for tranche in tranches:
        difference = minutes - tranche.minutes
        if difference == 0:
            continue
        tranche.amendments += 1
        book, word = (ledger.grant, "granted") if difference > 0 else (ledger.lapse, "lapsed:cut")
        day = max(clock.local_date(now), tranche.from_date)
        book(
            session,
            organisation_id=pledge.employment.organisation_id,
            tranche=tranche.public_id,
            minutes=abs(difference),
            activity_date=day,
            facts=facts_of(pledge.employment, day),
            actor_label=actor.label,
            now=now,
            key=f"tranche:{tranche.public_id}:{word}:{tranche.amendments}",
        )


# --- ending ---------------------------------------------------------------------------------------------------------


def withdraw_pledge(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> Pledge:
    """Take one's own pledge back: what nobody was promised lapses, open proposals are cancelled, and hours reserved
    by confirmed coachings stay. Raises NotFound, WrongState."""
    pledge = _lock(session, public_id)
    if actor.user_id is None or pledge.employment.user_id != actor.user_id:
        raise NotFound(_l("We can't find that pledge."))
    permissions.require(actor, "pledge.make", organisation_id=pledge.employment.organisation_id)
    if pledge.end_reason == EndReason.WITHDRAWN:
        return pledge
    _end(session, pledge, EndReason.WITHDRAWN, actor, now)
    return pledge


def withdraw_approval(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> Pledge:
    """Take an approval back, with a reason that the employee reads; hours go as when the employee withdraws.

    Raises NotFound, NotPermitted (one's own), WrongState (not approved), Invalid.
    """
    pledge = _lock(session, public_id)
    require_approver(session, actor, pledge, clock.local_date(now))
    if pledge.end_reason == EndReason.WITHDRAWN:
        return pledge
    if pledge.state != PledgeState.APPROVED:
        raise WrongState(_l("This pledge is not approved."))
    pledge.end_note = _reason(reason)
    _end(session, pledge, EndReason.WITHDRAWN, actor, now)
    return pledge


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
        pledge = _lock(session, public_id)
        if pledge.state in queries.LIVE:
            _end(session, pledge, EndReason.EXPIRED, SYSTEM, now)
            ended += 1
    return ended


def end_for_leaver(session: Session, employment_id: int, *, actor: events.ActorLike, now: datetime) -> int:
    """End the live pledges of somebody who leaves the company; hours already given can still be confirmed."""
    employment = _lock_employment(session, employment_id)
    live = session.scalars(
        select(Pledge)
        .where(Pledge.employment_id == employment.id, Pledge.state.in_(queries.LIVE))
        .options(selectinload(Pledge.tranches))
        .order_by(Pledge.id)
        .with_for_update()
    ).all()
    for pledge in live:
        _end(session, pledge, EndReason.LEFT, actor, now)
    return len(live)


def _end(session: Session, pledge: Pledge, reason: EndReason, actor: events.ActorLike, now: datetime) -> None:
    was_approved = pledge.state == PledgeState.APPROVED
    _move(pledge, "end")
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
        # Never before the tranche's own days: a month that has not begun is given and taken back in the same month.
        day = max(clock.local_date(now), tranche.from_date)
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


# --- shared ---------------------------------------------------------------------------------------------------------


def _lock_employment(session: Session, employment_id: int) -> Employment:
    employment = session.scalar(
        select(Employment)
        .where(Employment.id == employment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if employment is None:
        raise NotFound(_l("We can't find that."))
    return employment


def _lock(session: Session, public_id: uuid.UUID) -> Pledge:
    """The pledge as it is once its employment and its own row are locked."""
    employment_id = session.scalar(select(Pledge.employment_id).where(Pledge.public_id == public_id))
    if employment_id is None:
        raise NotFound(_l("We can't find that pledge."))
    _lock_employment(session, employment_id)
    return session.scalars(
        select(Pledge)
        .where(Pledge.public_id == public_id)
        .options(selectinload(Pledge.tranches))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


_WRONG: dict[PledgeState, object] = {
    PledgeState.DRAFT: _l("This pledge was not sent yet."),
    PledgeState.SUBMITTED: _l("This pledge still waits for approval."),
    PledgeState.APPROVED: _l("This pledge is approved already."),
    PledgeState.REFUSED: _l("This pledge was refused."),
    PledgeState.ENDED: _l("This pledge has ended."),
}


def _require(pledge: Pledge, act: str) -> PledgeState:
    allowed, target = PLEDGE_ACTS[act]
    if pledge.state not in allowed:
        raise WrongState(_WRONG[pledge.state])
    return target


def _move(pledge: Pledge, act: str) -> None:
    pledge.state = _require(pledge, act)
