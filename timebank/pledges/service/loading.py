"""What all acts on pledges share: locked rows, states, the cap."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from timebank.errors import Invalid, NotFound, WrongState
from timebank.organisations.models import Employment
from timebank.pledges import queries
from timebank.pledges.models import PLEDGE_ACTS, Pledge, PledgeState
from timebank.pledges.rules import REASON_MAX
from timebank.web.format import hours


def lock_employment(session: Session, employment_id: int) -> Employment:
    employment = session.scalar(
        select(Employment)
        .where(Employment.id == employment_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if employment is None:
        raise NotFound(_l("We can't find that."))
    return employment


def lock(session: Session, public_id: uuid.UUID) -> Pledge:
    """The pledge as it is once its employment and its own row are locked."""
    employment_id = session.scalar(select(Pledge.employment_id).where(Pledge.public_id == public_id))
    if employment_id is None:
        raise NotFound(_l("We can't find that pledge."))
    lock_employment(session, employment_id)
    return session.scalars(
        select(Pledge)
        .where(Pledge.public_id == public_id)
        .options(selectinload(Pledge.tranches))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


_WRONG: dict[PledgeState, object] = {
    PledgeState.DRAFT: _l("This pledge was not sent yet."),
    PledgeState.SUBMITTED: _l("This pledge still waits for approval."),
    PledgeState.APPROVED: _l("This pledge is approved already."),
    PledgeState.REFUSED: _l("This pledge was refused."),
    PledgeState.ENDED: _l("This pledge has ended."),
}


def require(pledge: Pledge, act: str) -> PledgeState:
    allowed, target = PLEDGE_ACTS[act]
    if pledge.state not in allowed:
        raise WrongState(_WRONG[pledge.state])
    return target


def move(pledge: Pledge, act: str) -> None:
    pledge.state = require(pledge, act)


def lock_many(session: Session, public_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Lock all these pledges and their employments, and give the ids in the order in which to go through them.

    All before the first booking: the ledger's book is kept to the end, and whoever waits for it holds rows already.
    Ids that nobody knows are left for the act to refuse.
    """
    chosen = select(Pledge.employment_id).where(Pledge.public_id.in_(public_ids))
    session.execute(
        select(Employment.id)
        .where(Employment.id.in_(chosen))
        .order_by(Employment.id)
        .with_for_update(key_share=True)
    ).all()
    rows = session.execute(
        select(Pledge.public_id)
        .where(Pledge.public_id.in_(public_ids))
        .order_by(Pledge.id)
        .with_for_update(key_share=True)
    )
    known = list(rows.scalars())
    return known + [i for i in dict.fromkeys(public_ids) if i not in known]


def check_cap(
    session: Session, employment: Employment, year: int, minutes: int, *, but: int | None = None
) -> None:
    left = queries.budget_left(session, employment, year, but=but)
    if left is not None and minutes > left:
        message = _l(
            "Your company's budget leaves you %(left)s for %(year)s. Give at most that.",
            left=hours(left),
            year=year,
        )
        raise Invalid(message, {"hours": message})


def reason_of(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        message = _l("Give a reason of at most 2,000 characters: the employee reads it.")
        raise Invalid(message, {"reason": message})
    return reason
