"""A part of the problem that is solved anew while the rest stays: some pledges, and the seats free for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.compiled import compiled_when_called
from timebank.matching.kernel.problem import IntArray

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int32]


class Region(NamedTuple):
    """Memory for a part of a network, in numbers of its own: A pledges, F seats, C candidates.

    The first A, F or C entries count; `size` says how many these are. Weights include the bonus for filling a
    seat, prices too, so that no price is below 0.
    """

    size: IntArray  # A, F, C
    pledges: IntArray  # (A,) numbers in the network
    first: IntArray  # (A + 1,) the candidates of each pledge
    room: IntArray  # (A,) blocks not yet fixed
    ratio: Floats  # (A,) what a block was worth in the last knapsack
    seats: IntArray  # (F,) numbers in the network
    price: Floats  # (F,)
    direction: Floats  # (F,)
    uses: IntArray  # (F,) bundles that hold the seat
    fixed: IntArray  # (F,) the candidate of the network that a seat is fixed to, or -1
    current: IntArray  # (F,) the candidate in the answer at hand, or -1
    best: IntArray  # (F,) the candidate of the network in the best answer, or -1
    score: Floats  # (F,)
    edge: Numbers  # (C,) numbers in the network
    owner: Numbers  # (C,) the pledge
    seat: Numbers  # (C,)
    weight: Floats  # (C,)
    hours: Numbers  # (C,)
    request: NDArray[np.int32]  # (C,)
    blocked: Bytes  # (C,) another seat of the request was fixed to the pledge just now
    taken: Bytes  # (C,) in the last knapsack
    mean: NDArray[np.float32]  # (C,) how often, of late
    place_of_pledge: IntArray  # (P,) the number in the region, or -1
    place_of_seat: IntArray  # (S,)
    random: NDArray[np.uint64]  # (1,) the state of the random numbers


def make_region(network: Network, seed: int) -> Region:
    """Memory for any part of this network."""
    p, s, e = network.n_pledges, network.n_seats, network.size
    return Region(
        size=np.zeros(3, np.int64),
        pledges=np.zeros(p, np.int64),
        first=np.zeros(p + 1, np.int64),
        room=np.zeros(p, np.int64),
        ratio=np.zeros(p),
        seats=np.zeros(s, np.int64),
        price=np.zeros(s),
        direction=np.zeros(s),
        uses=np.zeros(s, np.int64),
        fixed=np.zeros(s, np.int64),
        current=np.zeros(s, np.int64),
        best=np.zeros(s, np.int64),
        score=np.zeros(s),
        edge=np.zeros(e, np.int32),
        owner=np.zeros(e, np.int32),
        seat=np.zeros(e, np.int32),
        weight=np.zeros(e),
        hours=np.zeros(e, np.int32),
        request=np.zeros(e, np.int32),
        blocked=np.zeros(e, np.uint8),
        taken=np.zeros(e, np.uint8),
        mean=np.zeros(e, np.float32),
        place_of_pledge=np.full(p, -1, np.int64),
        place_of_seat=np.full(s, -1, np.int64),
        random=np.array([0x9E3779B97F4A7C15 ^ (seed * 7919 + 1)], np.uint64),
    )


@compiled_when_called
def uniform(state: NDArray[np.uint64]) -> float:
    """A number in [0, 1): Marsaglia's xorshift, 2003, doi:10.18637/jss.v008.i14."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.float64(x >> np.uint64(11)) / 9007199254740992.0  # 2^53


@compiled_when_called
def below(state: NDArray[np.uint64], n: int) -> int:
    """A whole number in 0 .. n - 1."""
    return int(uniform(state) * n)


@compiled_when_called
def choose_all(region: Region) -> None:
    """Let the region be the whole network."""
    n = region.place_of_pledge.size
    for i in range(n):
        region.pledges[i] = i
        region.place_of_pledge[i] = i
    region.size[0] = n


@compiled_when_called
def choose_near(network: Network, holder: IntArray, most: int, region: Region) -> None:
    """Grow the region from a random pledge: who holds a seat that a member could have, or might hold it."""
    random = region.random
    _join(below(random, network.capacity.size), region)
    for _ in range(20 * most):
        if region.size[0] >= most:
            break
        i = region.pledges[below(random, region.size[0])]
        start, stop = network.first[i], network.first[i + 1]
        if start == stop:
            continue
        j = network.seat[start + below(random, stop - start)]
        if holder[j] >= 0 and uniform(random) < 0.7:
            _join(network.pledge[holder[j]], region)
        else:
            start, stop = network.seat_first[j], network.seat_first[j + 1]
            _join(network.pledge[network.by_seat[start + below(random, stop - start)]], region)


@compiled_when_called
def _join(pledge: int, region: Region) -> None:
    if region.place_of_pledge[pledge] < 0:
        region.place_of_pledge[pledge] = region.size[0]
        region.pledges[region.size[0]] = pledge
        region.size[0] += 1


@compiled_when_called
def fill_in(network: Network, holder: IntArray, price: Floats, bonus: float, region: Region) -> float:
    """Give the chosen pledges their candidates: seats that they or nobody hold. Returns what they hold now."""
    n_seats, n_candidates, value = 0, 0, 0.0
    for a in range(region.size[0]):
        i = region.pledges[a]
        region.first[a] = n_candidates
        region.room[a] = network.capacity[i]
        for e in range(network.first[i], network.first[i + 1]):
            j = network.seat[e]
            held = holder[j]
            if held >= 0 and region.place_of_pledge[network.pledge[held]] < 0:
                continue
            f = region.place_of_seat[j]
            if f < 0:
                f = n_seats
                n_seats += 1
                region.place_of_seat[j] = f
                region.seats[f] = j
                region.price[f] = max(0.0, price[j] + bonus)
                region.direction[f] = 0.0
                region.fixed[f] = -1
                region.best[f] = -1
                if held >= 0:
                    value += network.weight[held] + bonus
            c = n_candidates
            n_candidates += 1
            region.edge[c] = e
            region.owner[c] = a
            region.seat[c] = f
            region.weight[c] = network.weight[e] + bonus
            region.hours[c] = network.hours[e]
            region.request[c] = network.request[e]
            region.blocked[c] = 0
            region.mean[c] = 0.0
    region.first[region.size[0]] = n_candidates
    region.size[1], region.size[2] = n_seats, n_candidates
    return value


@compiled_when_called
def write_back(region: Region, holder: IntArray) -> None:
    """Let the seats of the region be held as in its best answer."""
    for f in range(region.size[1]):
        holder[region.seats[f]] = region.best[f]


@compiled_when_called
def clear(region: Region) -> None:
    """Forget the pledges and seats, so that others can be chosen."""
    for a in range(region.size[0]):
        region.place_of_pledge[region.pledges[a]] = -1
    for f in range(region.size[1]):
        region.place_of_seat[region.seats[f]] = -1
    region.size[0], region.size[1], region.size[2] = 0, 0, 0
