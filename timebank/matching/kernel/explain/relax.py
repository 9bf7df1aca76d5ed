"""The smallest change of one thing that gives a candidate to a seat or a pledge that has none.

A change is tried by changing the problem's arrays and asking the hard rules themselves, so that an answer is
never at odds with what the solver would do.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from timebank.matching.kernel.candidates import (
    BLOCKS_PER_HALF_DAY,
    DAYS_PER_MONTH,
    DAYS_PER_WEEK,
    HARD_RULES,
    Index,
)
from timebank.matching.kernel.explain.pairs import holds
from timebank.matching.kernel.problem import AttributeProblem, BoolArray, IntArray

METRES: Final = 1000
"""The step in which a radius grows."""

MOST_METRES: Final = 300_000
MOST_DAYS: Final = 366
MOST_BLOCKS: Final = 2_000
_LEVELS: Final = 3
_WORD: Final = 64
_LANGUAGES: Final = 32


class Relaxation(NamedTuple):
    """One thing to change, and by how much at least.

    `what` is one of

    - ``remote``: also at a distance (`amount` 1)
    - ``radius``: `amount` more kilometres (pledges only)
    - ``language``: one more, at bit `which`
    - ``level``: the skill at position `which`, `amount` levels less asked, or more held
    - ``hours``: `amount` blocks fewer asked, or more given (a month, by a monthly pledge)
    - ``until``, ``since``: `amount` days later at the end, or earlier at the start
    - ``week``: the `amount` half-days of the mask `which` more

    `candidates` are the pledges (or seats) that fit then. With one step less of `amount` none does.
    """

    what: str
    amount: int
    which: int
    candidates: int


Values: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[AttributeProblem, int, int, int], Values]
"""The new values of row `index` for an `amount` and a `which`."""


class _Kind(NamedTuple):
    rules: tuple[str, ...]  # those that the change may satisfy
    change: Change


_HOURS = ("capacity", "week", "monthly")
_WINDOW = ("window", "week", "monthly")

_OF_SEAT: Final[dict[str, _Kind]] = {
    "level": _Kind(("skills",), lambda p, i, n, k: {"seat_must": _lowered(p.seat_must[i], k, n)}),
    "language": _Kind(
        ("languages",), lambda p, i, _n, k: {"seat_languages": int(p.seat_languages[i]) | 1 << k}
    ),
    "remote": _Kind(("place",), lambda _p, _i, n, _k: {"seat_remote": n > 0}),
    "since": _Kind(_WINDOW, lambda p, i, n, _k: {"seat_from": int(p.seat_from[i]) - n}),
    "until": _Kind(_WINDOW, lambda p, i, n, _k: {"seat_until": int(p.seat_until[i]) + n}),
    "hours": _Kind(_HOURS, lambda p, i, n, _k: {"seat_hours": int(p.seat_hours[i]) - n}),
    "week": _Kind(("week",), lambda p, i, _n, k: {"seat_week": int(p.seat_week[i]) | k}),
}
_OF_PLEDGE: Final[dict[str, _Kind]] = {
    "level": _Kind(("skills",), lambda p, j, n, k: {"pledge_skills": _raised(p.pledge_skills[j], k, n)}),
    "language": _Kind(
        ("languages",), lambda p, j, _n, k: {"pledge_languages": int(p.pledge_languages[j]) | 1 << k}
    ),
    "radius": _Kind(("place",), lambda p, j, n, _k: {"pledge_radius": int(p.pledge_radius[j]) + METRES * n}),
    "remote": _Kind(("place",), lambda _p, _j, n, _k: {"pledge_remote": n > 0}),
    "since": _Kind(_WINDOW, lambda p, j, n, _k: {"pledge_from": int(p.pledge_from[j]) - n}),
    "until": _Kind(_WINDOW, lambda p, j, n, _k: {"pledge_until": int(p.pledge_until[j]) + n}),
    "hours": _Kind(_HOURS, lambda p, j, n, _k: _more_hours(p, j, n)),
    "week": _Kind(("week",), lambda p, j, _n, k: {"pledge_week": int(p.pledge_week[j]) | k}),
}


def relaxations_of_seat(
    problem: AttributeProblem, seat: int, earliest: int | None = None
) -> list[Relaxation]:
    """For a seat without candidates, the smallest change of each single thing that gives one.

    Empty where no single change does. No window starts before the day `earliest`; one that never ends grows no
    later.

    Raises
    ------
    IndexError : there is no such seat
    """
    return list(_Search(problem, "seat", seat, earliest).found())


def relaxations_of_pledge(
    problem: AttributeProblem, pledge: int, earliest: int | None = None
) -> list[Relaxation]:
    """The same for a pledge without candidates.

    Raises
    ------
    IndexError : there is no such pledge
    """
    return list(_Search(problem, "pledge", pledge, earliest).found())


def changed(
    problem: AttributeProblem, side: str, index: int, what: str, amount: int, which: int
) -> AttributeProblem:
    """The problem in which one seat or pledge (`side`) is changed as a `Relaxation` says."""
    kinds = _OF_SEAT if side == "seat" else _OF_PLEDGE
    # Not validated anew: all values stay in the range of their arrays, and this runs some hundred times.
    other = copy.copy(problem)
    for name, value in kinds[what].change(problem, index, amount, which).items():
        array = getattr(problem, name).copy()
        array[index] = value
        object.__setattr__(other, name, array)
    return other


class _Search:
    """One seat (or pledge) against all pledges (or seats)."""

    def __init__(self, problem: AttributeProblem, side: str, index: int, earliest: int | None) -> None:
        size, others = (
            (problem.n_seats, problem.n_pledges) if side == "seat" else (problem.n_pledges, problem.n_seats)
        )
        if not 0 <= index < size:
            raise IndexError(index)
        self.problem, self.side, self.index, self.earliest = problem, side, index, earliest
        self.others: Index = np.arange(others)
        self.broken: dict[str, BoolArray] = {
            rule: np.broadcast_to(~self._holds(problem, rule, self.others), self.others.shape)
            for rule in HARD_RULES
        }
        self.count = np.sum([*self.broken.values()], axis=0, dtype=np.int64)

    def _holds(self, problem: AttributeProblem, rule: str, others: Index) -> BoolArray:
        one: Index = np.array([self.index])
        return holds(problem, rule, one, others) if self.side == "seat" else holds(problem, rule, others, one)

    def found(self) -> Iterator[Relaxation]:
        steps: dict[str, Callable[[Index], Relaxation | None]] = {
            "level": self._level,
            "language": self._language,
            "radius": lambda left: self._least("radius", left, self._more_kilometres()),
            "remote": lambda left: self._least("remote", left, 1),
            "since": lambda left: self._least("since", left, self._days_before()),
            "until": lambda left: self._least("until", left, self._days_after()),
            "hours": lambda left: self._least("hours", left, self._more_blocks()),
            "week": self._week,
        }
        for what in _OF_SEAT if self.side == "seat" else _OF_PLEDGE:
            left = self._within_reach(what)
            relaxation = steps[what](left) if left.size else None
            if relaxation is not None:
                yield relaxation

    def _rules(self, what: str) -> tuple[str, ...]:
        return (_OF_SEAT if self.side == "seat" else _OF_PLEDGE)[what].rules

    def _within_reach(self, what: str) -> Index:
        """The others that break no rule but those that this change may satisfy, and one of these."""
        here = np.sum([self.broken[rule] for rule in self._rules(what)], axis=0, dtype=np.int64)
        return np.flatnonzero((self.count == here) & (here > 0))

    def _fitting(self, what: str, left: Index, amount: int, which: int = 0) -> int:
        """How many of the others fit after the change."""
        problem = changed(self.problem, self.side, self.index, what, amount, which)
        for rule in (*self._rules(what), "weight"):
            left = left[self._holds(problem, rule, left)]
        return left.size

    def _least(self, what: str, left: Index, most: int) -> Relaxation | None:
        """By bisection: what fits with a change still fits with more of it."""
        if most < 1 or not self._fitting(what, left, most):
            return None
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._fitting(what, left, middle) else (middle, high)
        return Relaxation(what, high, 0, self._fitting(what, left, high))

    def _more_kilometres(self) -> int:
        return (MOST_METRES - int(self.problem.pledge_radius[self.index])) // METRES

    def _days_before(self) -> int:
        start = self.problem.seat_from if self.side == "seat" else self.problem.pledge_from
        first = np.iinfo(np.int32).min if self.earliest is None else self.earliest
        return min(MOST_DAYS, int(start[self.index]) - int(first))

    def _days_after(self) -> int:
        until = self.problem.seat_until if self.side == "seat" else self.problem.pledge_until
        return min(MOST_DAYS, int(np.iinfo(np.int32).max) - int(until[self.index]))

    def _more_blocks(self) -> int:
        return int(self.problem.seat_hours[self.index]) - 1 if self.side == "seat" else MOST_BLOCKS

    def _language(self, left: Index) -> Relaxation | None:
        spoken = self.problem.pledge_languages if self.side == "seat" else self.problem.seat_languages
        union = int(np.bitwise_or.reduce(spoken[left]))
        return self._best("language", left, [(1, bit) for bit in range(_LANGUAGES) if union >> bit & 1])

    def _level(self, left: Index) -> Relaxation | None:
        p = self.problem
        asked = p.seat_must[self.index] if self.side == "seat" else np.bitwise_or.reduce(p.seat_must[left], 0)
        skills = sorted({bit // _LEVELS for bit in _bits(asked)})
        for amount in range(1, _LEVELS + 1):
            options = [(amount, skill) for skill in skills if self._can_move(skill, amount)]
            best = self._best("level", left, options)
            if best is not None:
                return best
        return None

    def _can_move(self, skill: int, amount: int) -> bool:
        """Whether so many levels less can be asked of a skill, or more be held."""
        if self.side == "seat":
            return amount <= _level_of(self.problem.seat_must[self.index], skill)
        row = self.problem.pledge_skills[self.index]
        level = _level_of(row, skill) + amount
        return level <= _LEVELS and _LEVELS * skill + level <= _WORD * row.size

    def _best(self, what: str, left: Index, options: list[tuple[int, int]]) -> Relaxation | None:
        """Of changes that are equally small, the one that most fit."""
        found = [Relaxation(what, n, which, self._fitting(what, left, n, which)) for n, which in options]
        return max(
            (each for each in found if each.candidates), key=lambda each: each.candidates, default=None
        )

    def _week(self, left: Index) -> Relaxation | None:
        """As few more half-days as there can be: those of the one who lacks fewest."""
        p, one = self.problem, self.index
        seats, pledges = (
            (np.full(left.size, one), left) if self.side == "seat" else (left, np.full(left.size, one))
        )
        theirs, mine = (p.pledge_week, p.seat_week) if self.side == "seat" else (p.seat_week, p.pledge_week)
        start = np.maximum(p.seat_from[seats], p.pledge_from[pledges]).astype(np.int64)
        days = np.minimum(p.seat_until[seats], p.pledge_until[pledges]) - start
        blocks = BLOCKS_PER_HALF_DAY * np.maximum(1, days // DAYS_PER_WEEK)
        common = np.bitwise_count(theirs[left] & mine[one]).astype(np.int64)
        lacking: IntArray = -(-p.seat_hours[seats] // blocks) - common
        free = theirs[left] & ~mine[one]
        possible = np.flatnonzero(lacking <= np.bitwise_count(free))
        for at in possible[np.argsort(lacking[possible], kind="stable")]:
            mask = sum(1 << bit for bit in list(_bits(free[at : at + 1]))[: int(lacking[at])])
            fitting = self._fitting("week", left, int(lacking[at]), mask)
            if fitting:
                return Relaxation("week", int(lacking[at]), mask, fitting)
        return None


def _bits(words: Any) -> Iterator[int]:
    """The positions of the bits that are set in these words, in order."""
    for place, word in enumerate(words.tolist()):
        while word:
            yield _WORD * place + (word & -word).bit_length() - 1
            word &= word - 1


def _level_of(words: Any, skill: int) -> int:
    """The highest level of a skill that is set, 0 for none."""
    levels = [bit % _LEVELS + 1 for bit in _bits(words) if bit // _LEVELS == skill]
    return max(levels, default=0)


def _lowered(words: Any, skill: int, levels: int) -> Any:
    """What is asked, with so many levels less of a skill; none of it where that reaches 0."""
    level = _level_of(words, skill) - levels
    kept = [bit for bit in _bits(words) if bit // _LEVELS != skill]
    if level > 0:
        kept.append(_LEVELS * skill + level - 1)
    return _words(kept, words)


def _raised(words: Any, skill: int, levels: int) -> Any:
    """What is held, with so many levels more of a skill."""
    level = _level_of(words, skill) + levels
    return _words([*_bits(words), *(_LEVELS * skill + each for each in range(level))], words)


def _words(bits: list[int], like: Any) -> Any:
    made = np.zeros_like(like)
    for bit in bits:
        made[bit // _WORD] |= np.uint64(1 << bit % _WORD)
    return made


def _more_hours(p: AttributeProblem, j: int, blocks: int) -> Values:
    """A monthly pledge gives so much more in each whole month of its own period."""
    monthly = int(p.pledge_monthly[j])
    months = max(1, (int(p.pledge_until[j]) - int(p.pledge_from[j])) // DAYS_PER_MONTH) if monthly else 1
    values: Values = {"pledge_capacity": int(p.pledge_capacity[j]) + blocks * months}
    if monthly:
        values["pledge_monthly"] = monthly + blocks
    return values
