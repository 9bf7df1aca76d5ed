"""Closing a month or a year of a book, for good."""

from __future__ import annotations

import calendar
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.errors import Conflict, Invalid
from timebank.ledger.models import LedgerPeriod
from timebank.ledger.periods import closed_spans
from timebank.ledger.posting import lock_book


def days_of(year: int, month: int | None) -> tuple[date, date]:
    """First and last day of a month, or without one of a year. Raises ValueError for a month that is none."""
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def close_period(
    session: Session,
    organisation_id: int,
    *,
    year: int,
    month: int | None,
    closed_by_id: int | None,
    now: datetime,
) -> LedgerPeriod:
    """Close a month, or without one a year, with the chain's head as it is now.

    Of two who close at once, one waits for the other and is then told. Raises Invalid (no such month, not ended yet)
    and Conflict (closed already, wholly or in part).
    """
    try:
        first, last = days_of(year, month)
    except ValueError:
        raise Invalid(_l("There is no such month or year.")) from None
    if last >= clock.local_date(now):
        raise Invalid(_l("This period has not ended yet. Close it from the day after its last."))
    book = lock_book(session, organisation_id)
    for begin, end in closed_spans(session, book.id):
        if begin <= first and last <= end:
            raise Conflict(_l("This period is closed already."))
        if begin <= last and first <= end:
            raise Conflict(
                _l("A part of this period is closed already. Close the months that are still open.")
            )
    closed = session.scalar(select(func.count()).where(LedgerPeriod.book_id == book.id)) or 0
    period = LedgerPeriod(
        book_id=book.id,
        number=closed + 1,
        from_date=first,
        until_date=last,
        closed_at=now,
        closed_by_id=closed_by_id,
        last_number=book.last_number,
        head=book.head,
    )
    session.add(period)
    session.flush()
    return period
