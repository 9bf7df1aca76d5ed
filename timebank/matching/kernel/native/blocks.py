"""The scan of pairs by blocks of seats, each a task with the arrays that it needs and no others.

The pledges of a seat are found in one list, that of the rarest skill or language that it asks. So a block holds
seats of one list, and the pledges of that list: however many tasks there are, a pledge is sent about as often as
it has skills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.compiled import compiled
from timebank.matching.kernel.native.scan import (
    EXAMPLE_PLEDGES,
    EXAMPLE_SEATS,
    Found,
    new_marks,
    nothing_found,
    scan_seats,
    shortest_list,
)
from timebank.matching.kernel.native.tables import Grid, Pledges, Points, Seats, Tables
from timebank.matching.kernel.problem import Int32Array, IntArray
from timebank.matching.kernel.progress import Clock
from timebank.matching.kernel.workers import Workers

SEATS_PER_TASK: Final = 4_000
"""Distinct seats: enough that the work on each pledge of the block, some 10 ns a seat, is far more than sending it."""

Packed = TypeVar("Packed", Pledges, Seats)


class Block(NamedTuple):
    """Distinct seats and the pledges of the list that they have in common.

    `rows` says which of the wanted seats these are, and `listed` which list it is. Prices are those of the block's
    seats and pledges.
    """

    rows: IntArray
    listed: int
    seats: Seats
    pledges: Pledges
    grid: Grid
    points: Points
    n_companies: int
    u: IntArray
    v: IntArray
    most: int


def scan_by_workers(
    workers: Workers,
    tables: Tables,
    wanted: IntArray,
    u: IntArray,
    v: IntArray,
    most: int,
    clock: Clock,
    tell: Callable[[int], None],
) -> Found:
    """What `attributes.scan` does, by workers."""
    found = nothing_found(wanted.size, most)
    done = 0

    def check() -> None:
        clock.check()
        tell(done)

    tell(done)
    for block, best in workers.results(scan_block, blocks_of(tables, wanted, u, v, most), check):
        found.partner[block.rows] = members(tables.pledges, block.listed)[best.partner]
        found.weight[block.rows] = best.weight
        found.number[block.rows] = best.number
        done += block.rows.size
        tell(done)
    return found


def scan_block(block: Block) -> Found:
    """The best pledges of the seats of a block, in the numbers of its pledges."""
    found = nothing_found(block.rows.size, block.most)
    found.partner.fill(0)
    scan_seats(
        np.arange(block.rows.size),
        0,
        block.rows.size,
        _owned(block.seats),
        _owned(block.pledges),
        block.grid,
        block.points,
        _writable(block.u),
        _writable(block.v),
        new_marks(block.n_companies, block.v.size),
        found,
    )
    return found


def blocks_of(tables: Tables, wanted: IntArray, u: IntArray, v: IntArray, most: int) -> Iterator[Block]:
    """The wanted seats in blocks, the largest lists first, as their tasks take longest."""
    listed = lists_of(wanted, tables.seats, tables.pledges)
    length = tables.pledges.start[:, -1] - tables.pledges.start[:, 0]
    for n in np.argsort(-length, kind="stable"):
        rows = np.flatnonzero(listed == n)
        if not rows.size or not length[n]:
            continue
        pledges = _listed_pledges(tables.pledges, int(n))
        prices = v[members(tables.pledges, int(n))]
        for part in np.array_split(rows, -(-rows.size // SEATS_PER_TASK)):
            yield Block(
                part,
                int(n),
                _some_seats(tables.seats, wanted[part], members(tables.pledges, int(n))),
                pledges,
                tables.grid,
                tables.points,
                tables.companies.size,
                u[part],
                prices,
                most,
            )


def members(pledges: Pledges, listed: int) -> Int32Array:
    """The pledges of a list, in their order."""
    return pledges.member[pledges.start[listed, 0] : pledges.start[listed, -1]]


@compiled(np.zeros(0, np.int64), EXAMPLE_SEATS, EXAMPLE_PLEDGES)
def lists_of(wanted: IntArray, seats: Seats, pledges: Pledges) -> IntArray:
    """The list in which each wanted seat finds its pledges."""
    listed = np.empty(wanted.size, np.int64)
    for row in range(wanted.size):
        listed[row] = shortest_list(seats, wanted[row], pledges)
    return listed


def _listed_pledges(pledges: Pledges, listed: int) -> Pledges:
    """The pledges of a list alone, which is then everybody's."""
    kept = members(pledges, listed)
    return Pledges(
        pledges.fields[kept],
        pledges.blocks[kept],
        pledges.skills[kept],
        pledges.start[listed : listed + 1] - pledges.start[listed, 0],
        np.arange(kept.size, dtype=np.int32),
        np.zeros(0, np.int64),
        pledges.tail,
    )


def _some_seats(seats: Seats, wanted: IntArray, pledges: Int32Array) -> Seats:
    """These seats, with their exceptions among these pledges, which are numbered from 0 on."""
    barred, _ = _gathered(seats.barred_range[wanted])
    special, owner = _gathered(seats.special_range[wanted])
    place = np.searchsorted(pledges, seats.special[special])
    there = np.flatnonzero(pledges[np.minimum(place, pledges.size - 1)] == seats.special[special])
    return Seats(
        seats.fields[wanted],
        seats.hours[wanted],
        seats.floor[wanted],
        seats.must[wanted],
        seats.nice[wanted],
        _ranges_of_lengths(np.diff(seats.barred_range[wanted])[:, 0]),
        seats.barred[barred],
        _ranges_of_lengths(np.bincount(owner[there], minlength=wanted.size)),
        place[there].astype(np.int32),
        seats.special_bonus[special[there]],
    )


def _gathered(ranges: IntArray) -> tuple[IntArray, IntArray]:
    """The places within ranges, one range after the other, and whose range each is of."""
    length = ranges[:, 1] - ranges[:, 0]
    owner = np.repeat(np.arange(length.size), length)
    return np.arange(owner.size) + (ranges[:, 0] - np.cumsum(length) + length)[owner], owner


def _ranges_of_lengths(length: IntArray) -> IntArray:
    end = np.cumsum(length)
    return np.stack([end - length, end], axis=1)


def _owned(arrays: Packed) -> Packed:
    return type(arrays)(*(_writable(getattr(arrays, name)) for name in arrays._fields))


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    """Compiled code takes arrays that could be written to, though it does not; those that came over a network
    may not be."""
    return np.require(array, requirements=["C", "W"])
