"""Facts about runs and weights."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class RunRequested(Event):
    trigger: str


@dataclass(frozen=True, kw_only=True)
class RunApplied(Event):
    proposals: int
    value: int
    bound: int


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    reason: str


@dataclass(frozen=True, kw_only=True)
class RunAbandoned(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class WeightsChanged(Event):
    weights: dict[str, int]
