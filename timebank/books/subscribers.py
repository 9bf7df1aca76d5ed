"""What this room does when something happened here."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank import events
from timebank.books import mails
from timebank.books.events import PeriodClosed


@events.on(PeriodClosed)
def tell_hr(session: Session, event: PeriodClosed) -> None:
    mails.period_closed(session, event, event.at)
