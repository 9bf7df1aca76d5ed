"""What happens to a coaching request. Reasons in words stay in the request, out of the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.coaching.models import ClosedReason
from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class RequestEvent(Event):
    request_id: int
    initiative_id: int


@dataclass(frozen=True, kw_only=True)
class RequestSubmitted(RequestEvent):
    """It looks like staffing: the operator looks first."""


@dataclass(frozen=True, kw_only=True)
class RequestOpened(RequestEvent):
    """Coaches may be proposed from now on; `released` when the operator let it through."""

    released: bool = False


@dataclass(frozen=True, kw_only=True)
class RequestChanged(RequestEvent):
    """`seats` is how many coaches it asks now."""

    seats: int


@dataclass(frozen=True, kw_only=True)
class RequestPaused(RequestEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class RequestClosed(RequestEvent):
    """Nobody is proposed any more: who holds an open proposal for it takes that back, unless it was filled."""

    reason: ClosedReason
