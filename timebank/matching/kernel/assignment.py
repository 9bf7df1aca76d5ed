"""What a solver hands back: who sits where, and the prices that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Mode = Literal["single"]
Status = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True, eq=False)
class Assignment:
    """A solution and its certificate.

    Attributes
    ----------
    seat_pledge : (S,) int32, the pledge of each seat, -1 for none
    value, bound : total weight, and what no solution can exceed
    gap : ``(bound - value) / max(value, 1)``
    seat_price, pledge_price : (S,) and (P,) int64, all >= 0. Each candidate's weight is at most the sum of
        the prices of its two ends, so the sum of all prices bounds every solution from above
    price_scale : prices are in units of ``1 / price_scale``; 1 in single mode
    seconds : from loaded arrays to value and prices
    mode, status : ``optimal`` is proved by the prices; ``unknown`` means that the time was up, and no seat
        has a pledge
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
