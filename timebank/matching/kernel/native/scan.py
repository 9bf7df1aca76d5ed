"""The fused pass over pairs: hard rules, weight and the best of each seat in one go, with nothing stored but
these."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.compiled import Integer, compiled, leaf
from timebank.matching.kernel.native.tables import (
    CAPACITY,
    CAUSES,
    COMPANY,
    EXCLUDED,
    FROM,
    LANGUAGES,
    MONTHLY,
    NOBODYS,
    RADIUS,
    REMOTE,
    UNTIL,
    WEEK,
    Grid,
    Pledges,
    Points,
    Seats,
    X,
    Y,
)
from timebank.matching.kernel.problem import FORBIDDEN, Int32Array, IntArray

_ENOUGH: Final = 2**40  # blocks: no window holds so many, so clipping here changes no answer
_NO_EXCEPTION: Final = -1


class Seat(NamedTuple):
    """One distinct seat, its attributes at hand."""

    number: Integer
    x: Integer
    y: Integer
    remote: bool
    languages: Integer
    first_day: Integer
    last_day: Integer
    week: Integer
    causes: Integer
    hours: Integer
    floor: Integer
    asks: bool  # skills beyond the one by whose list its pledges are found
    likes: bool  # skills that would be nice


class Marks(NamedTuple):
    """What a seat's exceptions say of each company and pledge; a scan at work has its own.

    `barred[c]` is the last seat that keeps out company c; `exception[j]` is where pledge j stands among the
    present seat's exceptions.
    """

    barred: IntArray
    exception: Int32Array


class Found(NamedTuple):
    """For each seat that was asked for, its best pledges (or for each pledge, its best seats) and their weights,
    best first, and how many."""

    partner: Int32Array
    weight: IntArray
    number: IntArray

    def listed(self) -> Listed:
        """The same as a list of pairs."""
        there = np.arange(self.partner.shape[1]) < self.number[:, None]
        row = np.repeat(np.arange(self.number.size), self.number)
        return Listed(row, self.partner[there], self.weight[there])


class Listed(NamedTuple):
    """What was found: the place of the seat or pledge among those asked for, its partner, and their weight."""

    row: IntArray
    partner: Int32Array
    weight: IntArray


@leaf
def _ones(mask: Integer) -> Integer:
    """How many bits are set."""
    x = np.uint64(mask)
    x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@leaf
def _root(square: Integer) -> Integer:
    """The largest whole root of a number below 2^63; floats only make the guess."""
    root = min(np.int64(np.sqrt(float(square))), np.int64(3_037_000_499))
    if root * root > square:
        root -= 1
    elif root < 3_037_000_499 and (root + 1) * (root + 1) <= square:
        root += 1
    return root


@leaf
def pair_weight(seat: Seat, seats: Seats, pledges: Pledges, j: int, points: Points, marks: Marks) -> Integer:
    """The weight of a pair that breaks no hard rule, else 0; the rules that cost least come first."""
    dx = abs(seat.x - np.int64(pledges.fields[j, X]))
    dy = abs(seat.y - np.int64(pledges.fields[j, Y]))
    radius = np.int64(pledges.fields[j, RADIUS])
    # Squares of longer legs could overflow.
    site = dx <= radius and dy <= radius and dx * dx + dy * dy <= radius * radius
    if not site and not (seat.remote and pledges.fields[j, REMOTE]):
        return 0
    if seat.languages & pledges.fields[j, LANGUAGES] == 0:
        return 0
    days = min(seat.last_day, pledges.fields[j, UNTIL]) - max(seat.first_day, pledges.fields[j, FROM])
    if days < 1 or marks.barred[pledges.fields[j, COMPANY]] == seat.number:
        return 0
    if seat.asks:
        for word in range(pledges.skills.shape[1]):
            must = seats.must[seat.number, word]
            if pledges.skills[j, word] & must != must:
                return 0
    half_days = _ones(np.uint32(seat.week & pledges.fields[j, WEEK]))
    if seat.hours > half_days * 8 * max(1, days // 7) or seat.hours > pledges.blocks[j, CAPACITY]:
        return 0
    monthly = pledges.blocks[j, MONTHLY]
    if monthly and min(seat.hours, _ENOUGH) > min(monthly, _ENOUGH) * max(1, days // 28):
        return 0
    if seat.causes & pledges.fields[j, EXCLUDED]:
        return 0
    bonus = np.int64(0)
    if marks.exception[j] != _NO_EXCEPTION:
        bonus = seats.special_bonus[marks.exception[j]]
        if bonus == FORBIDDEN:
            return 0
    weight = seat.floor + bonus + points.cause * _ones(np.uint32(seat.causes & pledges.fields[j, CAUSES]))
    if seat.likes:
        for word in range(pledges.skills.shape[1]):
            weight += points.nice * _ones(seats.nice[seat.number, word] & pledges.skills[j, word])
    if site:
        weight += points.near * max(0, points.near_metres - _root(dx * dx + dy * dy)) // points.near_metres
    else:
        weight += points.remote
    return int(max(0, int(weight)))


@leaf
def take_seat(seats: Seats, t: int, marks: Marks) -> Seat:
    """Read a seat and mark its exceptions."""
    asked, likes = 0, False
    for word in range(seats.must.shape[1]):
        asked += _ones(seats.must[t, word])
        likes |= seats.nice[t, word] != 0
    fields = seats.fields[t]
    if fields[COMPANY] != NOBODYS:
        marks.barred[fields[COMPANY]] = t
    for k in range(seats.barred_range[t, 0], seats.barred_range[t, 1]):
        if seats.barred[k] != NOBODYS:
            marks.barred[seats.barred[k]] = t
    for k in range(seats.special_range[t, 0], seats.special_range[t, 1]):
        marks.exception[seats.special[k]] = k
    return Seat(
        np.int64(t), np.int64(fields[X]), np.int64(fields[Y]), fields[REMOTE] != 0, fields[LANGUAGES],
        np.int64(fields[FROM]), np.int64(fields[UNTIL]), fields[WEEK], fields[CAUSES],
        seats.hours[t], seats.floor[t], asked > 0, likes,
    )  # fmt: skip


@leaf
def leave_seat(seats: Seats, t: int, marks: Marks) -> None:
    for k in range(seats.special_range[t, 0], seats.special_range[t, 1]):
        marks.exception[seats.special[k]] = _NO_EXCEPTION


@leaf
def shortest_list(seats: Seats, t: int, pledges: Pledges) -> int:
    """The list of the rarest bit that the seat asks for certain: a must skill, or its only language."""
    shortest = pledges.bits.size
    least = pledges.start[shortest, -1] - pledges.start[shortest, 0]
    words = seats.must.shape[1]
    languages = np.uint32(seats.fields[t, LANGUAGES])
    for n in range(pledges.bits.size):
        word, bit = pledges.bits[n] >> 6, np.uint64(pledges.bits[n] & 63)
        if word < words:
            asked = (seats.must[t, word] >> bit) & np.uint64(1)
        else:
            asked = np.uint64(languages == np.uint64(1) << bit)
        length = pledges.start[n, -1] - pledges.start[n, 0]
        if asked and length < least:
            shortest, least = n, length
    return shortest


@leaf
def _most_far(seat: Seat, seats: Seats, points: Points) -> Integer:
    """What no pair of the seat can weigh more than, but for the points of its place."""
    most = seat.floor + max(0, points.cause) * _ones(np.uint32(seat.causes))
    for word in range(seats.nice.shape[1]):
        most += max(0, points.nice) * _ones(seats.nice[seat.number, word])
    bonus = np.int64(0)
    for k in range(seats.special_range[seat.number, 0], seats.special_range[seat.number, 1]):
        bonus = max(bonus, seats.special_bonus[k])
    return most + bonus


@leaf
def segments_of(seat: Seat, grid: Grid, start: IntArray, points: Points, out: IntArray) -> int:
    """The parts of a list in which the seat's pledges can be, and the most that place gives in each.

    Cells farther than the largest radius are left out, but for remote pledges of a remote seat. Grid columns
    come in order of their distance, so that the best are met early.
    """
    cells = grid.columns * grid.rows
    found = 0
    if seat.remote:
        out[0, 0], out[0, 1] = start[0], start[cells]
        out[0, 2] = max(0, points.remote, points.near)
        found = 1
    x, y, reach = int(seat.x), int(seat.y), grid.largest_radius
    home = min(max(0, (x - grid.x) // grid.side), grid.columns - 1)
    for step in range(2 * grid.columns):
        column = home + (step + 1) // 2 * (1 if step % 2 else -1)
        if column < 0 or column >= grid.columns:
            continue
        west = grid.x + column * grid.side
        away = max(0, west - x, x - (west + grid.side - 1))
        if away > reach:
            continue
        low = max(0, (y - reach - grid.y) // grid.side)
        high = min(grid.rows - 1, (y + reach - grid.y) // grid.side)
        if low > high:
            continue
        near = max(0, points.near) * max(0, points.near_metres - away) // points.near_metres
        for layer in range(1 if seat.remote else 0, 2):
            first = layer * cells + column * grid.rows
            out[found, 0], out[found, 1] = start[first + low], start[first + high + 1]
            out[found, 2] = near
            found += 1
    return found


@leaf
def _insert(found: Found, row: int, most: int, partner: int, weight: Integer, price: IntArray) -> None:
    """Put a partner in its place among the best, by what it leaves at its price."""
    at = found.number[row]
    if at == most:
        at -= 1
    else:
        found.number[row] += 1
    gain = weight - price[partner]
    while at > 0 and found.weight[row, at - 1] - price[found.partner[row, at - 1]] < gain:
        found.weight[row, at] = found.weight[row, at - 1]
        found.partner[row, at] = found.partner[row, at - 1]
        at -= 1
    found.weight[row, at] = weight
    found.partner[row, at] = partner


EXAMPLE_POINTS: Final = Points(0, 0, 0, 1, 0)
EXAMPLE_GRID: Final = Grid(0, 0, 1, 1, 1, 0)
_INTS, _INT32S = np.zeros(0, np.int64), np.zeros(0, np.int32)
_TABLE, _TABLE32, _WORDS = np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int32), np.zeros((0, 1), np.uint64)
EXAMPLE_PLEDGES: Final = Pledges(_TABLE32, _TABLE, _WORDS, _TABLE, _INT32S, _INTS, _INTS)
EXAMPLE_SEATS: Final = Seats(_TABLE32, _INTS, _INTS, _WORDS, _WORDS, _TABLE, _INT32S, _TABLE, _INT32S, _INTS)
EXAMPLE_MARKS: Final = Marks(_INTS, _INT32S)
EXAMPLE_FOUND: Final = Found(_TABLE32, _TABLE, _INTS)


@compiled(
    _INTS, 0, 0, EXAMPLE_SEATS, EXAMPLE_PLEDGES, EXAMPLE_GRID, EXAMPLE_POINTS, _INTS, _INTS, EXAMPLE_MARKS,
    EXAMPLE_FOUND,
)  # fmt: skip
def scan_seats(
    wanted: IntArray,
    first: int,
    last: int,
    seats: Seats,
    pledges: Pledges,
    grid: Grid,
    points: Points,
    u: IntArray,
    v: IntArray,
    marks: Marks,
    found: Found,
) -> None:
    """For the seats ``wanted[first:last]``, the pledges of the greatest gain ``w - v`` above the seat's u.

    Parameters
    ----------
    wanted : (n,) distinct seats
    u, v : (n,) prices of these and (P,) of the pledges; all zeros for the best candidates
    marks : of `new_marks`, this caller's own
    found : of `nothing_found`; rows first .. last are written
    """
    segments = np.empty((2 * grid.columns + 3, 3), np.int64)
    most = found.partner.shape[1]
    for row in range(first, last):
        t = wanted[row]
        seat = take_seat(seats, t, marks)
        listed = shortest_list(seats, t, pledges)
        n_segments = segments_of(seat, grid, pledges.start[listed], points, segments)
        if pledges.tail[0]:
            segments[n_segments, 0] = pledges.member.size - pledges.tail[0]
            segments[n_segments, 1] = pledges.member.size
            segments[n_segments, 2] = max(0, points.remote, points.near)
            n_segments += 1
        far = _most_far(seat, seats, points)
        low = u[row]
        for segment in range(n_segments):
            bound = far + segments[segment, 2]
            for k in range(segments[segment, 0], segments[segment, 1]):
                j = pledges.member[k]
                if bound - v[j] <= low:
                    continue
                weight = pair_weight(seat, seats, pledges, j, points, marks)
                if weight > 0 and weight - v[j] > low:
                    _insert(found, row, most, j, weight, v)
                    if found.number[row] == most:
                        low = found.weight[row, most - 1] - v[found.partner[row, most - 1]]
        leave_seat(seats, t, marks)


@compiled(_INTS, EXAMPLE_SEATS, EXAMPLE_PLEDGES, EXAMPLE_POINTS, _INTS, _INTS, EXAMPLE_MARKS, EXAMPLE_FOUND)
def scan_pledges(
    wanted: IntArray,
    seats: Seats,
    pledges: Pledges,
    points: Points,
    u: IntArray,
    v: IntArray,
    marks: Marks,
    found: Found,
) -> None:
    """For each of the wanted pledges, the distinct seats of the greatest gain ``w - u`` above its v.

    Parameters
    ----------
    wanted : (n,) pledges
    u, v : (T,) prices of all distinct seats, (P,) of all pledges
    marks, found : as in `scan_seats`
    """
    if not wanted.size:
        return
    most = found.partner.shape[1]
    cheapest = v[wanted].min()
    best_place = max(0, points.near, points.remote)
    for t in range(u.size):
        seat = take_seat(seats, t, marks)
        if _most_far(seat, seats, points) + best_place - u[t] > cheapest:
            for row in range(wanted.size):
                j = wanted[row]
                weight = pair_weight(seat, seats, pledges, j, points, marks)
                gain = weight - u[t]
                if weight > 0 and gain > v[j]:
                    full = found.number[row] == most
                    if not full or gain > found.weight[row, most - 1] - u[found.partner[row, most - 1]]:
                        _insert(found, row, most, t, weight, u)
        leave_seat(seats, t, marks)


def new_marks(n_companies: int, n_pledges: int) -> Marks:
    return Marks(np.full(n_companies, -1, np.int64), np.full(n_pledges, _NO_EXCEPTION, np.int32))


def nothing_found(n_seats: int, most: int) -> Found:
    shape = (n_seats, most)
    return Found(np.empty(shape, np.int32), np.empty(shape, np.int64), np.zeros(n_seats, np.int64))
