"""What an optimum leaves to be wished for: pairs that would both rather be together, and who comes next for a seat.

Each side has its own view of a meeting, made of the terms of the weight that concern it. A pledge looks at the place
(near, or remote), the causes that it shares and the requests that it starred; a seat at the place, the skills that are
welcome and the pledges that its request starred.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.candidates import Index, Pairs, best_per_seat, blocks, joined, terms
from timebank.matching.kernel.problem import AttributeProblem, BoolArray, IntArray, pair_keys

_NOBODY = np.iinfo(np.int64).min
"""Less than any view: whoever has nobody would rather have anybody."""


class Stars(NamedTuple):
    """Who showed an interest in whom, as pairs of request and pledge, and what a star is worth to who gave it."""

    by_pledge: Collection[tuple[int, int]] = ()
    by_request: Collection[tuple[int, int]] = ()
    points: int = 0


class Reserve(NamedTuple):
    """Runners-up by seat, best first: `less` is by how much the optimum would be worse with them, at least."""

    seat: Index
    pledge: Index
    weight: IntArray
    less: IntArray


def blocking_pairs(problem: AttributeProblem, assignment: Assignment, stars: Stars = Stars()) -> int:  # noqa: B008
    """How many pairs of a request and a pledge block the assignment.

    A candidate pair that is not together blocks when both would be better off by their own view. A seat would be when
    it is empty, or likes the pledge strictly more than its own. A pledge would be when the seat fits beside what it
    has (in single mode: when it has none), or fits in the place of one seat that it likes strictly less, and when it
    has no other seat of that request. An assignment without blocking pairs is stable [1]_.

    Notes
    -----
    One pass over all candidates, in the memory of one block of them.

    .. [1] Gale and Shapley, "College Admissions and the Stability of Marriage", 1962. doi:10.2307/2312726
    """
    judge = _Judge(problem, assignment, stars)
    found: list[IntArray] = []
    for _looked_at, pairs in blocks(problem):
        i, j = pairs.seat.astype(np.int64), pairs.pledge.astype(np.int64)
        found.append(np.unique(pair_keys(problem.seat_request[i], j)[judge.block(i, j)]))
    return int(np.unique(np.concatenate(found)).size) if found else 0


class _Judge:
    """Both views, and what each side has now. In single mode every seat takes one of the one hour that a pledge has."""

    def __init__(self, problem: AttributeProblem, assignment: Assignment, stars: Stars) -> None:
        self._problem, self._points = problem, stars.points
        self._by_pledge, self._by_request = _keys(stars.by_pledge), _keys(stars.by_request)
        single = assignment.mode == "single"
        self._hours = np.ones(problem.n_seats, np.int64) if single else problem.seat_hours
        capacity = np.ones(problem.n_pledges, np.int64) if single else problem.pledge_capacity
        taken = np.flatnonzero(assignment.seat_pledge >= 0)
        holder = assignment.seat_pledge[taken].astype(np.int64)
        liked, wanted = self._views(taken, holder)
        self._has = np.full(problem.n_seats, _NOBODY, np.int64)
        self._has[taken] = wanted
        self._free = capacity.astype(np.int64)
        np.subtract.at(self._free, holder, self._hours[taken])
        self._held = _by_rank(taken, holder, problem.n_pledges)
        self._liked = np.full(problem.n_seats, _NOBODY, np.int64)
        self._liked[taken] = liked

    def block(self, i: Index, j: Index) -> BoolArray:
        """Which of these candidates block."""
        liked, wanted = self._views(i, j)
        fits: BoolArray = self._hours[i] <= self._free[j]
        apart: BoolArray = np.ones(i.shape, np.bool_)
        for held in self._held:
            k = held[j]
            there = k >= 0
            room = self._hours[k] + self._free[j] >= self._hours[i]
            fits |= there & room & (self._liked[k] < liked)
            apart &= ~there | (self._problem.seat_request[k] != self._problem.seat_request[i])
        return fits & apart & (wanted > self._has[i])

    def _views(self, i: Index, j: Index) -> tuple[IntArray, IntArray]:
        """How much the pledges like the seats, and the seats the pledges."""
        points = terms(self._problem, i, j)
        place = points["near"] + points["remote"]
        keys = pair_keys(self._problem.seat_request[i], j)
        liked = place + points["causes"] + self._points * np.isin(keys, self._by_pledge)
        wanted = place + points["nice_skills"] + self._points * np.isin(keys, self._by_request)
        return liked, wanted


def _keys(pairs: Collection[tuple[int, int]]) -> IntArray:
    request, pledge = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    return pair_keys(request, pledge)


def _by_rank(seats: Index, holder: Index, n_pledges: int) -> list[Index]:
    """The seats of each pledge, its first, its second and so on, -1 for none."""
    order = np.argsort(holder, kind="stable")
    seats, holder = seats[order], holder[order]
    rank = np.arange(holder.size) - np.searchsorted(holder, holder)
    ranks: list[Index] = []
    for each in range(int(rank.max(initial=-1)) + 1):
        held = np.full(n_pledges, -1, np.int64)
        held[holder[rank == each]] = seats[rank == each]
        ranks.append(held)
    return ranks


def runners_up(problem: AttributeProblem, assignment: Assignment, most: int = 3) -> Reserve:
    """For each seat that has a pledge, who comes next: the candidates with the highest reduced profit.

    The reduced profit of a pair is its weight less the prices of its two ends: never above 0, and the further below,
    the more the optimum loses with it. A pledge that has another seat of the request is left out. In a bundle pledges
    have no price a seat, and the weight alone decides.
    """
    single = assignment.mode == "single"
    own = assignment.seat_pledge.astype(np.int64)
    taken = np.flatnonzero(own >= 0)
    busy = np.unique(pair_keys(problem.seat_request[taken], own[taken]))
    price = assignment.pledge_price if single else np.zeros(problem.n_pledges, np.int64)
    found: list[Pairs] = []
    for _looked_at, pairs in blocks(problem):
        i, j = pairs.seat.astype(np.int64), pairs.pledge.astype(np.int64)
        kept = (own[i] >= 0) & ~np.isin(pair_keys(problem.seat_request[i], j), busy)
        some = Pairs(pairs.seat[kept], pairs.pledge[kept], pairs.weight[kept])
        found.append(best_per_seat(some, some.weight - price[some.pledge], most))
    pairs = joined(found)
    i, j = pairs.seat.astype(np.int64), pairs.pledge.astype(np.int64)
    mine = np.zeros(problem.n_seats, np.int64)
    mine[taken] = _weights(problem, taken, own[taken])
    less = assignment.seat_price[i] + price[j] - pairs.weight if single else mine[i] - pairs.weight
    order = np.lexsort((j, less, i))
    return Reserve(i[order], j[order], pairs.weight[order], less[order])


def _weights(problem: AttributeProblem, i: Index, j: Index) -> IntArray:
    total = np.zeros(i.shape, np.int64)
    for points in terms(problem, i, j).values():
        total += points
    return total
