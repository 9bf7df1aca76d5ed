"""What is refused, and in which words; what is odd but right; files in and out."""

from __future__ import annotations

import os
import pickle
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.matching.kernel.oracle import attribute_arrays, attribute_problems, edge_problems
from timebank.matching.kernel import (
    AttributeProblem,
    EdgeProblem,
    ProblemError,
    load_problem,
    load_solution,
    save_problem,
    save_solution,
    solve,
    verify_files,
)
from timebank.matching.kernel.problem import Problem


def edge(**changes: Any) -> dict[str, Any]:
    """Arrays of a right edge form, with changes; None leaves one out."""
    arrays = {
        "n_seats": np.int64(2),
        "n_pledges": np.int64(3),
        "seat": np.array([0, 1, 1], np.int32),
        "pledge": np.array([2, 0, 1], np.int32),
        "weight": np.array([5, 6, 7], np.int64),
        **changes,
    }
    return {name: value for name, value in arrays.items() if value is not None}


def attributes(**changes: Any) -> dict[str, Any]:
    arrays = {**attribute_arrays(np.random.default_rng(3), 4, 3), **changes}
    return {name: np.asarray(value) for name, value in arrays.items() if value is not None}


def stored(arrays: dict[str, Any]) -> BytesIO:
    stream = BytesIO()
    np.savez(stream, **arrays)
    stream.seek(0)
    return stream


EDGE_ERRORS = {
    "array weight is missing": edge(weight=None),
    "array n_seats is missing": edge(n_seats=None),
    "array weight has type float64, expected int64": edge(weight=np.array([5.0, 6, 7])),
    "array weight has type timedelta64[s], expected int64": edge(weight=np.array([5, 6, 7], "m8[s]")),
    "array seat has type bool, expected int32": edge(seat=np.array([False, True, True])),
    "array pledge has type <U1, expected int32": edge(pledge=np.array(["a", "b", "c"])),
    "array weight holds 0, outside 1 .. 2147483647": edge(weight=np.array([5, 0, 7])),
    "array weight holds -4, outside 1 .. 2147483647": edge(weight=np.array([5, -4, 7])),
    "array weight holds 2147483648, outside 1 .. 2147483647": edge(weight=np.array([5, 2**31, 7])),
    "array weight holds 18446744073709551615, outside": edge(weight=np.array([5, 2**64 - 1, 7], np.uint64)),
    "array seat has length 2, where E is": edge(pledge=np.array([2, 0]), seat=np.array([0, 1])),
    "array seat has 2 dimensions, expected (E,)": edge(seat=np.array([[0, 1, 1]])),
    "array n_pledges has 1 dimensions, expected a single number": edge(n_pledges=np.array([3])),
    "array n_seats holds -1, outside 0 .. 100000000": edge(n_seats=np.int64(-1)),
    "array n_seats holds 1000000000000, outside": edge(n_seats=np.int64(10**12)),
    "array seat holds 2, but n_seats is 2": edge(seat=np.array([0, 1, 2])),
    "array seat holds -1, outside": edge(seat=np.array([0, 1, -1])),
    "array pledge holds 3, but n_pledges is 3": edge(pledge=np.array([3, 0, 1])),
    "seat 1 and pledge 0 stand together twice": edge(pledge=np.array([2, 0, 0])),
}
EDGE_ERRORS["array weight has length 3, where E is 2"] = EDGE_ERRORS.pop(
    "array seat has length 2, where E is"
)


@pytest.mark.parametrize("message", EDGE_ERRORS)
def test_a_malformed_edge_form_is_refused_in_one_line(message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        load_problem(stored(EDGE_ERRORS[message]))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


ATTRIBUTE_ERRORS = {
    "array pledge_skills is missing": attributes(pledge_skills=None),
    "array seat_must is missing": attributes(seat_must=None),
    "array w_near is missing": attributes(w_near=None),
    "array seat_x has type float64, expected int32": attributes(seat_x=np.zeros(4)),
    "array seat_remote has type int64, expected bool": attributes(seat_remote=[0, 1, 0, 1]),
    "array pledge_skills has length 1, where W is 2": attributes(pledge_skills=np.zeros((3, 1), np.uint64)),
    "array pledge_x has length 4, where P is 3": attributes(pledge_x=[1, 2, 3, 4]),
    "array seat_must has 1 dimensions, expected (S, W)": attributes(seat_must=np.zeros(4, np.uint64)),
    "array seat_must holds -1, outside 0": attributes(seat_must=np.full((4, 2), -1)),
    "array pledge_radius holds -1, outside 0": attributes(pledge_radius=[5, -1, 5]),
    "array pledge_x holds 2147483648, outside": attributes(pledge_x=[0, 2**31, 0]),
    "array seat_week holds 2097152, outside 0 .. 2097151": attributes(seat_week=[0, 2**21, 0, 0]),
    "array seat_hours holds -1, outside 0": attributes(seat_hours=[1, 1, 1, -1]),
    "array pledge_capacity holds -8, outside 0": attributes(pledge_capacity=[1, -8, 1]),
    "array w_near_metres holds 0, outside 1": attributes(w_near_metres=0),
    "w_nice is 17592186044416, which makes weights above 2^40": attributes(w_nice=2**44),
    "w_near 1048576 times w_near_metres 8796093022208 does not fit 64 bits": attributes(
        w_near=2**20, w_near_metres=2**43
    ),
    "array excluded_org is missing, as excluded_request and excluded_org belong": attributes(
        excluded_org=None
    ),
    "array pair_bonus is missing, as pair_request and pair_pledge and pair_bonus": attributes(
        pair_bonus=None
    ),
    "array pair_pledge has length 2, where F is 1": attributes(
        pair_request=[1], pair_pledge=[1, 2], pair_bonus=[1, 2]
    ),
    "array pair_pledge holds 3, but the number of pledges is 3": attributes(
        pair_request=[1], pair_pledge=[3], pair_bonus=[1]
    ),
}


@pytest.mark.parametrize("message", ATTRIBUTE_ERRORS)
def test_a_malformed_attribute_form_is_refused_in_one_line(message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        load_problem(stored(ATTRIBUTE_ERRORS[message]))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def bundle(**changes: Any) -> dict[str, Any]:
    more = {"seat_hours": np.array([1, 2]), "pledge_capacity": np.array([3, 4, 5])}
    return edge(**{**more, **changes})


BUNDLE_ERRORS = {
    "array pledge_capacity is missing": bundle(pledge_capacity=None),
    "array seat_hours is missing, and so is candidate_hours": bundle(seat_hours=None),
    "array pledge_capacity has length 2, where P is 3": bundle(pledge_capacity=np.array([3, 4])),
    "array pledge_capacity holds -1, outside 0": bundle(pledge_capacity=np.array([3, -1, 4])),
    "array seat_hours has length 3, where S is 2": bundle(seat_hours=np.array([1, 2, 3])),
    "array seat_hours has type float64, expected int64": bundle(seat_hours=np.array([1.0, 2])),
    "array candidate_hours has length 2, where E is 3": bundle(candidate_hours=np.array([1, 2])),
    "array candidate_hours holds -2, outside 0": bundle(candidate_hours=np.array([1, -2, 3])),
    "array seat_request holds 2147483648, outside": bundle(seat_request=np.array([0, 2**31])),
    "array seat_request has length 1, where S is 2": bundle(seat_request=np.array([0])),
    "array must_fill has type int64, expected bool": bundle(must_fill=np.int64(1)),
    "array must_fill has 1 dimensions, expected a single number": bundle(must_fill=np.array([True])),
    "cannot read seat_hours: Object arrays cannot be loaded": bundle(seat_hours=np.array([1, {}], object)),
}


@pytest.mark.parametrize("message", BUNDLE_ERRORS)
def test_what_is_malformed_for_bundles_is_refused_and_ignored_by_single_mode(message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        load_problem(stored(BUNDLE_ERRORS[message]), "bundle")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert type(load_problem(stored(BUNDLE_ERRORS[message]))) is EdgeProblem


def test_a_bundle_problem_is_saved_and_loaded_again() -> None:
    for arrays in (
        bundle(),
        bundle(candidate_hours=np.array([1, 2, 3]), seat_hours=None, must_fill=np.bool_(True)),
    ):
        problem = load_problem(stored(arrays), "bundle")
        stream = BytesIO()
        save_problem(problem, stream)
        stream.seek(0)
        assert same(load_problem(stream, "bundle"), problem)


OPTIONAL = (
    ("seat_nice",),
    ("seat_causes",),
    ("pledge_causes",),
    ("pledge_excluded_causes",),
    ("pledge_monthly",),
    ("seat_bonus",),
    ("excluded_request", "excluded_org"),
    ("pair_request", "pair_pledge", "pair_bonus"),
)


@pytest.mark.parametrize("left_out", OPTIONAL, ids="+".join)
def test_an_optional_array_left_out_counts_as_nothing(left_out: tuple[str, ...]) -> None:
    arrays = attributes()
    zeros = {name: np.zeros_like(arrays[name]) for name in left_out}
    if len(left_out) > 1:
        zeros = {name: array[:0] for name, array in zeros.items()}
    without = stored({name: array for name, array in arrays.items() if name not in left_out})
    assert solve(load_problem(without)).value == solve(load_problem(stored({**arrays, **zeros}))).value
    answer = BytesIO()
    without.seek(0)
    save_solution(solve(load_problem(without)), answer)
    without.seek(0)
    answer.seek(0)
    verify_files(without, answer)


def test_any_integer_type_whose_values_fit_is_taken() -> None:
    narrow = edge(
        n_seats=np.uint8(2), seat=np.array([0, 1, 1], np.uint64), weight=np.array([5, 6, 7], np.int8)
    )
    problem = load_problem(stored(narrow))
    assert isinstance(problem, EdgeProblem)
    assert (problem.seat.dtype, problem.weight.dtype) == (np.int32, np.int64)
    assert solve(problem).value == 12


def test_arrays_that_are_not_known_are_ignored_even_where_they_cannot_be_read() -> None:
    problem = load_problem(stored(edge(stranger=np.array([{}], object), seat_hours=np.array(["?"], object))))
    assert solve(problem).value == 12


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    with pytest.raises(ProblemError, match="cannot read weight: Object arrays cannot be loaded"):
        load_problem(stored(edge(weight=np.array([Trap()], object))))
    with pytest.raises(ProblemError, match="cannot read the file"):
        load_problem(BytesIO(pickle.dumps(Trap())))
    assert not (tmp_path / "sprung").exists()


def test_damaged_files_are_refused_in_one_line() -> None:
    whole = stored(edge()).getvalue()
    numpy_file = BytesIO()
    np.save(numpy_file, np.arange(3))
    damaged = [
        b"",
        b"hello",
        whole[:100],
        whole[: len(whole) // 2],
        whole[:-10],
        numpy_file.getvalue(),
        b"PK\x03\x04",
    ]
    flipped = (whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in range(0, len(whole), 7))
    damaged.extend(flipped)
    for raw in damaged:
        try:
            problem = load_problem(BytesIO(raw))
        except ProblemError as error:
            assert "\n" not in str(error)  # noqa: PT017 (a flipped bit may also lie where nothing is stored)
        else:
            assert solve(problem).value == 12


def test_a_file_that_is_not_there_or_claims_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no such file"):
        load_problem(tmp_path / "nothing.npz")
    with pytest.raises(ProblemError, match="cannot read the file: Is a directory"):
        load_problem(tmp_path)


def same(one: Problem, other: Problem) -> bool:
    return type(one) is type(other) and all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
    )


@settings(max_examples=25, deadline=None)
@given(edge_problems(), attribute_problems())
def test_what_is_saved_is_loaded_again(of_edges: EdgeProblem, of_attributes: AttributeProblem) -> None:
    for problem in (of_edges, of_attributes):
        stream, answer = BytesIO(), BytesIO()
        save_problem(problem, stream)
        stream.seek(0)
        assert same(load_problem(stream), problem)
        solution = solve(problem)
        save_solution(solution, answer)
        answer.seek(0)
        again = load_solution(answer)
        assert all(np.array_equal(getattr(again, f.name), getattr(solution, f.name)) for f in fields(again))


def test_a_failed_write_leaves_what_stood_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "solution.npz"
    target.write_bytes(b"before")

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_solution(solve(EdgeProblem(0, 0, [], [], [])), target)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_followed_and_no_suffix_is_added(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    save_problem(EdgeProblem(0, 0, [], [], []), link)
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "real"]
