"""Two threads look for a good answer until the time is up: whole dives first, then dives around a good answer.

The second is a large neighbourhood search (Shaw, 1998, doi:10.1007/3-540-49481-2_30): some pledges that share
seats let go of them, and a dive puts them together again, at least as well.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from time import perf_counter
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.bundle.dive import Pace, dive
from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.bundle.region import (
    Floats,
    choose_all,
    choose_near,
    clear,
    fill_in,
    make_region,
    write_back,
)
from timebank.matching.kernel.problem import IntArray

T = TypeVar("T")

THREADS: Final = 2

_POLL: Final = 0.05
_WHOLE_ROUNDS, _NEAR_ROUNDS = 3000, 400
_NEAR_SIZES: Final = (6, 8, 12, 16, 24)
# The share of the time for whole dives: they find the better answers where seats may stay empty, and dives around
# a good answer where all must be filled. Of the time for these, the share after which both threads go on from the
# better answer of the two.
_DIVING, _DIVING_TO_FILL = 0.9, 0.4
_SHARING: Final = 0.25


class Answer:
    """The best answer so far, which threads offer theirs to.

    Answers are compared by the seats they leave empty, where each must be filled, then by value. At `bound` no
    better one can follow.
    """

    def __init__(self, network: Network, must_fill: bool, bound: int) -> None:
        self._must_fill = must_fill
        self._bound = bound
        self._lock = Lock()
        self.network = network
        self.holder = np.full(network.n_seats, -1, np.int64)
        self.key = self._judge(network, self.holder)
        self.final = Event()
        self._finish_if_best()

    @property
    def filled(self) -> bool:
        """Whether all seats are filled that must be."""
        return self.key[0] == 0

    @property
    def least_better(self) -> int:
        """What a better answer is worth at least; 0 where there is none yet that fills what must be filled."""
        empty, value = self.key
        return int(value) + 1 if empty == 0 else 0

    def offer(self, network: Network, holder: IntArray) -> tuple[int, float]:
        """Take an answer, as the candidate of each seat in a network, where it is better; returns how good."""
        key = self._judge(network, holder)
        with self._lock:
            if key > self.key:
                self.key, self.network, self.holder = key, network, holder.copy()
                self._finish_if_best()
        return key

    def _judge(self, network: Network, holder: IntArray) -> tuple[int, float]:
        held = holder[holder >= 0]
        empty = holder.size - held.size if self._must_fill else 0
        return -empty, float(network.weight[held].sum())

    def _finish_if_best(self) -> None:
        if self.key >= (0, self._bound):
            self.final.set()


class _Worker:
    """One thread with memory and random numbers of its own."""

    def __init__(
        self,
        network: Network,
        price: Floats,
        bonus: float,
        answer: Answer,
        halt: NDArray[np.uint8],
        number: int,
    ) -> None:
        self._network, self._price, self._bonus = network, price, bonus
        self._answer, self._halt = answer, halt
        self._number = number
        self._random = np.random.default_rng(number)
        self._region = make_region(network, number)
        self._scratch = network.scratch()
        self._aim = 0.002 if bonus else 0.003

    def run(self, start: float, seconds: float) -> None:
        diving = seconds * (_DIVING_TO_FILL if self._bonus else _DIVING)
        holder = self._whole_dives(start, diving)
        sizes = [size for size in _NEAR_SIZES if size <= self._network.n_pledges]
        shared = False
        while not self._over():
            choose_near(
                self._network, holder, self._pick(*(sizes or [self._network.n_pledges])), self._region
            )
            self._improve(holder, Pace(self._pick(10, 15, 25), self._pick(0.1, 0.2), self._aim, _NEAR_ROUNDS))
            self._answer.offer(self._network, holder)
            if not shared and perf_counter() - start > diving + _SHARING * (seconds - diving):
                shared = True
                if self._answer.network is self._network:
                    holder = self._answer.holder.copy()

    def _whole_dives(self, start: float, seconds: float) -> IntArray:
        """Dives over everything, each at another pace, for about so long; the best of their answers."""
        pace = Pace((25, 12)[self._number % 2], 0.1, self._aim, _WHOLE_ROUNDS)
        best, best_key, longest = self._nobody(), None, 0.0
        while best_key is None or not (self._over() or perf_counter() - start + 1.2 * longest > seconds):
            began = perf_counter()
            holder = self._nobody()
            choose_all(self._region)
            self._improve(holder, pace)
            key = self._answer.offer(self._network, holder)
            if best_key is None or key > best_key:
                best, best_key = holder, key
            aim = self._aim * self._pick(0.5, 1.0, 2.0)
            pace = Pace(self._pick(10, 15, 20, 30), self._pick(0.08, 0.12, 0.2), aim, _WHOLE_ROUNDS)
            longest = max(longest, perf_counter() - began)
        return best

    def _improve(self, holder: IntArray, pace: Pace) -> None:
        """Dive over the region that is chosen; `holder` takes what is as good as what it has, or better."""
        held = fill_in(self._network, holder, self._price, self._bonus, self._region)
        if dive(self._region, held, self._bonus, pace, self._scratch, self._halt) >= 0:
            write_back(self._region, holder)
        clear(self._region)

    def _nobody(self) -> IntArray:
        return np.full(self._network.n_seats, -1, np.int64)

    def _pick(self, *choices: T) -> T:
        return choices[int(self._random.integers(len(choices)))]

    def _over(self) -> bool:
        return bool(self._halt[0]) or self._answer.final.is_set()


def search(
    network: Network,
    price: Floats,
    bonus: float,
    answer: Answer,
    seconds: float,
    stopped: Callable[[], bool],
    work: Callable[[float, float], bool],
) -> None:
    """Improve the answer until it is the best possible, the time is up, or somebody stops it.

    The calling thread has nothing to do meanwhile: it calls `work` with the share of the time that has passed and the
    seconds that are left, and waits where that returns False.
    """
    start = perf_counter()
    halt = np.zeros(1, np.uint8)
    workers = [_Worker(network, price, bonus, answer, halt, number) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        runs = [threads.submit(worker.run, start, seconds) for worker in workers]
        try:
            while not (stopped() or answer.final.is_set() or any(run.done() for run in runs)):
                left = start + seconds - perf_counter()
                if left <= 0:
                    break
                if not work(1 - left / seconds, left):
                    answer.final.wait(min(left, _POLL))
        finally:
            halt[0] = 1
    for run in runs:
        run.result()
