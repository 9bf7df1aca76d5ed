"""How long a solver may work, and whom it tells how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of the step, how much of it is done, and how much it is."""


class TimeUpError(Exception):
    """The time limit has passed, and there is no proved answer."""


class Clock:
    """When the work began and when it has to end."""

    def __init__(self, limit: float | None) -> None:
        self.start = perf_counter()
        self.limit = limit

    def check(self) -> None:
        """
        Raises
        ------
        TimeUpError : the time is up
        """
        if self.limit is not None and self.seconds > self.limit:
            raise TimeUpError

    @property
    def seconds(self) -> float:
        return perf_counter() - self.start

    @property
    def left(self) -> float | None:
        """The seconds that are left, if they are limited."""
        return None if self.limit is None else max(0.0, self.limit - self.seconds)

    @contextmanager
    def stop_flag(self) -> Iterator[NDArray[np.uint8]]:
        """One number that becomes 1 when the time is up: what compiled code can look at while it works."""
        flag = np.zeros(1, np.uint8)
        left = self.left
        if left is None:
            yield flag
            return
        timer = threading.Timer(left, flag.fill, [1])
        timer.daemon = True
        timer.start()
        try:
            yield flag
        finally:
            timer.cancel()


def silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""
