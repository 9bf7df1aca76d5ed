"""Lagrangian diving: relax, round, and fix the seats that the relaxation is sure about, until all are fixed.

In each round every pledge of a region takes its best bundle at the seats' prices, an answer is made of these
bundles, and the prices move. Now and then, the seats that one pledge took nearly always are fixed to it. A
dive ends early when its bound says that nothing better can follow.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.bundle.knapsack import Scratch, best_bundle, put
from timebank.matching.kernel.bundle.region import Region, below
from timebank.matching.kernel.bundle.relaxation import TINY
from timebank.matching.kernel.compiled import compiled_when_called

SURE: Final = 0.95
"""A seat taken by one pledge this often is fixed, whatever the number to be fixed."""

_MEMORY: Final = 0.15
_MOMENTUM: Final = 0.5
_NEVER: Final = 1e-3
_BINS: Final = 1024


class Pace(NamedTuple):
    """How a dive goes."""

    rounds: int  # between fixings
    share: float  # of the free seats that are fixed at once, at least
    aim: float  # the target of the steps lies this share of the bound, without bonuses, below it
    most_rounds: int


@compiled_when_called
def dive(
    region: Region, held: float, bonus: float, pace: Pace, scratch: Scratch, halt: NDArray[np.uint8]
) -> float:
    """Look for an answer to the region that is worth `held` or more, and leave it in `region.best`.

    Returns its value, or -1 where there is none. When `halt` is set by another thread, it ends after the
    first round or the pledge at hand.
    """
    best, found = held - 0.5, False
    fixed_value, free = 0.0, region.size[1]
    for turn in range(1, pace.most_rounds + 1):
        bound = fixed_value + _relax(region, turn > 1, scratch, halt)
        if bound < best + 0.5 - TINY or (turn > 1 and halt[0]):
            break
        value = _round(region, fixed_value, scratch)
        if value > best + TINY:
            best, found = value, True
            _keep(region)
            if bound < best + 0.5 - TINY:
                break
        still = not _move_prices(region, bound, best, bonus, pace)
        if still or turn % pace.rounds == 0:
            count, value = _fix(region, free, pace)
            if count == 0:
                break
            free -= count
            fixed_value += value
            _drop_closed(region)
    return best if found else -1.0


@compiled_when_called
def _keep(region: Region) -> None:
    """Let the best answer be what is fixed and, for the other seats, the answer at hand."""
    for f in range(region.size[1]):
        c = region.current[f]
        region.best[f] = region.fixed[f] if c < 0 else region.edge[c]


@compiled_when_called
def _relax(region: Region, may_halt: bool, scratch: Scratch, halt: NDArray[np.uint8]) -> float:
    """Each pledge's best bundle at these prices; returns the bound on what is not fixed."""
    items, bound = scratch.items, 0.0
    for f in range(region.size[1]):
        region.uses[f] = 0
        region.current[f] = -1
        if region.fixed[f] < 0:
            bound += region.price[f]
    for a in range(region.size[0]):
        if may_halt and halt[0]:
            break
        items.size[0] = 0
        for c in range(region.first[a], region.first[a + 1]):
            f = region.seat[c]
            region.taken[c] = 0
            profit = region.weight[c] - region.price[f]
            if profit > TINY:
                put(items, profit, region.hours[c], region.request[c], c)
        worth, region.ratio[a] = best_bundle(region.room[a], scratch)
        bound += worth
        for k in range(items.size[0]):
            if items.chosen[k]:
                c = items.candidate[k]
                region.taken[c] = 1
                region.uses[region.seat[c]] += 1
    return bound


@compiled_when_called
def _round(region: Region, fixed_value: float, scratch: Scratch) -> float:
    """Make an answer of the bundles: each seat to who gains most by it, then all that still fits."""
    value, uncovered = fixed_value, 0
    for c in range(region.size[2]):
        region.mean[c] += _MEMORY * (region.taken[c] - region.mean[c])
        if region.taken[c]:
            f = region.seat[c]
            other = region.current[f]
            if other < 0 or _gain(region, c) > _gain(region, other):
                region.current[f] = c
    for f in range(region.size[1]):
        if region.current[f] >= 0:
            value += region.weight[region.current[f]]
        elif region.fixed[f] < 0:
            uncovered += 1
    n = region.size[0]
    start = below(region.random, n) if n else 0
    for k in range(n):
        if uncovered == 0:
            break
        gain, covered = _refill(region, (start + k) % n, scratch)
        value += gain
        uncovered -= covered
    return value


@compiled_when_called
def _gain(region: Region, c: int) -> float:
    return float(region.weight[c] - region.ratio[region.owner[c]] * region.hours[c])


@compiled_when_called
def _refill(region: Region, a: int, scratch: Scratch) -> tuple[float, int]:
    """Let a pledge choose anew among its own seats and those that nobody has; returns value and seats won."""
    items, own, others = scratch.items, 0.0, False
    items.size[0] = 0
    for c in range(region.first[a], region.first[a + 1]):
        f = region.seat[c]
        if region.current[f] == c:
            own += region.weight[c]
        elif region.current[f] < 0:
            others = True
        else:
            continue
        put(items, region.weight[c], region.hours[c], region.request[c], c)
    if not others:
        return 0.0, 0
    worth, _ = best_bundle(region.room[a], scratch)
    if worth <= own + TINY:
        return 0.0, 0
    won = 0
    for k in range(items.size[0]):
        c = items.candidate[k]
        f = region.seat[c]
        if items.chosen[k]:
            won += region.current[f] < 0
            region.current[f] = c
        elif region.current[f] == c:
            won -= 1
            region.current[f] = -1
    return worth - own, won


@compiled_when_called
def _move_prices(region: Region, bound: float, best: float, bonus: float, pace: Pace) -> bool:
    """A step towards the target; False when no price has a reason to move."""
    length = 0.0
    for f in range(region.size[1]):
        if region.fixed[f] >= 0:
            continue
        region.direction[f] = 1.0 - region.uses[f] + _MOMENTUM * region.direction[f]
        if region.price[f] <= 0 and region.direction[f] > 0:
            region.direction[f] = 0.0
        length += region.direction[f] ** 2
    if length < 1e-12:
        return False
    target = max(best, bound - pace.aim * (bound - bonus * region.size[1]))
    step = (bound - target) / length
    for f in range(region.size[1]):
        if region.fixed[f] < 0:
            region.price[f] = max(0.0, region.price[f] - step * region.direction[f])
    return True


@compiled_when_called
def _threshold(region: Region, quota: int) -> float:
    """A score that at least so many seats reach, up to the width of a bin; SURE where more are that sure."""
    bins = np.zeros(_BINS, np.int64)
    for f in range(region.size[1]):
        if region.score[f] >= _NEVER:
            bins[min(_BINS - 1, int(region.score[f] * _BINS))] += 1
    reached = 0
    for k in range(_BINS - 1, -1, -1):
        reached += bins[k]
        if reached >= quota:
            return max(_NEVER, min(SURE, k / _BINS))
    return _NEVER


@compiled_when_called
def _open(region: Region, c: int) -> bool:
    """Whether nothing fixed stands in the way of a candidate."""
    if region.fixed[region.seat[c]] >= 0 or region.blocked[c]:
        return False
    return bool(region.hours[c] <= region.room[region.owner[c]])


@compiled_when_called
def _fix(region: Region, free: int, pace: Pace) -> tuple[int, float]:
    """Fix the surest seats; returns how many, and their weight."""
    n = region.size[1]
    for f in range(n):
        region.score[f] = -1.0
        region.current[f] = -1
    for c in range(region.size[2]):
        f = region.seat[c]
        if region.mean[c] > region.score[f] and _open(region, c):
            region.score[f] = region.mean[c]
            region.current[f] = c
    enough = _threshold(region, max(1, int(pace.share * free)))
    count, value = 0, 0.0
    for f in range(n):
        c = region.current[f]
        if c >= 0 and region.score[f] >= enough and _open(region, c):
            a = region.owner[c]
            region.fixed[f] = region.edge[c]
            region.room[a] -= region.hours[c]
            count += 1
            value += region.weight[c]
            for other in range(region.first[a], region.first[a + 1]):
                if region.request[other] == region.request[c]:
                    region.blocked[other] = 1
    return count, value


@compiled_when_called
def _drop_closed(region: Region) -> None:
    """Forget the candidates that what is fixed has closed, so that each round looks at fewer."""
    kept, start = 0, 0
    for a in range(region.size[0]):
        stop = region.first[a + 1]
        region.first[a] = kept
        for c in range(start, stop):
            if _open(region, c):
                region.edge[kept] = region.edge[c]
                region.owner[kept] = a
                region.seat[kept] = region.seat[c]
                region.weight[kept] = region.weight[c]
                region.hours[kept] = region.hours[c]
                region.request[kept] = region.request[c]
                region.mean[kept] = region.mean[c]
                region.blocked[kept] = 0
                kept += 1
        start = stop
    region.first[region.size[0]] = kept
    region.size[2] = kept
