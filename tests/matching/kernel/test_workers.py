"""What workers do is what one process does, however the work is cut, and whatever becomes of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.matching.kernel.oracle import attribute_problems
from tests.support.processes import descendants, wait_for
from timebank.matching.executors import PROCESSES, workers_of
from timebank.matching.kernel import (
    AttributeProblem,
    EdgeProblem,
    ProblemError,
    Workers,
    WorkersError,
    generate,
    solve,
    verify_solution,
)
from timebank.matching.kernel.native import blocks, components
from timebank.matching.kernel.workers import run_here


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SEATS_PER_TASK", 2)
    monkeypatch.setattr(components, "PAIRS_PER_PART", 5_000)


@pytest.fixture
def threads() -> Iterator[Workers]:
    made = Workers(lambda: ThreadPoolExecutor(2), in_flight=3)
    yield made
    made.close()


def hanging_together(seed: int, **options: Any) -> AttributeProblem:
    problem = generate(1_000, 300, seed, attributes=True, **options).problem
    assert isinstance(problem, AttributeProblem)
    return problem


def islands(seed: int, **options: Any) -> AttributeProblem:
    """Five countries, a thousand kilometres apart, and nobody works remotely."""
    problem = hanging_together(seed, **options)
    country_of_seat, country_of_pledge = problem.seat_request % 5, problem.pledge_org % 5
    return replace(
        problem,
        seat_x=problem.seat_x + country_of_seat * 1_000_000,
        pledge_x=problem.pledge_x + country_of_pledge * 1_000_000,
        seat_remote=np.zeros(problem.n_seats, np.bool_),
    )


def steps_of(problem: AttributeProblem, workers: Workers) -> list[str]:
    """The steps of a solution by workers, which is that of one process, and proved over all pairs."""
    steps: list[str] = []
    answer = solve(problem, workers=workers, progress=lambda step, done, total: steps.append(step))
    assert answer.value == solve(problem, engine="native").value
    assert verify_solution(problem, answer).bound == answer.value
    return steps


@pytest.mark.parametrize("scarce", [False, True])
def test_what_hangs_together_is_scanned_by_blocks(threads: Workers, scarce: bool) -> None:
    steps = steps_of(hanging_together(1, scarce=scarce), threads)
    assert {"candidates", "pricing"} <= set(steps)
    assert steps.count("candidates") > 50


@pytest.mark.parametrize("scarce", [False, True])
def test_islands_are_solved_apart(threads: Workers, scarce: bool) -> None:
    assert set(steps_of(islands(2, scarce=scarce), threads)) == {"components", "solving"}


@settings(max_examples=60, deadline=None)
@given(attribute_problems(largest=12))
def test_every_small_problem_has_the_same_optimum(problem: AttributeProblem) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SEATS_PER_TASK", 1)
        patch.setattr(components, "PAIRS_PER_PART", 3)
        workers = Workers(lambda: ThreadPoolExecutor(1), in_flight=2)
        answer = solve(problem, workers=workers)
        workers.close()
    assert answer.value == solve(problem, engine="scipy").value
    assert verify_solution(problem, answer).bound == answer.value


def test_weights_above_the_limit_are_told_by_the_numbers_of_the_whole_problem(threads: Workers) -> None:
    problem = islands(3)
    seat = int(np.flatnonzero(solve(problem).seat_pledge >= 0)[-1])
    heavy = np.where(np.arange(problem.n_seats) == seat, 2**41, problem.seat_bonus)
    with pytest.raises(ProblemError, match=f"seat {seat} and pledge"):
        solve(replace(problem, seat_bonus=heavy), workers=threads)


def test_a_process_that_is_killed_costs_time_and_not_the_result() -> None:
    problem, killed = islands(4), list[int]()

    def kill_one(step: str, done: int, total: int) -> None:
        if not killed and step != "components" and 0 < done < total:
            pools = [pid for pid, line in descendants(os.getpid()).items() if "spawn_main" in line]
            killed.append(pools[0])
            os.kill(pools[0], signal.SIGKILL)

    with workers_of(PROCESSES) as workers:
        answer = solve(problem, workers=workers, progress=kill_one)
    assert killed
    assert answer.value == solve(problem, engine="native").value
    assert verify_solution(problem, answer).bound == answer.value
    assert wait_for(lambda: not any("spawn_main" in line for line in descendants(os.getpid()).values()), 10)


def test_workers_that_are_always_lost_are_an_error() -> None:
    class Broken(Executor):
        def submit(self, *_args: Any, **_options: Any) -> Future[Any]:
            raise BrokenExecutor

    with pytest.raises(WorkersError, match="workers were lost 4 times in a row"):
        solve(hanging_together(5), workers=Workers(Broken, in_flight=2))


def test_an_executor_that_is_gone_is_not_waited_for() -> None:
    class Silent(Executor):
        def submit(self, *_args: Any, **_options: Any) -> Future[Any]:
            return Future()

    with pytest.raises(WorkersError, match="the executor is gone"):
        solve(hanging_together(5), workers=Workers(Silent, in_flight=2, gone=lambda: True))


def test_a_worker_with_other_code_refuses() -> None:
    with pytest.raises(WorkersError, match="another version"):
        run_here(abs, 1, "other code")


def test_the_time_limit_holds_for_workers_too(threads: Workers) -> None:
    assert solve(islands(6), workers=threads, time_limit=1e-9).status == "unknown"


def test_workers_are_refused_where_they_are_of_no_use(threads: Workers) -> None:
    with pytest.raises(ProblemError, match="attribute form"):
        solve(EdgeProblem(1, 1, [0], [0], [1]), workers=threads)
    with pytest.raises(ProblemError, match="engine native"):
        solve(hanging_together(7), engine="scipy", workers=threads)
    with pytest.raises(ProblemError, match="bundle mode"):
        solve(hanging_together(7), mode="bundle", workers=threads)
