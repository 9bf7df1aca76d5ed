"""What happens to a pledge. Amounts are minutes; reasons in words stay in the pledge, out of the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.events import Event
from timebank.pledges.models import EndReason


@dataclass(frozen=True, kw_only=True)
class PledgeEvent(Event):
    pledge_id: int
    employment_id: int


@dataclass(frozen=True, kw_only=True)
class PledgeSubmitted(PledgeEvent):
    minutes: int


@dataclass(frozen=True, kw_only=True)
class PledgeApproved(PledgeEvent):
    minutes: int


@dataclass(frozen=True, kw_only=True)
class PledgeRefused(PledgeEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class PledgeChanged(PledgeEvent):
    minutes_before: int
    minutes: int


@dataclass(frozen=True, kw_only=True)
class PledgeDescribed(PledgeEvent):
    """The employee says anew what they can do, where and when. Not what, since causes are theirs alone."""


@dataclass(frozen=True, kw_only=True)
class PledgeEnded(PledgeEvent):
    """The pledge gives nothing more: who holds an open proposal of it takes that back."""

    reason: EndReason
    was_approved: bool
