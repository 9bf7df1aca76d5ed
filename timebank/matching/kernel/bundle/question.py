"""What is to be solved, in one shape for both forms of a problem: its candidates, or the best of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from timebank.matching.kernel.bundle.clock import Clock
from timebank.matching.kernel.bundle.relaxation import TINY, Floats
from timebank.matching.kernel.candidates import Pairs, best_per_seat, blocks, joined
from timebank.matching.kernel.problem import AttributeProblem, BoolArray, BundleProblem, Int32Array, IntArray

Tell: TypeAlias = Callable[[str, int, int], None]

KEPT_CANDIDATES: Final = 2_000_000
"""Candidates of the attribute form that are held at once; beyond, the best of each seat."""

_AFTER_PASS: Final = 0.3
"""Of the time, what has to be left when all pairs have been looked at: what was found is still to be ordered and
priced."""

_FEWEST_PER_SEAT: Final = 16
_MORE_PER_SEAT: Final = 8


class Question(NamedTuple):
    """S seats, P pledges and the candidates that are held: all of them, or the best of each seat."""

    pairs: Pairs
    hours: IntArray  # (E,)
    capacity: IntArray  # (P,)
    request: Int32Array  # (S,) from 0 on
    must_fill: bool
    most: IntArray  # (S,) the weight of each seat's best candidate, held or not
    complete: bool
    pass_seconds: float  # that it takes to look at all pairs

    @property
    def n_seats(self) -> int:
        return int(self.request.size)


def of_edges(problem: BundleProblem) -> Question:
    pairs = Pairs(problem.seat, problem.pledge, problem.weight)
    most = np.zeros(problem.n_seats, np.int64)
    fits = problem.hours <= problem.pledge_capacity[problem.pledge]
    np.maximum.at(most, problem.seat[fits], problem.weight[fits])
    return Question(
        pairs, problem.hours, problem.pledge_capacity, problem.request, problem.must_fill, most, True, 0.0
    )


def of_attributes(problem: AttributeProblem, clock: Clock, tell: Tell) -> Question | None:
    """One pass over all pairs; None where it ends too late for an answer to be made of what it found."""
    began = clock.seconds
    per_seat = max(_FEWEST_PER_SEAT, KEPT_CANDIDATES // max(1, problem.n_seats))
    most = np.zeros(problem.n_seats, np.int64)
    found: list[Pairs] = []
    held, complete = 0, True
    for done, block in blocks(problem):
        if clock.stopped() or clock.left < _AFTER_PASS * clock.limit:
            return None
        tell("candidates", done, problem.n_seats)
        np.maximum.at(most, block.seat, block.weight)
        held += block.seat.size
        found.append(block if complete else best_per_seat(block, block.weight, per_seat))
        if complete and held > KEPT_CANDIDATES:
            complete = False
            found = [best_per_seat(part, part.weight, per_seat) for part in found]
    request = np.unique(problem.seat_request, return_inverse=True)[1].astype(np.int32)
    pairs = joined(found)
    return Question(
        pairs,
        problem.seat_hours[pairs.seat],
        problem.pledge_capacity,
        request,
        False,
        most,
        complete,
        clock.seconds - began,
    )


def with_more(
    problem: AttributeProblem, question: Question, price: Floats, rent: Floats, clock: Clock, tell: Tell
) -> Question | None:
    """With the best of the candidates, not held yet, that are worth more than the price of the seat and the rent
    of its hours; None where there are no such, or the time is up.
    """
    found: list[Pairs] = [question.pairs]
    held = _keys(question.pairs, problem.n_pledges)
    for done, block in blocks(problem):
        if clock.over():
            return None
        tell("pricing", done, problem.n_seats)
        excess = block.weight - price[block.seat] - rent[block.pledge] * problem.seat_hours[block.seat]
        better = _chosen(block, excess > TINY)
        new = ~_among(_keys(better, problem.n_pledges), held)
        score = np.ceil(excess[excess > TINY][new]).astype(np.int64)
        found.append(best_per_seat(_chosen(better, new), score, _MORE_PER_SEAT))
    pairs = joined(found)
    if pairs.seat.size == question.pairs.seat.size:
        return None
    pairs = _chosen(pairs, np.lexsort((pairs.pledge, pairs.seat)))
    return question._replace(pairs=pairs, hours=problem.seat_hours[pairs.seat])


def _chosen(pairs: Pairs, which: BoolArray | IntArray) -> Pairs:
    return Pairs(pairs.seat[which], pairs.pledge[which], pairs.weight[which])


def _keys(pairs: Pairs, n_pledges: int) -> IntArray:
    return pairs.seat.astype(np.int64) * n_pledges + pairs.pledge


def _among(wanted: IntArray, keys: IntArray) -> BoolArray:
    """Which of these keys stand among the sorted ones."""
    found: BoolArray = keys[np.minimum(np.searchsorted(keys, wanted), keys.size - 1)] == wanted
    return found
