"""What a solver hands back: who sits where, and the prices that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.candidates import Pairs

Mode = Literal["single", "bundle"]
Status = Literal["optimal", "feasible", "infeasible", "unknown"]


class Optimum(NamedTuple):
    """What an engine of single mode finds: the candidates that it solved, in any order, the pledge of each
    seat, -1 for none, and the prices; `proved` is its weight, where the engine has looked already whether these
    prove it."""

    pairs: Pairs
    seat_pledge: NDArray[np.int32]
    seat_price: NDArray[np.int64]
    pledge_price: NDArray[np.int64]
    proved: int | None = None


@dataclass(frozen=True, eq=False)
class Assignment:
    """A solution and its certificate.

    Attributes
    ----------
    seat_pledge : (S,) int32, the pledge of each seat, -1 for none
    value, bound : total weight, and what no solution can exceed
    gap : ``(bound - value) / max(value, 1)``
    seat_price, pledge_price : (S,) and (P,) int64. Single mode: all >= 0. Each candidate's weight is at most the
        sum of the prices of its two ends, so the sum of all prices bounds every solution from above. Bundle
        mode: a pledge's price is the most that a bundle can be worth to it after the prices of its seats, so
        the sum of all prices is a bound once more, and no seat price is below 0 but where seats must be filled
    price_scale : prices are in units of ``1 / price_scale``; 1 in single mode
    seconds : from loaded arrays to value and prices
    mode, status : ``optimal`` is proved by the prices, ``feasible`` may be; ``infeasible``: it is proved that
        not all seats can be filled that must be; ``unknown``: the time was up before there was an answer. The
        last two leave all seats without a pledge
    proved_bound : bundle mode, a bound by branch and bound, where that has one; it may be below that of the
        prices, which cannot prove it
    """

    seat_pledge: NDArray[np.int32]
    value: int
    bound: int
    gap: float
    seat_price: NDArray[np.int64]
    pledge_price: NDArray[np.int64]
    price_scale: int
    seconds: float
    mode: Mode
    status: Status
    proved_bound: int | None = None
