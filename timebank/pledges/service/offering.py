"""Offering hours."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import SYSTEM, Actor
from timebank.errors import Invalid, NotFound, WrongState
from timebank.organisations import service as organisations
from timebank.organisations.models import Approval
from timebank.pledges import queries
from timebank.pledges.approval import policy_of
from timebank.pledges.events import PledgeSubmitted
from timebank.pledges.models import Pledge, PledgeCause, PledgeSkill, PledgeState, Tranche
from timebank.pledges.rules import PledgeInput, check, total_minutes, tranches_of
from timebank.pledges.service.deciding import grant_approval
from timebank.pledges.service.loading import check_cap, lock_employment, move
from timebank.taxonomy import queries as taxonomy


def submit_pledge(
    session: Session, employment_id: int, offer: PledgeInput, *, actor: Actor, now: datetime
) -> Pledge:
    """Offer hours as the employee of `employment_id`; where the policy approves by itself they count at once.

    The page that asks shows who sees what: that moment is kept as `notice_at`. The very same offer again gives back
    the pledge that was made of it, so that a second click changes nothing.
    Raises NotFound, Invalid (also for the company's cap, a live pledge in the same days, or a policy that does not let
    this person pledge).
    """
    employment = lock_employment(session, employment_id)
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
        raise Invalid(message, {"from_date": message})
    policy = policy_of(session, employment.organisation_id)
    organisations.may_pledge(employment, policy, today)
    check_cap(session, employment, offer.from_date.year, total_minutes(offer))

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
    move(pledge, "submit")
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
        grant_approval(session, pledge, SYSTEM, now)
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
