"""Closed periods: nothing more counts in them. What is booked later of their days counts on the day of its booking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.ledger.entries import Entry
from timebank.ledger.models import LedgerPeriod

Span = tuple[date, date]


def closed_spans(session: Session, book_id: int) -> list[Span]:
    """First and last day of each closed period of a book, in their order."""
    rows = session.execute(
        select(LedgerPeriod.from_date, LedgerPeriod.until_date)
        .where(LedgerPeriod.book_id == book_id)
        .order_by(LedgerPeriod.from_date)
    )
    return [(first, last) for first, last in rows]


def span_of(spans: Sequence[Span], day: date) -> Span | None:
    """The closed period in which `day` lies."""
    return next((span for span in spans if span[0] <= day <= span[1]), None)


def in_the_open(session: Session, book_id: int, entries: Sequence[Entry]) -> list[Entry]:
    """The entries, those of closed days moved to the day of their booking. The book is locked, so that no period is
    closed meanwhile."""
    spans = closed_spans(session, book_id)
    return [_moved(entry, spans) if span_of(spans, entry.activity_date) else entry for entry in entries]


def _moved(entry: Entry, spans: Sequence[Span]) -> Entry:
    day = clock.local_date(entry.booked_at)
    # Whoever began before midnight may come to book after that day's period was closed.
    while span := span_of(spans, day):
        day = span[1] + timedelta(days=1)
    return replace(entry, activity_date=day, facts=replace(entry.facts, restates=entry.activity_date))
