"""Pure functions of arrays in an executor of the kind of `concurrent.futures`, whatever becomes of its workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST_LOSSES: Final = 3
"""Losses without a result in between, after which it is no accident: a task may need more memory than there is."""
_BREATH: Final = 1.0  # seconds between two looks whether anybody still waits


class WorkersError(RuntimeError):
    """The workers cannot do it, though the problem is fine; the message is one line."""


class Workers:
    """An executor that is made when the first task comes, and anew when it breaks.

    Parameters
    ----------
    start : makes an executor
    in_flight : tasks that are with it at once; more than it has workers, so that none waits for its next
    lost : what its futures raise when a worker is gone, besides `BrokenExecutor` and `CancelledError`
    gone : whether nothing will come any more, from this executor or a new one; asked every second
    """

    def __init__(
        self,
        start: Callable[[], Executor],
        in_flight: int,
        lost: tuple[type[Exception], ...] = (),
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self._start, self._in_flight, self._gone = start, in_flight, gone
        self._lost: tuple[type[Exception], ...] = (BrokenExecutor, CancelledError, *lost)
        self._executor: Executor | None = None

    def results(
        self, function: Callable[[T], R], tasks: Iterable[T], check: Callable[[], None]
    ) -> Iterator[tuple[T, R]]:
        """Each task with its result, as they come. A task that went with its worker is done again.

        Parameters
        ----------
        function : of a module, so that workers can import it; without effects, as it may run twice
        tasks : taken one by one as there is room for them
        check : called every second at least; what it raises ends the work

        Raises
        ------
        WorkersError : workers were lost again and again, all are gone, or one holds other code than this process
        """
        source = iter(tasks)
        again: list[T] = []
        running: dict[Future[R], T] = {}
        losses = 0
        try:
            while True:
                try:
                    self._fill(running, function, again, source)
                    if not running:
                        return
                    done, _ = wait(running, _BREATH, FIRST_COMPLETED)
                    check()
                    if self._gone():
                        raise WorkersError("the executor is gone")
                    for future in done:
                        result = future.result()
                        losses = 0
                        yield running.pop(future), result
                except self._lost as error:
                    losses += 1
                    if losses > _MOST_LOSSES:
                        raise WorkersError(f"workers were lost {losses} times in a row") from error
                    again.extend(running.values())
                    self._leave(running)
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """End the executor, when what it has begun is done."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def _fill(
        self, running: dict[Future[R], T], function: Callable[[T], R], again: list[T], source: Iterator[T]
    ) -> None:
        """Send tasks until there are enough with the executor, first those that have to be done again."""
        while len(running) < self._in_flight:
            if not again:
                again.extend(islice(source, 1))
            if not again:
                return
            if self._executor is None:
                self._executor = self._start()
            running[self._executor.submit(run_here, function, again[-1], code())] = again[-1]
            again.pop()  # only now: the executor may have refused it

    def _leave(self, running: dict[Future[R], T]) -> None:
        """The next task goes to a new executor."""
        for future in running:
            future.cancel()
        running.clear()
        if self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None


def run_here(function: Callable[[T], R], task: T, expected: str) -> R:
    """What a worker runs.

    Raises
    ------
    WorkersError : it holds other code than the process that asks, so that its answer could be another
    """
    if code() != expected:
        raise WorkersError("a worker has another version of Timebank: install the same there")
    return function(task)


@cache
def code() -> str:
    """One word for all code of the kernel."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
