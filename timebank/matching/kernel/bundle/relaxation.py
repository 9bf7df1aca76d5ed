"""Prices of seats that bound every solution: the Lagrangian relaxation of "each seat once".

With a price on each seat, every pledge chooses the bundle that is worth most after prices. All prices and all
these bundles together bound the problem from above, whatever the prices; a seat that is chosen twice is too
cheap, one that nobody chooses too dear (Held and Karp, 1971; Fisher, "The Lagrangian relaxation method for
solving integer programming problems", 1981, doi:10.1287/mnsc.27.1.1).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.bundle.knapsack import Scratch, best_bundle, put
from timebank.matching.kernel.bundle.linear import prices_to_fill
from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.compiled import compiled_when_called

Floats = NDArray[np.float64]

TINY: Final = 1e-7
"""A profit that counts; weights are whole numbers."""

_ROUNDS_OF_RENTS: Final = 300
_WORTH_SPLITTING: Final = 10_000
"""So many candidates make it worth while to share a pass among two threads."""
_FEW_PASSES: Final = 300
_TIMED_PASSES: Final = 3
_CONVERGED: Final = 1e-7
_STILL_FALLS: Final = 3e-5
"""Of itself, a bound that fell by more than this in a quarter of the time is worth a quarter more."""
# The distance to the target at first, as a share of the bound. Where all seats must be filled, the first prices are
# good, and the way to better ones from far off takes many passes.
_AIM, _AIM_TO_FILL, _FEW_AIM_TO_FILL = 0.02, 0.001, 0.00005


class Relaxed(NamedTuple):
    """The best prices found and their bound; what a block of each pledge's hours is worth; seconds of a pass."""

    price: Floats
    bound: float
    rent: Floats
    pass_seconds: float


def initial_prices(network: Network, must_fill: bool, seconds: float) -> Floats:
    """Prices of seats from the linear relaxation, in which seats are divisible.

    Subgradient steps on the rents, each in one pass over the candidates, no more than `seconds` allow; a seat's
    price is then what its best candidate is worth above the rent. Where all seats must be filled, bundles are large
    and these prices are nearly the best already, so the relaxation is solved to its end, if that takes no longer
    than `seconds` either.
    """
    rent, price = np.zeros(network.n_pledges), np.zeros(network.n_seats)
    if network.size:
        round_seconds = _least_seconds(lambda: _subgradient_on_rents(network, must_fill, 1, rent, price))
        rounds = int(min(max(1.0, seconds / round_seconds), _ROUNDS_OF_RENTS))
        _subgradient_on_rents(network, must_fill, rounds, rent, price)
        if must_fill:
            price = prices_to_fill(network, price, rent, seconds)
    return price


def _least_seconds(work: Callable[[], object]) -> float:
    """The least of some: on a busy machine, one alone may take many times as long."""
    taken = []
    for _ in range(_TIMED_PASSES):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return min(taken)


@compiled_when_called
def _subgradient_on_rents(
    network: Network, must_fill: bool, rounds: int, best_rent: Floats, price: Floats
) -> None:
    n_pledges = network.capacity.size
    rent, load, direction = np.zeros(n_pledges), np.zeros(n_pledges), np.zeros(n_pledges)
    weight, hours = 0.0, 0.0
    for e in range(network.weight.size):
        weight += network.weight[e]
        hours += network.hours[e]
    step = 0.5 * weight / max(1.0, hours)
    shrink = 1e-4 ** (1.0 / rounds)
    best = np.inf
    for _ in range(rounds):
        bound = 0.0
        for i in range(n_pledges):
            load[i] = 0.0
            bound += rent[i] * network.capacity[i]
        for j in range(network.seat_first.size - 1):
            e, worth = _best_candidate(network, rent, j)
            if e >= 0 and (must_fill or worth > 0):
                load[network.pledge[e]] += network.hours[e]
                bound += worth
        if bound < best:
            best = bound
            for i in range(n_pledges):
                best_rent[i] = rent[i]
        for i in range(n_pledges):
            excess = load[i] / max(1, network.capacity[i]) - 1.0
            direction[i] = 0.7 * direction[i] + 0.3 * min(excess, 1.0)
            rent[i] = max(0.0, rent[i] + step * direction[i])
        step *= shrink
    for j in range(network.seat_first.size - 1):
        e, worth = _best_candidate(network, best_rent, j)
        if e >= 0:
            price[j] = worth if must_fill else max(0.0, worth)


@compiled_when_called
def _best_candidate(network: Network, rent: Floats, seat: int) -> tuple[int, float]:
    """The candidate of a seat that is worth most above the rent; -1 where there is none."""
    best, most = -1, -np.inf
    for k in range(network.seat_first[seat], network.seat_first[seat + 1]):
        e = network.by_seat[k]
        worth = network.weight[e] - rent[network.pledge[e]] * network.hours[e]
        if worth > most:
            best, most = e, worth
    return best, most


@compiled_when_called
def _best_bundles(
    network: Network,
    price: Floats,
    start: int,
    stop: int,
    taken: NDArray[np.uint8],
    worth: Floats,
    rent: Floats,
    scratch: Scratch,
) -> None:
    """The best bundle at these prices of each pledge from `start` to `stop`."""
    items = scratch.items
    for i in range(start, stop):
        items.size[0] = 0
        for e in range(network.first[i], network.first[i + 1]):
            taken[e] = 0
            profit = network.weight[e] - price[network.seat[e]]
            if profit > TINY:
                put(items, profit, network.hours[e], network.request[e], e)
        worth[i], rent[i] = best_bundle(network.capacity[i], scratch)
        for k in range(items.size[0]):
            taken[items.candidate[k]] = items.chosen[k]


class Relaxation:
    """The bound and a subgradient at given prices, worked out by two threads where that is worth while."""

    def __init__(self, network: Network) -> None:
        self._network = network
        half = int(np.searchsorted(network.first, network.size // 2))
        self._parts = [(0, half), (half, network.n_pledges)]
        self._scratch = [network.scratch() for _ in self._parts]
        self._taken = np.zeros(network.size, np.uint8)
        self._worth = np.zeros(network.n_pledges)
        self.rent = np.zeros(network.n_pledges)
        self._helper = ThreadPoolExecutor(1) if network.size >= _WORTH_SPLITTING else None

    def __enter__(self) -> Relaxation:
        return self

    def __exit__(self, *_: object) -> None:
        if self._helper is not None:
            self._helper.shutdown()

    def evaluate(self, price: Floats) -> tuple[float, Floats]:
        """The bound at these prices, and for each seat 1 less the number of bundles that hold it."""
        if self._helper is None:
            for part in (0, 1):
                self._run(part, price)
        else:
            other = self._helper.submit(self._run, 1, price)
            self._run(0, price)
            other.result()
        slack = np.ones(self._network.n_seats)
        slack -= np.bincount(self._network.seat, self._taken, self._network.n_seats)
        return float(price.sum() + self._worth.sum()), slack

    def pass_seconds(self, price: Floats) -> float:
        return _least_seconds(lambda: self.evaluate(price))

    def _run(self, part: int, price: Floats) -> None:
        start, stop = self._parts[part]
        _best_bundles(
            self._network, price, start, stop, self._taken, self._worth, self.rent, self._scratch[part]
        )


def tighten(
    network: Network,
    price: Floats,
    must_fill: bool,
    floor: float,
    halted: Callable[[], bool],
    seconds: float,
    most_passes: int = 10**9,
) -> Relaxed:
    """Lower the bound from these prices on, until it converges, falls below `floor`, or time or passes are used up.
    While the bound still falls, up to twice as many seconds are taken.

    Heavy-ball steps towards a target a little below the best bound (Polyak, 1969). The distance to the target
    grows while it is reached, and shrinks, back at the best prices, while it is not.
    """
    begin = perf_counter()
    with Relaxation(network) as relaxation:
        best, slack = relaxation.evaluate(price)
        # Steps of a tree start near the end, with a few passes each: the patient way moves them farther.
        few = most_passes >= _FEW_PASSES and seconds < _FEW_PASSES * relaxation.pass_seconds(price)
        patience, momentum = (10, 0.7) if few else (20, 0.85)
        aim = (_AIM if not must_fill else _FEW_AIM_TO_FILL if few else _AIM_TO_FILL) * abs(best)
        best_price, best_slack, rent = price, slack, relaxation.rent.copy()
        bound, direction = best, _projected(slack, price, must_fill)
        passes, stale, milestone = 1, 0, best
        time = _Time(seconds)
        while passes < most_passes and not halted() and not time.is_up(best) and best >= floor:
            length = float(direction @ direction)
            if length < 1e-12 or aim < _CONVERGED * abs(best):
                break
            price = price - (bound - (best - aim)) / length * direction
            if not must_fill:
                np.maximum(price, 0.0, out=price)
            bound, slack = relaxation.evaluate(price)
            passes += 1
            direction = _projected(
                _projected(slack, price, must_fill) + momentum * direction, price, must_fill
            )
            if passes % 5 == 0:
                aim *= 1.5 if milestone - best > aim else 1.0
                milestone = best
            stale = 0 if bound < best - 0.1 * aim else stale + 1
            if bound < best:
                best, best_price, best_slack, rent = bound, price, slack, relaxation.rent.copy()
            if stale >= patience:
                aim, stale, price, bound = 0.7 * aim, 0, best_price, best
                direction = _projected(best_slack, price, must_fill)
        return Relaxed(best_price, best, rent, (perf_counter() - begin) / passes)


class _Time:
    """How long the bound is lowered."""

    def __init__(self, seconds: float) -> None:
        self._begin = perf_counter()
        self._part, self._most = seconds / 4, 2 * seconds
        self._next = seconds - self._part
        self._before = np.inf

    def is_up(self, bound: float) -> bool:
        taken = perf_counter() - self._begin
        if taken < self._next:
            return False
        falls = self._before - bound > _STILL_FALLS * abs(bound)
        self._before = bound
        self._next += self._part
        return taken >= self._most or not falls


def _projected(direction: Floats, price: Floats, must_fill: bool) -> Floats:
    """Without what would push a price below 0, where prices may not be negative."""
    return direction if must_fill else np.where((price <= 0) & (direction > 0), 0.0, direction)
