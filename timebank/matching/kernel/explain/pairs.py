"""One pair, one seat or one pledge: its points, and the rules that keep others away from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.candidates import HARD_RULES, Index, distance, on_site, terms, weights
from timebank.matching.kernel.problem import AttributeProblem, BoolArray

RULES: Final = (*HARD_RULES, "weight")
"""All that can keep a pair apart, in the order in which it is tried; the last is a weight below 1."""


class PairExplanation(NamedTuple):
    """One seat and one pledge.

    `broken` are all rules that keep them apart, in order; `terms` the points by name, whose sum is the weight
    of a candidate (`near` only where they may meet on site, else `remote`); `weight` is 0 for what is no
    candidate; `distance` in metres.
    """

    candidate: bool
    weight: int
    broken: tuple[str, ...]
    terms: dict[str, int]
    on_site: bool
    distance: int


class SeatExplanation(NamedTuple):
    """One seat and all pledges, or one pledge and all seats.

    `steps` are the rules in order, each with the pledges (or seats) that it and those before it leave;
    `emptied_by` is the first that leaves none (`no_pledges` or `no_seats` where there are none at all), or
    None where there are candidates.
    """

    candidates: int
    steps: tuple[tuple[str, int], ...]
    emptied_by: str | None


def explain_pair(problem: AttributeProblem, seat: int, pledge: int) -> PairExplanation:
    """The points of a pair, and the rules that it breaks.

    Raises
    ------
    IndexError : there is no such seat or pledge
    """
    i, j = _one(seat, problem.n_seats), _one(pledge, problem.n_pledges)
    points = {name: int(value[0]) for name, value in terms(problem, i, j).items()}
    site = bool(on_site(problem, i, j)[0])
    del points["remote" if site else "near"]
    broken = tuple(rule for rule in RULES if not holds(problem, rule, i, j)[0])
    weight = 0 if broken else sum(points.values())
    return PairExplanation(not broken, weight, broken, points, site, int(distance(problem, i, j)[0]))


def explain_seat(problem: AttributeProblem, seat: int) -> SeatExplanation:
    """How many pledges each rule leaves for a seat.

    Raises
    ------
    IndexError : there is no such seat
    """
    i = _one(seat, problem.n_seats)
    return _sifted(
        lambda rule, left: holds(problem, rule, i, left), np.arange(problem.n_pledges), "no_pledges"
    )


def explain_pledge(problem: AttributeProblem, pledge: int) -> SeatExplanation:
    """How many seats each rule leaves for a pledge.

    Raises
    ------
    IndexError : there is no such pledge
    """
    j = _one(pledge, problem.n_pledges)
    return _sifted(lambda rule, left: holds(problem, rule, left, j), np.arange(problem.n_seats), "no_seats")


def _sifted(kept: Callable[[str, Index], BoolArray], left: Index, nobody: str) -> SeatExplanation:
    steps = []
    emptied_by = None if left.size else nobody
    for rule in RULES:
        left = left[kept(rule, left)]
        steps.append((rule, left.size))
        if not left.size and emptied_by is None:
            emptied_by = rule
    return SeatExplanation(left.size, tuple(steps), emptied_by)


def holds(problem: AttributeProblem, rule: str, i: Index, j: Index) -> BoolArray:
    """Whether each of these pairs keeps one of the `RULES`."""
    return weights(problem, i, j) >= 1 if rule == "weight" else HARD_RULES[rule](problem, i, j)


def _one(index: int, size: int) -> Index:
    if not 0 <= index < size:
        raise IndexError(index)
    return np.array([index])
