"""What a replay comes to: figures that an operator understands, and the same of several replays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from timebank.simulation.replay import Record, SeatState
from timebank.simulation.world import BLOCKS_AN_HOUR, HOURS_A_DAY

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Measure:
    """A figure's name, what it says and its unit: a share is between 0 and 1, and shown in per cent."""

    name: str
    label: str
    unit: str


MEASURES: Final = (
    Measure("seats", "seats asked", "count"),
    Measure("served_share", "served", "share"),
    Measure("gone_share", "over before anybody came", "share"),
    Measure("waiting_share", "still waiting", "share"),
    Measure("reachable_served_share", "served, of those that ever had a candidate", "share"),
    Measure("wait_median_days", "wait until both said yes, median", "days"),
    Measure("wait_p90_days", "wait, 90th percentile", "days"),
    Measure("wait_p95_days", "wait, 95th percentile", "days"),
    Measure("wait_longest_days", "wait, longest", "days"),
    Measure("still_waiting_longest_days", "longest wait of who had a candidate and waits", "days"),
    Measure("overtaken_most_days", "days on which a seat was overtaken, most", "days"),
    Measure("overtaken_by_days", "overtaken by who asked so much later, most", "days"),
    Measure("hours_pledged", "hours pledged", "hours"),
    Measure("hours_delivered", "hours delivered", "hours"),
    Measure("hours_reserved", "hours agreed and still to come", "hours"),
    Measure("lapsed_share", "hours lapsed, of pledges that are over", "share"),
    Measure("proposals", "proposals", "count"),
    Measure("proposals_per_match", "proposals for each match", "ratio"),
    Measure("declined_share", "proposals declined", "share"),
    Measure("expired_share", "proposals expired", "share"),
    Measure("fit_points", "points of fit of a proposal, without waiting", "count"),
    Measure("runs", "runs that had something to solve", "count"),
    Measure("solver_seconds", "time in the solver", "seconds"),
)


def figures(record: Record) -> dict[str, float]:
    """The value of each measure; NaN where there is nothing to measure."""
    state, hours = record.seat_state, record.hours
    asked = int((state != SeatState.AHEAD).sum())
    served = state == SeatState.SERVED
    waits = waiting_days(record)
    over = record.pledge_over
    values = {
        "seats": asked,
        "served_share": _share(served.sum(), asked),
        "gone_share": _share((state == SeatState.GONE).sum(), asked),
        "waiting_share": _share(np.isin(state, (SeatState.WAITING, SeatState.PROPOSED)).sum(), asked),
        "reachable_served_share": _share(served.sum(), record.reachable.sum()),
        "wait_median_days": _percentile(waits, 50),
        "wait_p90_days": _percentile(waits, 90),
        "wait_p95_days": _percentile(waits, 95),
        "wait_longest_days": _percentile(waits, 100),
        "still_waiting_longest_days": _percentile(_still_waiting_days(record), 100),
        "overtaken_most_days": record.overtaken_days.max(initial=0),
        "overtaken_by_days": record.overtaken_by.max(initial=0),
        "hours_pledged": hours.granted.sum() / BLOCKS_AN_HOUR,
        "hours_delivered": hours.delivered.sum() / BLOCKS_AN_HOUR,
        "hours_reserved": hours.reserved.sum() / BLOCKS_AN_HOUR,
        "lapsed_share": _share(hours.lapsed[over].sum(), hours.granted[over].sum()),
        "proposals": record.proposals,
        "proposals_per_match": _share(record.proposals, record.confirmed),
        "declined_share": _share(record.declined, record.proposals),
        "expired_share": _share(record.expired, record.proposals),
        "fit_points": _share(record.fit, record.proposals),
        "runs": record.runs,
        "solver_seconds": record.solver_seconds,
    }
    return {measure.name: float(values[measure.name]) for measure in MEASURES}


def waiting_days(record: Record) -> NDArray[np.float64]:
    """Of each served seat, the days from its request to the second yes, in order."""
    served = record.seat_state == SeatState.SERVED
    waits: NDArray[np.float64] = (record.served_hour - record.world.seat_hour)[served] / HOURS_A_DAY
    return np.sort(waits)


def _still_waiting_days(record: Record) -> NDArray[np.float64]:
    """Of each seat that waits and had a candidate in some run, the days since its request, in order."""
    waiting = (record.seat_state == SeatState.WAITING) & record.reachable
    waited: NDArray[np.float64] = record.days - record.world.seat_hour[waiting] / HOURS_A_DAY
    return np.sort(waited)


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, and how far the true mean may be from it with 95 % confidence (NaN of a single seed)."""

    mean: float
    margin: float


def estimates(runs: Sequence[Mapping[str, float]]) -> dict[str, Estimate]:
    """Each measure's mean over the seeds in which it exists."""
    return {m.name: _estimate([run[m.name] for run in runs]) for m in MEASURES}


def differences(
    first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]]
) -> dict[str, Estimate]:
    """Second less first, seed by seed, so that what the seeds have in common drops out."""
    return {
        m.name: _estimate([b[m.name] - a[m.name] for a, b in zip(first, second, strict=True)])
        for m in MEASURES
    }


def _estimate(values: Sequence[float]) -> Estimate:
    """Student's interval, which takes the values for a sample of a normal distribution."""
    known = np.array([value for value in values if not np.isnan(value)])
    if known.size < 2:
        return Estimate(float(known[0]) if known.size else float("nan"), float("nan"))
    spread = float(known.std(ddof=1)) / known.size**0.5
    return Estimate(float(known.mean()), float(stdtrit(known.size - 1, (1 + CONFIDENCE) / 2)) * spread)


def _share(part: float | np.integer, whole: float | np.integer) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _percentile(ordered: NDArray[np.float64], percent: int) -> float:
    """The smallest value that so many per cent do not exceed."""
    return float(np.percentile(ordered, percent, method="inverted_cdf")) if ordered.size else float("nan")
