"""What the kernel solves: the edge form and the attribute form of a matching problem, validated where they
are made.

Both are plain arrays. Everything that is checked about them is checked here, once, when an object is
constructed, so that the solver, the explanations and the files can rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray: TypeAlias = NDArray[np.int64]
Int32Array: TypeAlias = NDArray[np.int32]
UInt32Array: TypeAlias = NDArray[np.uint32]
UInt64Array: TypeAlias = NDArray[np.uint64]
BoolArray: TypeAlias = NDArray[np.bool_]

FORBIDDEN: Final = int(np.iinfo(np.int64).min)
"""The value of `pair_bonus` that keeps a request and a pledge apart."""

MAX_EDGE_WEIGHT: Final = 2**31 - 1
MAX_ATTRIBUTE_WEIGHT: Final = 2**40
MAX_EDGE_SIZE: Final = 100_000_000
MAX_ATTRIBUTE_SIZE: Final = 2**22
"""At most so many seats or pledges, so that a sum of weights always fits int64."""

SATURATION: Final = 2**52
"""Bonuses are clipped here: far beyond any weight that is allowed, and far from the end of int64."""

_TERMS_LIMIT: Final = 2**50
_WEEK_LIMIT: Final = 2**21 - 1


class ProblemError(ValueError):
    """The input is malformed, or asks for something that the kernel does not do; the message is one line."""


class _Rule(NamedTuple):
    """What an array must look like: its type, its shape in sizes, and the range of its values."""

    dtype: type[np.generic]
    shape: tuple[str, ...]
    low: int
    high: int
    optional: bool = False


def _over(dtype: type[np.integer[Any]], *shape: str, optional: bool = False) -> _Rule:
    limits = np.iinfo(dtype)
    return _Rule(dtype, shape, int(limits.min), int(limits.max), optional)


_BLOCKS_MAX = 2**63 - 1

EDGE_ARRAYS: Final[dict[str, _Rule]] = {
    "n_seats": _Rule(np.int64, (), 0, MAX_EDGE_SIZE),
    "n_pledges": _Rule(np.int64, (), 0, MAX_EDGE_SIZE),
    "seat": _Rule(np.int32, ("E",), 0, 2**31 - 1),
    "pledge": _Rule(np.int32, ("E",), 0, 2**31 - 1),
    "weight": _Rule(np.int64, ("E",), 1, MAX_EDGE_WEIGHT),
}

BUNDLE_ARRAYS: Final[dict[str, _Rule]] = {
    "pledge_capacity": _Rule(np.int64, ("P",), 0, _BLOCKS_MAX),
    "seat_hours": _Rule(np.int64, ("S",), 0, _BLOCKS_MAX, True),
    "candidate_hours": _Rule(np.int64, ("E",), 0, _BLOCKS_MAX, True),
    "seat_request": _Rule(np.int32, ("S",), -(2**31), 2**31 - 1, True),
    "must_fill": _Rule(np.bool_, (), 0, 1, True),
}
"""What bundle mode reads of the edge form besides."""

ATTRIBUTE_ARRAYS: Final[dict[str, _Rule]] = {
    "seat_must": _over(np.uint64, "S", "W"),
    "pledge_skills": _over(np.uint64, "P", "W"),
    "seat_languages": _over(np.uint32, "S"),
    "pledge_languages": _over(np.uint32, "P"),
    "seat_x": _over(np.int32, "S"),
    "seat_y": _over(np.int32, "S"),
    "pledge_x": _over(np.int32, "P"),
    "pledge_y": _over(np.int32, "P"),
    "pledge_radius": _Rule(np.int32, ("P",), 0, 2**31 - 1),
    "seat_remote": _Rule(np.bool_, ("S",), 0, 1),
    "pledge_remote": _Rule(np.bool_, ("P",), 0, 1),
    "seat_from": _over(np.int32, "S"),
    "seat_until": _over(np.int32, "S"),
    "pledge_from": _over(np.int32, "P"),
    "pledge_until": _over(np.int32, "P"),
    "seat_week": _Rule(np.uint32, ("S",), 0, _WEEK_LIMIT),
    "pledge_week": _Rule(np.uint32, ("P",), 0, _WEEK_LIMIT),
    "seat_hours": _Rule(np.int64, ("S",), 0, _BLOCKS_MAX),
    "pledge_capacity": _Rule(np.int64, ("P",), 0, _BLOCKS_MAX),
    "seat_request": _over(np.int32, "S"),
    "seat_org": _over(np.int32, "S"),
    "pledge_org": _over(np.int32, "P"),
    "w_base": _over(np.int64),
    "w_nice": _over(np.int64),
    "w_cause": _over(np.int64),
    "w_near": _over(np.int64),
    "w_near_metres": _Rule(np.int64, (), 1, _BLOCKS_MAX),
    "w_remote": _over(np.int64),
    "seat_nice": _over(np.uint64, "S", "W", optional=True),
    "seat_causes": _over(np.uint32, "S", optional=True),
    "pledge_causes": _over(np.uint32, "P", optional=True),
    "pledge_excluded_causes": _over(np.uint32, "P", optional=True),
    "pledge_monthly": _Rule(np.int64, ("P",), 0, _BLOCKS_MAX, True),
    "seat_bonus": _over(np.int64, "S", optional=True),
    "excluded_request": _over(np.int32, "G", optional=True),
    "excluded_org": _over(np.int32, "G", optional=True),
    "pair_request": _over(np.int32, "F", optional=True),
    "pair_pledge": _Rule(np.int32, ("F",), 0, 2**31 - 1, True),
    "pair_bonus": _over(np.int64, "F", optional=True),
}

_TOGETHER = (("excluded_request", "excluded_org"), ("pair_request", "pair_pledge", "pair_bonus"))


@dataclass(frozen=True, eq=False)
class EdgeProblem:
    """A matching problem as a list of candidates.

    Parameters
    ----------
    n_seats, n_pledges : the sizes S and P; a seat or pledge without any candidate is fine
    seat, pledge : (E,) the two ends of each candidate, 0-based; no pair twice
    weight : (E,) the value of each candidate, 1 .. 2**31 - 1

    Raises
    ------
    ProblemError : in one line, what is wrong with the first array that is
    """

    n_seats: int
    n_pledges: int
    seat: Int32Array
    pledge: Int32Array
    weight: IntArray

    def __post_init__(self) -> None:
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        _adopt(self, _checked(given, EDGE_ARRAYS, {}))
        _check_index("seat", self.seat, self.n_seats, "n_seats")
        _check_index("pledge", self.pledge, self.n_pledges, "n_pledges")
        _check_no_pair_twice(self.seat, self.pledge, self.n_pledges)


@dataclass(frozen=True, eq=False)
class BundleProblem(EdgeProblem):
    """The edge form with what bundle mode needs besides: how long seats take, and how much pledges have.

    Parameters
    ----------
    pledge_capacity : (P,) blocks that a pledge has
    seat_hours : (S,) blocks that a seat takes
    candidate_hours : (E,) blocks that a seat takes with that very pledge; goes before `seat_hours`, and one of
        the two has to be there
    seat_request : (S,) the request of each seat, of which a pledge takes at most one seat; each seat is a
        request of its own by default
    must_fill : every seat must be filled; by default none must

    Raises
    ------
    ProblemError : in one line, what is wrong with the first array that is
    """

    pledge_capacity: IntArray
    seat_hours: IntArray | None = None
    candidate_hours: IntArray | None = None
    seat_request: Int32Array | None = None
    must_fill: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = {"E": self.seat.size, "S": self.n_seats, "P": self.n_pledges}
        given = {name: getattr(self, name) for name in BUNDLE_ARRAYS}
        there = {
            name: rule for name, rule in BUNDLE_ARRAYS.items() if given[name] is not None or not rule.optional
        }
        _adopt(self, _checked(given, there, sizes))
        if self.seat_hours is None and self.candidate_hours is None:
            raise ProblemError("array seat_hours is missing, and so is candidate_hours")
        object.__setattr__(self, "must_fill", bool(self.must_fill))

    @property
    def hours(self) -> IntArray:
        """(E,) the blocks that each candidate takes."""
        if self.seat_hours is not None and self.candidate_hours is None:
            return self.seat_hours[self.seat]
        return self.candidate_hours  # type: ignore[return-value] # one of the two is there

    @property
    def request(self) -> Int32Array:
        """(S,) the request of each seat, from 0 on."""
        if self.seat_request is None:
            return np.arange(self.n_seats, dtype=np.int32)
        return np.unique(self.seat_request, return_inverse=True)[1].astype(np.int32)


@dataclass(frozen=True, eq=False, kw_only=True)
class AttributeProblem:
    """A matching problem as what each seat asks and each pledge offers; the candidates follow from the rules.

    S seats, P pledges, W words of skill bits; the fields are the arrays of the file format, with its units
    (metres in one plane, days, blocks of time). An optional array that is left out means nothing asked,
    nothing excluded, no points.

    Raises
    ------
    ProblemError : in one line, what is wrong with the first array that is
    """

    seat_must: UInt64Array
    pledge_skills: UInt64Array
    seat_languages: UInt32Array
    pledge_languages: UInt32Array
    seat_x: Int32Array
    seat_y: Int32Array
    pledge_x: Int32Array
    pledge_y: Int32Array
    pledge_radius: Int32Array
    seat_remote: BoolArray
    pledge_remote: BoolArray
    seat_from: Int32Array
    seat_until: Int32Array
    pledge_from: Int32Array
    pledge_until: Int32Array
    seat_week: UInt32Array
    pledge_week: UInt32Array
    seat_hours: IntArray
    pledge_capacity: IntArray
    seat_request: Int32Array
    seat_org: Int32Array
    pledge_org: Int32Array
    w_base: int
    w_nice: int
    w_cause: int
    w_near: int
    w_near_metres: int
    w_remote: int
    seat_nice: UInt64Array = None  # type: ignore[assignment]
    seat_causes: UInt32Array = None  # type: ignore[assignment]
    pledge_causes: UInt32Array = None  # type: ignore[assignment]
    pledge_excluded_causes: UInt32Array = None  # type: ignore[assignment]
    pledge_monthly: IntArray = None  # type: ignore[assignment]
    seat_bonus: IntArray = None  # type: ignore[assignment]
    excluded_request: Int32Array = None  # type: ignore[assignment]
    excluded_org: Int32Array = None  # type: ignore[assignment]
    pair_request: Int32Array = None  # type: ignore[assignment]
    pair_pledge: Int32Array = None  # type: ignore[assignment]
    pair_bonus: IntArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        for group in _TOGETHER:
            missing = [name for name in group if given[name] is None]
            if missing and len(missing) < len(group):
                raise ProblemError(f"array {missing[0]} is missing, as {' and '.join(group)} belong together")
        sizes: dict[str, int] = {}
        _adopt(self, _checked(given, ATTRIBUTE_ARRAYS, sizes))
        for size, what in (("S", "seats"), ("P", "pledges")):
            if sizes[size] > MAX_ATTRIBUTE_SIZE:
                raise ProblemError(
                    f"{sizes[size]} {what} are more than the {MAX_ATTRIBUTE_SIZE} that this form holds"
                )
        _check_index("pair_pledge", self.pair_pledge, self.n_pledges, "the number of pledges")
        _check_terms(self)

    @property
    def n_seats(self) -> int:
        return int(self.seat_must.shape[0])

    @property
    def n_pledges(self) -> int:
        return int(self.pledge_skills.shape[0])

    @cached_property
    def excluded_keys(self) -> IntArray:
        """The `pair_keys` of request and company that stay apart, sorted."""
        return np.unique(pair_keys(self.excluded_request, self.excluded_org))

    @cached_property
    def forbidden_keys(self) -> IntArray:
        """The `pair_keys` of request and pledge that stay apart, sorted."""
        forbidden = self.pair_bonus == FORBIDDEN
        return np.unique(pair_keys(self.pair_request[forbidden], self.pair_pledge[forbidden]))

    @cached_property
    def bonus_keys(self) -> tuple[IntArray, IntArray]:
        """The `pair_keys` of request and pledge that have a bonus, sorted, and the sum of what each is
        given."""
        allowed = self.pair_bonus != FORBIDDEN
        pairs = pair_keys(self.pair_request[allowed], self.pair_pledge[allowed])
        keys, group = np.unique(pairs, return_inverse=True)
        exact, about = np.zeros(keys.size, np.int64), np.zeros(keys.size)
        np.add.at(exact, group, self.pair_bonus[allowed])  # wraps around where a sum is huge,
        np.add.at(about, group, self.pair_bonus[allowed].astype(np.float64))  # which this one tells
        huge = np.where(about < 0, -SATURATION, SATURATION)
        return keys, np.where(np.abs(about) < SATURATION, exact, huge)


Problem: TypeAlias = EdgeProblem | AttributeProblem


def pair_keys(request: NDArray[np.integer[Any]], other: NDArray[np.integer[Any]]) -> IntArray:
    """One int64 for two int32, so that pairs can be sorted and looked up."""
    return (request.astype(np.int64) << 32) + (other.astype(np.int64) + 2**31)


def _adopt(problem: Problem, arrays: dict[str, Any]) -> None:
    for name, value in arrays.items():
        object.__setattr__(problem, name, value)


def _checked(given: dict[str, Any], rules: dict[str, _Rule], sizes: dict[str, int]) -> dict[str, Any]:
    """Each array in its own type; `sizes` is filled with what the shapes say, the first array deciding."""
    result: dict[str, Any] = {}
    for name, rule in rules.items():
        value = given[name]
        if value is None:
            if not rule.optional:
                raise ProblemError(f"array {name} is missing")
            result[name] = np.zeros([sizes.setdefault(size, 0) for size in rule.shape], rule.dtype)
            continue
        array = _array(name, value, rule)
        if array.ndim != len(rule.shape):
            want = (
                f"({', '.join(rule.shape)}{',' if len(rule.shape) == 1 else ''})"
                if rule.shape
                else "a single number"
            )
            raise ProblemError(f"array {name} has {array.ndim} dimensions, expected {want}")
        for size, length in zip(rule.shape, array.shape, strict=True):
            if sizes.setdefault(size, length) != length:
                raise ProblemError(f"array {name} has length {length}, where {size} is {sizes[size]}")
        result[name] = array if rule.shape else int(array)
    return result


def _array(name: str, value: ArrayLike, rule: _Rule) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise ProblemError(f"array {name} is no regular array of numbers") from None
    if array.size == 0 and array.dtype == np.float64 and isinstance(value, list | tuple):
        array = array.astype(rule.dtype)  # what numpy makes of an empty list
    if rule.dtype is np.bool_:
        if array.dtype != np.bool_:
            raise ProblemError(f"array {name} has type {array.dtype}, expected bool")
        return array.copy(order="C")
    if array.dtype.kind not in "iu":  # to numpy, spans of time are integers, too
        raise ProblemError(f"array {name} has type {array.dtype}, expected {np.dtype(rule.dtype)}")
    if array.size:
        low, high = int(array.min()), int(array.max())
        if low < rule.low or high > rule.high:
            wrong = low if low < rule.low else high
            raise ProblemError(f"array {name} holds {wrong}, outside {rule.low} .. {rule.high}")
    return (
        np.array(array, rule.dtype, order="C") if array.ndim == 0 else np.ascontiguousarray(array, rule.dtype)
    )


def _check_index(name: str, index: Int32Array, size: int, meaning: str) -> None:
    if index.size and int(index.max()) >= size:
        raise ProblemError(f"array {name} holds {int(index.max())}, but {meaning} is {size}")


def _check_no_pair_twice(seat: Int32Array, pledge: Int32Array, n_pledges: int) -> None:
    key = seat.astype(np.int64) * n_pledges + pledge
    if np.all(key[1:] > key[:-1]):  # sorted already, as most files are
        return
    key.sort()
    twice = np.flatnonzero(key[1:] == key[:-1])
    if twice.size:
        i, j = divmod(int(key[twice[0]]), n_pledges)
        raise ProblemError(f"seat {i} and pledge {j} stand together twice")


def _check_terms(problem: AttributeProblem) -> None:
    """Refuse weights of terms that could overflow int64 on the way; a single weight above 2**40 is found when
    pairs are weighed."""
    bits = 64 * problem.seat_must.shape[1]
    terms = {
        "w_base": abs(problem.w_base),
        "w_nice": abs(problem.w_nice) * bits,
        "w_cause": abs(problem.w_cause) * 32,
        "w_near": abs(problem.w_near),
        "w_remote": abs(problem.w_remote),
    }
    for name, most in terms.items():
        if most > _TERMS_LIMIT:
            raise ProblemError(f"{name} is {getattr(problem, name)}, which makes weights above 2^40")
    if abs(problem.w_near) * problem.w_near_metres >= 2**63:
        raise ProblemError(
            f"w_near {problem.w_near} times w_near_metres {problem.w_near_metres} does not fit 64 bits"
        )
