"""Bundle mode beside HiGHS, and beside CP-SAT where that is installed, at equal time: `python -m benchmarks.bundle`.

Scarce instances, in which coaches are fought over and seats may stay empty, and generalized assignment problems of
types A to D (Chu and Beasley, "A genetic algorithm for the generalised assignment problem", 1997,
doi:10.1016/S0305-0548(96)00032-9) and E (Yagiura, Ibaraki and Glover, "An ejection chain approach for the
generalized assignment problem", 2004, doi:10.1287/ijoc.1030.0036), made from seeds. Gaps are in percent: to the
solver's own certified bound where seats may stay empty, to the best bound of all solvers in cost where not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter
from typing import NamedTuple

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
PLEDGES_PER_SEAT = 20

_ROW = "{:<22} {:>9} {:>12} {:>12} {:>7} {:>7} {:>9} {:>9}"


class Found(NamedTuple):
    """A value, or none, and a bound."""

    value: int | None
    bound: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundle")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each solver and instance")
    parser.add_argument("--quick", action="store_true", help="some small instances only")
    options = parser.parse_args()
    compile_all()
    say(f"Bundle mode, {options.seconds:g} s for each solver; gaps in percent")
    header = ("seats may stay empty", "edges", "value", "bound", "gap", "seconds", "HiGHS gap", "CP-SAT gap")
    say(_ROW.format(*header))
    scarce = SCARCE[:1] if options.quick else SCARCE
    gaps = [scarce_row(pledges, seats, options.seconds) for pledges, seats in scarce]
    say()
    say(_ROW.format("all seats filled", "edges", "cost", "bound", *header[4:]))
    names = QUICK if options.quick else ASSIGNMENT
    costs = [assignment_row(name, options.seconds) for name in names]
    say()
    say(f"scarce: worst gap {max(gaps):.3f} (goal {SCARCE_GAP})")
    worst, mean = max(costs), sum(costs) / len(costs)
    say(
        f"assignment: worst gap {worst:.3f} (goal {GAP_EACH}), mean {mean:.3f} (goal {GAP_MEAN} where the bound allows)"
    )
    return 0


def scarce_row(pledges: int, seats: int, seconds: float) -> float:
    problem = scarce(np.random.default_rng(1), pledges, seats)
    own, took = timed(problem, seconds)
    others = peers(problem, seconds)
    value = own.value or 0
    gap = 100 * (own.bound - value) / max(1, value)
    shown = [percent(100 * (o.bound - o.value) / o.value if o.value else None) for o in others]
    better = [o.value for o in others if o.value is not None and o.value > value]
    name = f"{pledges:,} x {seats:,}" + " worse" * bool(better)
    say(_ROW.format(name, problem.seat.size, value, int(own.bound), f"{gap:.3f}", f"{took:.2f}", *shown))
    return gap


def assignment_row(name: str, seconds: float) -> float:
    """The gap in cost to the best bound that any solver proves."""
    kind, size = name.split()
    agents, jobs = (int(n) for n in size.split("x"))
    problem, top = assignment(np.random.default_rng(agents * jobs), kind, agents, jobs)
    own, took = timed(problem, seconds)
    others = peers(problem, seconds)
    # A weight is the greatest cost plus one, less the cost.
    bound = jobs * top - min([own.bound, *(np.floor(o.bound + 1e-6) for o in others)])

    def gap(found: Found) -> float | None:
        return None if found.value is None else 100 * (jobs * top - found.value - bound) / bound

    better = [o.value for o in others if o.value is not None and o.value > (own.value or 0)]
    cost = "none" if own.value is None else str(jobs * top - own.value)
    shown = [percent(gap(o)) for o in (own, *others)]
    say(
        _ROW.format(
            name + " worse" * bool(better),
            problem.seat.size,
            cost,
            int(bound),
            shown[0],
            f"{took:.2f}",
            *shown[1:],
        )
    )
    found = gap(own)
    return np.inf if found is None else found


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


def peers(problem: BundleProblem, seconds: float) -> list[Found]:
    solvers: list[Callable[[BundleProblem, float], Found]] = [highs]
    if find_spec("ortools"):
        solvers.append(cp_sat)
    found = [solver(problem, seconds) for solver in solvers]
    return [*found, Found(None, np.inf)][:2]


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
    bound = np.inf if found.mip_dual_bound is None else -found.mip_dual_bound
    value = None if found.x is None else int(problem.weight[found.x > 0.5].sum())
    return Found(value, bound)


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
    answered = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return Found(round(solver.objective_value) if answered else None, solver.best_objective_bound)


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
