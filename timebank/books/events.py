"""What happened to a company's book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class PeriodClosed(Event):
    """`subject` is the period; `number` counts the closed periods of the book."""

    number: int
    from_date: date
    until_date: date
    last_number: int
    head: str
