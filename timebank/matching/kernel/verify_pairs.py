"""The candidates that the checker weighs, seat by seat, from either form of a problem: for the attribute form
straight from the written rules. It shares nothing with the solver.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from timebank.matching.kernel.verify_input import Array, Arrays

Candidates: TypeAlias = tuple[int, Array, Array, Array]
"""A seat, and of each of its candidates the pledge, the weight and the hours."""

_FORBIDDEN = -(2**63)


class Question(NamedTuple):
    """A problem as far as it has been read; single mode has none but seats of its own, and no hours."""

    file: Arrays
    form: str
    n_seats: int
    n_pledges: int
    request: Array
    capacity: Array
    must_fill: bool
    edges: tuple[Array, Array, Array, Array] | None

    def candidates(self, order: Array) -> Iterator[Candidates]:
        """Of each seat that has some, in this order."""
        return _of_attributes(self, order) if self.edges is None else _of_edges(*self.edges, order)


def read_question(file: Arrays, bundle: bool) -> Question:
    """The sizes and, of the edge form, all that the mode reads; of the attribute form, what bundles need."""
    edge = all(name in file.names for name in ("n_seats", "n_pledges", "seat", "pledge", "weight"))
    if edge or not ({"seat_must", "pledge_skills"} & file.names):
        return _edges(file, bundle)
    s, p = len(file.array("seat_must", 2)), len(file.array("pledge_skills", 2))
    request, hours = file.of_length("seat_request", s), file.of_length("seat_hours", s, low=0)
    capacity = file.of_length("pledge_capacity", p, low=0)
    # No bundle takes more than all seats that fit at all; in Python's integers, as the sum could overflow.
    asked = sum(hours[hours <= capacity.max(initial=0)].tolist())
    capacity = np.minimum(capacity, min(asked, 2**62))
    return Question(file, "attribute", s, p, request, capacity, False, None)


def _edges(file: Arrays, bundle: bool) -> Question:
    s, p = file.scalar("n_seats"), file.scalar("n_pledges")
    file.need(0 <= s < 2**31 and 0 <= p < 2**31, "n_seats or n_pledges is out of range")
    seat, pledge = file.integers("seat", 1, 0, s - 1), file.integers("pledge", 1, 0, p - 1)
    weight = file.integers("weight", 1, 1, 2**31 - 1)
    file.need(len(seat) == len(pledge) == len(weight), "seat, pledge and weight differ in length")
    key = seat * p + pledge
    order = np.argsort(key, kind="stable")
    file.need(not (key[order][1:] == key[order][:-1]).any(), "a pair stands twice")
    request, capacity, hours, must_fill = (
        np.arange(s),
        np.zeros(p, np.int64),
        np.zeros(len(seat), np.int64),
        False,
    )
    if bundle:
        capacity = file.of_length("pledge_capacity", p, low=0)
        if "candidate_hours" in file.names:
            hours = file.of_length("candidate_hours", len(seat), low=0)
        else:
            hours = file.of_length("seat_hours", s, low=0)[seat]
        if "seat_request" in file.names:
            request = file.of_length("seat_request", s)
        must_fill = "must_fill" in file.names and file.truth("must_fill")
        order = order[hours[order] <= capacity[pledge[order]]]
        hours, capacity = _in_units(pledge, hours, capacity, order)
    edges = seat[order], pledge[order], weight[order], hours[order]
    return Question(file, "edge", s, p, request, capacity, must_fill, edges)


def _in_units(pledge: Array, hours: Array, capacity: Array, fitting: Array) -> tuple[Array, Array]:
    """Each pledge counts in what divides the hours of all its seats, and up to what they take together."""
    unit = np.zeros(len(capacity), np.int64)
    np.gcd.at(unit, pledge[fitting], hours[fitting])
    unit = np.maximum(1, unit)
    hours, capacity = hours // unit[pledge], capacity // unit
    low, high = np.zeros(len(capacity), np.int64), np.zeros(len(capacity), np.int64)
    np.add.at(low, pledge[fitting], hours[fitting] & 0xFFFFFFFF)
    np.add.at(high, pledge[fitting], hours[fitting] >> 32)
    return hours, np.where(high > 0, capacity, np.minimum(capacity, low))


def _of_edges(seat: Array, pledge: Array, weight: Array, hours: Array, order: Array) -> Iterator[Candidates]:
    start, stop = np.searchsorted(seat, order), np.searchsorted(seat, order, side="right")
    for k in np.flatnonzero(stop > start).tolist():
        own = slice(start[k], stop[k])
        yield int(order[k]), pledge[own], weight[own], hours[own]


def _of_attributes(question: Question, order: Array) -> Iterator[Candidates]:
    file, n_seats, n_pledges = question.file, question.n_seats, question.n_pledges
    words = file.array("seat_must", 2).shape[1]
    s, p = file.side("seat_", n_seats, words), file.side("pledge_", n_pledges, words)
    base, nice, cause, near, metres, remote = file.scalars(words)
    companies: dict[int, list[int]] = defaultdict(list)
    for request, org in file.rows("excluded_request", "excluded_org"):
        companies[request].append(org)
    bonuses: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for request, pledge, bonus in file.rows("pair_request", "pair_pledge", "pair_bonus"):
        file.need(0 <= pledge < n_pledges, f"array pair_pledge holds {pledge}")
        bonuses[request][pledge] += bonus if bonus != _FORBIDDEN else -(2**100)
    lacking = np.ascontiguousarray(~p["skills"].T)
    for i in order:
        ok = (p["languages"] & s["languages"][i]) != 0
        for k in np.flatnonzero(s["must"][i]):
            ok &= (lacking[k] & s["must"][i, k]) == 0
        ok &= p["org"] != s["org"][i]
        j = np.flatnonzero(ok)
        dx, dy, radius = np.abs(p["x"][j] - s["x"][i]), np.abs(p["y"][j] - s["y"][i]), p["radius"][j]
        site = np.maximum(dx, dy) <= radius  # beyond, the squares could overflow
        site &= dx * dx + dy * dy <= radius * radius
        days = np.minimum(p["until"][j], s["until"][i]) - np.maximum(p["from"][j], s["from"][i])
        half_days = np.bitwise_count(p["week"][j] & s["week"][i]).astype(np.int64)
        hours, month = min(int(s["hours"][i]), 2**40), np.minimum(p["monthly"][j], 2**40)
        ok = (site | (p["remote"][j] & s["remote"][i])) & (days >= 1) & (s["hours"][i] <= p["capacity"][j])
        ok &= hours <= half_days * 8 * np.maximum(1, days // 7)
        ok &= (month == 0) | (hours <= month * np.maximum(1, days // 28))
        ok &= (p["excluded_causes"][j] & s["causes"][i]) == 0
        ok &= ~np.isin(p["org"][j], companies.get(int(s["request"][i]), []))
        squared = np.where(site, dx * dx + dy * dy, 0)
        d = np.sqrt(squared).astype(np.int64)  # a guess, at most one off
        d = d + ((d + 1) ** 2 <= squared) - (d * d > squared)
        weight = base + cause * np.bitwise_count(p["causes"][j] & s["causes"][i]).astype(np.int64)
        for k in np.flatnonzero(s["nice"][i]):
            weight += nice * np.bitwise_count(p["skills"][j, k] & s["nice"][i, k]).astype(np.int64)
        weight += np.where(site, near * np.maximum(0, metres - d) // metres, remote)
        weight += max(-(2**52), min(2**52, int(s["bonus"][i])))  # beyond all weights, and no overflow
        for pledge, bonus in bonuses.get(int(s["request"][i]), {}).items():
            for at in np.flatnonzero(j == pledge):
                weight[at] = max(0, min(2**52, int(weight[at]) + bonus))
        ok &= weight >= 1
        j, weight = j[ok], weight[ok]
        file.need(not (weight > 2**40).any(), f"a pair of seat {i} weighs above 2^40")
        yield int(i), j, weight, np.full(j.size, s["hours"][i])
