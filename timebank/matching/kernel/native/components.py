"""Independent parts of an attribute problem: no seat of one has a candidate in another, so each has an optimum, and
prices, of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.compiled import Integer, compiled, leaf
from timebank.matching.kernel.native.scan import (
    EXAMPLE_GRID,
    EXAMPLE_MARKS,
    EXAMPLE_PLEDGES,
    EXAMPLE_POINTS,
    EXAMPLE_SEATS,
    Marks,
    leave_seat,
    new_marks,
    pair_weight,
    segments_of,
    shortest_list,
    take_seat,
)
from timebank.matching.kernel.native.tables import Grid, Pledges, Points, Seats, Tables
from timebank.matching.kernel.problem import AttributeProblem, Int32Array, IntArray
from timebank.matching.kernel.progress import Clock

PAIRS_PER_PART: Final = 200_000_000
"""Seats times pledges of a part: small components share one up to here."""

_STRIDE: Final = 16  # one seat in so many is looked at first,
_FEWEST_SAMPLED: Final = 1024  # or more, as a small sample says little
_SEATS_PER_STEP: Final = 1024  # between two looks at the clock


class Part(NamedTuple):
    """Some seats and pledges, by their numbers in the whole problem, and the problem that they are by themselves."""

    seats: IntArray
    pledges: IntArray
    problem: AttributeProblem


def independent_parts(
    problem: AttributeProblem, tables: Tables, clock: Clock, tell: Callable[[int], None]
) -> Iterator[Part]:
    """Parts without a candidate between them, the largest first; seats and pledges without any are in none.

    There is none where one component is more than half of the work. A sample of the seats often shows that already;
    where it errs, nothing is wrong but that parts could have been made.
    """
    label = _labels(tables, clock, tell)
    if label is None:
        return
    n_pledges = tables.order.size
    pledge_label = np.empty(n_pledges, np.int32)
    pledge_label[tables.order] = label[:n_pledges]
    seat_label = label[n_pledges:][tables.seat_group]
    for labels in _batches(seat_label, pledge_label):
        chosen = np.zeros(label.size, np.bool_)
        chosen[labels] = True
        seats, pledges = np.flatnonzero(chosen[seat_label]), np.flatnonzero(chosen[pledge_label])
        yield Part(seats, pledges, problem_of(problem, seats, pledges))


def problem_of(problem: AttributeProblem, seats: IntArray, pledges: IntArray) -> AttributeProblem:
    """The problem of these seats and pledges alone."""
    arrays = {name: getattr(problem, name) for name in AttributeProblem.__dataclass_fields__}
    place = np.full(problem.n_pledges, -1, np.int32)
    place[pledges] = np.arange(pledges.size)
    there = place[problem.pair_pledge] >= 0
    named = np.isin(problem.excluded_request, problem.seat_request[seats])
    of_side = {"seat": seats, "pledge": pledges, "pair": there, "excluded": named}
    for name, array in arrays.items():
        side = name.partition("_")[0]
        if side in of_side:
            arrays[name] = array[of_side[side]]
    arrays["pair_pledge"] = place[arrays["pair_pledge"]]
    return AttributeProblem(**arrays)


def _labels(tables: Tables, clock: Clock, tell: Callable[[int], None]) -> Int32Array | None:
    """(P + T,) the component of each pledge and distinct seat, named by one of them, or None for a giant one."""
    n_pledges, n_kinds = tables.order.size, tables.seats.hours.size
    root = np.arange(n_pledges + n_kinds, dtype=np.int32)
    marks = new_marks(tables.companies.size, n_pledges)
    sampled = np.arange(n_kinds) % max(1, min(_STRIDE, n_kinds // _FEWEST_SAMPLED)) == 0
    done = 0
    for kinds in (np.flatnonzero(sampled), np.flatnonzero(~sampled)):
        for first in range(0, kinds.size, _SEATS_PER_STEP):
            clock.check()
            step = kinds[first : first + _SEATS_PER_STEP]
            join_seats(step, tables.seats, tables.pledges, tables.grid, tables.points, marks, root)
            done += step.size
            tell(done)
        flatten(root)
        work = _work(root[n_pledges:], root[:n_pledges])
        if 2 * int(work.max(initial=0)) > int(work.sum()):
            return None
    return root


def _batches(seat_label: Int32Array, pledge_label: Int32Array) -> Iterator[IntArray]:
    """Labels of components, those of a batch together no more work than a part has, unless it is one alone."""
    work = _work(seat_label, pledge_label)
    seats, pledges = (np.bincount(each, minlength=work.size) for each in (seat_label, pledge_label))
    labels = np.argsort(-work, kind="stable")[: np.count_nonzero(work)]
    batch: list[int] = []
    n_seats = n_pledges = 0
    for label in labels.tolist():
        n_seats += int(seats[label])
        n_pledges += int(pledges[label])
        if batch and n_seats * n_pledges > PAIRS_PER_PART:
            yield np.array(batch)
            batch, n_seats, n_pledges = [], int(seats[label]), int(pledges[label])
        batch.append(label)
    if batch:
        yield np.array(batch)


def _work(seat_label: Int32Array, pledge_label: Int32Array) -> IntArray:
    """By label, the seats times the pledges of a component: the pairs that its solution looks at."""
    size = int(max(seat_label.max(initial=-1), pledge_label.max(initial=-1))) + 1
    work: IntArray = np.bincount(seat_label, minlength=size) * np.bincount(pledge_label, minlength=size)
    return work


@leaf
def _root_of(root: Int32Array, node: Integer) -> Integer:
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node


@compiled(EXAMPLE_MARKS.exception)
def flatten(root: Int32Array) -> None:
    """Let each node name its root."""
    for node in range(root.size):
        root[node] = _root_of(root, node)


@compiled(
    EXAMPLE_MARKS.barred, EXAMPLE_SEATS, EXAMPLE_PLEDGES, EXAMPLE_GRID, EXAMPLE_POINTS, EXAMPLE_MARKS,
    EXAMPLE_MARKS.exception,
)  # fmt: skip
def join_seats(
    wanted: IntArray,
    seats: Seats,
    pledges: Pledges,
    grid: Grid,
    points: Points,
    marks: Marks,
    root: Int32Array,
) -> None:
    """Join each wanted seat with all its candidates (union and find); only pairs not yet joined are weighed.

    Parameters
    ----------
    marks : as in `scan_seats`
    root : (P + T,) a forest of pledges and, behind them, distinct seats; changed in place
    """
    n_pledges = pledges.fields.shape[0]
    segments = np.empty((2 * grid.columns + 2, 3), np.int64)
    for t in wanted:
        seat = take_seat(seats, t, marks)
        listed = shortest_list(seats, t, pledges)
        n_segments = segments_of(seat, grid, pledges.start[listed], points, segments)
        own = _root_of(root, n_pledges + t)
        for segment in range(n_segments):
            for k in range(segments[segment, 0], segments[segment, 1]):
                j = pledges.member[k]
                other = _root_of(root, j)
                if other != own and pair_weight(seat, seats, pledges, j, points, marks) > 0:
                    own, other = min(own, other), max(own, other)
                    root[other] = own
        leave_seat(seats, t, marks)
