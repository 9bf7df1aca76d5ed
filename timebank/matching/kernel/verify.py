"""The checker: does a solution keep all rules, is its value right, and do its prices prove its bound?

Everything is worked out again from the two files, in integers, with nothing of the solver: not its reader,
not its rules, not its sums. Problems are checked seat by seat, so that memory stays small at any size.

The proof is weak duality. Single mode: if all prices are >= 0, and no candidate weighs more than the prices of
its two ends together, then no solution weighs more than all prices together. Bundle mode: whoever pays the
prices of its seats gains no more by them than its pledge's price, if that is the best of all bundles; so no
solution weighs more than all prices together, where seats that stay empty have prices >= 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from timebank.matching.kernel.verify_input import Array, Arrays, VerificationError
from timebank.matching.kernel.verify_pairs import Question, read_question

_CELLS = 2**22
_MOST_CELLS = 2**27
"""Numbers in a table of knapsacks: of several pledges, and of a single one."""


class Verified(NamedTuple):
    """What was found to be right: value and proved bound, and the form of the problem."""

    value: int
    bound: int
    form: str


class _Answer(NamedTuple):
    chosen: Array
    seat_price: Array
    pledge_price: Array
    value: int
    bound: int
    scale: int


def verify_files(problem: Any, solution: Any) -> Verified:
    """Check a solution file against a problem file (paths or binary files).

    Raises
    ------
    VerificationError : the first violation
    """
    given, file = Arrays(problem, "problem"), Arrays(solution, "solution")
    mode, status = file.text("mode"), file.text("status")
    file.need(mode in ("single", "bundle"), f"the mode is {mode!r}")
    question = read_question(given, mode == "bundle")
    _require(status not in ("infeasible", "unknown"), f"there is no solution: the status is {status}")
    file.need(status in ("optimal", "feasible"), f"the status is {status!r}")
    answer = _read_answer(file, question, mode == "single", status == "optimal")
    check = _check_single if mode == "single" else _check_bundle
    total = check(question, answer)
    _require(total == answer.value, f"the value says {answer.value}, the pairs weigh {total}")
    return Verified(answer.value, answer.bound, question.form)


def _read_answer(file: Arrays, question: Question, single: bool, optimal: bool) -> _Answer:
    """Check all of a solution that can be checked without the candidates."""
    chosen = file.of_length("seat_pledge", question.n_seats)
    u, v = file.of_length("seat_price", question.n_seats), file.of_length("pledge_price", question.n_pledges)
    value, bound, scale = file.scalar("value"), file.scalar("bound"), file.scalar("price_scale")
    out = np.flatnonzero((chosen < -1) | (chosen >= question.n_pledges))
    _require(not out.size, f"seat {_first(out)} has pledge {_at(chosen, out)}, which does not exist")
    empty = np.flatnonzero(chosen < 0)
    _require(not (question.must_fill and empty.size), f"seat {_first(empty)} is empty, but must be filled")
    for what, price in (("seat", u), ("pledge", v)):
        below = np.flatnonzero(price < 0)
        free = what == "seat" and question.must_fill
        _require(
            free or not below.size, f"the price of {what} {_first(below)} is {_at(price, below)}, below 0"
        )
    _require(scale == 1 if single else scale >= 1, f"the price scale is {scale}")
    # In two halves and Python's integers, as a sum of forged prices could overflow into the right one.
    prices = sum((int((p >> 32).sum()) << 32) + int((p & 0xFFFFFFFF).sum()) for p in (u, v)) // scale
    _require(prices == bound, f"the prices sum to {prices}, the bound says {bound}")
    _require(bound == value or not (single or optimal), f"the bound {bound} is not the value {value}")
    _require(bound >= value, f"the bound {bound} is below the value {value}")
    _require(file.real("gap") == (bound - value) / max(value, 1), f"the gap says {file.real('gap')}")
    file.need(0 <= file.real("seconds") < np.inf, f"the seconds are {file.real('seconds')}")
    return _Answer(chosen, u, v, value, bound, scale)


def _check_single(question: Question, answer: _Answer) -> int:
    """The weight of the chosen pairs, each of them a candidate, and no candidate above its prices."""
    chosen, u, v = answer.chosen, answer.seat_price, answer.pledge_price
    used, times = np.unique(chosen[chosen >= 0], return_counts=True)
    _require(not (times > 1).any(), f"pledge {_at(used, np.flatnonzero(times > 1))} has more than one seat")
    total, seen = 0, np.zeros(question.n_seats, np.bool_)
    for i, pledge, weight, _ in question.candidates(np.arange(question.n_seats)):
        over = np.flatnonzero(weight > u[i] + v[pledge])
        _require(
            not over.size,
            f"seat {i} and pledge {_at(pledge, over)} weigh {_at(weight, over)}, more than their prices together",
        )
        at = np.flatnonzero(pledge == chosen[i])
        total += int(weight[at].sum())
        seen[i] = at.size
    _require_seen(seen, chosen)
    return total


def _check_bundle(question: Question, answer: _Answer) -> int:
    """The weight of the chosen pairs, of which each pledge has room for its own, and no bundle beyond a price.

    All pledges together, or, where the table of their knapsacks would be large, some after others.
    """
    seats = np.flatnonzero(answer.chosen >= 0)
    taken = list(zip(answer.chosen[seats].tolist(), question.request[seats].tolist(), strict=True))
    _require(len(set(taken)) == len(taken), "a pledge has two seats of one request")
    total, seen = 0, np.zeros(question.n_seats, np.bool_)
    by_capacity = np.argsort(-question.capacity, kind="stable")
    while by_capacity.size:
        width = int(question.capacity[by_capacity[0]]) + 1
        question.file.need(width <= _MOST_CELLS, f"pledge {by_capacity[0]} has too many blocks to be checked")
        some, by_capacity = np.split(by_capacity, [max(1, _CELLS // width)])
        total += _check_knapsacks(question, answer, some, width, seen)
    _require_seen(seen, answer.chosen)
    return total


def _check_knapsacks(question: Question, answer: _Answer, some: Array, width: int, seen: Array) -> int:
    """The weight of the pairs chosen by some pledges, which have room for them, and whose prices are right.

    `before` and `after` hold what so many blocks of a pledge are worth at most: without the request at hand, and
    with it. Seats come request by request, so that a bundle has at most one of each.
    """
    place = np.full(question.n_pledges, -1)
    place[some] = np.arange(some.size)
    before, after = np.zeros((2, some.size, width), np.int64)
    last, room = np.full(some.size, -1), question.capacity[some].tolist()
    number = np.unique(question.request, return_inverse=True)[1]
    total = most = 0
    for i, pledge, weight, hours in question.candidates(np.argsort(number, kind="stable")):
        for k in np.flatnonzero((pledge == answer.chosen[i]) & (place[pledge] >= 0)):
            seen[i] = True
            total += int(weight[k])
            room[place[pledge[k]]] -= int(hours[k])
            _require(room[place[pledge[k]]] >= 0, f"pledge {pledge[k]} has more seats than blocks")
        largest = answer.scale * int(weight.max(initial=0))
        gain = largest - int(answer.seat_price[i])
        most += max(0, gain)
        _require(max(largest, most, gain) < 2**63, "prices or scale are too large to be checked")
        profit = weight * answer.scale - answer.seat_price[i]
        wanted = np.flatnonzero((profit > 0) & (place[pledge] >= 0))
        row, profit, hours = place[pledge[wanted]], profit[wanted], hours[wanted]
        turned = row[last[row] != number[i]]
        before[turned], last[turned] = after[turned], number[i]
        for h in np.unique(hours).tolist():
            at = np.flatnonzero(hours == h)
            with_seat = before[row[at], : width - h] + profit[at, None]
            after[row[at], h:] = np.maximum(after[row[at], h:], with_seat)
    worth = after[np.arange(some.size), question.capacity[some]]
    wrong = np.flatnonzero(worth != answer.pledge_price[some])
    _require(
        not wrong.size,
        f"the price of pledge {_at(some, wrong)} is {_at(answer.pledge_price[some], wrong)}, "
        f"its best bundle is worth {_at(worth, wrong)}",
    )
    return total


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise VerificationError(message)


def _require_seen(seen: Array, chosen: Array) -> None:
    strange = np.flatnonzero(~seen & (chosen >= 0))
    _require(not strange.size, f"seat {_first(strange)} and pledge {_at(chosen, strange)} are no candidate")


def _first(index: Array) -> int:
    return int(index[0]) if index.size else -1


def _at(array: Array, index: Array) -> int:
    return int(array[index[0]]) if index.size else -1
