"""Why a seat or a pledge has nobody: after the smallest change somebody fits, and after one step less nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.kernel.oracle import attribute_problems, attribute_weights
from tests.matching.kernel.test_attributes import one_pair
from timebank.matching.kernel import (
    AttributeProblem,
    Relaxation,
    explain_pledge,
    relaxations_of_pledge,
    relaxations_of_seat,
)
from timebank.matching.kernel.generate import generate_attributes


def with_row(problem: AttributeProblem, name: str, index: int, value: Any) -> AttributeProblem:
    array = getattr(problem, name).copy()
    array[index] = value
    return replace(problem, **{name: array})


def bits_of(words: Any) -> set[int]:
    return {64 * w + b for w, word in enumerate(words.tolist()) for b in range(64) if word >> b & 1}


def words_of(bits: set[int], like: Any) -> Any:
    made = np.zeros_like(like)
    for bit in bits:
        made[bit // 64] |= np.uint64(1 << bit % 64)
    return made


def after(p: AttributeProblem, side: str, k: int, what: str, amount: int, which: int) -> AttributeProblem:
    """The problem after a change, written once more from what the change is said to be."""
    sign = -1 if side == "seat" else 1
    if what == "radius":
        return with_row(p, "pledge_radius", k, int(p.pledge_radius[k]) + 1000 * amount)
    if what == "remote":
        return with_row(p, f"{side}_remote", k, amount > 0 or bool(getattr(p, f"{side}_remote")[k]))
    if what == "language":
        return with_row(
            p, f"{side}_languages", k, int(getattr(p, f"{side}_languages")[k]) | (amount and 1 << which)
        )
    if what == "week":
        return with_row(p, f"{side}_week", k, int(getattr(p, f"{side}_week")[k]) | which)
    if what == "until":
        return with_row(p, f"{side}_until", k, int(getattr(p, f"{side}_until")[k]) + amount)
    if what == "since":
        return with_row(p, f"{side}_from", k, int(getattr(p, f"{side}_from")[k]) - amount)
    if what == "hours" and side == "seat":
        return with_row(p, "seat_hours", k, int(p.seat_hours[k]) - amount)
    if what == "hours":
        monthly = int(p.pledge_monthly[k])
        months = max(1, (int(p.pledge_until[k]) - int(p.pledge_from[k])) // 28) if monthly else 1
        more = with_row(p, "pledge_capacity", k, int(p.pledge_capacity[k]) + amount * months)
        return with_row(more, "pledge_monthly", k, monthly + amount) if monthly else more
    assert what == "level"
    name = "seat_must" if side == "seat" else "pledge_skills"
    row = getattr(p, name)[k]
    own = {bit for bit in bits_of(row) if bit // 3 == which}
    level = max((bit % 3 + 1 for bit in own), default=0) + sign * amount
    if side == "seat":
        changed = bits_of(row) - own | ({3 * which + level - 1} if level > 0 else set())
    else:
        changed = bits_of(row) | {3 * which + each for each in range(level)}
    return with_row(p, name, k, words_of(changed, row))


def fitting(problem: AttributeProblem, side: str, k: int) -> int:
    return sum((i if side == "seat" else j) == k for i, j in attribute_weights(problem))


def one_step_less(each: Relaxation) -> list[tuple[int, int]]:
    """The changes that are one step smaller, as amount and which."""
    if each.what != "week":
        return [(each.amount - 1, each.which)] if each.amount > 1 or each.what != "level" else []
    return [(each.amount - 1, each.which & ~(1 << b)) for b in range(21) if each.which >> b & 1]


def assert_smallest(problem: AttributeProblem) -> None:
    before = attribute_weights(problem)
    for side, size, find in (
        ("seat", problem.n_seats, relaxations_of_seat),
        ("pledge", problem.n_pledges, relaxations_of_pledge),
    ):
        for k in range(size):
            if any((i if side == "seat" else j) == k for i, j in before):
                continue
            for each in find(problem, k):
                changed = after(problem, side, k, each.what, each.amount, each.which)
                assert fitting(changed, side, k) == each.candidates > 0, each
                for amount, which in one_step_less(each):
                    less = after(problem, side, k, each.what, amount, which)
                    assert fitting(less, side, k) == 0, each


@settings(max_examples=80, deadline=None)
@given(attribute_problems(largest=6))
def test_one_step_less_than_the_smallest_change_gives_nobody(problem: AttributeProblem) -> None:
    assert_smallest(problem)


@pytest.mark.parametrize("seed", range(6))
def test_one_step_less_gives_nobody_in_instances_like_the_field(seed: int) -> None:
    assert_smallest(generate_attributes(14, 12, seed, scarce=seed % 2 == 0))


WHATS = ("radius", "remote", "language", "level", "hours", "until", "since", "week")


@settings(max_examples=150, deadline=None)
@given(attribute_problems(largest=4), st.sampled_from(WHATS), st.integers(1, 12), st.integers(0, 6))
def test_a_change_that_gives_somebody_is_never_missed(
    problem: AttributeProblem, what: str, amount: int, which: int
) -> None:
    """Whatever change somebody thinks of, if it helps, the smallest of its kind is found and no greater."""
    before = attribute_weights(problem)
    for side, size, find in (
        ("seat", problem.n_seats, relaxations_of_seat),
        ("pledge", problem.n_pledges, relaxations_of_pledge),
    ):
        for k in range(size):
            if any((i if side == "seat" else j) == k for i, j in before) or _senseless(
                problem, side, k, what, amount, which
            ):
                continue
            mask = sum(1 << (3 * b + which) % 21 for b in range(amount)) if what == "week" else which
            if fitting(after(problem, side, k, what, amount, mask), side, k):
                found = [each for each in find(problem, k) if each.what == what]
                added = mask & ~int(getattr(problem, f"{side}_week")[k]) if what == "week" else 0
                most = added.bit_count() if what == "week" else amount
                assert found
                assert found[0].amount <= most


def _senseless(p: AttributeProblem, side: str, k: int, what: str, amount: int, which: int) -> bool:
    """A change that cannot be made: levels beyond the third, less than an hour's block, a seat's radius."""
    if side == "seat" and what in ("radius", "hours"):
        return what == "radius" or amount >= int(p.seat_hours[k])
    if what == "level":
        own = [b % 3 + 1 for b in bits_of(getattr(p, "seat_must" if side == "seat" else "pledge_skills")[k])
               if b // 3 == which]  # fmt: skip
        level = max(own, default=0)
        return level < amount if side == "seat" else level + amount > 3
    return False


@pytest.mark.parametrize(
    ("side", "changes", "wanted"),
    [
        ("pledge", {"pledge_x": [12_345], "pledge_y": [0]}, ("radius", 13)),
        ("seat", {"pledge_x": [9_999], "pledge_remote": [True]}, ("remote", 1)),
        ("pledge", {"pledge_x": [9_999], "seat_remote": [True]}, ("remote", 1)),
        ("seat", {"seat_languages": [4]}, ("language", 1)),
        ("pledge", {"pledge_skills": np.array([[1]], np.uint64)}, ("level", 1)),
        ("seat", {"seat_must": np.array([[32]], np.uint64)}, ("level", 3)),
        ("seat", {"pledge_capacity": [20]}, ("hours", 12)),
        ("pledge", {"pledge_capacity": [20]}, ("hours", 12)),
        ("seat", {"pledge_from": [40], "seat_hours": [4]}, ("until", 13)),
        ("pledge", {"pledge_from": [28], "seat_hours": [4]}, ("since", 1)),
        ("seat", {"seat_hours": [32], "seat_week": [1], "pledge_week": [0b110]}, ("week", 1)),
    ],
)
def test_what_is_told_of_a_pair_that_one_thing_keeps_apart(
    side: str, changes: dict[str, Any], wanted: tuple[str, int]
) -> None:
    find = relaxations_of_seat if side == "seat" else relaxations_of_pledge
    assert wanted in [(each.what, each.amount) for each in find(one_pair(**changes), 0)]


def test_no_period_starts_before_the_day_of_the_run() -> None:
    apart = one_pair(pledge_from=[28], seat_hours=[4])
    assert [r.what for r in relaxations_of_pledge(apart, 0, earliest=28)] == ["until"] * 0
    assert "since" in [r.what for r in relaxations_of_pledge(apart, 0, earliest=27)]


def test_where_two_things_are_wrong_no_single_change_is_promised() -> None:
    assert relaxations_of_seat(one_pair(seat_languages=[4], pledge_capacity=[1]), 0) == []


@settings(max_examples=60, deadline=None)
@given(attribute_problems(largest=6))
def test_a_pledge_is_explained_by_what_each_rule_leaves(problem: AttributeProblem) -> None:
    pairs = attribute_weights(problem)
    for j in range(problem.n_pledges):
        told = explain_pledge(problem, j)
        assert told.candidates == sum(pledge == j for _seat, pledge in pairs)
        assert (told.emptied_by is None) == (told.candidates > 0)


@pytest.mark.parametrize("index", [-1, 1])
def test_what_does_not_exist_is_not_explained(index: int) -> None:
    for find in (relaxations_of_seat, relaxations_of_pledge, explain_pledge):
        with pytest.raises(IndexError):
            find(one_pair(), index)
