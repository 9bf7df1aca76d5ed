"""Changing what a pledge says besides its hours and its days."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import NotFound, WrongState
from timebank.pledges import queries
from timebank.pledges.events import PledgeDescribed
from timebank.pledges.models import Pledge, PledgeCause, PledgeSkill
from timebank.pledges.rules import MINUTES_MIN, Description, PledgeInput, check
from timebank.pledges.service.loading import lock
from timebank.taxonomy import queries as taxonomy


def describe_pledge(
    session: Session, public_id: uuid.UUID, description: Description, *, actor: Actor, now: datetime
) -> Pledge:
    """Let the employee say anew what they can do, where and when in the week, and for whom; from the next run on.

    What was approved are hours and days, and these stay. Open proposals stay, too: they were made of what held then.
    Raises NotFound, NotPermitted, WrongState, Invalid.
    """
    pledge = lock(session, public_id)
    employment = pledge.employment
    if actor.user_id is None or employment.user_id != actor.user_id:
        raise NotFound(_l("We can't find that pledge."))
    permissions.require(actor, "pledge.make", organisation_id=employment.organisation_id)
    today = clock.local_date(now)
    if pledge.state not in queries.LIVE or pledge.until_date < today:
        raise WrongState(_l("This pledge has ended."))
    check(
        PledgeInput(minutes=MINUTES_MIN, from_date=today, until_date=today, **vars(description)),
        today=today,
        skill_ids=taxonomy.skill_ids(session).values(),
        cause_ids=taxonomy.cause_ids(session).values(),
        postcode_known=taxonomy.postcode(session, description.postcode) is not None,
    )
    for name in ("language_bits", "postcode", "radius_km", "remote", "week_bits", "shares_choice"):
        setattr(pledge, name, getattr(description, name))
    # Gone before the new ones come, which may have the same keys.
    pledge.skills, pledge.causes = [], []
    session.flush()
    pledge.skills = [PledgeSkill(skill_id=skill, level=level) for skill, level in description.skills]
    pledge.causes = [
        *(PledgeCause(cause_id=c, excluded=False) for c in dict.fromkeys(description.wanted_cause_ids)),
        *(PledgeCause(cause_id=c, excluded=True) for c in dict.fromkeys(description.excluded_cause_ids)),
    ]
    session.flush()
    session.expire(pledge, ["place"])
    events.record(
        session,
        PledgeDescribed(
            actor=actor,
            at=now,
            subject=pledge.public_id,
            organisation_id=employment.organisation_id,
            pledge_id=pledge.id,
            employment_id=employment.id,
        ),
    )
    return pledge
