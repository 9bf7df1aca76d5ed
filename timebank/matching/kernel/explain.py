"""Why a pair matches as well as it does, or not at all: names and numbers, for others to put into words."""

from __future__ import annotations

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
    """One seat and all pledges.

    `steps` are the rules in order, each with the pledges that it and those before it leave; `emptied_by` is
    the first that leaves none (`no_pledges` where there are none at all), or None for a seat that has
    candidates.
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
    broken = tuple(rule for rule in RULES if not _holds(problem, rule, i, j)[0])
    weight = 0 if broken else sum(points.values())
    return PairExplanation(not broken, weight, broken, points, site, int(distance(problem, i, j)[0]))


def explain_seat(problem: AttributeProblem, seat: int) -> SeatExplanation:
    """How many pledges each rule leaves for a seat.

    Raises
    ------
    IndexError : there is no such seat
    """
    i = _one(seat, problem.n_seats)
    left = np.arange(problem.n_pledges)
    steps = []
    emptied_by = None if left.size else "no_pledges"
    for rule in RULES:
        left = left[_holds(problem, rule, i, left)]
        steps.append((rule, left.size))
        if not left.size and emptied_by is None:
            emptied_by = rule
    return SeatExplanation(left.size, tuple(steps), emptied_by)


def _holds(problem: AttributeProblem, rule: str, i: Index, j: Index) -> BoolArray:
    return weights(problem, i, j) >= 1 if rule == "weight" else HARD_RULES[rule](problem, i, j)


def _one(index: int, size: int) -> Index:
    if not 0 <= index < size:
        raise IndexError(index)
    return np.array([index])
