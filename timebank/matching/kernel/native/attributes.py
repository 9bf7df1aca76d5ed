"""The optimum of the attribute form: the best pledges of each seat, the optimum over these, and a pass over all
pairs for those that could still do better, until there are none."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, TypeAlias

import numpy as np

from timebank.matching.kernel.assignment import Optimum
from timebank.matching.kernel.candidates import Pairs
from timebank.matching.kernel.native.edges import solve_graph
from timebank.matching.kernel.native.graph import State, empty_state, graph_of
from timebank.matching.kernel.native.scan import Found, new_marks, nothing_found, scan_seats
from timebank.matching.kernel.native.tables import Tables, packed
from timebank.matching.kernel.problem import (
    MAX_ATTRIBUTE_WEIGHT,
    AttributeProblem,
    IntArray,
    ProblemError,
)
from timebank.matching.kernel.progress import Clock, Progress, TimeUpError

_KEPT: Final = 16  # best pledges of each distinct seat at first,
_ADDED: Final = 8  # and those added to each in a round
_SEATS_PER_TASK: Final = 128

Scan: TypeAlias = Callable[[Tables, IntArray, IntArray, IntArray, int, Clock, Callable[[int], None]], Found]
"""`scan`, or what does the same elsewhere."""


class Edges:
    """The candidates that are solved, distinct seats in the place of seats, as rounds add to them."""

    def __init__(self, seat_group: IntArray) -> None:
        self.seat_group = seat_group
        self.group = np.zeros(0, np.int64)
        self.pledge = np.zeros(0, np.int32)
        self.weight = np.zeros(0, np.int64)

    def add(self, wanted: IntArray, found: Found) -> int:
        """Add what a scan of these distinct seats found; returns how much."""
        more = found.listed()
        group = np.concatenate([self.group, wanted[more.row]])
        order = np.argsort(group, kind="stable")
        self.group = group[order]
        self.pledge = np.concatenate([self.pledge, more.partner])[order]
        self.weight = np.concatenate([self.weight, more.weight])[order]
        return more.row.size

    def of_seats(self) -> Pairs:
        """The same for every seat of its kind, in the order of seats."""
        start = np.searchsorted(self.group, np.arange(self.seat_group.max(initial=-1) + 2))
        length = np.diff(start)[self.seat_group]
        seat = np.repeat(np.arange(length.size, dtype=np.int32), length)
        shift = start[self.seat_group] - np.cumsum(length) + length
        edge = np.repeat(shift, length) + np.arange(seat.size)
        return Pairs(seat, self.pledge[edge], self.weight[edge])


def attribute_optimum(problem: AttributeProblem, clock: Clock, tell: Progress) -> Optimum:
    """The optimum over all pairs; memory holds some candidates of each seat.

    Raises
    ------
    ProblemError : a candidate weighs more than 2^40
    TimeUpError : the time is up
    """
    tables = packed(problem)
    return renumbered(tables, *optimum(tables, clock, tell, scan))


def renumbered(tables: Tables, pairs: Pairs, state: State) -> Optimum:
    """An optimum in the numbers of the tables, in those of the problem."""
    pairs = pairs._replace(pledge=tables.order[pairs.pledge].astype(np.int32))
    has = state.row_partner >= 0
    seat_pledge = np.full(has.size, -1, np.int32)
    seat_pledge[has] = tables.order[state.row_partner[has]]
    v = np.empty(state.v.size, np.int64)
    v[tables.order] = state.v
    return Optimum(pairs, seat_pledge, state.u, v)


def optimum(tables: Tables, clock: Clock, tell: Progress, scan: Scan) -> tuple[Pairs, State]:
    """The candidates that were solved at last, pledges in the numbers of the tables, and the optimal state, whose
    rows are the seats. All pairs are looked at by `scan`."""
    n_seats, n_pledges = tables.seat_group.size, tables.order.size
    kinds = np.arange(tables.seats.hours.size)
    representative = np.empty(kinds.size, np.int64)
    representative[tables.seat_group] = np.arange(n_seats)
    edges = Edges(tables.seat_group)
    nothing = np.zeros(kinds.size, np.int64), np.zeros(n_pledges, np.int64)
    best = scan(tables, kinds, *nothing, _KEPT, clock, lambda done: tell("candidates", done, kinds.size))
    _check_weights(tables, best)
    edges.add(kinds, best)
    # Rows are the smaller side.
    by_pledge = n_seats > n_pledges
    state = empty_state(n_pledges, n_seats) if by_pledge else empty_state(n_seats, n_pledges)
    warm = False
    while True:
        tell("solving", 0, 1)
        pairs = edges.of_seats()
        ends = (pairs.pledge, pairs.seat) if by_pledge else (pairs.seat, pairs.pledge)
        with clock.stop_flag() as stop:
            solve_graph(graph_of(*ends, pairs.weight, state.u.size), state, warm, stop)
            if stop[0]:
                raise TimeUpError
        u, v = (state.v, state.u) if by_pledge else (state.u, state.v)
        more = scan(
            tables, kinds, u[representative], v, _ADDED, clock, lambda done: tell("pricing", done, kinds.size)
        )
        if not edges.add(kinds, more):
            break
        warm = True
    if by_pledge:
        state = State(state.v, state.u, state.column_partner, state.row_partner)
    return pairs, state


def scan(
    tables: Tables,
    wanted: IntArray,
    u: IntArray,
    v: IntArray,
    most: int,
    clock: Clock,
    tell: Callable[[int], None],
) -> Found:
    """The best pledges of distinct seats, looked for by as many threads as there are processors."""
    found = nothing_found(wanted.size, most)
    firsts = range(0, wanted.size, _SEATS_PER_TASK)
    free_marks = [new_marks(tables.companies.size, tables.order.size) for _ in range(_threads(len(firsts)))]

    def task(first: int) -> None:
        clock.check()
        marks = free_marks.pop()  # there are as many as threads
        last = min(first + _SEATS_PER_TASK, wanted.size)
        scan_seats(
            wanted, first, last, tables.seats, tables.pledges, tables.grid, tables.points, u, v, marks, found
        )
        free_marks.append(marks)

    with ThreadPoolExecutor(len(free_marks)) as threads:
        tasks = [threads.submit(task, first) for first in firsts]
        try:
            for done, each in enumerate(as_completed(tasks), 1):
                each.result()
                tell(min(done * _SEATS_PER_TASK, wanted.size))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return found


def _threads(tasks: int) -> int:
    return max(1, min(tasks, len(os.sched_getaffinity(0))))


def _check_weights(tables: Tables, best: Found) -> None:
    """The heaviest candidate of each seat is the first."""
    heaviest = np.where(best.number > 0, best.weight[:, 0], 0)
    if heaviest.size and int(heaviest.max()) > MAX_ATTRIBUTE_WEIGHT:
        worst = int(heaviest.argmax())
        seat = int(np.flatnonzero(tables.seat_group == worst)[0])
        pledge = int(tables.order[best.partner[worst, 0]])
        raise ProblemError(f"seat {seat} and pledge {pledge} weigh {heaviest[worst]}, above 2^40")
