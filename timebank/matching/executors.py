"""Where a large matching problem is solved: in this process, by processes of this machine, or by a Dask cluster.

The kernel is imported inside the functions, so that who only reads settings does not wait for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment, AttributeProblem, Workers

log = structlog.get_logger(__name__)

PROCESSES: Final = "processes"
SCHEMES: Final = ("tcp://", "tls://")
FORMS: Final = "processes, or the address of a Dask scheduler as tcp://host:8786"

WORTHWHILE_PAIRS: Final = 20_000_000_000
"""Seats times pledges from which a run takes the executor: below, threads of this process are done in a minute."""

_PATIENCE: Final = 10  # seconds for a scheduler to answer,
_WORKERS_PATIENCE: Final = 120  # and for a worker, which has to load Timebank first


def is_executor(text: str) -> bool:
    """Whether it names an executor."""
    return text == PROCESSES or text.startswith(SCHEMES)


def solve_run(
    problem: AttributeProblem,
    *,
    mode: str,
    time_limit: int | None,
    progress: Callable[[str, int, int], None] | None,
    executor: str | None,
) -> Assignment:
    """Solve a run's problem, in single mode and from a size on by the executor. Where that cannot do it, a warning
    goes to the log, and it is solved in this process."""
    from timebank.matching import kernel

    worthwhile = mode == "single" and problem.n_seats * problem.n_pledges >= WORTHWHILE_PAIRS
    try:
        with workers_of(executor if worthwhile else None) as workers:
            return kernel.solve(problem, mode=mode, time_limit=time_limit, progress=progress, workers=workers)
    except kernel.WorkersError as error:
        log.warning("matching_executor_failed", executor=executor, reason=str(error))
        return kernel.solve(problem, mode=mode, time_limit=time_limit, progress=progress)


@contextmanager
def workers_of(executor: str | None) -> Iterator[Workers | None]:
    """The workers of an executor, which ends with the block; none for this process.

    Raises
    ------
    WorkersError : in one line, why there are none
    """
    if executor is None:
        yield None
        return
    with _processes() if executor == PROCESSES else _cluster(executor) as workers:
        try:
            yield workers
        finally:
            workers.close()


@contextmanager
def _processes() -> Iterator[Workers]:
    """One process a processor. They are started anew, since a copy of a process with threads may hang."""
    from timebank.matching.kernel import Workers

    count = len(os.sched_getaffinity(0))
    context = get_context("spawn")
    yield Workers(
        lambda: ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent),
        in_flight=count + 1,
    )


def _end_with_parent() -> None:
    """In a worker: end as soon as the process that started it is gone, which nobody else would tell it."""
    parent = parent_process()
    assert parent is not None  # noqa: S101 - a worker has one

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


@contextmanager
def _cluster(address: str) -> Iterator[Workers]:
    from timebank.matching.kernel import Workers, WorkersError
    from timebank.matching.kernel.workers import code, run_here

    try:
        import dask
        from distributed import Client, KilledWorker
    except ImportError:
        raise WorkersError("a Dask cluster needs the extra: pip install 'timebank[cluster]'") from None
    # A block of seats may weigh tens of megabytes, which is meant.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except Exception as error:  # Dask has many
            raise WorkersError(f"the Dask scheduler at {address} does not answer: {error}") from None
        with client:
            threads = sum(client.nthreads().values())
            if not threads:
                raise WorkersError(f"the Dask scheduler at {address} has no workers")
            # Not pure: Dask would otherwise answer a task that is done again from the one that failed.
            executor = client.get_executor(pure=False)
            try:
                executor.submit(run_here, abs, 0, code()).result(_WORKERS_PATIENCE)
            except Exception as error:
                raise WorkersError(f"a worker of {address} cannot run Timebank: {error}") from None
            # Of a client that has lost its scheduler for good, no future ever ends.
            yield Workers(
                lambda: client.get_executor(pure=False),
                in_flight=threads + threads // 2 + 1,
                lost=(KilledWorker,),
                gone=lambda: client.status in ("closing", "closed"),
            )
