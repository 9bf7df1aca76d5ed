"""The matching kernel in single mode beside what else finds an optimal assignment: `python -m benchmarks.kernel`.

Every solver runs in a process of its own, with everything imported before its clock starts; they take turns,
and a figure is the median of five. The kernel's figures are from loaded arrays to the proved optimum, the
others' are for the assignment alone, on arrays that are already in their form. All values must agree.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np
import scipy

from benchmarks.instances import DENSE, KINDS, instance
from timebank.matching.kernel import (
    AttributeProblem,
    EdgeProblem,
    load_problem,
    save_problem,
    solve,
    verify_solution,
)
from timebank.matching.kernel.generate import generate_attributes

REPEATS: Final = 5
SIZES: Final = (1_500, 3_500, 8_500, 20_000)
QUICK_SIZES: Final = (1_500, 6_000)
LARGE: Final = (
    ("abundant", 100_000),
    ("scarce", 100_000),
    ("popular, abundant", 100_000),
    ("islands", 100_000),
)
QUICK_KINDS: Final = ("abundant", "scarce", "square", "three weights", "popular, abundant", "Flanders")
DENSE_SIZES: Final = {1_500: 800, 3_500: 1_200, 8_500: 1_700, 20_000: 2_400, 6_000: 1_500}
MOST_CELLS: Final = 20_000_000
"""Larger tables are not tried: they are slow and take more memory than most machines have."""
PATIENCE: Final = 20.0
"""A solver that takes longer runs once, not five times."""
PEERS: Final = ("scipy dense", "scipy sparse", "or-tools")


class Measured(NamedTuple):
    seconds: float
    megabytes: int
    value: int


class Process:
    """A solver with a problem, ready to run."""

    def __init__(self, solver: str, path: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.solvers", solver, str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.runs: list[tuple[float, int, int]] = []

    def answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            sys.exit("a solver failed; its message is above")
        return line

    def run(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.runs.append(tuple(json.loads(self.answer())))

    def close(self) -> Measured:
        self.process.communicate()
        seconds, values, megabytes = zip(*self.runs, strict=True)
        return Measured(median(seconds), max(megabytes), values[0])


def measured(path: Path, solvers: list[str], repeats: int) -> dict[str, Measured]:
    """All solvers in turn on one problem."""
    processes = {solver: Process(solver, path) for solver in solvers}
    for process in processes.values():
        process.answer()
    for _ in range(repeats):
        for process in processes.values():
            if not process.runs or process.runs[0][0] < PATIENCE:
                process.run()
    return {solver: process.close() for solver, process in processes.items()}


def edge_table(wanted: list[tuple[str, int]], repeats: int, folder: Path) -> None:
    row = "{:<20} {:>16} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}"
    say(
        "Edge form: seconds; ratio is the best of the others by native; MB is the peak of native and of that best"
    )
    say(row.format("kind", "seats x pledges", "edges", "native", "auto", *PEERS, "ratio", "MB"))
    took: dict[str, list[tuple[int, float]]] = {}
    worst: dict[int, tuple[float, str]] = {}
    for kind, size in wanted:
        problem = instance(kind, size)
        path = folder / "problem.npz"
        save_problem(problem, path)
        found = measured(path, chosen_solvers(problem), repeats)
        if len({each.value for each in found.values()}) > 1:
            sys.exit(f"{kind}: the solvers disagree: {found}")
        peers = {solver: found[solver] for solver in PEERS if solver in found}
        best = min(peers.values())
        ratio = best.seconds / found["native"].seconds
        worst[size] = min(worst.get(size, (np.inf, "")), (ratio, kind))
        took.setdefault(kind, []).append((max(problem.n_seats, problem.n_pledges), found["native"].seconds))
        figures = [f"{found[s].seconds:.4f}" if s in found else "-" for s in ("native", "auto", *PEERS)]
        sizes = f"{problem.n_seats:,}x{problem.n_pledges:,}"
        memory = f"{found['native'].megabytes}/{best.megabytes}"
        say(row.format(kind, sizes, f"{problem.seat.size:,}", *figures, f"{ratio:.1f}x", memory))
    say()
    for size, (ratio, kind) in sorted(worst.items()):
        say(f"least ratio at size {size:,}: {ratio:.1f}x ({kind})")
    growth = {kind: exponent(points) for kind, points in took.items() if len(points) >= len(SIZES)}
    if growth:
        say(
            "growth of native with the size, exponent: "
            + ", ".join(f"{k} {g:.2f}" for k, g in growth.items())
        )
    say()


def chosen_solvers(problem: EdgeProblem) -> list[str]:
    solvers = ["native", "auto", "scipy sparse"]
    if problem.n_seats * problem.n_pledges <= MOST_CELLS:
        solvers.append("scipy dense")
    if find_spec("ortools"):
        solvers.append("or-tools")
    return solvers


def exponent(points: list[tuple[int, float]]) -> float:
    """b of the best fit of seconds = a * size ** b."""
    sizes, seconds = np.array(points).T
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def attribute_table(sizes: list[tuple[int, int, bool]], repeats: int, folder: Path) -> None:
    row = "{:<34} {:>14} {:>9} {:>7} {:>9}"
    say(
        "Attribute form: seconds from loaded arrays to value and prices, peak MB of that process, seconds to verify"
    )
    say(row.format("pledges x seats", "pairs", "native", "MB", "verify"))
    for pledges, seats, scarce in sizes:
        path = folder / "problem.npz"
        save_problem(generate_attributes(pledges, seats, 1, scarce=scarce), path)
        found = measured(path, ["native"], repeats)["native"]
        problem = load_problem(path)
        answer = solve(problem, engine="native")
        start = perf_counter()
        verify_solution(problem, answer)
        name = f"{pledges:,} x {seats:,}{', scarce' * scarce}"
        figures = f"{found.seconds:.2f}", found.megabytes, f"{perf_counter() - start:.1f}"
        say(row.format(name, f"{pledges * seats:,}", *figures))
    say()


def change_table(pledges: int, seats: int, times: int) -> None:
    """Declines of pairs that were just proposed, new pledges and new seats in turn, each with the new optimum."""
    from timebank.matching.kernel.native.warm import WarmState

    rng = np.random.default_rng(1)
    problem, others = generate_attributes(pledges, seats, 1), generate_attributes(times, times, 2)
    state = WarmState(problem)
    answer = state.assignment()

    def decline(_turn: int) -> None:
        seat = int(rng.choice(np.flatnonzero(answer.seat_pledge[:seats] >= 0)))
        state.forbid(int(problem.seat_request[seat]), int(answer.seat_pledge[seat]))

    def pledge(turn: int) -> None:
        state.add_pledge(one_of(others, "pledge_", turn))

    def seat(turn: int) -> None:
        state.add_seat({**one_of(others, "seat_", turn), "seat_request": seats + turn})

    say(f"Changes at {pledges:,} pledges x {seats:,} seats, each to the new proved optimum, milliseconds")
    acts = {"decline": decline, "new pledge": pledge, "new seat": seat}
    took: dict[str, list[float]] = {kind: [] for kind in acts}
    for turn in range(times):
        for kind, act in acts.items():
            start = perf_counter()
            act(turn)
            answer = state.assignment()
            took[kind].append(1000 * (perf_counter() - start))
    row = "{:<12} {:>6} {:>8} {:>16} {:>8}"
    say(row.format("change", "times", "median", "95th percentile", "largest"))
    for kind, some in took.items():
        say(row.format(kind, times, *(f"{each:.1f}" for each in np.percentile(some, [50, 95, 100]))))
    verified = verify_solution(state.problem, answer).value == answer.value
    say(f"verified at the end: {verified}")


def one_of(problem: AttributeProblem, side: str, index: int) -> dict[str, Any]:
    return {name: values[index] for name, values in vars(problem).items() if name.startswith(side)}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few kinds and small sizes")
    parser.add_argument("--only", choices=["edges", "attributes", "changes"], help="one part alone")
    parser.add_argument(
        "--kinds", nargs="+", choices=[*KINDS, *DENSE], metavar="KIND", help="these kinds alone"
    )
    options = parser.parse_args(argv)
    repeats = 3 if options.quick else REPEATS
    say(
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}; {platform.machine()}"
    )
    say("or-tools is left out, as it is not installed" if not find_spec("ortools") else "")
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "edges"):
            edge_table(edge_instances(options), repeats, Path(folder))
        if options.only in (None, "attributes"):
            sizes: list[Any] = [(20_000, 4_000, False)]
            if not options.quick:
                sizes += [(100_000, 20_000, False), (20_000, 20_000, False), (10_000, 20_000, True)]
            attribute_table(sizes, repeats, Path(folder))
    if options.only in (None, "changes"):
        change_table(*((20_000, 4_000, 100) if options.quick else (100_000, 20_000, 300)))


def edge_instances(options: argparse.Namespace) -> list[tuple[str, int]]:
    kinds = options.kinds or (QUICK_KINDS if options.quick else [*KINDS, *DENSE])
    sizes = QUICK_SIZES if options.quick else SIZES
    wanted = [(kind, DENSE_SIZES[size] if kind in DENSE else size) for kind in kinds for size in sizes]
    return wanted + ([] if options.quick or options.kinds else list(LARGE))


def say(line: str = "") -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
