"""An attribute problem as the scan reads it: pledges in the order of a grid, each distinct seat once, every
attribute packed into rows that lie together in memory."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.problem import (
    FORBIDDEN,
    SATURATION,
    AttributeProblem,
    Int32Array,
    IntArray,
    UInt64Array,
)

X, Y, RADIUS, REMOTE, LANGUAGES, FROM, UNTIL, WEEK, COMPANY, CAUSES, EXCLUDED = range(11)
"""Columns of the packed int32 rows; masks are kept bit by bit. Seats leave the radius and the excluded causes
empty, and their company is their own."""

_FIELDS: Final = 12
CAPACITY, MONTHLY = range(2)
"""Columns of the packed int64 rows of pledges."""

NOBODYS: Final = -1
"""The number of a company that no pledge belongs to."""

_LONGEST_TAIL: Final = 500
_CELLS: Final = 256  # about; more make lists of neighbouring cells short, and the tables of their starts long


class Points(NamedTuple):
    """What the terms of a weight are worth."""

    nice: int
    cause: int
    near: int
    near_metres: int
    remote: int


class Grid(NamedTuple):
    """Square cells of `side` metres from the corner (x, y): `columns` from west to east, `rows` in each."""

    x: int
    y: int
    side: int
    columns: int
    rows: int
    largest_radius: int


class Pledges(NamedTuple):
    """P pledges, in the order of their cell; those that work remotely come first, in their own cell order.

    `skills` are (P, W) words. List n of `member` holds, in that order, the pledges with the n-th of `bits`
    (skills, then languages); the last list is everybody. Those of cell c of the pledges that are remote
    (layer 0) or not (layer 1) stand at ``start[n, layer * cells + c]`` and after. The last `tail` pledges are
    in no list, but at the end of `member`.
    """

    fields: Int32Array
    blocks: IntArray
    skills: UInt64Array
    start: IntArray
    member: Int32Array
    bits: IntArray
    tail: IntArray


class Seats(NamedTuple):
    """T distinct seats. `floor` is what every pair of a seat has: the base and the seat's bonus.

    Seat t keeps out the companies ``barred[barred_range[t, 0] : barred_range[t, 1]]`` besides its own. Its
    exceptions are ``special[special_range[t, 0] : special_range[t, 1]]``, pledges with a bonus each, or
    `FORBIDDEN`.
    """

    fields: Int32Array
    hours: IntArray
    floor: IntArray
    must: UInt64Array
    nice: UInt64Array
    barred_range: IntArray
    barred: Int32Array
    special_range: IntArray
    special: Int32Array
    special_bonus: IntArray


class Tables(NamedTuple):
    """The packed problem; `order` and `companies` say which pledge and company its numbers are.

    `seat_group` (S,) is the distinct seat that each seat is.
    """

    points: Points
    grid: Grid
    pledges: Pledges
    seats: Seats
    order: IntArray
    companies: Int32Array
    seat_group: IntArray


def packed(problem: AttributeProblem) -> Tables:
    """Pack a problem. Takes memory for the seats and the pledges, none for pairs."""
    grid, key = _grid(problem)
    order = np.argsort(key, kind="stable")
    companies, company = np.unique(problem.pledge_org, return_inverse=True)
    pledges = _pledges(problem, order, key[order], company, 2 * grid.columns * grid.rows)
    first, group = _distinct_seats(problem)
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    seats = _seats(problem, first, rank, companies)
    points = Points(problem.w_nice, problem.w_cause, problem.w_near, problem.w_near_metres, problem.w_remote)
    return Tables(points, grid, pledges, seats, order, companies, group)


def with_exception(tables: Tables, kinds: IntArray, pledge: int, bonus: int) -> Tables:
    """The same, but that these distinct seats, all of one request, have one exception more.

    Their exceptions are written down anew at the end; where others of the request stood, nobody looks again.
    """
    if not kinds.size:
        return tables
    seats = tables.seats
    begin, end = seats.special_range[kinds[0]]
    others = np.arange(begin, end)[seats.special[begin:end] != pledge]
    size = seats.special.size
    ranges = seats.special_range.copy()
    ranges[kinds] = (size, size + others.size + 1)
    special = np.concatenate([seats.special, seats.special[others], np.array([pledge], np.int32)])
    bonuses = np.concatenate([seats.special_bonus, seats.special_bonus[others], np.array([bonus])])
    return tables._replace(seats=seats._replace(special_range=ranges, special=special, special_bonus=bonuses))


def extended(tables: Tables, problem: AttributeProblem) -> Tables | None:
    """The tables of a problem that has more seats and pledges at its end, without making all of them anew.

    Each new seat is a kind of its own, and new pledges stand in no list. None where that does not do: a pledge of
    a new company, or so many new ones that it is time for lists.
    """
    old = tables.pledges
    new = np.arange(tables.order.size, problem.n_pledges)
    company = company_numbers(tables.companies, problem.pledge_org[new])
    tail = old.tail + new.size
    if (company == NOBODYS).any() or tail[0] > _LONGEST_TAIL:
        return None
    fields, blocks, skills = _pledge_rows(problem, new, company)
    pledges = old._replace(
        fields=np.concatenate([old.fields, fields]),
        blocks=np.concatenate([old.blocks, blocks]),
        skills=np.concatenate([old.skills, skills]),
        member=np.concatenate([old.member, new.astype(np.int32)]),
        tail=tail,
    )
    order = np.concatenate([tables.order, new])
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    added = _seats(problem, np.arange(tables.seat_group.size, problem.n_seats), rank, tables.companies)
    group = np.arange(added.hours.size) + tables.seats.hours.size
    return tables._replace(
        pledges=pledges,
        seats=_with_kinds(tables.seats, added),
        order=order,
        seat_group=np.concatenate([tables.seat_group, group]),
    )


def _with_kinds(seats: Seats, added: Seats) -> Seats:
    barred, barred_range = _of_ranges(added.barred_range, seats.barred.size)
    special, special_range = _of_ranges(added.special_range, seats.special.size)
    more = added._replace(
        barred_range=barred_range,
        barred=added.barred[barred],
        special_range=special_range,
        special=added.special[special],
        special_bonus=added.special_bonus[special],
    )
    both: list[tuple[Any, Any]] = list(zip(seats, more, strict=True))
    return Seats(*(np.concatenate(pair) for pair in both))


def _of_ranges(ranges: IntArray, begin: int) -> tuple[IntArray, IntArray]:
    """What lies in these ranges, and the ranges where it stands after `begin` others."""
    inside = np.concatenate([np.arange(0), *(np.arange(first, last) for first, last in ranges)])
    length = ranges[:, 1] - ranges[:, 0]
    ends = begin + np.cumsum(length)
    return inside, np.stack([ends - length, ends], axis=1)


def company_numbers(companies: Int32Array, org: Int32Array) -> IntArray:
    """Where each company stands among those of the pledges, `NOBODYS` where it does not."""
    if not companies.size:
        return np.full(org.shape, NOBODYS)
    at = np.minimum(np.searchsorted(companies, org), companies.size - 1)
    return np.where(companies[at] == org, at, NOBODYS)


def _grid(problem: AttributeProblem) -> tuple[Grid, IntArray]:
    """The grid, and for each pledge its layer and cell in one number."""
    x, y = problem.pledge_x.astype(np.int64), problem.pledge_y.astype(np.int64)
    if not x.size:
        return Grid(0, 0, 1, 1, 1, 0), np.zeros(0, np.int64)
    left, low = int(x.min()), int(y.min())
    width, height = int(x.max()) - left + 1, int(y.max()) - low + 1
    side = max(1, int(np.sqrt(width * height / _CELLS)), max(width, height) // _CELLS)
    columns, rows = -(-width // side), -(-height // side)
    cell = (x - left) // side * rows + (y - low) // side
    layer = np.where(problem.pledge_remote, 0, columns * rows)
    return Grid(left, low, side, columns, rows, int(problem.pledge_radius.max())), layer + cell


def _pledges(
    problem: AttributeProblem, order: IntArray, key: IntArray, company: IntArray, cells: int
) -> Pledges:
    start, member, bits = _lists(problem, order, key, cells)
    fields, blocks, skills = _pledge_rows(problem, order, company[order])
    return Pledges(fields, blocks, skills, start, member, bits, np.zeros(1, np.int64))


def _pledge_rows(
    problem: AttributeProblem, some: IntArray, company: IntArray
) -> tuple[Int32Array, IntArray, UInt64Array]:
    """`fields`, `blocks` and `skills` of some pledges; `company` are the numbers of theirs."""
    fields = np.zeros((some.size, _FIELDS), np.int32)
    for column, values in (
        (X, problem.pledge_x),
        (Y, problem.pledge_y),
        (RADIUS, problem.pledge_radius),
        (REMOTE, problem.pledge_remote),
        (LANGUAGES, problem.pledge_languages.view(np.int32)),
        (FROM, problem.pledge_from),
        (UNTIL, problem.pledge_until),
        (WEEK, problem.pledge_week.view(np.int32)),
        (CAUSES, problem.pledge_causes.view(np.int32)),
        (EXCLUDED, problem.pledge_excluded_causes.view(np.int32)),
    ):
        fields[:, column] = values[some]
    fields[:, COMPANY] = company
    blocks = np.stack([problem.pledge_capacity[some], problem.pledge_monthly[some]], axis=1)
    return fields, blocks, np.ascontiguousarray(problem.pledge_skills[some])


def _lists(
    problem: AttributeProblem, order: IntArray, key: IntArray, cells: int
) -> tuple[IntArray, Int32Array, IntArray]:
    """The lists of the bits that some seat asks, each with the start of every cell, and everybody's list."""
    asked = [*np.bitwise_or.reduce(problem.seat_must, axis=0).tolist()]
    asked.append(int(np.bitwise_or.reduce(problem.seat_languages)) if problem.n_seats else 0)
    held = [*problem.pledge_skills.T, problem.pledge_languages.astype(np.uint64)]
    bits, lists = [], []
    for word, mask in enumerate(asked):
        column = held[word][order] if mask else held[word]
        for bit in range(64):
            if mask >> bit & 1:
                bits.append(64 * word + bit)
                lists.append(np.flatnonzero(column >> np.uint64(bit) & np.uint64(1)).astype(np.int32))
    lists.append(np.arange(order.size, dtype=np.int32))
    start = np.empty((len(lists), cells + 1), np.int64)
    offset = 0
    for n, members in enumerate(lists):
        start[n] = offset + np.searchsorted(key[members], np.arange(cells + 1))
        offset += members.size
    return start, np.concatenate(lists), np.array(bits, np.int64)


def _distinct_seats(problem: AttributeProblem) -> tuple[IntArray, IntArray]:
    """One seat of each kind, and the kind of each seat. Seats of one request are looked at together."""
    order = np.argsort(problem.seat_request, kind="stable")
    new = np.zeros(order.size, np.bool_)
    new[:1] = True
    for column in (
        problem.seat_request, problem.seat_must, problem.seat_nice, problem.seat_languages, problem.seat_x,
        problem.seat_y, problem.seat_remote, problem.seat_from, problem.seat_until, problem.seat_week,
        problem.seat_hours, problem.seat_org, problem.seat_causes, problem.seat_bonus,
    ):  # fmt: skip
        values = column[order]
        differs = values[1:] != values[:-1]
        new[1:] |= differs if differs.ndim == 1 else differs.any(axis=1)
    group = np.empty(order.size, np.int64)
    group[order] = np.cumsum(new) - 1
    return order[new], group


def _seats(problem: AttributeProblem, seat: IntArray, rank: IntArray, companies: Int32Array) -> Seats:
    fields = np.zeros((seat.size, _FIELDS), np.int32)
    for column, values in (
        (X, problem.seat_x),
        (Y, problem.seat_y),
        (REMOTE, problem.seat_remote),
        (LANGUAGES, problem.seat_languages.view(np.int32)),
        (FROM, problem.seat_from),
        (UNTIL, problem.seat_until),
        (WEEK, problem.seat_week.view(np.int32)),
        (COMPANY, company_numbers(companies, problem.seat_org)),
        (CAUSES, problem.seat_causes.view(np.int32)),
    ):
        fields[:, column] = values[seat]
    request = problem.seat_request[seat].astype(np.int64)
    barred_request, org = _split(problem.excluded_keys)
    barred = company_numbers(companies, org).astype(np.int32)
    keys, bonus = _exceptions(problem)
    special_request, pledge = _split(keys)
    return Seats(
        fields,
        problem.seat_hours[seat],
        problem.w_base + np.clip(problem.seat_bonus[seat], -SATURATION, SATURATION),
        np.ascontiguousarray(problem.seat_must[seat]),
        np.ascontiguousarray(problem.seat_nice[seat]),
        _ranges(barred_request, request),
        barred,
        _ranges(special_request, request),
        rank[pledge].astype(np.int32),
        bonus,
    )


def _exceptions(problem: AttributeProblem) -> tuple[IntArray, IntArray]:
    """The `pair_keys` of all exceptions, sorted, with the bonus of each or `FORBIDDEN`."""
    keys, totals = problem.bonus_keys
    forbidden = problem.forbidden_keys
    allowed = ~np.isin(keys, forbidden)
    keys = np.concatenate([keys[allowed], forbidden])
    bonus = np.concatenate([totals[allowed], np.full(forbidden.size, FORBIDDEN)])
    order = np.argsort(keys)
    return keys[order], bonus[order]


def _split(keys: IntArray) -> tuple[IntArray, Int32Array]:
    """The two numbers that `pair_keys` made one of."""
    return keys >> 32, ((keys & 0xFFFFFFFF) - 2**31).astype(np.int32)


def _ranges(sorted_values: NDArray[Any], wanted: NDArray[Any]) -> IntArray:
    """(n, 2) where the equals of each wanted value begin and end."""
    sides = [np.searchsorted(sorted_values, wanted, side=side) for side in ("left", "right")]
    return np.stack(sides, axis=1).astype(np.int64)
