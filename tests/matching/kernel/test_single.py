"""The optimum of single mode, against everything else that can find one."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from tests.matching.kernel.oracle import (
    assert_proved,
    attribute_arrays,
    attribute_problems,
    attribute_weights,
    best_value,
    edge_problems,
    edge_weights,
    random_edges,
)
from timebank.matching.kernel import (
    AttributeProblem,
    EdgeProblem,
    ProblemError,
    generate,
    scipy_engine,
    solve,
    verify_solution,
)
from timebank.matching.kernel.native import engine as native
from timebank.matching.kernel.progress import Clock
from timebank.matching.kernel.single import ENGINES, NotProvedError


@settings(max_examples=300, deadline=None)
@given(edge_problems(), st.sampled_from(ENGINES))
def test_edge_form_equals_trying_everything(problem: EdgeProblem, engine: str) -> None:
    weights = edge_weights(problem)
    answer = solve(problem, engine=engine)
    assert answer.value == best_value(weights, problem.n_seats)
    assert_proved(weights, answer, problem.n_seats, problem.n_pledges)


@settings(max_examples=200, deadline=None)
@given(attribute_problems(), st.sampled_from(ENGINES))
def test_attribute_form_equals_trying_everything(problem: AttributeProblem, engine: str) -> None:
    weights = attribute_weights(problem)
    answer = solve(problem, engine=engine)
    assert answer.value == best_value(weights, problem.n_seats)
    assert_proved(weights, answer, problem.n_seats, problem.n_pledges)
    assert verify_solution(problem, answer).value == answer.value


def kinds() -> dict[str, EdgeProblem]:
    """Each of another structure, as each breaks another idea."""
    rng = np.random.default_rng(7)
    n = 60
    i, j = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    chain_seat = np.repeat(np.arange(n), 2)
    chain_pledge = chain_seat + np.tile([0, 1], n)
    a, b = rng.integers(1, 10**6, n), rng.integers(1, 10**6, n)
    popular = np.sort(rng.integers(1, 10**6, n))[::-1]
    return {
        "abundant": random_edges(rng, 50, 300, 8, 1000),
        "scarce": random_edges(rng, 300, 60, 8, 1000),
        "square": random_edges(rng, 200, 200, 6, 1000),
        "three weights": random_edges(rng, 150, 150, 6, 4),
        "all equal": random_edges(rng, 150, 150, 4, 2),
        "near the largest weight": EdgeProblem(n, n, i, j, 2**31 - 1 - rng.integers(0, 5, n * n)),
        "one long chain": EdgeProblem(n, n + 1, chain_seat, chain_pledge, 10**6 + np.arange(2 * n)[::-1]),
        "chain that shifts": EdgeProblem(n, n + 1, chain_seat, chain_pledge, np.tile([10, 9], n)),
        "sums of sides": EdgeProblem(n, n, i, j, a[i] + b[j]),
        "products of sides": EdgeProblem(n, n, i, j, (i + 1) * (j + 1)),
        "all agree on the best": EdgeProblem(n, n, i, j, popular[j] + rng.integers(0, 3, n * n)),
        "one seat": random_edges(rng, 1, 40, 20, 50),
        "one pledge": random_edges(rng, 40, 1, 1, 50),
    }


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "sides swapped"])
@pytest.mark.parametrize("solver", ["scipy", "dense", "sparse", "native"])
def test_every_kind_agrees_with_the_dense_table(
    kind: str, turned: bool, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if solver in ("dense", "sparse"):
        monkeypatch.setattr(scipy_engine, "_SMALL_CELLS", 10**9 if solver == "dense" else -1)
        monkeypatch.setattr(scipy_engine, "_DENSE_CELLS", -1)
    p = kinds()[kind]
    if turned:
        p = EdgeProblem(p.n_pledges, p.n_seats, p.pledge, p.seat, p.weight)
    table = np.zeros((p.n_seats, p.n_pledges), np.int64)
    table[p.seat, p.pledge] = p.weight
    rows, columns = linear_sum_assignment(table, maximize=True)
    answer = solve(p, engine="native" if solver == "native" else "scipy")
    assert answer.value == int(table[rows, columns].sum())
    assert_proved(edge_weights(p), answer, p.n_seats, p.n_pledges)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_at_the_limit_are_summed_exactly(engine: str) -> None:
    n = 3000
    every = np.arange(n)
    answer = solve(EdgeProblem(n, n, every, every, np.full(n, 2**31 - 1)), engine=engine)
    assert answer.value == n * (2**31 - 1)


def test_a_seat_goes_without_when_others_gain_more() -> None:
    answer = solve(EdgeProblem(2, 1, [0, 1], [0, 0], [5, 6]))
    assert answer.seat_pledge.tolist() == [-1, 0]
    assert (answer.seat_price.tolist(), answer.pledge_price.tolist()) == ([0, 1], [5])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("seats", "pledges"), [(0, 0), (0, 3), (3, 0), (3, 2)])
def test_without_candidates_nobody_gets_a_seat(seats: int, pledges: int, engine: str) -> None:
    answer = solve(EdgeProblem(seats, pledges, [], [], []), engine=engine)
    assert answer.seat_pledge.tolist() == [-1] * seats
    assert (answer.value, answer.bound, answer.gap, answer.status) == (0, 0, 0.0, "optimal")


@settings(max_examples=40, deadline=None)
@given(attribute_problems(), st.randoms(use_true_random=False))
def test_the_order_of_seats_and_pledges_does_not_matter(
    problem: AttributeProblem, random: st.DataObject
) -> None:
    seats, pledges = list(range(problem.n_seats)), list(range(problem.n_pledges))
    random.shuffle(seats)  # type: ignore[attr-defined]
    random.shuffle(pledges)  # type: ignore[attr-defined]
    arrays = {f.name: getattr(problem, f.name) for f in fields(problem)}
    for name in arrays:
        if name.startswith("seat_"):
            arrays[name] = arrays[name][seats]
        elif name.startswith("pledge_"):
            arrays[name] = arrays[name][pledges]
    place = {old: new for new, old in enumerate(pledges)}
    arrays["pair_pledge"] = [place[j] for j in arrays["pair_pledge"].tolist()]
    assert solve(AttributeProblem(**arrays)).value == solve(problem).value


@pytest.mark.parametrize("scarce", [False, True])
def test_few_candidates_with_pricing_reach_the_optimum_of_all(
    scarce: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = generate(500, 700, 3, scarce=scarce, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    whole = solve(problem, engine="scipy")
    monkeypatch.setattr(scipy_engine, "KEPT_CANDIDATES", 10)
    monkeypatch.setattr(scipy_engine, "_FEWEST_PER_SEAT", 1)
    monkeypatch.setattr(scipy_engine, "_VIOLATORS_PER_SEAT", 1)
    steps: list[str] = []
    priced = solve(problem, engine="scipy", progress=lambda step, done, total: steps.append(step))
    assert steps.count("solving") > 1
    assert priced.value == whole.value
    assert verify_solution(problem, priced).value == whole.value


def test_blocks_of_seats_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from timebank.matching.kernel import candidates

    problem = AttributeProblem(**attribute_arrays(np.random.default_rng(1), 23, 31))
    whole = solve(problem, engine="scipy")
    monkeypatch.setattr(candidates, "PAIRS_PER_BLOCK", 70)
    assert solve(problem, engine="scipy").value == whole.value == best_of(problem)


def best_of(problem: AttributeProblem) -> int:
    table = np.zeros((problem.n_seats, problem.n_pledges), np.int64)
    for (i, j), weight in attribute_weights(problem).items():
        table[i, j] = weight
    return int(table[linear_sum_assignment(table, maximize=True)].sum())


@pytest.mark.parametrize("engine", ENGINES)
def test_the_input_is_not_changed(engine: str) -> None:
    problem = random_edges(np.random.default_rng(2), 30, 20, 4, 9)
    before = [np.copy(a) for a in (problem.seat, problem.pledge, problem.weight)]
    solve(problem, engine=engine)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(before, (problem.seat, problem.pledge, problem.weight), strict=True)
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_time_limit_that_is_over_leaves_no_answer_and_an_honest_bound(engine: str) -> None:
    problem = random_edges(np.random.default_rng(2), 30, 20, 4, 9)
    answer = solve(problem, engine=engine, time_limit=1e-9)
    assert answer.status == "unknown"
    assert set(answer.seat_pledge.tolist()) == {-1}
    assert answer.bound == int(answer.seat_price.sum() + answer.pledge_price.sum()) > answer.value == 0
    attributes = AttributeProblem(**attribute_arrays(np.random.default_rng(2), 30, 20))
    assert solve(attributes, engine=engine, time_limit=1e-9).status == "unknown"


def test_an_unknown_engine_or_mode_is_refused() -> None:
    problem = EdgeProblem(0, 0, [], [], [])
    with pytest.raises(ProblemError, match="no engine 'fast'; there are auto, scipy, native"):
        solve(problem, engine="fast")
    with pytest.raises(ProblemError, match="no mode 'double'; there are single and bundle"):
        solve(problem, mode="double")


def test_prices_that_prove_nothing_are_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def worse(row: np.ndarray, column: np.ndarray, *rest: object) -> np.ndarray:
        return np.array([0, -1])

    monkeypatch.setattr(scipy_engine, "_matching", worse)
    with pytest.raises(NotProvedError):
        solve(EdgeProblem(2, 2, [0, 1], [0, 1], [5, 6]))


@pytest.mark.parametrize("seed", range(40))
def test_both_engines_accept_and_refuse_the_same_proofs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_edges(rng, 12, 9, 4, 6)
    right = native.edge_optimum(problem, Clock(None))
    weight = solve(problem, engine="scipy").value
    assert right.proved == native.proved_weight(right) == scipy_engine.proved_weight(right) == weight
    for name in ("seat_pledge", "seat_price", "pledge_price"):
        values = getattr(right, name).copy()
        values[rng.integers(values.size)] += rng.choice([-1, 1])
        wrong = right._replace(**{name: np.clip(values, -1, 8) if name == "seat_pledge" else values})
        if not np.array_equal(getattr(wrong, name), getattr(right, name)):
            assert native.proved_weight(wrong) == scipy_engine.proved_weight(wrong)
    for name in ("seat_price", "pledge_price"):  # one unit more proves less
        assert native.proved_weight(right._replace(**{name: getattr(right, name) + 1})) is None
