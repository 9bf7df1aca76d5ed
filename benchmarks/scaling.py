"""How the attribute form grows with its size, and what workers bring: `python -m benchmarks.scaling`.

Each solution runs in a process of its own, from loaded arrays to value and prices, once. Processor seconds are those
of all its threads and processes (the start of these included), and depend little on what else the machine does; those
of a cluster are not among them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter, process_time
from typing import Final, NamedTuple

import numpy as np

from benchmarks.kernel import exponent, say
from benchmarks.solvers import peak_megabytes
from timebank.matching.executors import PROCESSES, workers_of
from timebank.matching.kernel import AttributeProblem, load_problem, save_problem, solve
from timebank.matching.kernel.generate import generate_attributes
from timebank.matching.kernel.single import load_engine

SIZES: Final = (50_000, 100_000, 200_000, 400_000)
QUICK_SIZES: Final = (10_000, 20_000, 40_000)
COUNTRIES: Final = 20
COUNTRY_WIDTH: Final = 1_000_000  # metres


class Took(NamedTuple):
    seconds: float
    processor: float
    megabytes: int
    value: int
    rounds: int


def problem_of(pledges: int, *, islands: bool = False) -> AttributeProblem:
    """A generated problem with a seat for five pledges; as islands, in countries where nobody works across borders."""
    problem = generate_attributes(pledges, pledges // 5, 1)
    if not islands:
        return problem
    return replace(
        problem,
        seat_x=problem.seat_x + problem.seat_request % COUNTRIES * COUNTRY_WIDTH,
        pledge_x=problem.pledge_x + problem.pledge_org % COUNTRIES * COUNTRY_WIDTH,
        seat_remote=np.zeros(problem.n_seats, np.bool_),
    )


def took(problem: AttributeProblem, executor: str | None) -> Took:
    """One solution in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        save_problem(problem, path)
        command = [
            sys.executable,
            "-m",
            "benchmarks.scaling",
            "--solve",
            str(path),
            *([executor] if executor else []),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return Took(*json.loads(done.stdout))


def solve_file(path: str, executor: str | None = None) -> Took:
    """What the fresh process does."""
    problem = load_problem(path)
    load_engine("native")
    solving: list[int] = []

    def count(step: str, done: int, total: int) -> None:
        if step == "solving":
            solving.append(total)

    with workers_of(executor) as workers:
        start, processor = perf_counter(), process_time()
        answer = solve(problem, engine="native", workers=workers, progress=count)
        seconds = perf_counter() - start
    children = getrusage(RUSAGE_CHILDREN)
    processor = process_time() - processor + children.ru_utime + children.ru_stime
    return Took(seconds, processor, peak_megabytes(), answer.value, len(solving))


def growth_table(sizes: list[int]) -> None:
    row = "{:>22} {:>18} {:>9} {:>10} {:>7} {:>7}"
    say("In one process")
    say(row.format("pledges x seats", "pairs", "seconds", "processor", "rounds", "MB"))
    found = []
    for pledges in sizes:
        one = took(problem_of(pledges), None)
        found.append(one)
        name, pairs = f"{pledges:,} x {pledges // 5:,}", f"{pledges * (pledges // 5):,}"
        say(row.format(name, pairs, f"{one.seconds:.1f}", f"{one.processor:.1f}", one.rounds, one.megabytes))
    if len(sizes) > 2:
        processor = exponent(list(zip(sizes, [one.processor for one in found], strict=True)))
        say(f"processor seconds grow with the pledges, exponent: {processor:.2f}")
    say()


def executor_table(sizes: list[int], executors: list[str]) -> None:
    row = "{:>22} {:<9} {:<26} {:>9} {:>10} {:>7}"
    say("Where it is solved")
    say(row.format("pledges x seats", "kind", "by", "seconds", "processor", "MB"))
    for pledges in sizes:
        for islands in (False, True):
            problem = problem_of(pledges, islands=islands)
            values = set()
            for executor in (None, *executors):
                one = took(problem, executor)
                values.add(one.value)
                name, kind = f"{pledges:,} x {pledges // 5:,}", "islands" if islands else "one"
                by = executor or "this process"
                say(row.format(name, kind, by, f"{one.seconds:.1f}", f"{one.processor:.1f}", one.megabytes))
            if len(values) > 1:
                sys.exit(f"the values differ: {values}")
    say()


def main(argv: list[str]) -> None:
    if argv[:1] == ["--solve"]:
        print(json.dumps(solve_file(*argv[1:])))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--only", choices=["growth", "executors"], help="one part alone")
    parser.add_argument("--pledges", type=int, nargs="+", help="these sizes alone")
    parser.add_argument("--executors", nargs="+", default=[PROCESSES], help="what to compare with")
    options = parser.parse_args(argv)
    sizes = options.pledges or list(QUICK_SIZES if options.quick else SIZES)
    if options.only != "executors":
        growth_table(sizes)
    if options.only != "growth":
        executor_table(options.pledges or sizes[1:2], options.executors)


if __name__ == "__main__":
    main(sys.argv[1:])
