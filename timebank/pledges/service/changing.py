"""Giving more or less than was pledged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import Conflict, Expired, Invalid, NotPermitted, WrongState
from timebank.ledger import service as ledger
from timebank.organisations.models import Approval
from timebank.pledges import holds, queries
from timebank.pledges.approval import policy_of, require_approver
from timebank.pledges.events import PledgeChanged
from timebank.pledges.facts import facts_of
from timebank.pledges.models import Pledge, PledgeState, Tranche
from timebank.pledges.rules import check_minutes
from timebank.pledges.service.loading import check_cap, lock
from timebank.web.format import hours


def change_minutes(
    session: Session, public_id: uuid.UUID, minutes: int, *, actor: Actor, now: datetime
) -> Pledge:
    """Set a pledge's minutes: those of the whole period or, for a monthly one, of each month that is not over yet.

    Once approved, more is granted and less lapses. The employee may always give less, and more where the policy
    approves by itself or nobody approved yet; who approves may do both.
    Raises NotFound, NotPermitted, WrongState, Invalid, Conflict (below what is reserved, received or proposed).
    """
    return _change(session, lock(session, public_id), minutes, actor, now)


def raise_minutes(
    session: Session, public_id: uuid.UUID, minutes: int, *, seen_minutes: int, actor: Actor, now: datetime
) -> Pledge:
    """Grant more hours to a pledge that is approved, by whoever may approve it; `minutes` as for `change_minutes`.

    `seen_minutes` are the pledge's minutes that the approver had before them. The same again changes nothing.
    Raises NotFound, NotPermitted (one's own), WrongState, Conflict (it changed meanwhile), Invalid (not more, above
    the cap).
    """
    pledge = lock(session, public_id)
    today = clock.local_date(now)
    require_approver(session, actor, pledge, today)
    if minutes_after(pledge, minutes, today) == pledge.minutes != seen_minutes:
        return pledge
    if pledge.minutes != seen_minutes:
        raise Conflict(
            _l(
                "%(name)s has %(hours)s meanwhile. Look at it again.",
                name=pledge.employment.name,
                hours=hours(pledge.minutes),
            )
        )
    check_raise(session, pledge, minutes, today)
    return _change(session, pledge, minutes, actor, now)


def check_raise(session: Session, pledge: Pledge, minutes: int, today: date) -> None:
    """Whether a pledge can be raised to so many minutes.

    Raises WrongState, Expired, and Invalid with the field hours.
    """
    if pledge.state != PledgeState.APPROVED:
        raise WrongState(_l("This pledge is not approved."))
    if pledge.until_date < today:
        raise Expired(_l("The period of this pledge has passed."))
    check_minutes(minutes)
    after = minutes_after(pledge, minutes, today)
    if after <= pledge.minutes:
        message = _l("Give more hours than there are now.")
        raise Invalid(message, {"hours": message})
    check_cap(session, pledge.employment, pledge.from_date.year, after, but=pledge.id)


def minutes_after(pledge: Pledge, minutes: int, today: date) -> int:
    """The whole pledge's minutes once each tranche that is not over yet has `minutes`."""
    return sum(minutes if t.until_date >= today else t.minutes for t in pledge.tranches)


def _change(session: Session, pledge: Pledge, minutes: int, actor: Actor, now: datetime) -> Pledge:
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
    after = minutes_after(pledge, minutes, today)
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
        check_cap(session, employment, pledge.from_date.year, after, but=pledge.id)
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
                    "%(hours)s are promised or given already. Choose at least that many.",
                    hours=hours(least),
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
