"""Bundle mode: what comes back is feasible, its bound holds, and where it can be it is the best."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.kernel.bundles import (
    Bundled,
    best_value,
    broken,
    bundle_problems,
    must_fill,
    random_bundles,
    worth,
)
from tests.matching.kernel.oracle import attribute_arrays, attribute_problems
from tests.matching.kernel.test_bundle_branch import network_of
from timebank.matching.kernel import (
    Assignment,
    AttributeProblem,
    BundleProblem,
    EdgeProblem,
    ProblemError,
    generate,
    solve,
    verify_solution,
)
from timebank.matching.kernel.bundle import proof as proof_module
from timebank.matching.kernel.bundle import question as question_module
from timebank.matching.kernel.bundle import relaxation as relaxation_module
from timebank.matching.kernel.bundle import solve as solve_module
from timebank.matching.kernel.bundle import stream as stream_module
from timebank.matching.kernel.bundle.network import Network


def bundled(problem: Bundled, seconds: float = 5.0, stop: Event | None = None) -> Assignment:
    return solve(problem, mode="bundle", time_limit=seconds, stop=stop)


def assert_right(problem: Bundled, answer: Assignment) -> None:
    """Whatever the answer says is so, also in the eyes of the checker."""
    best, chosen = best_value(problem), answer.seat_pledge.tolist()
    if answer.status in ("infeasible", "unknown"):
        assert set(chosen) <= {-1}
        assert must_fill(problem)
        assert best is None or answer.status == "unknown"
        return
    assert best is not None
    assert broken(problem, chosen) is None
    assert worth(problem, chosen) == answer.value <= best <= answer.bound
    assert (answer.status == "optimal") == (answer.value == answer.bound)
    assert answer.gap == (answer.bound - answer.value) / max(answer.value, 1)
    assert answer.proved_bound is None or best <= answer.proved_bound <= answer.bound
    assert verify_solution(problem, answer)[:2] == (answer.value, answer.bound)


@settings(max_examples=200, deadline=None)
@given(bundle_problems())
def test_a_tiny_edge_form_is_solved_to_the_best(problem: BundleProblem) -> None:
    answer = bundled(problem)
    assert_right(problem, answer)
    best = best_value(problem)
    assert answer.status == "infeasible" if best is None else answer.value == best


@settings(max_examples=60, deadline=None)
@given(attribute_problems())
def test_a_tiny_attribute_form_is_solved_to_the_best(problem: AttributeProblem) -> None:
    answer = bundled(problem)
    assert_right(problem, answer)
    assert answer.value == best_value(problem)


@pytest.fixture
def without_branch_and_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve_module, "_TINY", -1)
    monkeypatch.setattr(proof_module, "_PROVABLE", -1)
    monkeypatch.setattr(proof_module, "_BRANCHABLE", -1)


@pytest.mark.usefixtures("without_branch_and_bound")
def test_the_search_alone_is_always_feasible_and_nearly_always_best() -> None:
    rng = np.random.default_rng(11)
    best = tried = 0
    for _ in range(150):
        problem = random_bundles(rng, int(rng.integers(1, 7)), int(rng.integers(1, 5)))
        answer = bundled(problem, seconds=0.1)
        assert_right(problem, answer)
        expected = best_value(problem)
        if expected is not None:
            tried += 1
            best += answer.value == expected
    assert best >= 0.9 * tried


@pytest.mark.usefixtures("without_branch_and_bound")
@pytest.mark.parametrize("cells", [2**24, 12])
def test_the_bound_counts_all_pairs_where_only_the_best_are_held(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(question_module, "KEPT_CANDIDATES", 0)
    monkeypatch.setattr(question_module, "_FEWEST_PER_SEAT", 1)
    monkeypatch.setattr(stream_module, "MOST_CELLS", cells)
    rng = np.random.default_rng(12)
    for _ in range(60):
        arrays = attribute_arrays(rng, int(rng.integers(0, 7)), int(rng.integers(0, 6)))
        arrays["pledge_capacity"] = rng.choice([0, 3, 8, 11], arrays["pledge_capacity"].size)
        arrays["seat_hours"] = rng.choice([0, 1, 2, 5], arrays["seat_hours"].size)
        problem = AttributeProblem(**arrays)
        assert_right(problem, bundled(problem, seconds=0.1))


def test_both_forms_of_an_instance_have_the_same_best() -> None:
    made = generate(150, 100, 3)
    edges = BundleProblem(**vars(made.problem), **made.bundle)
    attributes = generate(150, 100, 3, attributes=True).problem
    assert isinstance(attributes, AttributeProblem)
    answers = [bundled(problem) for problem in (edges, attributes)]
    assert answers[0].value == answers[1].value > 0
    assert answers[0].value >= solve(edges).value


def test_a_middling_instance_has_a_small_certified_gap() -> None:
    problem = scarce(np.random.default_rng(1), 60, 120)
    answer = bundled(problem)
    assert answer.status in ("feasible", "optimal")
    assert answer.gap < 0.02
    assert verify_solution(problem, answer).bound == answer.bound


def scarce(rng: np.random.Generator, n_pledges: int, n_seats: int) -> BundleProblem:
    pledge = np.array([rng.choice(n_pledges, 12, replace=False) for _ in range(n_seats)]).ravel()
    return BundleProblem(
        n_seats,
        n_pledges,
        np.repeat(np.arange(n_seats), 12).astype(np.int32),
        pledge.astype(np.int32),
        rng.integers(600, 2500, pledge.size),
        pledge_capacity=rng.integers(16, 65, n_pledges),
        seat_hours=rng.integers(8, 49, n_seats),
        seat_request=(np.arange(n_seats) // 2).astype(np.int32),
    )


# --- what is odd -------------------------------------------------------------------------------------------


def few(seats: int = 2, pledges: int = 1, **changes: Any) -> BundleProblem:
    """Every seat with every pledge, an hour each."""
    seat, pledge = np.divmod(np.arange(seats * pledges), max(1, pledges))
    given: dict[str, Any] = {
        "weight": np.full(seats * pledges, 5),
        "pledge_capacity": np.full(pledges, 10),
        "seat_hours": np.ones(seats, np.int64),
        **changes,
    }
    return BundleProblem(seats, pledges, seat, pledge, **given)


ODD: dict[str, tuple[BundleProblem, int]] = {
    "nothing": (few(0, 0), 0),
    "no seat": (few(0, 3), 0),
    "no pledge": (few(3, 0), 0),
    "no candidate": (BundleProblem(2, 2, [], [], [], [5, 5], [1, 1]), 0),
    "one seat": (few(1, 1), 5),
    "all fit": (few(4, 1), 20),
    "all seats of one request": (few(4, 2, seat_request=[7, 7, 7, 7]), 10),
    "capacity 0": (few(3, 2, pledge_capacity=[0, 0]), 0),
    "capacity 0 and seats that take nothing": (few(3, 1, pledge_capacity=[0], seat_hours=[0, 0, 0]), 15),
    "seats longer than any pledge": (few(3, 2, seat_hours=[11, 11, 11]), 0),
    "pledges without candidates": (BundleProblem(1, 4, [0], [2], [9], [5, 5, 5, 5], [1]), 9),
    "the heaviest weights": (few(300, 2, weight=np.full(600, 2**31 - 1)), 20 * (2**31 - 1)),
    "capacities near 2^63": (few(3, 1, pledge_capacity=[2**63 - 1]), 15),
    "hours near 2^63": (few(3, 1, pledge_capacity=[2**63 - 1], seat_hours=[2**62, 2**62, 2**61]), 10),
    "hours per candidate before those per seat": (few(2, 1, candidate_hours=[10, 1]), 5),
    "empty seats, all filled": (few(0, 2, must_fill=True), 0),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_solved_to_the_best(name: str) -> None:
    problem, best = ODD[name]
    answer = bundled(problem)
    assert (answer.status, answer.value, answer.bound) == ("optimal", best, best)
    assert verify_solution(problem, answer).value == best


def test_more_options_of_one_request_than_a_table_numbers() -> None:
    problem = few(3000, 1, seat_request=np.zeros(3000, np.int64), seat_hours=np.arange(3000) % 50)
    assert bundled(problem).value == 5


def test_a_pledge_with_too_many_blocks_is_refused() -> None:
    with pytest.raises(ProblemError, match="pledge 0 has 1099511627777 blocks for 2 candidates, more than"):
        bundled(few(2, 1, pledge_capacity=[2**40 + 1], seat_hours=[2**40, 2**40 - 1]))


def test_the_edge_form_alone_has_no_bundles() -> None:
    with pytest.raises(ProblemError, match="array pledge_capacity is missing"):
        bundled(EdgeProblem(1, 1, [0], [0], [5]))  # type: ignore[arg-type]


# --- every seat must be filled ------------------------------------------------------------------------------

IMPOSSIBLE: dict[str, BundleProblem] = {
    "a seat without candidate": BundleProblem(2, 1, [0], [0], [5], [9], [1, 1], must_fill=True),
    "a seat that fits nobody": few(2, 2, seat_hours=[1, 11], must_fill=True),
    "too few hours in all": few(21, 2, must_fill=True),
    "three seats of one request for two pledges": few(3, 2, seat_request=[0, 0, 0], must_fill=True),
    "whole seats do not fit, halves would": few(
        3, 2, seat_hours=[6, 6, 6], pledge_capacity=[9, 9], must_fill=True
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_filled_is_proved_infeasible(name: str) -> None:
    answer = bundled(IMPOSSIBLE[name])
    assert (answer.status, answer.value) == ("infeasible", 0)
    assert set(answer.seat_pledge.tolist()) == {-1}


@pytest.mark.usefixtures("without_branch_and_bound")
def test_prices_prove_that_hours_are_too_few_in_all() -> None:
    assert bundled(IMPOSSIBLE["too few hours in all"]).status == "infeasible"


@pytest.mark.usefixtures("without_branch_and_bound")
def test_without_a_proof_it_is_not_called_infeasible() -> None:
    problem = few(
        3, 2, seat_hours=[6, 6, 6], candidate_hours=[6, 1, 6, 6, 6, 6], pledge_capacity=[5, 6], must_fill=True
    )
    answer = bundled(problem, seconds=0.2)
    assert answer.status in ("infeasible", "unknown")
    assert_right(problem, answer)


def test_a_tight_problem_that_must_be_filled_is_filled() -> None:
    rng = np.random.default_rng(4)
    hours = rng.integers(5, 26, (200, 10))
    capacity = (0.8 * hours.sum(axis=0) / 10).astype(np.int64) + 1
    problem = few(
        200, 10, weight=rng.integers(1, 100, 2000), candidate_hours=hours.ravel(), pledge_capacity=capacity,
        must_fill=True,
    )  # fmt: skip
    answer = bundled(problem, seconds=3)
    assert answer.status in ("feasible", "optimal")
    assert (answer.seat_pledge >= 0).all()
    assert verify_solution(problem, answer).bound == answer.bound


# --- time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["edge", "attribute"])
def test_with_hardly_any_time_there_is_still_an_answer_and_a_bound(form: str) -> None:
    edges = scarce(np.random.default_rng(2), 50, 100)
    attributes = generate(400, 60, 2, attributes=True).problem
    assert isinstance(attributes, AttributeProblem)
    problem = edges if form == "edge" else attributes
    answer = bundled(problem, seconds=1e-9)
    assert answer.status in ("feasible", "optimal")
    assert verify_solution(problem, answer).bound == answer.bound


@pytest.mark.parametrize(("seconds", "rounds"), [(1.0, 10), (0.0, 1), (60.0, 300)])
def test_first_prices_take_no_more_rounds_than_there_is_time_for(
    monkeypatch: pytest.MonkeyPatch, seconds: float, rounds: int
) -> None:
    now, taken = 0.0, []

    def work(_network: Network, _must_fill: bool, rounds: int, *_: Any) -> None:
        nonlocal now
        now += 0.1 * rounds
        taken.append(rounds)

    monkeypatch.setattr(relaxation_module, "perf_counter", lambda: now)
    monkeypatch.setattr(relaxation_module, "_subgradient_on_rents", work)
    problem = random_bundles(np.random.default_rng(1), 4, 4)
    relaxation_module.initial_prices(network_of(problem), False, seconds)
    assert taken[-1] == pytest.approx(rounds, abs=1)


def test_who_stops_it_gets_the_best_so_far() -> None:
    stop = Event()
    stop.set()
    problem = scarce(np.random.default_rng(3), 50, 100)
    answer = bundled(problem, seconds=600, stop=stop)
    assert answer.seconds < 60
    assert answer.value > 0
    assert verify_solution(problem, answer).bound == answer.bound


@settings(max_examples=30, deadline=None)
@given(bundle_problems(largest=6), st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(problem: BundleProblem, random: Any) -> None:
    order = list(range(problem.seat.size))
    random.shuffle(order)
    turned = BundleProblem(
        problem.n_seats,
        problem.n_pledges,
        problem.seat[order],
        problem.pledge[order],
        problem.weight[order],
        problem.pledge_capacity,
        candidate_hours=problem.hours[order],
        seat_request=problem.seat_request,
        must_fill=problem.must_fill,
    )
    assert bundled(turned).value == bundled(problem).value
