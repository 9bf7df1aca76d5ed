"""Bundle mode beside HiGHS, and beside CP-SAT where that is installed, at equal time: `python -m benchmarks.bundle`.

Scarce instances, in which coaches are fought over and seats may stay empty, and generalized assignment problems of
types A to D (Chu and Beasley, "A genetic algorithm for the generalised assignment problem", 1997,
doi:10.1016/S0305-0548(96)00032-9) and E (Yagiura, Ibaraki and Glover, "An ejection chain approach for the
generalized assignment problem", 2004, doi:10.1287/ijoc.1030.0036), made from seeds.

Gaps are in percent. Where seats may stay empty, of the value, to the solver's own certified bound. Where all are
filled, of the cost: to the best bound that any of the solvers proves in its time, and to the best cost that is known,
found by any of them in its time or written down here from longer runs (`BEST_KNOWN`). A row says `worse` where a peer
found a better answer in the same time. `--busy` keeps as many processes counting as there are cores meanwhile, to see
whether the time limit holds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from subprocess import Popen
from time import perf_counter
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from timebank.matching.kernel import BundleProblem, solve, verify_solution
from timebank.matching.kernel.bundle.solve import compile_all

SCARCE_GAP, GAP_EACH, GAP_MEAN = 0.3, 0.15, 0.03
SCARCE = ((500, 1_000), (1_000, 2_500), (3_000, 6_000))
ASSIGNMENT = (
    "C 5x15", "C 8x40", "C 10x60", "A 5x100", "A 20x200", "B 10x100", "B 20x200", "C 20x200", "C 40x400",
    "D 5x100", "D 20x100", "D 20x200", "D 40x400", "D 60x900", "D 80x1600",
    "E 10x100", "E 20x200", "E 40x400", "E 60x900", "E 80x1600",
)  # fmt: skip
QUICK = ("C 5x15", "C 8x40", "A 5x100", "B 20x200", "D 20x100", "E 20x200")
BEST_KNOWN = {
    "B 10x100": 1415, "C 20x200": 2362, "D 5x100": 6361, "D 20x100": 6175, "D 20x200": 12348, "D 40x400": 24310,
    "D 60x900": 54720, "D 80x1600": 96970, "E 10x100": 11523, "E 20x200": 21880, "E 40x400": 42467,
    "E 60x900": 95849, "E 80x1600": 169559,
}  # fmt: skip
"""The least costs found so far, in runs of up to 90 s; B, C, D 5x100 and E 10x100 are proved to be the least."""
PLEDGES_PER_SEAT = 20
OVERRUN = 5

_ROW = "{:<22} {:>9} {:>12} {:>12} {:>7} {:>7} {:>7} {:>9} {:>9}"


class Found(NamedTuple):
    """A value, or none, and a bound."""

    value: int | None
    bound: float


Solver: TypeAlias = Callable[[BundleProblem, float], Found]


class Row(NamedTuple):
    """Gaps to the best bound and to the best known answer; seconds; whether a peer found a better answer."""

    to_bound: float
    to_best: float
    seconds: float
    worse: bool


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundle")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each solver and instance")
    parser.add_argument("--quick", action="store_true", help="some small instances only")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--busy", action="store_true", help="while other processes want all cores")
    options = parser.parse_args()
    compile_all()
    solvers = [] if options.alone else peers()
    with busy_cores() if options.busy else nullcontext():
        measure(
            options.seconds,
            solvers,
            SCARCE[:1] if options.quick else SCARCE,
            QUICK if options.quick else ASSIGNMENT,
        )
    return 0


def measure(
    seconds: float, solvers: list[Solver], sizes: Sequence[tuple[int, int]], names: Sequence[str]
) -> None:
    """Print a row for each instance, then what is reached beside its goal."""
    say(f"Bundle mode, {seconds:g} s for each solver; gaps in percent")
    header = ("edges", "value", "bound", "gap", "", "seconds", "HiGHS gap", "CP-SAT gap")
    say(_ROW.format("seats may stay empty", *header))
    scarce_rows = [scarce_row(pledges, seats, seconds, solvers) for pledges, seats in sizes]
    say()
    header = ("edges", "cost", "bound", "gap", "to best", "seconds", "HiGHS gap", "CP-SAT gap")
    say(_ROW.format("all seats filled", *header))
    rows = [assignment_row(name, seconds, solvers) for name in names]
    say()
    say(
        f"scarce, gap to the own certified bound: worst {max(r.to_bound for r in scarce_rows):.3f} (goal {SCARCE_GAP})"
    )
    for against, gaps in (
        ("bound proved", [r.to_bound for r in rows]),
        ("cost known", [r.to_best for r in rows]),
    ):
        say(f"assignment, gap to the best {against}: worst {max(gaps):.3f}, mean {sum(gaps) / len(gaps):.3f}")
    worst, mean = max(min(r.to_bound, r.to_best) for r in rows), sum(r.to_best for r in rows) / len(rows)
    say(
        f"assignment: worst to the nearer of both {worst:.3f} (goal {GAP_EACH}), "
        f"mean to the best cost {mean:.3f} (goal {GAP_MEAN})"
    )
    rows += scarce_rows
    late = max(100 * (r.seconds / seconds - 1) for r in rows)
    say(
        f"answers worse than a peer's: {sum(r.worse for r in rows) if solvers else '-'} of {len(rows)} (goal 0)"
    )
    say(f"time beyond the limit, at most: {max(0.0, late):.1f} % (goal {OVERRUN} %)")


def scarce_row(pledges: int, seats: int, seconds: float, solvers: list[Solver]) -> Row:
    problem = scarce(np.random.default_rng(1), pledges, seats)
    own, took = timed(problem, seconds)
    others = [solver(problem, seconds) for solver in solvers]
    value = own.value or 0
    gap = 100 * (own.bound - value) / max(1, value)
    shown = [percent(100 * (o.bound - o.value) / o.value if o.value else None) for o in others]
    worse = any(o.value is not None and o.value > value for o in others)
    name = f"{pledges:,} x {seats:,}" + " worse" * worse
    row = (problem.seat.size, value, int(own.bound), percent(gap), "", f"{took:.2f}", *padded(shown))
    say(_ROW.format(name, *row))
    return Row(gap, gap, took, worse)


def assignment_row(name: str, seconds: float, solvers: list[Solver]) -> Row:
    kind, size = name.split()
    agents, jobs = (int(n) for n in size.split("x"))
    problem, top = assignment(np.random.default_rng(agents * jobs), kind, agents, jobs)
    own, took = timed(problem, seconds)
    others = [solver(problem, seconds) for solver in solvers]
    # A weight is the greatest cost plus one, less the cost.
    costs = [None if f.value is None else jobs * top - f.value for f in (own, *others)]
    bound = jobs * top - min([own.bound, *(np.floor(o.bound + 1e-6) for o in others)])
    best = min(c for c in (BEST_KNOWN.get(name), *costs, np.inf) if c is not None)
    cost = np.inf if costs[0] is None else costs[0]
    to_bound = 100 * (cost - bound) / bound
    to_best = 100 * (cost - best) / best if best < np.inf else np.inf
    shown = [percent(None if c is None else 100 * (c - bound) / bound) for c in costs[1:]]
    worse = any(c is not None and c < cost for c in costs[1:])
    row = (
        problem.seat.size,
        cost,
        int(bound),
        percent(to_bound),
        percent(to_best),
        f"{took:.2f}",
        *padded(shown),
    )
    say(_ROW.format(name + " worse" * worse, *row))
    return Row(to_bound, to_best, took, worse)


def padded(shown: list[str]) -> list[str]:
    return [*shown, "-", "-"][:2]


@contextmanager
def busy_cores() -> Iterator[None]:
    """As many processes as there are cores count meanwhile."""
    counting = [Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in counting:
            process.kill()
            process.wait()


def timed(problem: BundleProblem, seconds: float) -> tuple[Found, float]:
    """The kernel's answer, verified; its bound is the certified one, or that of branch and bound."""
    start = perf_counter()
    answer = solve(problem, mode="bundle", time_limit=seconds)
    took = perf_counter() - start
    if answer.status not in ("optimal", "feasible"):
        return Found(None, answer.bound), took
    verify_solution(problem, answer)
    bound = answer.bound if answer.proved_bound is None else answer.proved_bound
    return Found(answer.value, bound), took


def peers() -> list[Solver]:
    return [highs, cp_sat] if find_spec("ortools") else [highs]


def highs(problem: BundleProblem, seconds: float) -> Found:
    n, every = problem.seat.size, np.arange(problem.seat.size)
    once = csr_array((np.ones(n), (problem.seat, every)), shape=(problem.n_seats, n))
    load = csr_array((problem.hours.astype(float), (problem.pledge, every)), shape=(problem.n_pledges, n))
    pair = problem.pledge.astype(np.int64) * (problem.n_seats + 1) + problem.request[problem.seat]
    rows, row = np.unique(pair, return_inverse=True)
    apart = csr_array((np.ones(n), (row, every)), shape=(rows.size, n))
    found = milp(
        -problem.weight.astype(float),
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(once, 1.0 if problem.must_fill else 0.0, 1.0),
            LinearConstraint(load, -np.inf, problem.pledge_capacity.astype(float)),
            LinearConstraint(apart, -np.inf, 1.0),
        ],
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        return Found(None, np.inf)
    return Found(int(problem.weight[found.x > 0.5].sum()), -found.mip_dual_bound)


def cp_sat(problem: BundleProblem, seconds: float) -> Found:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    takes = [model.new_bool_var("") for _ in range(problem.seat.size)]
    columns = (problem.seat, problem.pledge, problem.request[problem.seat], problem.hours, problem.weight)
    of_seat: dict[int, list[int]] = {}
    of_pledge: dict[int, list[int]] = {}
    of_request: dict[tuple[int, int], list[int]] = {}
    seat, pledge, request, hours, weight = (column.tolist() for column in columns)
    for e in range(len(takes)):
        of_seat.setdefault(seat[e], []).append(e)
        of_pledge.setdefault(pledge[e], []).append(e)
        of_request.setdefault((pledge[e], request[e]), []).append(e)
    add = model.add_exactly_one if problem.must_fill else model.add_at_most_one
    for edges in of_seat.values():
        add(takes[e] for e in edges)
    for edges in of_request.values():
        model.add_at_most_one(takes[e] for e in edges)
    for j, edges in of_pledge.items():
        model.add(sum(hours[e] * takes[e] for e in edges) <= int(problem.pledge_capacity[j]))
    model.maximize(sum(weight[e] * takes[e] for e in range(len(takes))))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Found(None, np.inf)
    return Found(round(solver.objective_value), solver.best_objective_bound)


# --- instances ---------------------------------------------------------------------------------------------


def scarce(rng: np.random.Generator, pledges: int, seats: int) -> BundleProblem:
    """Requests for one to three coaches in a square of 100 km, each with its best pledges among those who can."""
    request = np.repeat(np.arange(seats), rng.choice([1, 2, 3], seats, p=[0.6, 0.25, 0.15]))[:seats]
    n = int(request[-1]) + 1
    places, homes = rng.random((n, 2)) * 100, rng.random((pledges, 2)) * 100
    hours, waiting = rng.integers(8, 49, n), rng.integers(0, 400, n)
    capacity = rng.integers(16, 65, pledges)
    seat: list[int] = []
    pledge: list[int] = []
    weight: list[int] = []
    for q in range(n):
        near = 500 * np.maximum(0, 1 - np.hypot(*(homes - places[q]).T) / 60)
        points = 600 + 1000 * rng.random(pledges) + near + waiting[q] + rng.integers(0, 100, pledges)
        able = np.flatnonzero((rng.random(pledges) < 0.3) & (hours[q] <= capacity))
        best = able[np.argsort(-points[able])[:PLEDGES_PER_SEAT]]
        for i in np.flatnonzero(request == q).tolist():
            seat.extend([i] * best.size)
            pledge.extend(best.tolist())
            weight.extend(points[best].astype(int).tolist())
    return BundleProblem(
        seats, pledges, seat, pledge, weight, capacity, seat_hours=hours[request], seat_request=request
    )


def assignment(rng: np.random.Generator, kind: str, agents: int, jobs: int) -> tuple[BundleProblem, int]:
    """A generalized assignment problem, to be filled, and what a job weighs that costs nothing."""
    if kind == "E":
        hours = np.rint(1 - 10 * np.log(1 - rng.random((jobs, agents)))).astype(np.int64)
        cost = np.maximum(1, np.rint(1000 / hours - 10 * rng.random((jobs, agents)))).astype(np.int64)
    elif kind == "D":
        hours = rng.integers(1, 101, (jobs, agents))
        cost = 111 - hours + rng.integers(-10, 11, (jobs, agents))
    else:
        hours, cost = rng.integers(5, 26, (jobs, agents)), rng.integers(10, 51, (jobs, agents))
    if kind in "AB":
        cheapest = cost.argmin(axis=1)
        most = np.bincount(cheapest, hours[np.arange(jobs), cheapest], agents).max()
        capacity = np.full(agents, (0.6 * 15 * jobs / agents + 0.4 * most) * (0.7 if kind == "B" else 1.0))
    else:
        capacity = 0.8 * hours.sum(axis=0) / agents
    top = int(cost.max()) + 1
    job, agent = np.divmod(np.arange(jobs * agents), agents)
    problem = BundleProblem(
        jobs,
        agents,
        job,
        agent,
        top - cost.ravel(),
        capacity.astype(np.int64),
        candidate_hours=hours.ravel(),
        must_fill=True,
    )
    return problem, top


def percent(gap: float | None) -> str:
    return "-" if gap is None else f"{gap:.3f}"


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
