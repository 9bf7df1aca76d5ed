"""Facts in the life of a match."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from timebank.events import Event
from timebank.ledger.models import Category
from timebank.matches.models import DeclineReason, Side


@dataclass(frozen=True, kw_only=True)
class MatchEvent(Event):
    """`subject` is the match; the organisation is the coach's company."""

    match_id: int
    request_id: int
    pledge_id: int


@dataclass(frozen=True, kw_only=True)
class MatchProposed(MatchEvent):
    minutes: int
    run_id: int | None


@dataclass(frozen=True, kw_only=True)
class MatchAccepted(MatchEvent):
    side: Side


@dataclass(frozen=True, kw_only=True)
class MatchConfirmed(MatchEvent):
    """Both said yes: the minutes are booked as reserved."""

    minutes: int


@dataclass(frozen=True, kw_only=True)
class MatchFreed(MatchEvent):
    """The seat and the hours that were held are free again."""


@dataclass(frozen=True, kw_only=True)
class MatchDeclined(MatchFreed):
    side: Side
    reason: DeclineReason


@dataclass(frozen=True, kw_only=True)
class MatchExpired(MatchFreed):
    """Nobody answered in time."""


@dataclass(frozen=True, kw_only=True)
class MatchCancelled(MatchFreed):
    """`cause` is a code; what people wrote stays out of the audit log."""

    cause: str
    was_open: bool
    released: int


@dataclass(frozen=True, kw_only=True)
class MatchActivated(MatchEvent):
    """The agreement is in force: hours may be logged."""


@dataclass(frozen=True, kw_only=True)
class FeedbackGiven(MatchEvent):
    """One side said how the coaching went; what it said stays out of the log."""

    side: Side


@dataclass(frozen=True, kw_only=True)
class MatchCompleted(MatchEvent):
    released: int


@dataclass(frozen=True, kw_only=True)
class SessionEvent(MatchEvent):
    session: UUID


@dataclass(frozen=True, kw_only=True)
class SessionPlanned(SessionEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class SessionMoved(SessionEvent):
    """`session` is the new one."""

    moved_from: UUID


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(SessionEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class SessionMissed(SessionEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class HoursEvent(MatchEvent):
    entry: UUID
    activity_date: date
    minutes: int
    category: Category


@dataclass(frozen=True, kw_only=True)
class HoursLogged(HoursEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class HoursLate(HoursEvent):
    """Logged late: the company decides first."""


@dataclass(frozen=True, kw_only=True)
class HoursApproved(HoursEvent):
    """The company said yes to late hours: they wait for the initiative now."""


@dataclass(frozen=True, kw_only=True)
class HoursRefused(HoursEvent):
    """The company said no to late hours."""


@dataclass(frozen=True, kw_only=True)
class HoursReminded(HoursEvent):
    """Both sides were reminded that these hours will count unless the initiative answers."""


@dataclass(frozen=True, kw_only=True)
class HoursConfirmed(HoursEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class HoursDisputed(HoursEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class DisputeAnswered(HoursEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class HoursWithdrawn(HoursEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class HoursCorrected(HoursEvent):
    """Reversed in the ledger; `replaced_by` waits for the initiative's yes."""

    replaced_by: UUID
