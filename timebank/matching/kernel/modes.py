"""The one door to the solvers: which mode, which engine."""

from __future__ import annotations

from io import BytesIO
from threading import Event
from typing import Final

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.files import save_problem, save_solution
from timebank.matching.kernel.problem import Problem, ProblemError
from timebank.matching.kernel.progress import Progress
from timebank.matching.kernel.single import solve_single
from timebank.matching.kernel.verify import Verified, verify_files
from timebank.matching.kernel.workers import Workers

MODES: Final = ("single", "bundle")


def solve(
    problem: Problem,
    *,
    mode: str = "single",
    engine: str = "auto",
    time_limit: float | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
    workers: Workers | None = None,
) -> Assignment:
    """Solve a problem in a mode; `single.solve_single` and `bundle.solve.solve_bundle` tell what the parameters
    mean. An engine and workers belong to single mode, and `stop` to bundle mode.

    Raises
    ------
    ProblemError : a mode or engine that does not exist, an array that the mode needs and the problem lacks, or
        a weight that is too large
    WorkersError : the workers cannot do it, though the problem is fine
    """
    if mode not in MODES:
        raise ProblemError(f"no mode {mode!r}; there are {' and '.join(MODES)}")
    if mode == "bundle":
        # Imported here, as compiled code takes a while to load, and single mode does without.
        from timebank.matching.kernel.bundle.solve import solve_bundle

        if engine != "auto":
            raise ProblemError(f"no engine {engine!r} in bundle mode; there is auto")
        if workers is not None:
            raise ProblemError("workers are of no use in bundle mode")
        return solve_bundle(problem, time_limit, progress, stop)
    return solve_single(problem, engine, time_limit, progress, workers)


def verify_solution(problem: Problem, assignment: Assignment) -> Verified:
    """Check an answer in memory as if it had been read from files, by the checker that shares nothing with
    the solvers.

    Raises
    ------
    VerificationError : the first violation
    """
    question, answer = BytesIO(), BytesIO()
    save_problem(problem, question)
    save_solution(assignment, answer)
    question.seek(0)
    answer.seek(0)
    return verify_files(question, answer)
