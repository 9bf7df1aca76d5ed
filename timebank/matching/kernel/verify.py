"""The checker: does a solution keep all rules, is its value right, and do its prices prove that no better one
exists?

Everything is worked out again from the two files, in integers, with nothing of the solver: not its reader,
not its rules, not its sums. The attribute form is checked seat by seat against every pledge, so that memory
stays small at any size.

The proof is weak duality: if all prices are >= 0, and no candidate weighs more than the prices of its two
ends together, then no solution weighs more than all prices together. A solution that weighs just that is the
best.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from timebank.matching.kernel.verify_input import Array, Arrays, VerificationError

_FORBIDDEN = -(2**63)


class Verified(NamedTuple):
    """What was found to be right: the proved greatest value, and the form of the problem."""

    value: int
    form: str


def verify_files(problem: Any, solution: Any) -> Verified:
    """Check a solution file against a problem file (paths or binary files).

    Raises
    ------
    VerificationError : the first violation
    """
    given, answer = Arrays(problem, "problem"), Arrays(solution, "solution")
    edge = all(name in given.names for name in ("n_seats", "n_pledges", "seat", "pledge", "weight"))
    edge = edge or not ({"seat_must", "pledge_skills"} & given.names)
    if edge:
        n_seats, n_pledges = given.scalar("n_seats"), given.scalar("n_pledges")
        given.need(0 <= n_seats < 2**31 and 0 <= n_pledges < 2**31, "n_seats or n_pledges is out of range")
    else:
        n_seats, n_pledges = len(given.array("seat_must", 2)), len(given.array("pledge_skills", 2))
    chosen, u, v, value = _answer(answer, n_seats, n_pledges)
    weigh = _weigh_edges if edge else _weigh_attributes
    total = weigh(given, n_seats, n_pledges, chosen, u, v)
    _require(total == value, f"the value says {value}, the pairs weigh {total}")
    return Verified(value, "edge" if edge else "attribute")


def _answer(file: Arrays, n_seats: int, n_pledges: int) -> tuple[Array, Array, Array, int]:
    """Check all of a solution that can be checked without the candidates."""
    status, mode = file.text("status"), file.text("mode")
    file.need(mode == "single", f"the mode is {mode!r}; only single mode can be checked")
    _require(status not in ("infeasible", "unknown"), f"there is no solution: the status is {status}")
    file.need(status in ("optimal", "feasible"), f"the status is {status!r}")
    chosen = file.of_length("seat_pledge", n_seats)
    u, v = file.of_length("seat_price", n_seats), file.of_length("pledge_price", n_pledges)
    value, bound, scale = file.scalar("value"), file.scalar("bound"), file.scalar("price_scale")
    out = np.flatnonzero((chosen < -1) | (chosen >= n_pledges))
    _require(not out.size, f"seat {_first(out)} has pledge {_at(chosen, out)}, which does not exist")
    used, times = np.unique(chosen[chosen >= 0], return_counts=True)
    _require(not (times > 1).any(), f"pledge {_at(used, np.flatnonzero(times > 1))} has more than one seat")
    for what, price in (("seat", u), ("pledge", v)):
        below = np.flatnonzero(price < 0)
        _require(not below.size, f"the price of {what} {_first(below)} is {_at(price, below)}, below 0")
    # In two halves and Python's integers, as a sum of forged prices could overflow into the right one.
    prices = sum((int((p >> 32).sum()) << 32) + int((p & 0xFFFFFFFF).sum()) for p in (u, v))
    _require(scale == 1, f"the price scale is {scale}, expected 1")
    _require(prices == bound, f"the prices sum to {prices}, the bound says {bound}")
    _require(bound == value, f"the bound {bound} is not the value {value}")
    _require(file.real("gap") == (bound - value) / max(value, 1), f"the gap says {file.real('gap')}")
    file.need(0 <= file.real("seconds") < np.inf, f"the seconds are {file.real('seconds')}")
    return chosen, u, v, value


def _weigh_edges(file: Arrays, n_seats: int, n_pledges: int, chosen: Array, u: Array, v: Array) -> int:
    """The weight of the chosen pairs, each of them a candidate, and no candidate above its prices."""
    seat, pledge = file.integers("seat", 1, 0, n_seats - 1), file.integers("pledge", 1, 0, n_pledges - 1)
    weight = file.integers("weight", 1, 1, 2**31 - 1)
    file.need(len(seat) == len(pledge) == len(weight), "seat, pledge and weight differ in length")
    key = seat * n_pledges + pledge
    order = np.argsort(key, kind="stable")
    key = key[order]
    file.need(not (key[1:] == key[:-1]).any(), "a pair stands twice")
    on = np.flatnonzero(chosen >= 0)
    wanted = on * n_pledges + chosen[on]
    at = np.searchsorted(key, wanted)
    known = np.append(key, -1)[at] == wanted
    strange = on[~known]
    _require(not strange.size, f"seat {_first(strange)} and pledge {_at(chosen, strange)} are no candidate")
    over = np.flatnonzero(weight > u[seat] + v[pledge])
    if over.size:
        _undercut(int(seat[over[0]]), int(pledge[over[0]]), int(weight[over[0]]))
    return int(weight[order[at]].sum())


def _weigh_attributes(file: Arrays, n_seats: int, n_pledges: int, chosen: Array, u: Array, v: Array) -> int:
    """The same for the attribute form, by looking at all pairs, one seat after another."""
    total = 0
    for i, (pledges, weight) in enumerate(_seats(file, n_seats, n_pledges)):
        file.need(not (weight > 2**40).any(), f"a pair of seat {i} weighs above 2^40")
        over = np.flatnonzero(weight > u[i] + v[pledges])
        if over.size:
            _undercut(i, int(pledges[over[0]]), int(weight[over[0]]))
        if chosen[i] >= 0:
            at = np.flatnonzero(pledges == chosen[i])
            _require(at.size == 1, f"seat {i} and pledge {chosen[i]} are no candidate")
            total += int(weight[at[0]])
    return total


def _seats(file: Arrays, n_seats: int, n_pledges: int) -> Iterator[tuple[Array, Array]]:
    """For each seat, the pledges that may take it and their weights, straight from the written rules."""
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
    for i in range(n_seats):
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
        yield j[ok], weight[ok]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise VerificationError(message)


def _undercut(seat: int, pledge: int, weight: int) -> None:
    raise VerificationError(
        f"seat {seat} and pledge {pledge} weigh {weight}, more than their prices together"
    )


def _first(index: Array) -> int:
    return int(index[0]) if index.size else -1


def _at(array: Array, index: Array) -> int:
    return int(array[index[0]]) if index.size else -1
