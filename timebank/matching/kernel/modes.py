"""The one door to the solvers: which mode, which engine."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.files import save_problem, save_solution
from timebank.matching.kernel.problem import Problem, ProblemError
from timebank.matching.kernel.single import Progress, solve_single
from timebank.matching.kernel.verify import Verified, verify_files

MODES: Final = ("single",)


def solve(
    problem: Problem,
    *,
    mode: str = "single",
    engine: str = "auto",
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Assignment:
    """Solve a problem in a mode with an engine; `single.solve_single` tells what the parameters mean.

    Raises
    ------
    ProblemError : a mode or engine that does not exist, or a weight that is too large
    """
    if mode not in MODES:
        raise ProblemError(f"no mode {mode!r}; there is {' and '.join(MODES)}")
    return solve_single(problem, engine, time_limit, progress)


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
