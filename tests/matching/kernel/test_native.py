"""The engine `native`: the same optimum, candidates and weights as the reference, at every size and structure."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import caching

from tests.matching.kernel.oracle import attribute_arrays, attribute_weights, random_edges
from tests.matching.kernel.test_attributes import one_pair
from timebank.matching.kernel import (
    FORBIDDEN,
    AttributeProblem,
    EdgeProblem,
    ProblemError,
    compiled,
    generate,
    single,
    solve,
    verify_solution,
)
from timebank.matching.kernel.native import attributes
from timebank.matching.kernel.native.edges import solve_graph
from timebank.matching.kernel.native.graph import empty_state, graph_of
from timebank.matching.kernel.native.tables import packed
from timebank.matching.kernel.progress import Clock

# --- the edge form ------------------------------------------------------------------------------------------


def test_thousands_of_small_instances_agree_with_scipy() -> None:
    rng = np.random.default_rng(11)
    for _ in range(3000):
        n_seats, n_pledges, degree = (int(n) for n in rng.integers(1, [24, 24, 8]))
        top = int(rng.choice([2, 3, 10, 1000, 2**31 - 1]))
        problem = random_edges(rng, n_seats, n_pledges, degree, top)
        assert solve(problem, engine="native").value == solve(problem, engine="scipy").value


def random_popular(rng: np.random.Generator, n_seats: int, n_pledges: int) -> EdgeProblem:
    """All agree on the best."""
    problem = random_edges(rng, n_seats, n_pledges, 8, 4)
    fame = np.sort(rng.integers(1, 10**6, n_pledges))[::-1]
    weight = problem.weight + fame[problem.pledge]
    return EdgeProblem(n_seats, n_pledges, problem.seat, problem.pledge, weight)


def families(n: int) -> dict[str, EdgeProblem]:
    """Structures each of which breaks another idea."""
    rng = np.random.default_rng(n)
    i = np.repeat(np.arange(n), 8)
    key = np.unique(i * n + rng.integers(0, n, i.size))
    i, j = key // n, key % n
    popular = np.sort(rng.integers(1, 10**6, n))[::-1]
    a, b = rng.integers(1, 10**4, n), rng.integers(1, 10**4, n)
    x, y = rng.uniform(0, 1000, (2, n)), rng.uniform(0, 1000, (2, n))
    island = j // 10 == i // 10
    few, many = 20, 40 * n
    hub = np.repeat(np.arange(few), n)
    dense_i, dense_j = (g.ravel() for g in np.meshgrid(np.arange(60), np.arange(300), indexing="ij"))
    noise = rng.integers(0, 3, key.size)
    of = {
        "square": rng.integers(1, 1001, key.size),
        "three weights": rng.integers(1, 4, key.size),
        "all equal": np.ones(key.size, np.int64),
        "popular": popular[j] + noise,
        "largest weights": 2**31 - 1 - noise,
        "places in a plane": 2000 - np.hypot(x[0, i] - x[1, j], y[0, i] - y[1, j]).astype(np.int64),
        "products of numbers": (i + 1) * (j + 1),
        "sums of sides": a[i] + b[j],
        "products of sides": a[i] * b[j],
        "blocks": 1 + 1000 * (i // 50 == j // 50) + noise,
        "two halves": 1 + 500 * ((i < n // 2) != (j < n // 2)) + noise,
        "exponential": 1 + rng.exponential(1e5, key.size).astype(np.int64),
        "waiting": 10_000 * rng.integers(1, 100, n)[i] + noise,
    }
    known = {kind: EdgeProblem(n, n, i, j, weight) for kind, weight in of.items()}
    return {
        **known,
        "abundant": random_edges(rng, n // 4, n, 8, 1000),
        "scarce": random_edges(rng, n, n // 4, 8, 1000),
        "popular and scarce": random_popular(rng, n, n // 3),
        "islands": EdgeProblem(n, n, i[island], j[island], rng.integers(1, 100, int(island.sum()))),
        "few hubs": EdgeProblem(few, many, hub, np.arange(hub.size) % many, rng.integers(1, 99, hub.size)),
        "dense": EdgeProblem(60, 300, dense_i, dense_j, rng.integers(1, 50, dense_i.size)),
        "dense, all equal": EdgeProblem(60, 300, dense_i, dense_j, np.full(dense_i.size, 7)),
    }


@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "sides swapped"])
@pytest.mark.parametrize("n", [40, 1200])
def test_every_family_agrees_with_scipy(n: int, turned: bool) -> None:
    for kind, problem in families(n).items():
        if turned:
            problem = EdgeProblem(
                problem.n_pledges, problem.n_seats, problem.pledge, problem.seat, problem.weight
            )
        assert solve(problem, engine="native").value == solve(problem, engine="scipy").value, kind


@pytest.mark.parametrize("rising", [False, True])
def test_a_chain_of_twenty_thousand_needs_no_recursion(rising: bool) -> None:
    n = 20_000
    seat = np.repeat(np.arange(n), 2)
    pledge = seat + np.tile([0, 1], n)
    weight = 10**6 + np.arange(2 * n)[:: 1 if rising else -1]
    problem = EdgeProblem(n, n + 1, seat, pledge, weight)
    assert solve(problem, engine="native").value == solve(problem, engine="scipy").value


def test_work_ends_when_it_is_told_to_stop() -> None:
    problem = random_edges(np.random.default_rng(3), 300, 300, 6, 1000)
    graph = graph_of(problem.seat, problem.pledge, problem.weight, 300)
    assert solve_graph(graph, empty_state(300, 300), False, np.ones(1, np.uint8)) == -1


def test_arrays_that_may_not_be_written_to_are_read() -> None:
    arrays = [np.array([0, 1], np.int32), np.array([1, 0], np.int32), np.array([4, 5], np.int64)]
    for array in arrays:
        array.setflags(write=False)
    assert solve(EdgeProblem(2, 2, *arrays), engine="native").value == 9


def test_the_engine_is_chosen_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    load = single.load_engine
    monkeypatch.setattr(single, "load_engine", lambda engine: taken.append(engine) or load(engine))
    for seats, pledges in ((2, 1_499), (2, 1_500), (1_500, 2)):
        solve(EdgeProblem(seats, pledges, [0], [0], [1]))
    solve(EdgeProblem(2, 2, [0], [0], [1]), engine="native")
    solve(EdgeProblem(1_500, 2, [0], [0], [1]), engine="scipy")
    assert taken == ["scipy", "native", "native", "native", "scipy"]


# --- the attribute form -------------------------------------------------------------------------------------


def scanned(problem: AttributeProblem, most: int) -> dict[tuple[int, int], int]:
    """What the compiled pass finds, by seat and pledge."""
    tables = packed(problem)
    kinds = np.arange(tables.seats.hours.size)
    zeros = np.zeros(kinds.size, np.int64), np.zeros(problem.n_pledges, np.int64)
    found = attributes.scan(tables, kinds, *zeros, most, Clock(None), lambda done: None)
    result = {}
    for seat, kind in enumerate(tables.seat_group.tolist()):
        for k in range(int(found.number[kind])):
            pledge = int(tables.order[found.partner[kind, k]])
            result[seat, pledge] = int(found.weight[kind, k])
    return result


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 7), st.integers(0, 9), st.integers(1, 3))
def test_candidates_and_weights_are_those_of_the_reference(
    seed: int, n_seats: int, n_pledges: int, words: int
) -> None:
    rng = np.random.default_rng(seed)
    arrays = attribute_arrays(rng, n_seats, n_pledges, words)
    if rng.random() < 0.3:
        arrays["seat_must"] = np.zeros_like(arrays["seat_must"])
    if rng.random() < 0.3:
        arrays["seat_must"] = arrays["seat_must"] | (arrays["seat_must"] >> np.uint64(3))
    if rng.random() < 0.3:
        arrays.update(w_near=-7, w_nice=-1, w_remote=-3, w_base=20)
    if rng.random() < 0.3 and n_pledges:
        arrays["pair_bonus"] = rng.choice([FORBIDDEN, 2**40 - 200, -1], len(arrays["pair_bonus"]))
        arrays["pair_request"] = arrays["pair_request"] * 0 + np.arange(len(arrays["pair_bonus"])) // 2
    problem = AttributeProblem(**arrays)
    weights = {pair: w for pair, w in attribute_weights(problem).items() if w <= 2**40}
    assert {pair: w for pair, w in scanned(problem, max(1, n_pledges)).items() if w <= 2**40} == weights


@pytest.mark.parametrize("scarce", [False, True])
def test_the_kept_are_the_best_of_each_seat(scarce: bool) -> None:
    problem = generate(300, 200, 5, scarce=scarce, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    everything, kept = scanned(problem, 300), scanned(problem, 3)
    assert len(everything) > len(kept)
    for seat in range(problem.n_seats):
        best = sorted((w for (i, _), w in everything.items() if i == seat), reverse=True)
        assert sorted((w for (i, _), w in kept.items() if i == seat), reverse=True) == best[:3]


@pytest.mark.parametrize(
    ("pledges", "seats", "scarce"), [(900, 300, False), (400, 900, True), (600, 600, False)]
)
def test_pricing_reaches_the_optimum_of_all_pairs(
    pledges: int, seats: int, scarce: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = generate(pledges, seats, 3, scarce=scarce, attributes=True).problem
    whole = solve(problem, engine="scipy")
    priced = solve(problem, engine="native")
    assert verify_solution(problem, priced).value == whole.value
    monkeypatch.setattr(attributes, "_KEPT", 1)
    monkeypatch.setattr(attributes, "_ADDED", 1)
    steps: list[str] = []
    priced = solve(problem, engine="native", progress=lambda step, done, total: steps.append(step))
    assert steps.count("solving") > 1
    assert verify_solution(problem, priced).value == whole.value


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_weights_beyond_32_bits_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = attribute_arrays(rng, 12, 10)
    arrays.update(w_base=2**39, w_near=2**37, seat_bonus=rng.integers(-(2**38), 2**38, 12))
    problem = AttributeProblem(**arrays)
    answer = solve(problem, engine="native")
    assert answer.value == solve(problem, engine="scipy").value
    assert verify_solution(problem, answer).value == answer.value


def test_a_weight_of_two_to_the_fortieth_is_the_largest() -> None:
    assert solve(one_pair(w_base=2**40 - 5), engine="native").value == 2**40
    with pytest.raises(ProblemError, match=r"seat 0 and pledge 0 weigh 1099511627777, above 2\^40"):
        solve(one_pair(w_base=2**40 - 4), engine="native")
    star = {"pair_request": [5] * 3, "pair_pledge": [0] * 3}
    assert solve(one_pair(**star, pair_bonus=[-(2**62), 2**62, 7]), engine="native").value == 112
    with pytest.raises(ProblemError, match=r"above 2\^40"):
        solve(one_pair(**star, pair_bonus=[2**63 - 1] * 3), engine="native")


@pytest.mark.parametrize(
    "changes",
    [
        {"seat_x": [2**31 - 1], "seat_y": [2**31 - 1], "pledge_x": [-(2**31)], "pledge_y": [-(2**31)],
         "pledge_radius": [2**31 - 1]},
        {"seat_x": [2**31 - 1], "pledge_x": [2**31 - 1], "pledge_y": [0], "pledge_radius": [2**31 - 1]},
        {"seat_hours": [2**63 - 1], "pledge_capacity": [2**63 - 1]},
        {"seat_hours": [2**32], "pledge_capacity": [2**32], "seat_from": [-(2**31)], "pledge_from": [-(2**31)],
         "seat_until": [2**31 - 1], "pledge_until": [2**31 - 1]},
        {"pledge_monthly": [2**63 - 1]},
        {"seat_languages": [2**31], "pledge_languages": [2**31]},
    ],
)  # fmt: skip
def test_attributes_at_the_ends_of_their_types(changes: dict[str, Any]) -> None:
    problem = one_pair(**changes)
    answer = solve(problem, engine="native")
    assert answer.value == solve(problem, engine="scipy").value
    assert verify_solution(problem, answer).value == answer.value


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[str, int, int]] = []
    solve(
        generate(200, 300, 1, attributes=True).problem,
        engine="native",
        progress=lambda *step: told.append(step),
    )
    assert {step for step, _, _ in told} == {"candidates", "solving", "pricing"}
    assert all(done <= total for _, done, total in told)
    assert any(step == "pricing" and done == total for step, done, total in told)


# --- the cache of compiled code -----------------------------------------------------------------------------


def test_without_a_folder_for_the_cache_code_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    double = compiled.compiled(0)(lambda number: 2 * number)
    assert double(21) == 42


def test_a_damaged_cache_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")  # whatever the environment says
    source = tmp_path / "twice.py"
    source.write_text(
        "from timebank.matching.kernel.compiled import compiled\n"
        "@compiled(0)\n"
        "def twice(number):\n"
        "    return 2 * number\n"
    )
    for damage in (False, True, True):
        for path in tmp_path.rglob("*.nb?"):
            path.write_bytes(b"damaged" if damage else path.read_bytes())
        spec = importlib.util.spec_from_file_location("twice", source)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.twice(21) == 42
    assert list(tmp_path.rglob("*.nbi"))
