"""The matching kernel beside scipy's own solvers, in the same process and in turn: `python -m benchmarks.kernel`.

Scipy's figures are for the assignment alone, on arrays that are already in its form; the kernel's are for
everything from loaded arrays to the proof. So a ratio of 1 means that the proof costs nothing.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from timebank.matching.kernel import AttributeProblem, EdgeProblem, solve, verify_solution
from timebank.matching.kernel.generate import best_edges, generate_attributes

REPEATS = 3
DENSE_CELLS = 20_000_000
"""Larger tables are not tried: they are slow and take more memory than most machines have."""

_ROW = "{:<34} {:>9} {:>10} {:>12} {:>7} {:>13} {:>7}"


def main() -> None:
    say(f"Single mode, seconds, median of {REPEATS}; the value of each solver is compared")
    say(f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}")
    say()
    say(
        _ROW.format(
            "edge form: seats x pledges", "edges", "timebank", "scipy dense", "ratio", "scipy sparse", "ratio"
        )
    )
    for name, problem in edge_instances():
        say(edge_row(name, problem))
    say()
    say(
        "{:<34} {:>12} {:>10} {:>10}".format("attribute form: seats x pledges", "pairs", "timebank", "verify")
    )
    for name, attributes in attribute_instances():
        say(attribute_row(name, attributes))


def edge_instances() -> list[tuple[str, EdgeProblem]]:
    rng = np.random.default_rng(1)
    popular = (1e6 * np.arange(1, 6001) ** -0.7).astype(np.int64)
    return [
        ("Flanders, 800 x 2,000", best_edges(generate_attributes(2_000, 800, 1))),
        ("Flanders, scarce, 6,000 x 3,000", best_edges(generate_attributes(3_000, 6_000, 1, scarce=True))),
        ("Flanders, 3,000 x 10,000", best_edges(generate_attributes(10_000, 3_000, 1))),
        ("dense, 900 x 1,200", random(rng, 900, 1_200, 800, lambda j: rng.integers(1, 1001, j.size))),
        ("abundant, 6,000 x 30,000", random(rng, 6_000, 30_000, 20, lambda j: rng.integers(1, 1001, j.size))),
        ("scarce, 8,000 x 4,000", random(rng, 8_000, 4_000, 20, lambda j: rng.integers(1, 1001, j.size))),
        ("square, 4,000", random(rng, 4_000, 4_000, 20, lambda j: rng.integers(1, 1001, j.size))),
        ("three weights, 4,000", random(rng, 4_000, 4_000, 20, lambda j: rng.integers(1, 4, j.size))),
        (
            "popular, 3,000 x 6,000",
            random(rng, 3_000, 6_000, 20, lambda j: popular[j] + rng.integers(1, 999, j.size)),
        ),
    ]


def attribute_instances() -> list[tuple[str, AttributeProblem]]:
    sizes = [(2_000, 800, False), (3_000, 6_000, True), (20_000, 4_000, False)]
    return [
        (
            f"Flanders{', scarce' * scarce}, {seats:,} x {pledges:,}",
            generate_attributes(pledges, seats, 1, scarce=scarce),
        )
        for pledges, seats, scarce in sizes
    ]


def random(
    rng: np.random.Generator,
    seats: int,
    pledges: int,
    degree: int,
    weigh: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> EdgeProblem:
    seat = np.repeat(np.arange(seats), degree)
    key = np.unique(seat * pledges + rng.integers(0, pledges, seat.size))
    return EdgeProblem(seats, pledges, key // pledges, key % pledges, weigh(key % pledges))


def edge_row(name: str, problem: EdgeProblem) -> str:
    solvers = {"timebank": lambda: solve(problem).value, "sparse": sparse_solver(problem)}
    if problem.n_seats * problem.n_pledges <= DENSE_CELLS:
        solvers["dense"] = dense_solver(problem)
    seconds: dict[str, list[float]] = {solver: [] for solver in solvers}
    values = set()
    for _ in range(REPEATS):
        for solver, run in solvers.items():
            start = perf_counter()
            values.add(run())
            seconds[solver].append(perf_counter() - start)
    if len(values) > 1:
        sys.exit(f"{name}: the solvers disagree: {sorted(values)}")
    took = {solver: median(times) for solver, times in seconds.items()}
    columns = [f"{took['timebank']:.4f}"]
    for solver in ("dense", "sparse"):
        found = solver in took
        columns.append(f"{took[solver]:.4f}" if found else "-")
        columns.append(f"{took[solver] / took['timebank']:.1f}x" if found else "-")
    return _ROW.format(name, f"{problem.seat.size:,}", *columns)


def attribute_row(name: str, problem: AttributeProblem) -> str:
    start = perf_counter()
    answer = solve(problem)
    solved = perf_counter()
    verify_solution(problem, answer)
    verified = perf_counter()
    pairs = f"{problem.n_seats * problem.n_pledges:,}"
    return f"{name:<34} {pairs:>12} {solved - start:>10.3f} {verified - solved:>10.3f}"


def dense_solver(problem: EdgeProblem) -> Callable[[], int]:
    """Scipy over a table; a pair that is no candidate has weight 0."""
    table = np.zeros((problem.n_seats, problem.n_pledges))
    table[problem.seat, problem.pledge] = problem.weight
    return lambda: int(table[linear_sum_assignment(table, maximize=True)].sum())


def sparse_solver(problem: EdgeProblem) -> Callable[[], int]:
    """Scipy over a sparse matrix; each row of the smaller side has a column of its own, in which it stays out."""
    row, column, rows, columns = problem.seat, problem.pledge, problem.n_seats, problem.n_pledges
    if rows > columns:
        row, column, rows, columns = column, row, columns, rows
    top, out = int(problem.weight.max()) + 1, np.arange(rows)
    cost = np.concatenate([top - problem.weight, np.full(rows, top)]).astype(np.float64)
    ends = np.concatenate([row, out]), np.concatenate([column, columns + out])
    matrix = csr_array((cost, ends), shape=(rows, columns + rows))

    def run() -> int:
        chosen = min_weight_full_bipartite_matching(matrix)
        return int(rows * top - np.asarray(matrix[chosen]).sum())

    return run


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
