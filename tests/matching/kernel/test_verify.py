"""The checker accepts what is right and refuses everything else, however it was forged."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.kernel.oracle import attribute_weights, edge_weights
from timebank.matching.kernel import (
    AttributeProblem,
    EdgeProblem,
    VerificationError,
    generate,
    save_problem,
    save_solution,
    solve,
    verify_files,
)
from timebank.matching.kernel.problem import Problem

SEATS, PLEDGES = 60, 40


def instances() -> dict[str, Problem]:
    rng = np.random.default_rng(5)
    key = np.unique(rng.integers(0, SEATS * PLEDGES, 400))
    edges = EdgeProblem(SEATS, PLEDGES + 1, key // PLEDGES, key % PLEDGES, rng.integers(1, 1000, key.size))
    return {"edge": edges, "attribute": generate(400, SEATS, 2, attributes=True).problem}


PROBLEMS = instances()


def arrays_of(problem: Problem) -> dict[str, Any]:
    stream = BytesIO()
    save_problem(problem, stream)
    stream.seek(0)
    return dict(np.load(stream))


def solution_of(problem: Problem) -> dict[str, Any]:
    stream = BytesIO()
    save_solution(solve(problem), stream)
    stream.seek(0)
    return dict(np.load(stream))


SOLUTIONS = {form: solution_of(problem) for form, problem in PROBLEMS.items()}
ARRAYS = {form: arrays_of(problem) for form, problem in PROBLEMS.items()}


def weights_of(problem: Problem) -> dict[tuple[int, int], int]:
    return edge_weights(problem) if isinstance(problem, EdgeProblem) else attribute_weights(problem)


WEIGHTS = {form: weights_of(problem) for form, problem in PROBLEMS.items()}


def check(problem: dict[str, Any], solution: dict[str, Any]) -> int:
    streams = []
    for arrays in (problem, solution):
        stream = BytesIO()
        np.savez(stream, **arrays)
        stream.seek(0)
        streams.append(stream)
    return verify_files(*streams).value


@pytest.mark.parametrize("form", PROBLEMS)
def test_an_honest_solution_is_accepted(form: str) -> None:
    assert check(ARRAYS[form], SOLUTIONS[form]) == int(SOLUTIONS[form]["value"])


def at(array: np.ndarray, index: int, value: int) -> np.ndarray:
    copy = array.copy()
    copy[index] = value
    return copy


def forgeries(form: str) -> dict[str, tuple[str, bool, dict[str, Any]]]:
    """Name → what is said, whether it is malformed, what is changed (None leaves an array out)."""
    s = SOLUTIONS[form]
    problem = PROBLEMS[form]
    weights = WEIGHTS[form]
    chosen, u, v = s["seat_pledge"], s["seat_price"], s["pledge_price"]
    on, off = np.flatnonzero(chosen >= 0), np.flatnonzero(chosen < 0)
    free = next(j for j in range(problem.n_pledges) if j not in chosen and (int(off[0]), j) not in weights)
    tight = int(on[np.argmax(u[on])])
    dear = int(np.argmax(v))
    value = int(s["value"])
    dropped = {"seat_pledge": at(chosen, on[0], -1)}
    return {
        "pledge twice": ("has more than one seat", False, {"seat_pledge": at(chosen, off[0], chosen[on[0]])}),
        "no candidate": ("are no candidate", False, {"seat_pledge": at(chosen, off[0], free)}),
        "beyond the last": ("which does not exist", False, {"seat_pledge": at(chosen, off[0], problem.n_pledges)}),
        "below -1": ("which does not exist", False, {"seat_pledge": at(chosen, off[0], -2)}),
        "seat dropped": ("the pairs weigh", False, dropped),
        "value + 1": ("is not the value", False, {"value": s["value"] + 1}),
        "value and bound + 1": ("the bound says", False, {"value": s["value"] + 1, "bound": s["bound"] + 1}),
        "all + 1": (
            "the pairs weigh", False,
            {"value": s["value"] + 1, "bound": s["bound"] + 1, "seat_price": at(u, tight, u[tight] + 1)},
        ),
        "bound - 1": ("the bound says", False, {"bound": s["bound"] - 1}),
        "price - 1": ("the prices sum to", False, {"seat_price": at(u, tight, u[tight] - 1)}),
        "prices shifted": (
            "more than their prices together", False,
            {"seat_price": at(u, tight, u[tight] + 1), "pledge_price": at(v, dear, v[dear] - 1)},
        ),
        "worse, with a bound to match": (
            "more than their prices together", False,
            {**dropped, "value": np.int64(0), "bound": np.int64(0), "seat_price": 0 * u, "pledge_price": 0 * v},
        ),
        "negative price": ("below 0", False, {"pledge_price": at(v, 0, -5)}),
        "overflowing sum": (
            "the prices sum to", False,
            {"seat_price": at(at(at(at(u, 0, 2**62), 1, 2**62), 2, 2**62), 3, 2**62)},
        ),
        "NaN prices": ("has type float64", True, {"pledge_price": np.where(v == v[0], np.nan, v)}),
        "float seats": ("has type float64", True, {"seat_pledge": chosen.astype(float)}),
        "pickled": ("cannot be read", True, {"seat_pledge": chosen.astype(object)}),
        "short": ("has length", True, {"seat_pledge": chosen[:-1]}),
        "long prices": ("has length", True, {"pledge_price": np.append(v, 0)}),
        "two dimensions": ("dimensions", True, {"seat_pledge": chosen[None]}),
        "value in an array": ("dimensions", True, {"value": np.array([value])}),
        "no prices": ("is missing", True, {"seat_price": None}),
        "scale": ("the price scale is 2", False, {"price_scale": np.int64(2)}),
        "gap": ("the gap says", False, {"gap": np.float64(0.5)}),
        "NaN gap": ("the gap says nan", False, {"gap": np.float64("nan")}),
        "negative seconds": ("the seconds are", True, {"seconds": np.float64(-1)}),
        "unknown": ("there is no solution: the status is unknown", False, {"status": np.array("unknown")}),
        "infeasible": ("there is no solution: the status is infeasible", False, {"status": np.array("infeasible")}),
        "strange status": ("the status is", True, {"status": np.array("perfect")}),
        "status in bytes": ("has type", True, {"status": np.array(b"optimal")}),
        "other mode": ("the mode is 'triple'", True, {"mode": np.array("triple")}),
    }  # fmt: skip


@pytest.mark.parametrize("name", forgeries("edge"))
@pytest.mark.parametrize("form", PROBLEMS)
def test_a_forged_solution_is_refused_in_one_line(form: str, name: str) -> None:
    message, malformed, changes = forgeries(form)[name]
    forged = {k: a for k, a in {**SOLUTIONS[form], **changes}.items() if a is not None}
    with pytest.raises(VerificationError) as caught:
        check(ARRAYS[form], forged)
    assert message in str(caught.value)
    assert caught.value.malformed == malformed
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", PROBLEMS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_single_number_changed_is_noticed(form: str, data: st.DataObject) -> None:
    """One seat or price changed alone can never be right: the sums are no longer those told."""
    honest = SOLUTIONS[form]
    name = data.draw(st.sampled_from(["seat_pledge", "seat_price", "pledge_price"]))
    index = data.draw(st.integers(0, honest[name].size - 1))
    size = PROBLEMS[form].n_pledges if name == "seat_pledge" else 3000
    new = data.draw(st.integers(-2, size).filter(lambda x: x != honest[name][index]))
    forged = {**honest, name: at(honest[name], index, new)}
    if name == "seat_pledge" and _as_good(form, forged):
        assert check(ARRAYS[form], forged) == int(honest["value"])
        return
    with pytest.raises(VerificationError):
        check(ARRAYS[form], forged)


def _as_good(form: str, forged: dict[str, Any]) -> bool:
    """Whether another pledge for one seat happens to be another optimum."""
    weights = WEIGHTS[form]
    pairs = [(i, j) for i, j in enumerate(forged["seat_pledge"].tolist()) if j != -1]
    distinct = len({j for _, j in pairs}) == len(pairs)
    return distinct and sum(weights.get(pair, -(10**9)) for pair in pairs) == int(forged["value"])


@pytest.mark.parametrize("form", PROBLEMS)
def test_a_solution_of_another_problem_is_refused(form: str) -> None:
    other = dict(ARRAYS[form])
    if form == "edge":
        other["weight"] = other["weight"] + 1
    else:
        other["w_base"] = other["w_base"] + 1
    with pytest.raises(VerificationError):
        check(other, SOLUTIONS[form])


def test_a_malformed_problem_is_no_violation() -> None:
    edges, attributes = ARRAYS["edge"], ARRAYS["attribute"]
    broken = {
        "edge": [
            {**edges, "weight": edges["weight"].astype(float)},
            {**edges, "weight": np.zeros_like(edges["weight"])},
            {**edges, "pledge": edges["pledge"][:-1]},
            {**edges, "seat": edges["seat"] * 0, "pledge": edges["pledge"] * 0},
            {k: a for k, a in edges.items() if k != "n_seats"},
        ],
        "attribute": [
            {**attributes, "seat_x": attributes["seat_x"].astype(float)},
            {**attributes, "w_base": np.int64(2**41)},
            {**attributes, "w_near_metres": np.int64(0)},
            {**attributes, "seat_remote": attributes["seat_remote"].astype(int)},
            {**attributes, "pledge_radius": -attributes["pledge_radius"] - 1},
            {**attributes, "pair_pledge": attributes["pair_pledge"] + 10**6},
            {k: a for k, a in attributes.items() if k != "excluded_org"},
        ],
    }
    for form, problems in broken.items():
        for problem in problems:
            with pytest.raises(VerificationError) as caught:
                check(problem, SOLUTIONS[form])
            assert caught.value.malformed, str(caught.value)


def test_damaged_files_are_malformed() -> None:
    problem, solution = BytesIO(), BytesIO()
    np.savez(problem, **ARRAYS["edge"])
    np.savez(solution, **SOLUTIONS["edge"])
    raw = solution.getvalue()
    for damaged in (b"", b"hello", raw[: len(raw) // 2]):
        problem.seek(0)
        with pytest.raises(VerificationError, match="solution: cannot be read") as caught:
            verify_files(problem, BytesIO(damaged))
        assert caught.value.malformed


def test_the_checker_shares_no_code_with_the_solver() -> None:
    import ast
    from pathlib import Path

    from timebank.matching.kernel import verify, verify_input, verify_pairs

    imported: set[str] = set()
    for module in (verify, verify_input, verify_pairs):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        assert len(source.splitlines()) < 200
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
            elif isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
    assert {name for name in imported if name.startswith(("timebank", "scipy"))} == {
        "timebank.matching.kernel.verify_input",
        "timebank.matching.kernel.verify_pairs",
    }


def test_a_large_attribute_form_is_checked_in_small_memory() -> None:
    import tracemalloc

    problem = generate(20_000, 400, 1, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    stream, answer = BytesIO(), BytesIO()
    save_problem(problem, stream)
    save_solution(solve(problem), answer)
    stream.seek(0)
    answer.seek(0)
    tracemalloc.start()
    verify_files(stream, answer)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000 * 400  # a byte for each pair would already be too much
