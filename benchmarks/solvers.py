"""One solver in a process of its own: it loads a problem, then solves it each time it is told to.

`python -m benchmarks.solvers SOLVER PROBLEM` prints `ready`, and after each line that it reads the seconds, the
value and its peak memory in MB. What a solver needs in its own form is made before the clock starts.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from timebank.matching.kernel import AttributeProblem, EdgeProblem, load_problem, solve
from timebank.matching.kernel.single import load_engine

Run = Callable[[], int]


def timebank(engine: str) -> Callable[[EdgeProblem | AttributeProblem], Run]:
    """From loaded arrays to the proved optimum."""

    def prepare(problem: EdgeProblem | AttributeProblem) -> Run:
        load_engine("native")
        return lambda: solve(problem, engine=engine).value

    return prepare


def scipy_dense(problem: EdgeProblem) -> Run:
    """A table, in which a pair that is no candidate has weight 0. The assignment alone, without a proof."""
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((problem.n_seats, problem.n_pledges))
    table[problem.seat, problem.pledge] = problem.weight
    return lambda: int(table[linear_sum_assignment(table, maximize=True)].sum())


def scipy_sparse(problem: EdgeProblem) -> Run:
    """Each row of the smaller side has a column of its own, in which it stays out. The assignment alone."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

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


def or_tools(problem: EdgeProblem) -> Run:
    """A flow of least cost from a source through seats and pledges to a sink. Building the network counts, as the
    solver takes it apart."""
    from ortools.graph.python import min_cost_flow

    s, p, edges = problem.n_seats, problem.n_pledges, problem.seat.size
    source, sink = s + p, s + p + 1
    seats, pledges = np.arange(s), s + np.arange(p)
    tail = np.concatenate([np.full(s, source), problem.seat, pledges, [source]])
    head = np.concatenate([seats, s + problem.pledge, np.full(p, sink), [sink]])
    capacity = np.concatenate([np.ones(s + edges + p, np.int64), [s]])
    cost = np.concatenate([np.zeros(s, np.int64), -problem.weight, np.zeros(p + 1, np.int64)])

    def run() -> int:
        flow = min_cost_flow.SimpleMinCostFlow()
        flow.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
        flow.set_node_supply(source, s)
        flow.set_node_supply(sink, -s)
        if flow.solve() != flow.OPTIMAL:
            raise RuntimeError("no optimum")
        return -int(flow.optimal_cost())

    return run


SOLVERS = {
    "native": timebank("native"),
    "auto": timebank("auto"),
    "scipy dense": scipy_dense,
    "scipy sparse": scipy_sparse,
    "or-tools": or_tools,
}


def peak_megabytes() -> int:
    """The kernel's own high-water mark of this very process."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) // 1024 if found else 0


def main(solver: str, path: str) -> None:
    run = SOLVERS[solver](load_problem(path))  # type: ignore[operator]
    print("ready", flush=True)
    for _ in sys.stdin:
        start = perf_counter()
        value = run()
        print(json.dumps([perf_counter() - start, value, peak_megabytes()]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
