"""The best bundle of one pledge: a knapsack in which at most one item of each request is taken.

Most items are settled without dynamic programming: in the linear relaxation all but one item are in or out,
and an item whose change would cost more than the relaxation exceeds a greedy answer keeps its place. What is
left is called the core (Balas and Zemel, "An algorithm for large zero-one knapsack problems", 1980,
doi:10.1287/opre.28.5.1130).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.compiled import compiled_when_called

MOST_OPTIONS: Final = 65_535
"""Of one request, the first so many seats of different hours are looked at."""

_UNITS: Final = 2.0**30
"""Profits are counted in int32: a whole bundle is worth at most so many units."""

_TINY: Final = 1e-9


class Items(NamedTuple):
    """What a pledge may take: a list whose length is `size[0]`.

    Each item has a profit above 0 and hours that fit. Items of one request stand together, and among them those
    of the same hours.
    """

    size: NDArray[np.int64]
    profit: NDArray[np.float64]
    hours: NDArray[np.int64]
    request: NDArray[np.int32]
    candidate: NDArray[np.int64]
    chosen: NDArray[np.uint8]


class Scratch(NamedTuple):
    """Memory that is used again and again; each thread needs its own."""

    items: Items
    order: NDArray[np.int64]
    core: NDArray[np.int64]
    ratio: NDArray[np.float64]
    row: NDArray[np.int32]
    next_row: NDArray[np.int32]
    taken: NDArray[np.uint16]


def make_scratch(most_items: int, most_hours: int, most_cells: int) -> Scratch:
    """For pledges of at most so many candidates and hours; `most_cells` bounds candidates x (hours + 1)."""
    n = most_items + 1
    items = Items(
        np.zeros(1, np.int64),
        np.zeros(n),
        np.zeros(n, np.int64),
        np.zeros(n, np.int32),
        np.zeros(n, np.int64),
        np.zeros(n, np.uint8),
    )
    return Scratch(
        items,
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n),
        np.zeros(most_hours + 1, np.int32),
        np.zeros(most_hours + 1, np.int32),
        np.zeros(most_cells + most_hours + 1, np.uint16),
    )


@compiled_when_called
def put(items: Items, profit: float, hours: int, request: int, candidate: int) -> None:
    """Add an item to the list."""
    n = items.size[0]
    items.profit[n] = profit
    items.hours[n] = hours
    items.request[n] = request
    items.candidate[n] = candidate
    items.size[0] = n + 1


@compiled_when_called
def best_bundle(capacity: int, scratch: Scratch) -> tuple[float, float]:
    """Mark the items that are worth most together and fit `capacity`.

    Returns their profit, and the ratio of profit to hours at which the relaxation is full (0 where all fits).
    """
    items = scratch.items
    for k in range(items.size[0]):
        items.chosen[k] = 0
    m, exclusive = _undominated(scratch)
    if exclusive:
        ratio = _relaxed(m, capacity, scratch)[2]
        return _choose_by_request(m, capacity, scratch), ratio
    hours = 0
    for r in range(m):
        hours += items.hours[scratch.order[r]]
    if hours <= capacity:
        return _take_all(m, scratch), 0.0
    upper, lower, ratio = _relaxed(m, capacity, scratch)
    value, m, capacity = _settle(m, capacity, upper, lower, ratio, scratch)
    return value + _choose(m, capacity, scratch), ratio


@compiled_when_called
def _undominated(scratch: Scratch) -> tuple[int, bool]:
    """Put into `order` the best of each request and hours; say whether two of one request are among them."""
    items, order = scratch.items, scratch.order
    m, exclusive, run = 0, False, 0
    for k in range(items.size[0]):
        if m > 0 and items.request[order[m - 1]] == items.request[k]:
            if items.hours[order[m - 1]] == items.hours[k]:
                if items.profit[k] > items.profit[order[m - 1]]:
                    order[m - 1] = k
                continue
            exclusive = True
            run += 1
            if run >= MOST_OPTIONS:
                continue
        else:
            run = 1
        order[m] = k
        m += 1
    return m, exclusive


@compiled_when_called
def _take_all(m: int, scratch: Scratch) -> float:
    value = 0.0
    for r in range(m):
        k = scratch.order[r]
        scratch.items.chosen[k] = 1
        value += scratch.items.profit[k]
    return value


@compiled_when_called
def _relaxed(m: int, capacity: int, scratch: Scratch) -> tuple[float, float, float]:
    """The value of the linear relaxation, that of the greedy answer, and the ratio of the item that is split.

    Items of one request are not told apart here. `core` holds the items by falling ratio afterwards.
    """
    items, by_ratio = scratch.items, scratch.core
    _sort_by_ratio(m, scratch)
    upper, lower, ratio, split = 0.0, 0.0, 0.0, False
    room, left = capacity, capacity
    for r in range(m):
        k = by_ratio[r]
        profit, hours = items.profit[k], items.hours[k]
        if not split:
            if hours <= room:
                room -= hours
                upper += profit
            else:
                ratio = profit / hours
                upper += ratio * room
                split = True
        if hours <= left:
            left -= hours
            lower += profit
    return upper, lower, ratio


@compiled_when_called
def _sort_by_ratio(m: int, scratch: Scratch) -> None:
    """Into `core`, by falling ratio: Shell's sort, as numba takes seconds to compile numpy's."""
    items, order, by_ratio, ratio = scratch.items, scratch.order, scratch.core, scratch.ratio
    for r in range(m):
        k = order[r]
        by_ratio[r] = k
        ratio[r] = items.profit[k] / items.hours[k] if items.hours[k] > 0 else np.inf
    gap = 1
    while gap < m // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for r in range(gap, m):
            value, k, at = ratio[r], by_ratio[r], r
            while at >= gap and ratio[at - gap] < value:
                ratio[at], by_ratio[at] = ratio[at - gap], by_ratio[at - gap]
                at -= gap
            ratio[at], by_ratio[at] = value, k
        gap //= 3


@compiled_when_called
def _settle(
    m: int, capacity: int, upper: float, lower: float, ratio: float, scratch: Scratch
) -> tuple[float, int, int]:
    """Take what every better bundle takes, drop what none takes; the core stays in `order`.

    Returns the profit taken, the size of the core and the hours left for it.
    """
    items, core = scratch.items, scratch.order
    slack = upper - lower + _TINY * upper
    value, kept = 0.0, 0
    for r in range(m):
        k = scratch.core[r]
        change = items.profit[k] - ratio * items.hours[k]
        if change < -slack:
            continue
        if change > slack:
            items.chosen[k] = 1
            value += items.profit[k]
            capacity -= items.hours[k]
            continue
        core[kept] = k
        kept += 1
    return value, kept, capacity


@compiled_when_called
def _scale(m: int, scratch: Scratch) -> tuple[float, int]:
    """What a unit of profit counts, and all hours together."""
    profit, hours = 0.0, 0
    for r in range(m):
        k = scratch.order[r]
        profit += scratch.items.profit[k]
        hours += scratch.items.hours[k]
    return _UNITS / max(profit, 1e-300), hours


@compiled_when_called
def _choose(m: int, capacity: int, scratch: Scratch) -> float:
    """The knapsack over the items in `order`, by dynamic programming over hours."""
    items, order, taken = scratch.items, scratch.order, scratch.taken
    row, next_row = scratch.row, scratch.next_row
    scale, after = _scale(m, scratch)
    if after <= capacity:
        return _take_all(m, scratch)
    width = capacity + 1
    for y in range(width):
        row[y] = 0
    for r in range(m):
        k = order[r]
        hours, profit = items.hours[k], np.int32(items.profit[k] * scale)
        after -= hours
        low = max(0, capacity - after)  # below, the items to come cannot fill what is left
        line = taken[r * width : (r + 1) * width]
        for y in range(low, min(hours, width)):
            next_row[y] = row[y]
            line[y] = 0
        for y in range(max(low, hours), width):
            with_item, without = np.int32(row[y - hours] + profit), row[y]
            line[y] = with_item > without
            next_row[y] = max(with_item, without)
        row, next_row = next_row, row
    value, y = 0.0, capacity
    for r in range(m - 1, -1, -1):
        if taken[r * width + y]:
            k = order[r]
            items.chosen[k] = 1
            value += items.profit[k]
            y -= items.hours[k]
    return value


@compiled_when_called
def _choose_by_request(m: int, capacity: int, scratch: Scratch) -> float:
    """The same where items of one request, which stand together in `order`, exclude each other."""
    items, order, taken, first = scratch.items, scratch.order, scratch.taken, scratch.core
    row, next_row = scratch.row, scratch.next_row
    scale, _ = _scale(m, scratch)
    width = capacity + 1
    for y in range(width):
        row[y] = 0
    groups = 0
    r = 0
    while r < m:
        first[groups] = r
        line = taken[groups * width : (groups + 1) * width]
        for y in range(width):
            next_row[y] = row[y]
            line[y] = 0
        request, option = items.request[order[r]], 0
        while r < m and items.request[order[r]] == request:
            hours, profit = items.hours[order[r]], np.int32(items.profit[order[r]] * scale)
            option += 1
            for y in range(hours, width):
                with_item = np.int32(row[y - hours] + profit)
                if with_item > next_row[y]:
                    next_row[y] = with_item
                    line[y] = option
            r += 1
        groups += 1
        row, next_row = next_row, row
    value, y = 0.0, capacity
    for g in range(groups - 1, -1, -1):
        option = taken[g * width + y]
        if option > 0:
            k = order[first[g] + option - 1]
            items.chosen[k] = 1
            value += items.profit[k]
            y -= items.hours[k]
    return value
