"""The checker on bundles: each number of a solution is changed, one after another, and none is overlooked."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from tests.matching.kernel.bundles import Bundled, broken, files, random_bundles, worth
from tests.matching.kernel.oracle import attribute_arrays
from timebank.matching.kernel import (
    AttributeProblem,
    EdgeProblem,
    VerificationError,
    Verified,
    solve,
    verify,
    verify_files,
)
from timebank.matching.kernel.problem import Problem


def instances() -> dict[str, Problem]:
    rng = np.random.default_rng(8)
    attributes = AttributeProblem(**attribute_arrays(rng, 9, 7))
    more = {"pledge_capacity": rng.integers(10, 30, 5), "must_fill": False}
    optional = random_bundles(rng, 12, 5, **more)
    filled = random_bundles(rng, 12, 5, **{**more, "must_fill": True, "seat_request": None})
    return {"edge": optional, "edge, all filled": filled, "attribute": attributes}


PROBLEMS = instances()
CASES = [(form, mode) for form in PROBLEMS for mode in ("single", "bundle")]
FILES = {
    (form, mode): files(PROBLEMS[form], solve(PROBLEMS[form], mode=mode))
    for form, mode in CASES  # type: ignore[arg-type]
}


def check(problem: dict[str, Any], solution: dict[str, Any]) -> Verified:
    streams = []
    for arrays in (problem, solution):
        stream = BytesIO()
        np.savez(stream, **arrays)
        stream.seek(0)
        streams.append(stream)
    return verify_files(*streams)


def refusal(problem: dict[str, Any], solution: dict[str, Any]) -> str | None:
    try:
        check(problem, solution)
    except VerificationError as error:
        return str(error)
    return None


def changed(solution: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every number of a solution, each changed in some ways; the time it took is nobody's claim."""
    for name in ("seat_pledge", "seat_price", "pledge_price", "value", "bound", "price_scale", "gap"):
        for index in np.ndindex(solution[name].shape):
            for change in (1, -1, 2, 7, -(10**6), 10**6, 2**31 - 1):
                array = solution[name].astype(np.float64 if name == "gap" else np.int64)
                array[index] += change
                yield name, change, {**solution, name: array}


@pytest.mark.parametrize(("form", "mode"), CASES)
def test_any_number_that_is_changed_is_noticed_or_changes_nothing(form: str, mode: str) -> None:
    problem, honest = FILES[form, mode]
    assert check(problem, honest).value == honest["value"] > 0
    for name, change, forged in changed(honest):
        if refusal(problem, forged) is not None:
            continue
        if name == "seat_pledge":  # another answer that is as good
            chosen = forged[name].tolist()
            assert worth(bundled(form), chosen) == honest["value"]
            assert mode == "single" or broken(bundled(form), chosen) is None
        else:  # a price that matters to no bundle, by less than a point in all
            assert name in ("seat_price", "price_scale")
            assert abs(change) < int(honest["price_scale"])


def bundled(form: str) -> Bundled:
    problem = PROBLEMS[form]
    assert type(problem) is not EdgeProblem
    return problem  # type: ignore[return-value]


FORGERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "below -1": ("which does not exist", {"seat_pledge": np.full(12, -2)}),
    "nobody": ("the pairs weigh 0", {"seat_pledge": np.full(12, -1)}),
    "negative price": ("below 0", {"seat_price": np.full(12, -1)}),
    "scale 0": ("the price scale is 0", {"price_scale": np.int64(0)}),
    "scale -1": ("the price scale is -1", {"price_scale": np.int64(-1)}),
    "a huge scale": ("the prices sum to", {"price_scale": np.int64(2**62)}),
    "a bound too low": ("is below the value", {"value": np.int64(10**9)}),
    "float prices": ("has type float64", {"seat_price": np.zeros(12)}),
    "short": ("has length 11", {"seat_pledge": np.zeros(11, np.int64)}),
    "pickled": ("cannot be read", {"seat_pledge": np.zeros(12, object)}),
    "no scale": ("is missing", {"price_scale": None}),
    "gap": ("the gap says", {"gap": np.float64(0.5)}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_bundle_is_refused_in_one_line(name: str) -> None:
    message, changes = FORGERIES[name]
    problem, honest = FILES["edge", "bundle"]
    forged = {key: array for key, array in {**honest, **changes}.items() if array is not None}
    if name == "a bound too low":
        forged["status"] = np.array("feasible")
    refused = str(refusal(problem, forged))
    assert message in refused
    assert "\n" not in refused


def tiny(**changes: Any) -> dict[str, Any]:
    """Two seats of an hour each, of different requests, with one pledge of two hours."""
    return {
        "n_seats": np.int64(2), "n_pledges": np.int64(1), "seat": np.array([0, 1]), "pledge": np.array([0, 0]),
        "weight": np.array([5, 6]), "seat_hours": np.array([1, 1]), "pledge_capacity": np.array([2]), **changes,
    }  # fmt: skip


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "seat_pledge": np.array([0, 0]), "value": np.int64(11), "bound": np.int64(11), "gap": np.float64(0),
        "seat_price": np.array([0, 0]), "pledge_price": np.array([11]), "price_scale": np.int64(1),
        "seconds": np.float64(0), "mode": np.array("bundle"), "status": np.array("optimal"), **changes,
    }  # fmt: skip


def test_an_answer_by_hand_is_accepted() -> None:
    assert check(tiny(), answer()) == Verified(11, 11, "edge")
    assert check(tiny(must_fill=np.bool_(True)), answer(seat_price=np.array([-5, 5]))) == Verified(
        11, 11, "edge"
    )


BROKEN: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a pledge over capacity": ("pledge 0 has more seats than blocks", {"pledge_capacity": np.array([1])}, {}),
    "hours of the pair over those of the seat": (
        "pledge 0 has more seats than blocks", {"candidate_hours": np.array([1, 2])}, {},
    ),
    "two seats of one request": ("two seats of one request", {"seat_request": np.array([4, 4])}, {}),
    "a seat that fits nobody": (
        "seat 1 and pledge 0 are no candidate",
        {"seat_hours": np.array([1, 3])},
        {"seat_price": np.array([0, 6]), "pledge_price": np.array([5])},
    ),
    "a seat left empty": (
        "seat 0 is empty, but must be filled", {"must_fill": np.bool_(True)},
        {"seat_pledge": np.array([-1, 0]), "value": np.int64(6), "bound": np.int64(6)},
    ),
    "a pledge's price below its best bundle": (
        "its best bundle is worth 6", {}, {"pledge_price": np.array([0]), "seat_price": np.array([11, 0])},
    ),
    "a bound that its prices do not give": (
        "the prices sum to 22", {}, {"seat_price": np.array([5, 6])},
    ),
    "optimal, with a gap": (
        "the bound 12 is not the value 11", {}, {"seat_price": np.array([1, 0]), "bound": np.int64(12), "gap": 1 / 11},
    ),
    "a scale that overflows": (
        "too large to be checked", {},
        {
            "seat_pledge": np.array([-1, 0]), "value": np.int64(4), "bound": np.int64(4),
            "price_scale": np.int64(2**61), "seat_price": np.array([0, 2**62]), "pledge_price": np.array([2**62]),
        },
    ),
    "no hours": ("array seat_hours is missing", {"seat_hours": None}, {}),
    "negative hours": ("array seat_hours is out of range", {"seat_hours": np.array([1, -1])}, {}),
    "must_fill as a number": ("array must_fill has type int64", {"must_fill": np.int64(1)}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named(name: str) -> None:
    message, of_problem, of_answer = BROKEN[name]
    problem = {key: array for key, array in tiny(**of_problem).items() if array is not None}
    assert message in str(refusal(problem, answer(**of_answer)))


@pytest.mark.parametrize("form", ["edge", "attribute"])
def test_knapsacks_in_many_small_tables_are_the_same(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, honest = FILES[form, "bundle"]
    monkeypatch.setattr(verify, "_CELLS", 1)
    assert check(problem, honest).value == honest["value"]
