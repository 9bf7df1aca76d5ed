"""Small bundle problems, and what they are worth, by trying everything."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.matching.kernel.oracle import attribute_weights
from timebank.matching.kernel import Assignment, AttributeProblem, BundleProblem, save_problem, save_solution

Bundled = BundleProblem | AttributeProblem
Taken = dict[tuple[int, int], tuple[int, int]]


def candidates(problem: Bundled) -> Taken:
    """Seat and pledge → weight and hours."""
    if isinstance(problem, AttributeProblem):
        weights = attribute_weights(problem)
        return {(i, j): (w, int(problem.seat_hours[i])) for (i, j), w in weights.items()}
    columns = (a.tolist() for a in (problem.seat, problem.pledge, problem.weight, problem.hours))
    return {(i, j): (w, h) for i, j, w, h in zip(*columns, strict=True)}


def requests(problem: Bundled) -> list[int]:
    if problem.seat_request is None:
        return list(range(problem.n_seats))
    return [int(r) for r in problem.seat_request]


def must_fill(problem: Bundled) -> bool:
    return isinstance(problem, BundleProblem) and problem.must_fill


def broken(problem: Bundled, chosen: list[int]) -> str | None:
    """The first rule that an answer breaks."""
    pairs, request = candidates(problem), requests(problem)
    room, taken = [int(c) for c in problem.pledge_capacity], set()
    for i, j in enumerate(chosen):
        if j == -1:
            if must_fill(problem):
                return f"seat {i} is empty"
            continue
        if (i, j) not in pairs:
            return f"{i} and {j} are no candidate"
        if (request[i], j) in taken:
            return f"{j} has two seats of request {request[i]}"
        taken.add((request[i], j))
        room[j] -= pairs[i, j][1]
        if room[j] < 0:
            return f"{j} has more seats than blocks"
    return None


def worth(problem: Bundled, chosen: list[int]) -> int:
    pairs = candidates(problem)
    return sum(pairs[i, j][0] for i, j in enumerate(chosen) if j != -1)


def best_value(problem: Bundled) -> int | None:
    """The greatest total weight, or None where not all seats can be filled that must be."""
    pairs, request = candidates(problem), requests(problem)
    of_seat: list[list[tuple[int, int, int]]] = [[] for _ in range(problem.n_seats)]
    for (i, j), (w, h) in pairs.items():
        of_seat[i].append((j, w, h))

    @cache
    def best(seat: int, room: tuple[int, ...], taken: frozenset[tuple[int, int]]) -> int | None:
        if seat == problem.n_seats:
            return 0
        found = [] if must_fill(problem) else [best(seat + 1, room, taken)]
        for j, w, h in of_seat[seat]:
            if h <= room[j] and (request[seat], j) not in taken:
                left = (*room[:j], room[j] - h, *room[j + 1 :])
                rest = best(seat + 1, left, taken | {(request[seat], j)})
                found.append(None if rest is None else w + rest)
        return max((value for value in found if value is not None), default=None)

    return best(0, tuple(int(c) for c in problem.pledge_capacity), frozenset())


def files(problem: Bundled, answer: Assignment) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of both, as they are stored."""
    streams = BytesIO(), BytesIO()
    save_problem(problem, streams[0])
    save_solution(answer, streams[1])
    for stream in streams:
        stream.seek(0)
    return dict(np.load(streams[0])), dict(np.load(streams[1]))


# --- instances ---------------------------------------------------------------------------------------------


def random_bundles(rng: np.random.Generator, n_seats: int, n_pledges: int, **changes: Any) -> BundleProblem:
    """A sparse one, in which requests have a few seats each and coaches are scarce."""
    pairs = [(i, j) for i in range(n_seats) for j in range(n_pledges) if rng.random() < 0.6]
    arrays: dict[str, Any] = {
        "weight": rng.integers(1, rng.choice([5, 1000]), len(pairs)),
        "pledge_capacity": rng.integers(0, 15, n_pledges),
        "seat_hours": rng.integers(0, 8, n_seats),
        "candidate_hours": rng.integers(0, 8, len(pairs)) if rng.random() < 0.5 else None,
        "seat_request": rng.integers(-2, 4, n_seats) if rng.random() < 0.6 else None,
        "must_fill": bool(rng.random() < 0.4),
    }
    return BundleProblem(
        n_seats, n_pledges, [i for i, _ in pairs], [j for _, j in pairs], **{**arrays, **changes}
    )


@st.composite
def bundle_problems(draw: st.DrawFn, largest: int = 5) -> BundleProblem:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_bundles(rng, draw(st.integers(0, largest)), draw(st.integers(0, 4)))
