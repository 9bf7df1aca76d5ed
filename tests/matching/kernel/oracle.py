"""The rules and the optimum once more, slowly and in plain Python, written from the description of the model."""

from __future__ import annotations

from functools import cache
from math import isqrt
from typing import Any

import numpy as np
from hypothesis import strategies as st

from timebank.matching.kernel import FORBIDDEN, Assignment, AttributeProblem, EdgeProblem

Weights = dict[tuple[int, int], int]


def edge_weights(problem: EdgeProblem) -> Weights:
    columns = (problem.seat.tolist(), problem.pledge.tolist(), problem.weight.tolist())
    return {(i, j): w for i, j, w in zip(*columns, strict=True)}


def attribute_weights(problem: AttributeProblem) -> Weights:
    """All candidates with their weights."""
    pairs = ((i, j) for i in range(problem.n_seats) for j in range(problem.n_pledges))
    return {
        (i, j): w for i, j in pairs if not broken_rules(problem, i, j) and (w := points(problem, i, j)) >= 1
    }


def broken_rules(p: AttributeProblem, i: int, j: int) -> list[str]:
    """The hard rules that keep a pair apart, in the order in which they are told."""
    must, skills = number(p.seat_must[i]), number(p.pledge_skills[j])
    dx, dy = int(p.seat_x[i]) - int(p.pledge_x[j]), int(p.seat_y[i]) - int(p.pledge_y[j])
    on_site = dx * dx + dy * dy <= int(p.pledge_radius[j]) ** 2
    remote = bool(p.seat_remote[i]) and bool(p.pledge_remote[j])
    overlap = min(int(p.seat_until[i]), int(p.pledge_until[j])) - max(
        int(p.seat_from[i]), int(p.pledge_from[j])
    )
    half_days = (int(p.seat_week[i]) & int(p.pledge_week[j])).bit_count()
    hours, monthly = int(p.seat_hours[i]), int(p.pledge_monthly[j])
    request, company = int(p.seat_request[i]), int(p.pledge_org[j])
    rules = {
        "skills": must & skills == must,
        "languages": int(p.seat_languages[i]) & int(p.pledge_languages[j]) != 0,
        "place": on_site or remote,
        "window": overlap >= 1,
        "capacity": hours <= int(p.pledge_capacity[j]),
        "week": hours <= half_days * 8 * max(1, overlap // 7),
        "monthly": monthly == 0 or hours <= monthly * max(1, overlap // 28),
        "own_organisation": int(p.seat_org[i]) != company,
        "excluded_cause": int(p.seat_causes[i]) & int(p.pledge_excluded_causes[j]) == 0,
        "excluded_company": (request, company)
        not in list(zip(p.excluded_request.tolist(), p.excluded_org.tolist(), strict=True)),
        "excluded_pair": FORBIDDEN not in pair_bonuses(p, request, j),
    }
    return [rule for rule, holds in rules.items() if not holds]


def points(p: AttributeProblem, i: int, j: int) -> int:
    dx, dy = int(p.seat_x[i]) - int(p.pledge_x[j]), int(p.seat_y[i]) - int(p.pledge_y[j])
    squared = dx * dx + dy * dy
    total = p.w_base
    total += p.w_nice * (number(p.seat_nice[i]) & number(p.pledge_skills[j])).bit_count()
    total += p.w_cause * (int(p.seat_causes[i]) & int(p.pledge_causes[j])).bit_count()
    if squared <= int(p.pledge_radius[j]) ** 2:
        total += p.w_near * max(0, p.w_near_metres - isqrt(squared)) // p.w_near_metres
    else:
        total += p.w_remote
    total += int(p.seat_bonus[i])
    return total + sum(b for b in pair_bonuses(p, int(p.seat_request[i]), j) if b != FORBIDDEN)


def pair_bonuses(p: AttributeProblem, request: int, j: int) -> list[int]:
    rows = zip(p.pair_request.tolist(), p.pair_pledge.tolist(), p.pair_bonus.tolist(), strict=True)
    return [bonus for r, pledge, bonus in rows if (r, pledge) == (request, j)]


def number(words: np.ndarray) -> int:
    return sum(int(word) << (64 * k) for k, word in enumerate(words))


def best_value(weights: Weights, n_seats: int) -> int:
    """The greatest total weight, by trying everything."""

    @cache
    def best(seat: int, taken: frozenset[int]) -> int:
        if seat == n_seats:
            return 0
        pledges = [j for i, j in weights if i == seat and j not in taken]
        return max(
            [best(seat + 1, taken), *(weights[seat, j] + best(seat + 1, taken | {j}) for j in pledges)]
        )

    return best(0, frozenset())


def assert_proved(weights: Weights, answer: Assignment, n_seats: int, n_pledges: int) -> None:
    """The answer is feasible, its value is what it says, and its prices allow no better one."""
    chosen = answer.seat_pledge.tolist()
    u, v = answer.seat_price.tolist(), answer.pledge_price.tolist()
    assert (len(chosen), len(u), len(v)) == (n_seats, n_seats, n_pledges)
    used = [j for j in chosen if j != -1]
    assert len(used) == len(set(used))
    assert sum(weights[i, j] for i, j in enumerate(chosen) if j != -1) == answer.value
    assert min([0, *u, *v]) == 0
    assert all(u[i] + v[j] >= w for (i, j), w in weights.items())
    assert sum(u) + sum(v) == answer.bound == answer.value
    assert (answer.gap, answer.price_scale, answer.mode, answer.status) == (0.0, 1, "single", "optimal")


# --- small instances --------------------------------------------------------------------------------------


@st.composite
def edge_problems(draw: st.DrawFn, largest: int = 6) -> EdgeProblem:
    n_seats, n_pledges = draw(st.integers(0, largest)), draw(st.integers(0, largest))
    cells = [(i, j) for i in range(n_seats) for j in range(n_pledges)]
    pairs = draw(st.lists(st.sampled_from(cells), unique=True)) if cells else []
    weight = st.one_of(st.integers(1, 4), st.integers(1, 2**31 - 1))
    weights = draw(st.lists(weight, min_size=len(pairs), max_size=len(pairs)))
    return EdgeProblem(n_seats, n_pledges, [i for i, _ in pairs], [j for _, j in pairs], weights)


def attribute_arrays(
    rng: np.random.Generator, n_seats: int, n_pledges: int, words: int = 2
) -> dict[str, Any]:
    """An instance in which each rule bites now and then, and much stands just at the edge of a rule."""

    def mask(n: int, share: float) -> np.ndarray:
        bits = rng.random((n, words, 64)) < share
        return (bits.astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum(axis=2, dtype=np.uint64)

    def few(n: int, bits: int) -> np.ndarray:
        return rng.integers(0, 2**bits, n) | rng.integers(0, 2**bits, n)

    s, p = n_seats, n_pledges
    corners = np.array([0, 3, 4, 5, 12, 13])
    pairs = int(rng.integers(0, 6)) if p else 0
    return {
        "seat_must": mask(s, 0.01), "seat_nice": mask(s, 0.1), "pledge_skills": mask(p, 0.8),
        "seat_languages": few(s, 3), "pledge_languages": few(p, 3),
        "seat_x": rng.choice(corners, s), "seat_y": rng.choice(corners, s),
        "pledge_x": rng.choice(corners, p), "pledge_y": rng.choice(corners, p),
        "pledge_radius": rng.choice([0, 5, 13], p),
        "seat_remote": rng.random(s) < 0.5, "pledge_remote": rng.random(p) < 0.5,
        "seat_from": rng.integers(-3, 4, s), "seat_until": rng.integers(3, 64, s),
        "pledge_from": rng.integers(-3, 6, p), "pledge_until": rng.integers(3, 64, p),
        "seat_week": few(s, 21), "pledge_week": few(p, 21),
        "seat_hours": rng.choice([0, 1, 8, 16, 40, 100], s), "pledge_capacity": rng.choice([8, 16, 100, 200], p),
        "pledge_monthly": rng.choice([0, 0, 8, 20, 50], p),
        "seat_request": rng.integers(0, 4, s), "seat_org": rng.integers(0, 6, s), "pledge_org": rng.integers(3, 9, p),
        "seat_causes": rng.integers(0, 16, s) & rng.integers(0, 16, s), "pledge_causes": few(p, 4),
        "pledge_excluded_causes": rng.choice([0, 0, 0, 2, 8], p),
        "seat_bonus": rng.integers(-3, 20, s),
        "excluded_request": rng.integers(0, 5, 2), "excluded_org": rng.integers(3, 9, 2),
        "pair_request": rng.integers(0, 5, pairs), "pair_pledge": rng.integers(0, max(1, p), pairs),
        "pair_bonus": rng.choice([FORBIDDEN, 30, -5], pairs),
        "w_base": 2, "w_nice": 3, "w_cause": 2, "w_near": 10, "w_near_metres": 11, "w_remote": 1,
    }  # fmt: skip


@st.composite
def attribute_problems(draw: st.DrawFn, largest: int = 5) -> AttributeProblem:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_seats, n_pledges = draw(st.integers(0, largest)), draw(st.integers(0, largest))
    return AttributeProblem(**attribute_arrays(rng, n_seats, n_pledges))


def random_edges(
    rng: np.random.Generator, n_seats: int, n_pledges: int, degree: int, top: int
) -> EdgeProblem:
    seat = np.repeat(np.arange(n_seats), degree)
    key = np.unique(seat * n_pledges + rng.integers(0, n_pledges, seat.size))
    rng.shuffle(key)
    return EdgeProblem(n_seats, n_pledges, key // n_pledges, key % n_pledges, rng.integers(1, top, key.size))
