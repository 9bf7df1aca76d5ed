"""Branch and bound by HiGHS, where a problem is small enough for it."""

from __future__ import annotations

from math import floor
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from timebank.matching.kernel.bundle.linear import load_rows, once_rows
from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.problem import IntArray

_TOLERANCE: Final = 1e-6


class Exact(NamedTuple):
    """What branch and bound found: an answer or none, a bound or none, and whether there is no answer."""

    holder: IntArray | None
    bound: int | None
    infeasible: bool


def branch_and_bound(network: Network, must_fill: bool, seconds: float) -> Exact:
    """Solve it whole for so many seconds. HiGHS counts in floats: whoever takes the answer checks it."""
    if not network.size:
        return Exact(None, None, must_fill and network.n_seats > 0)
    every = np.arange(network.size)
    limits = [
        LinearConstraint(once_rows(network, every), 1.0 if must_fill else -np.inf, 1.0),
        LinearConstraint(load_rows(network, every), -np.inf, network.capacity.astype(float)),
    ]
    apart = _one_of_each_request(network)
    if apart is not None:
        limits.append(LinearConstraint(apart, -np.inf, 1.0))
    found = milp(
        -network.weight,
        integrality=np.ones(network.size, np.int64),
        bounds=Bounds(0.0, 1.0),
        constraints=limits,
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        return Exact(None, None, found.status == 2)
    holder = np.full(network.n_seats, -1, np.int64)
    chosen = np.flatnonzero(found.x > 0.5)
    holder[network.seat[chosen]] = chosen
    bound = -found.mip_dual_bound
    return Exact(
        holder, floor(bound + _TOLERANCE * max(1.0, abs(bound) * 1e-3)) if np.isfinite(bound) else None, False
    )


def _one_of_each_request(network: Network) -> csr_array | None:
    """A row for each pledge and request with more than one seat."""
    pair = network.pledge.astype(np.int64) * (int(network.request.max()) + 1) + network.request
    _, row, count = np.unique(pair, return_inverse=True, return_counts=True)
    several = count > 1
    if not several.any():
        return None
    place = np.cumsum(several) - 1
    kept = np.flatnonzero(several[row])
    return csr_array((np.ones(kept.size), (place[row[kept]], kept)), shape=(int(several.sum()), network.size))
