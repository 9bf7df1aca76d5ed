"""Assignment problems of many structures, since each breaks another idea of how to solve them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel import EdgeProblem
from timebank.matching.kernel.generate import best_edges, generate_attributes

Ints = NDArray[np.int64]
Weigh = Callable[[np.random.Generator, Ints, Ints], Ints]

DEGREE: Final = 20


def instance(kind: str, size: int) -> EdgeProblem:
    """The problem of a kind whose larger side has so many pledges or seats; always the same one."""
    return {**KINDS, **DENSE}[kind](np.random.default_rng(size), size)


def sparse(
    rng: np.random.Generator, seats: int, pledges: int, weigh: Weigh, degree: int = DEGREE
) -> EdgeProblem:
    """Each seat with so many pledges by chance."""
    key = np.unique(np.repeat(np.arange(seats), degree) * pledges + rng.integers(0, pledges, seats * degree))
    i, j = key // pledges, key % pledges
    return EdgeProblem(seats, pledges, i, j, weigh(rng, i, j))


def full(rng: np.random.Generator, seats: int, pledges: int, weigh: Weigh) -> EdgeProblem:
    """Every pair."""
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(seats), np.arange(pledges), indexing="ij"))
    return EdgeProblem(seats, pledges, i, j, weigh(rng, i, j))


def pairs(seats: int, pledges: int, i: Ints, j: Ints, weight: Ints) -> EdgeProblem:
    """These pairs, those out of range and those that stand twice left out."""
    inside = (i >= 0) & (i < seats) & (j >= 0) & (j < pledges)
    _, first = np.unique(i[inside] * pledges + j[inside], return_index=True)
    return EdgeProblem(seats, pledges, i[inside][first], j[inside][first], weight[inside][first])


# --- weights ------------------------------------------------------------------------------------------------


def up_to(top: int) -> Weigh:
    return lambda rng, i, j: rng.integers(1, top + 1, i.size)


def popular(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    """All agree on the best, by a power law."""
    return (1e6 * (1.0 + j) ** -0.7).astype(np.int64) + rng.integers(1, 999, i.size)


def near_limit(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return 2**31 - 1 - rng.integers(0, 1000, i.size)


def product_of_numbers(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return np.minimum((i + 1) * (j + 1), 2**31 - 1)


def sums(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    a, b = rng.integers(1, 10**6, i.max() + 1), rng.integers(1, 10**6, j.max() + 1)
    return a[i] + b[j]


def products(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    a, b = rng.integers(1, 10**4, i.max() + 1), rng.integers(1, 10**4, j.max() + 1)
    return a[i] * b[j]


def column_value(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return rng.integers(1, 10**6, j.max() + 1)[j]


def blocked(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return 1 + 1000 * (i // 100 % 10 == j // 100 % 10) + rng.integers(0, 10, i.size)


def halved(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return 1 + 500 * ((2 * i > i.max()) != (2 * j > j.max())) + rng.integers(0, 100, i.size)


def exponential(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return 1 + rng.exponential(1e5, i.size).astype(np.int64)


def waiting(rng: np.random.Generator, i: Ints, j: Ints) -> Ints:
    return 10_000 * rng.integers(1, 100, i.max() + 1)[i] + rng.integers(0, 1000, i.size)


# --- structures ---------------------------------------------------------------------------------------------


def chain(rng: np.random.Generator, n: int) -> EdgeProblem:
    i = np.repeat(np.arange(n - 1), 2)
    return pairs(n - 1, n, i, i + np.tile([0, 1], n - 1), 10**6 + np.arange(2 * n - 2)[::-1])


def islands(rng: np.random.Generator, n: int) -> EdgeProblem:
    i = np.repeat(np.arange(n), DEGREE)
    j = i // 20 * 20 + rng.integers(0, 20, i.size)
    return pairs(n, n, i, j, rng.integers(1, 1001, i.size))


def plane(rng: np.random.Generator, n: int) -> EdgeProblem:
    """The pledges in the cells around each seat, the nearest the best."""
    side = max(1, int(np.sqrt(n / 3)))
    seats, pledges = rng.random((2, n)), rng.random((2, n))
    cell = (pledges[0] * side).astype(np.int64) * side + (pledges[1] * side).astype(np.int64)
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(side * side + 1))
    found_i, found_j = [], []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            x, y = (seats[0] * side).astype(np.int64) + dx, (seats[1] * side).astype(np.int64) + dy
            i = np.flatnonzero((x >= 0) & (x < side) & (y >= 0) & (y < side))
            home = x[i] * side + y[i]
            length = start[home + 1] - start[home]
            within = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
            found_i.append(np.repeat(i, length))
            found_j.append(order[np.repeat(start[home], length) + within])
    i, j = np.concatenate(found_i), np.concatenate(found_j)
    away = np.hypot(seats[0, i] - pledges[0, j], seats[1, i] - pledges[1, j])
    return pairs(n, n, i, j, 1 + (1e6 * (2 - away)).astype(np.int64))


def grid(rng: np.random.Generator, n: int) -> EdgeProblem:
    """Neighbours in a grid."""
    side = int(np.sqrt(n))
    i = np.repeat(np.arange(side * side), 5)
    j = i + np.tile([0, 1, -1, side, -side], side * side)
    return pairs(side * side, side * side, i, j, rng.integers(1, 1001, i.size))


def clubs(rng: np.random.Generator, n: int) -> EdgeProblem:
    """Dense groups of 60, with a few ties between them."""
    i = np.repeat(np.arange(n), 60)
    j = np.where(
        rng.random(i.size) < 0.02, rng.integers(0, n, i.size), i // 60 * 60 + np.tile(np.arange(60), n)
    )
    return pairs(n, n, i, j, rng.integers(1, 1001, i.size))


def flanders(rng: np.random.Generator, n: int, share: float, scarce: bool) -> EdgeProblem:
    seats = int(n * share)
    return best_edges(
        generate_attributes(n, seats, 1, scarce=scarce)
        if share < 1
        else generate_attributes(int(n / share), n, 1, scarce=scarce)
    )


KINDS: Final[dict[str, Callable[[np.random.Generator, int], EdgeProblem]]] = {
    "abundant": lambda rng, n: sparse(rng, n // 4, n, up_to(1000)),
    "scarce": lambda rng, n: sparse(rng, n, n // 2, up_to(1000), 10),
    "scarce, 2 a seat": lambda rng, n: sparse(rng, n, n // 2, up_to(1000), 2),
    "square": lambda rng, n: sparse(rng, n, n, up_to(1000)),
    "three weights": lambda rng, n: sparse(rng, n, n, up_to(3)),
    "all equal": lambda rng, n: sparse(rng, n, n, up_to(1)),
    "popular, abundant": lambda rng, n: sparse(rng, n // 2, n, popular),
    "popular, scarce": lambda rng, n: sparse(rng, n, n // 2, popular),
    "popular, square": lambda rng, n: sparse(rng, n, n, popular),
    "one long chain": chain,
    "islands": islands,
    "near 2^31": lambda rng, n: sparse(rng, n, n, near_limit),
    "plane": plane,
    "i * j": lambda rng, n: sparse(rng, n, n, product_of_numbers),
    "a + b": lambda rng, n: sparse(rng, n, n, sums),
    "a * b": lambda rng, n: sparse(rng, n, n, products),
    "column value": lambda rng, n: sparse(rng, n, n, column_value),
    "blocks": lambda rng, n: sparse(rng, n, n, blocked),
    "grid": grid,
    "two halves": lambda rng, n: sparse(rng, n, n, halved),
    "20 seats": lambda rng, n: sparse(rng, 20, n, up_to(1000), n // 4),
    "20 pledges": lambda rng, n: sparse(rng, n, 20, up_to(1000), 5),
    "clubs": clubs,
    "exponential": lambda rng, n: sparse(rng, n, n, exponential),
    "waiting, scarce": lambda rng, n: sparse(rng, n, n // 2, waiting),
    "Flanders": lambda rng, n: flanders(rng, n, 0.25, False),
    "Flanders, scarce": lambda rng, n: flanders(rng, n, 2.0, True),
}
DENSE: Final[dict[str, Callable[[np.random.Generator, int], EdgeProblem]]] = {
    "dense": lambda rng, n: full(rng, 3 * n // 4, n, up_to(1000)),
    "dense, few values": lambda rng, n: full(rng, n, n, up_to(5)),
    "dense, i * j": lambda rng, n: full(rng, n, n, product_of_numbers),
    "dense, a + b": lambda rng, n: full(rng, n, n, sums),
}
