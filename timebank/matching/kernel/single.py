"""Single mode: each seat at most one pledge, each pledge at most one seat, for the greatest total weight,
with its proof.

Two engines find the optimum: `scipy`, its assignment solvers with prices derived from their answer, and
`native`, compiled code of our own for what is large. Neither is trusted: an answer is handed back only when
its integer prices prove it.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from timebank.matching.kernel.assignment import Assignment, Optimum, Status
from timebank.matching.kernel.problem import (
    MAX_ATTRIBUTE_WEIGHT,
    AttributeProblem,
    EdgeProblem,
    Problem,
    ProblemError,
)
from timebank.matching.kernel.progress import Clock, Progress, TimeUpError, silent
from timebank.matching.kernel.workers import Workers

ENGINES: Final = ("auto", "scipy", "native")

NATIVE_FROM: Final = 1_500
"""Seats or pledges from which `auto` takes the native engine.

Once it is loaded, it is the faster one from a few dozen on for lists of candidates, and from about 300 seats and
1,000 pledges on for attributes. But loading its compiled code takes a process about half a second, and below
this size scipy needs a tenth of that for everything.
"""


class NotProvedError(RuntimeError):
    """The prices do not prove the answer. This is a defect of the solver, never of the input."""


class _Engine(Protocol):
    """What both engines offer."""

    def edge_optimum(self, problem: EdgeProblem, clock: Clock) -> Optimum: ...

    def attribute_optimum(self, problem: AttributeProblem, clock: Clock, tell: Progress) -> Optimum: ...

    def proved_weight(self, found: Optimum) -> int | None: ...


def solve_single(
    problem: Problem,
    engine: str = "auto",
    time_limit: float | None = None,
    progress: Progress | None = None,
    workers: Workers | None = None,
) -> Assignment:
    """Give each seat at most one pledge and each pledge at most one seat, for the greatest total weight.

    Maximises ``sum(w[e] * x[e])`` over the candidates e, x binary. The attribute form is solved over its
    candidates where these are few; else over the best of each seat, after which all pairs are priced, and
    those that could do better join, until none is left: the prices then prove the answer for all pairs.

    Parameters
    ----------
    problem : either form
    engine : ``scipy``, ``native``, or ``auto``: the one that is faster for this size
    time_limit : seconds; `scipy` looks at it between steps, so one step may exceed it
    progress : is told about steps that take long
    workers : do what can be done apart, for the attribute form and the engine ``native`` (which ``auto`` then is);
        by default all is done in this process, by as many threads as there are processors

    Returns
    -------
    Assignment : ``optimal`` with gap 0, or ``unknown`` where the time was up before the proof

    Raises
    ------
    ProblemError : an engine that does not exist; a candidate of the attribute form that weighs more than 2^40;
        workers for the edge form or the engine ``scipy``
    WorkersError : the workers cannot do it, though the problem is fine
    """
    if engine not in ENGINES:
        raise ProblemError(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
    if workers is not None and (engine == "scipy" or isinstance(problem, EdgeProblem)):
        raise ProblemError("workers are of use only for the attribute form and the engine native")
    chosen = engine if engine != "auto" else "native" if workers is not None else _faster(problem)
    solver = load_engine(chosen)
    clock = Clock(time_limit)
    try:
        clock.check()
        found = _optimum(solver, problem, clock, progress or silent, workers)
    except TimeUpError:
        return _unknown(problem, clock)
    value = solver.proved_weight(found) if found.proved is None else found.proved
    if value is None:
        raise NotProvedError("the prices do not prove the answer")
    return Assignment(
        found.seat_pledge,
        value,
        value,
        0.0,
        found.seat_price,
        found.pledge_price,
        1,
        clock.seconds,
        "single",
        "optimal",
    )


def _optimum(
    solver: _Engine, problem: Problem, clock: Clock, tell: Progress, workers: Workers | None
) -> Optimum:
    if isinstance(problem, EdgeProblem):
        return solver.edge_optimum(problem, clock)
    if workers is None:
        return solver.attribute_optimum(problem, clock, tell)
    from timebank.matching.kernel.native.spread import spread_optimum

    return spread_optimum(problem, clock, tell, workers)


def load_engine(engine: str) -> _Engine:
    """Import an engine. That comes before the clock starts, as its compiled code is loaded or even made."""
    if engine == "native":
        from timebank.matching.kernel.native import engine as native

        return native
    from timebank.matching.kernel import scipy_engine

    return scipy_engine


def _faster(problem: Problem) -> str:
    """The engine that takes less time for a problem of this size, its loading counted."""
    return "native" if max(problem.n_seats, problem.n_pledges) >= NATIVE_FROM else "scipy"


def _unknown(problem: Problem, clock: Clock) -> Assignment:
    """No answer, with prices that hold for every problem of its kind: the best each seat could hope for."""
    u = np.zeros(problem.n_seats, np.int64)
    if isinstance(problem, EdgeProblem):
        np.maximum.at(u, problem.seat, problem.weight)
    elif problem.n_pledges:
        u += MAX_ATTRIBUTE_WEIGHT
    nobody = np.full(problem.n_seats, -1, np.int32)
    status: Status = "unknown"
    bound = int(u.sum())
    v = np.zeros(problem.n_pledges, np.int64)
    return Assignment(nobody, 0, bound, float(bound), u, v, 1, clock.seconds, "single", status)
