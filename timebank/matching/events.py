"""Facts about runs and weights."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class RunRequested(Event):
    trigger: str
    mode: str
    preview: bool


@dataclass(frozen=True, kw_only=True)
class RunSolved(Event):
    """It waits to be looked at: nothing is proposed yet."""

    chosen: int


@dataclass(frozen=True, kw_only=True)
class RunApplied(Event):
    proposals: int
    value: int
    bound: int


@dataclass(frozen=True, kw_only=True)
class RunDiscarded(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class RunWithdrawn(Event):
    """`proposals` is how many open ones were taken back. The reason in words stays with them."""

    proposals: int


@dataclass(frozen=True, kw_only=True)
class RunCancelled(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    reason: str


@dataclass(frozen=True, kw_only=True)
class RunAbandoned(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class RunPolicyChanged(Event):
    nightly_mode: str
    time_limit: int
    reoffers: bool


@dataclass(frozen=True, kw_only=True)
class RequestStarred(Event):
    """An employee would gladly coach there."""


@dataclass(frozen=True, kw_only=True)
class RequestUnstarred(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class CoachStarred(Event):
    """An initiative would gladly have this coach for its request, the `subject`."""

    pledge_id: int


@dataclass(frozen=True, kw_only=True)
class CoachUnstarred(Event):
    pledge_id: int


@dataclass(frozen=True, kw_only=True)
class PairRuled(Event):
    """The operator pinned or forbade a pair. Why stands with the rule, out of the audit log."""

    kind: str
    employment_id: int
    request_id: int


@dataclass(frozen=True, kw_only=True)
class PairRuleUndone(Event):
    kind: str
    employment_id: int
    request_id: int


@dataclass(frozen=True, kw_only=True)
class WeightsChanged(Event):
    weights: dict[str, int]
