"""Which seats and pledges may meet, and how good each meeting is: the reference form of the rules.

Integers throughout. A rule or a term is one function of two index arrays that broadcast against each other.
So the same few lines judge a list of pairs, one seat against all pledges, or the single pair that somebody
wants explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.problem import (
    MAX_ATTRIBUTE_WEIGHT,
    SATURATION,
    AttributeProblem,
    BoolArray,
    Int32Array,
    IntArray,
    ProblemError,
    pair_keys,
)

Index: TypeAlias = NDArray[np.int64]

BLOCKS_PER_HALF_DAY: Final = 8
DAYS_PER_WEEK: Final = 7
DAYS_PER_MONTH: Final = 28
PAIRS_PER_BLOCK: Final = 1 << 19
_MONTHLY_ENOUGH: Final = 2**40
"""No window holds so many blocks: clipping here changes no answer and cannot overflow."""


class Pairs(NamedTuple):
    """Candidates: seats, pledges and weights of equal length, ordered by seat."""

    seat: Int32Array
    pledge: Int32Array
    weight: IntArray


# --- hard rules ---------------------------------------------------------------------------------------------


def skills(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    held: BoolArray = np.ones(np.broadcast_shapes(i.shape, j.shape), np.bool_)
    for word in range(p.seat_must.shape[1]):
        must = p.seat_must[i, word]
        if must.any():
            held &= (must & ~p.pledge_skills[j, word]) == 0
    return held


def languages(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    shared: BoolArray = (p.seat_languages[i] & p.pledge_languages[j]) != 0
    return shared


def on_site(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    """Whether the place lies within the radius; exact for all int32 coordinates."""
    dx, dy, radius = _offsets(p, i, j)
    # Squares fit int64 where no leg exceeds the radius; elsewhere the answer is no, whatever they wrap to.
    within: BoolArray = (dx <= radius) & (dy <= radius) & (dx * dx + dy * dy <= radius * radius)
    return within


def place(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    return on_site(p, i, j) | (p.seat_remote[i] & p.pledge_remote[j])


def window(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    return _overlap(p, i, j) >= 1


def capacity(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    return p.seat_hours[i] <= p.pledge_capacity[j]


def week(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    half_days = np.bitwise_count(p.seat_week[i] & p.pledge_week[j]).astype(np.int64)
    weeks = np.maximum(1, _overlap(p, i, j) // DAYS_PER_WEEK)
    fits: BoolArray = p.seat_hours[i] <= half_days * BLOCKS_PER_HALF_DAY * weeks
    return fits


def monthly(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    blocks = np.minimum(p.pledge_monthly[j], _MONTHLY_ENOUGH)
    months = np.maximum(1, _overlap(p, i, j) // DAYS_PER_MONTH)
    fits: BoolArray = (blocks == 0) | (np.minimum(p.seat_hours[i], _MONTHLY_ENOUGH) <= blocks * months)
    return fits


def own_organisation(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    apart: BoolArray = p.seat_org[i] != p.pledge_org[j]
    return apart


def excluded_cause(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    free: BoolArray = (p.seat_causes[i] & p.pledge_excluded_causes[j]) == 0
    return free


def excluded_company(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    return ~_among(pair_keys(p.seat_request[i], p.pledge_org[j]), p.excluded_keys)


def excluded_pair(p: AttributeProblem, i: Index, j: Index) -> BoolArray:
    return ~_among(pair_keys(p.seat_request[i], j), p.forbidden_keys)


HardRule: TypeAlias = Callable[[AttributeProblem, Index, Index], BoolArray]

HARD_RULES: Final[dict[str, HardRule]] = {
    rule.__name__: rule
    for rule in (
        skills,
        languages,
        place,
        window,
        capacity,
        week,
        monthly,
        own_organisation,
        excluded_cause,
        excluded_company,
        excluded_pair,
    )
}
"""In the order in which they are tried and told."""

_AFTER_SKILLS: Final = tuple(rule for name, rule in HARD_RULES.items() if name != "skills")


# --- soft terms ---------------------------------------------------------------------------------------------


def terms(p: AttributeProblem, i: Index, j: Index) -> dict[str, IntArray]:
    """The points of each pair by term; their sum is its weight, if no hard rule forbids it.

    `near` counts where the two may meet on site, `remote` elsewhere; the other of the two is 0.
    """
    shape = np.broadcast_shapes(i.shape, j.shape)
    nice = np.zeros(shape, np.int64)
    for word in range(p.seat_nice.shape[1]):
        nice += np.bitwise_count(p.seat_nice[i, word] & p.pledge_skills[j, word])
    causes = np.bitwise_count(p.seat_causes[i] & p.pledge_causes[j]).astype(np.int64)
    site = on_site(p, i, j)
    closer = np.maximum(0, p.w_near_metres - np.where(site, distance(p, i, j), 0))
    return {
        "base": np.full(shape, p.w_base, np.int64),
        "nice_skills": p.w_nice * nice,
        "causes": p.w_cause * causes,
        "near": np.where(site, p.w_near * closer // p.w_near_metres, 0),
        "remote": np.where(site, 0, np.int64(p.w_remote)),
        "seat_bonus": np.broadcast_to(np.clip(p.seat_bonus[i], -SATURATION, SATURATION), shape),
        "pair_bonus": _pair_bonus(p, i, j),
    }


def weights(p: AttributeProblem, i: Index, j: Index) -> IntArray:
    """The weight of each pair, whether or not a hard rule forbids it."""
    total = np.zeros(np.broadcast_shapes(i.shape, j.shape), np.int64)
    for points in terms(p, i, j).values():
        total += points
    return total


def distance(p: AttributeProblem, i: Index, j: Index) -> IntArray:
    """Whole metres between seat and pledge, rounded down."""
    dx, dy, _ = _offsets(p, i, j)
    squared = dx.astype(np.uint64) ** 2 + dy.astype(np.uint64) ** 2
    # Squares of such legs may wrap; the longer one will do for a distance around the globe.
    far = (dx >= 2**31) | (dy >= 2**31)
    return np.where(far, np.maximum(dx, dy), integer_sqrt(np.where(far, 0, squared).astype(np.int64)))


def integer_sqrt(squares: IntArray) -> IntArray:
    """The largest whole root of each number below 2^63; floats only make the guess."""
    root = np.minimum(np.sqrt(squares.astype(np.float64)).astype(np.int64), 3_037_000_499)
    root -= root * root > squares
    up = np.minimum(root + 1, 3_037_000_499)
    return np.where(up * up <= squares, up, root)


# --- all pairs, by blocks ------------------------------------------------------------------------------------


def blocks(p: AttributeProblem) -> Iterator[tuple[int, Pairs]]:
    """All candidates, some seats at a time, with the number of seats looked at so far.

    Memory holds one block of pairs, whatever the size of the problem.

    Raises
    ------
    ProblemError : a candidate weighs more than 2^40
    """
    if not p.n_pledges:
        return
    holders = _holders(p)
    pledges: list[Index] = []
    first = held = 0
    for seat in range(p.n_seats):
        pledges.append(holders(seat))
        held += pledges[-1].size
        if held >= PAIRS_PER_BLOCK or seat + 1 == p.n_seats:
            i = np.repeat(np.arange(first, seat + 1), [some.size for some in pledges])
            yield seat + 1, _candidates(p, i, np.concatenate(pledges))
            pledges, first, held = [], seat + 1, 0


def check_weights(p: AttributeProblem) -> None:
    """Weigh all pairs of a problem in which there is one seat, or one pledge.

    Raises
    ------
    ProblemError : a candidate weighs more than 2^40
    """
    i, j = np.broadcast_arrays(np.arange(p.n_seats), np.arange(p.n_pledges))
    held = np.flatnonzero(skills(p, i, j))
    _candidates(p, i[held], j[held])


def _holders(p: AttributeProblem) -> Callable[[int], Index]:
    """For a seat, the pledges that hold every skill that it asks: looked up by the rarest, sifted by the others."""
    everybody = np.arange(p.n_pledges)
    words = np.ascontiguousarray(p.pledge_skills.T)
    of_bit: dict[int, Index] = {}
    for word, asked in enumerate(np.bitwise_or.reduce(p.seat_must, axis=0)):
        for bit in _bits(int(asked)):
            of_bit[64 * word + bit] = np.flatnonzero((words[word] >> np.uint64(bit)) & np.uint64(1))

    def holders(seat: int) -> Index:
        must = [(word, mask) for word, mask in enumerate(p.seat_must[seat].tolist()) if mask]
        asked = [64 * word + bit for word, mask in must for bit in _bits(mask)]
        pledges = min((of_bit[bit] for bit in asked), key=len, default=everybody)
        if len(asked) > 1:
            for word, mask in must:
                pledges = pledges[(words[word][pledges] & np.uint64(mask)) == mask]
        return pledges

    return holders


def _bits(mask: int) -> Iterator[int]:
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def best_per_seat(pairs: Pairs, score: IntArray, most: int) -> Pairs:
    """Of pairs ordered by seat, at most so many of each seat, those of the highest score; still ordered."""
    if not pairs.seat.size:
        return pairs
    first = np.flatnonzero(np.r_[True, pairs.seat[1:] != pairs.seat[:-1]])
    count = np.diff(np.r_[first, pairs.seat.size])
    if int(count.max()) <= most:
        return pairs
    order = np.lexsort((-score, pairs.seat))
    rank = np.arange(order.size) - np.repeat(first, count)
    kept = np.sort(order[rank < most])
    return Pairs(pairs.seat[kept], pairs.pledge[kept], pairs.weight[kept])


def joined(parts: list[Pairs]) -> Pairs:
    if not parts:
        return Pairs(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _candidates(p: AttributeProblem, seat: Index, pledge: Index) -> Pairs:
    """Those of these pairs, who all have the skills, that break no other rule, in the same order."""
    for rule in _AFTER_SKILLS:
        left = np.flatnonzero(rule(p, seat, pledge))
        seat, pledge = seat[left], pledge[left]
    weight = weights(p, seat, pledge)
    left = np.flatnonzero(weight >= 1)
    seat, pledge, weight = seat[left], pledge[left], weight[left]
    if weight.size and int(weight.max()) > MAX_ATTRIBUTE_WEIGHT:
        worst = int(weight.argmax())
        raise ProblemError(f"seat {seat[worst]} and pledge {pledge[worst]} weigh {weight[worst]}, above 2^40")
    return Pairs(seat.astype(np.int32), pledge.astype(np.int32), weight)


def _offsets(p: AttributeProblem, i: Index, j: Index) -> tuple[IntArray, IntArray, IntArray]:
    dx = np.abs(p.seat_x[i].astype(np.int64) - p.pledge_x[j])
    dy = np.abs(p.seat_y[i].astype(np.int64) - p.pledge_y[j])
    return dx, dy, p.pledge_radius[j].astype(np.int64)


def _overlap(p: AttributeProblem, i: Index, j: Index) -> IntArray:
    """Days that both windows hold; below 1 when they do not meet."""
    first = np.maximum(p.seat_from[i], p.pledge_from[j]).astype(np.int64)
    return np.minimum(p.seat_until[i], p.pledge_until[j]) - first


def _among(wanted: IntArray, keys: IntArray) -> BoolArray:
    """Which of these keys stand among the sorted ones."""
    if not keys.size:
        return np.zeros(wanted.shape, np.bool_)
    found: BoolArray = keys[np.minimum(np.searchsorted(keys, wanted), keys.size - 1)] == wanted
    return found


def _pair_bonus(p: AttributeProblem, i: Index, j: Index) -> IntArray:
    keys, totals = p.bonus_keys
    wanted = pair_keys(p.seat_request[i], j)
    if not keys.size:
        return np.zeros(wanted.shape, np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[at] == wanted, totals[at], 0)
