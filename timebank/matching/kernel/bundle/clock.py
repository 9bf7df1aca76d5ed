"""How much time is left, and whether somebody wants the answer now."""

from __future__ import annotations

from threading import Event
from time import perf_counter


class Clock:
    """Runs from its making to a limit in seconds, or until `stop` is set."""

    def __init__(self, limit: float, stop: Event | None) -> None:
        self._start = perf_counter()
        self._stop = stop
        self.limit = limit

    @property
    def seconds(self) -> float:
        return perf_counter() - self._start

    @property
    def left(self) -> float:
        return max(0.0, self.limit - self.seconds)

    def over(self) -> bool:
        return self.left <= 0 or self.stopped()

    def stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()
