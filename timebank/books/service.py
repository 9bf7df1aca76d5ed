"""What HR does with the company's book."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.books.events import PeriodClosed
from timebank.ledger import closing
from timebank.ledger.models import LedgerPeriod


def close_period(
    session: Session, organisation_id: int, *, year: int, month: int | None, actor: Actor, now: datetime
) -> LedgerPeriod:
    """Close a month, or without one a year, for good: nothing counts in it any more.

    Raises NotFound, NotPermitted, Invalid (not ended), Conflict (closed already, also by a colleague just now).
    """
    permissions.require(actor, "period.close", organisation_id=organisation_id)
    period = closing.close_period(
        session, organisation_id, year=year, month=month, closed_by_id=actor.user_id, now=now
    )
    events.record(
        session,
        PeriodClosed(
            actor=actor,
            at=now,
            subject=period.public_id,
            organisation_id=organisation_id,
            number=period.number,
            from_date=period.from_date,
            until_date=period.until_date,
            last_number=period.last_number,
            head=period.head.hex(),
        ),
    )
    return period
