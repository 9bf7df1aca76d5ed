"""Branch and bound on the prices: what no better answer holds is fixed in every node, the rest is branched on.

Depth first, by the seat whose candidates all cost the bound much (Fisher, Jaikumar and Van Wassenhove, "A multiplier
adjustment method for the generalized assignment problem", 1986, doi:10.1287/mnsc.32.9.1095; fixing as in `fixing`).
All bounds are whole numbers, so that an emptied tree is a proof.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.bundle.certificate import bundle_worths, exact_sum, price_scale, whole_prices
from timebank.matching.kernel.bundle.fixing import losses
from timebank.matching.kernel.bundle.network import Network, with_only
from timebank.matching.kernel.bundle.relaxation import Floats, tighten
from timebank.matching.kernel.bundle.search import Answer
from timebank.matching.kernel.problem import IntArray

_PASSES: Final = 12
_FIXINGS: Final = 3
"""In a node, prices are tightened for so many passes, and so often as long as candidates can be fixed."""
_SECONDS: Final = 0.5
"""So long at most."""
_LEAST: Final = 10.0
"""How much more the loss by a seat's best candidate counts than that by its second, where a seat is chosen."""


class Node(NamedTuple):
    """A part of the answers: who holds the seats that are settled, and which candidates are left for the others."""

    holder: IntArray  # (S,) the candidate in the root's network, or -1
    left: IntArray  # candidates in the root's network
    room: IntArray  # (P,)
    price: Floats  # (S,)


class Tree:
    """The nodes still to be looked at."""

    def __init__(self, network: Network, price: Floats, must_fill: bool, answer: Answer) -> None:
        self._network, self._must_fill, self._answer = network, must_fill, answer
        self._most = np.zeros(network.n_seats, np.int64)
        np.maximum.at(self._most, network.seat, network.weight.astype(np.int64))
        self._scale = price_scale(int(self._most.max(initial=1)), network.n_seats)
        self._pair = network.pledge * (int(network.request.max(initial=0)) + 1) + network.request
        nobody = np.full(network.n_seats, -1, np.int64)
        self._open = [Node(nobody, np.arange(network.size), network.capacity, price)]

    @property
    def done(self) -> bool:
        """Whether nothing better than the answer is left."""
        return not self._open

    @property
    def left(self) -> int:
        """How many candidates are left in the next node."""
        return int(self._open[-1].left.size) if self._open else 0

    def step(self) -> None:
        """Look at one node: it is settled, or replaced by its children."""
        node = self._open.pop()
        for _ in range(_FIXINGS):
            better = self._answer.least_better
            fixed = self._fix(node, better)
            if fixed is None:
                return
            node, loss, changed = fixed
            if not node.left.size:
                self._answer.offer(self._network, node.holder)
                return
            if not changed:
                break
        self._branch(node, loss)

    def _fix(self, node: Node, better: int) -> tuple[Node, IntArray, bool] | None:
        """The node without what nothing better can hold; None where it holds nothing better."""
        seats = np.flatnonzero(node.holder < 0)
        part = self._part(node, seats)
        wanted = np.diff(part.seat_first) > 0
        if self._must_fill and not wanted.all():
            return None
        fixed = int(self._network.weight[node.holder[node.holder >= 0]].sum())
        start = np.where(wanted, node.price[seats], 0.0)
        relaxed = tighten(part, start, self._must_fill, better - fixed, lambda: False, _SECONDS, _PASSES)
        price = whole_prices(relaxed.price, self._most[seats], self._scale, self._must_fill)
        bound = exact_sum(price) + exact_sum(bundle_worths(part, price, self._scale))
        slack = bound - (better - fixed) * self._scale
        if slack < 0:
            return None
        held, left_out = losses(part, price, self._scale)
        keep = held <= slack
        sure = keep & (left_out > slack)
        if self._must_fill:
            sure |= keep & (np.bincount(part.seat[keep], minlength=seats.size) == 1)[part.seat]
        settled = self._settle(node, node.left[sure])
        if settled is None:
            return None
        keep = np.isin(node.left, settled.left[np.isin(settled.left, node.left[keep])])
        prices = node.price.copy()
        prices[seats] = relaxed.price
        changed = bool(keep.sum() < 0.95 * node.left.size)
        return settled._replace(left=node.left[keep], price=prices), held[keep], changed

    def _part(self, node: Node, seats: IntArray) -> Network:
        """What is left of the network, with these seats alone."""
        part = with_only(self._network, node.left)
        place = np.zeros(self._network.n_seats, np.int32)
        place[seats] = np.arange(seats.size, dtype=np.int32)
        return part._replace(
            capacity=node.room, seat=place[part.seat], seat_first=part.seat_first[np.append(seats, -1)]
        )

    def _settle(self, node: Node, candidates: IntArray) -> Node | None:
        """The node with these candidates chosen; None where they do not go together."""
        network, left = self._network, node.left
        holder, room = node.holder.copy(), node.room.copy()
        holder[network.seat[candidates]] = candidates
        pledge = network.pledge[candidates]
        np.subtract.at(room, pledge, network.hours[candidates])
        pair = self._pair[candidates]
        if (room < 0).any() or np.unique(pair).size < pair.size:
            return None
        fits = (holder[network.seat[left]] < 0) & (network.hours[left] <= room[network.pledge[left]])
        fits &= ~np.isin(self._pair[left], pair)
        return Node(holder, left[fits], room, node.price)

    def _branch(self, node: Node, loss: IntArray) -> None:
        """A child for each candidate of one seat, and one without any where it may stay empty."""
        seat = self._network.seat[node.left]
        order = np.lexsort((loss, seat))
        first = np.flatnonzero(np.diff(seat[order], prepend=-1))
        count = np.diff(np.append(first, order.size))
        least = loss[order[first]]
        second = np.where(count > 1, loss[order[np.minimum(first + 1, order.size - 1)]], 0)
        k = int(np.argmax(second + _LEAST * least))
        children = node.left[order[first[k] : first[k] + count[k]]]
        rest = node._replace(left=node.left[seat != self._network.seat[children[0]]])
        if not self._must_fill:
            self._open.append(rest)
        for e in children[::-1]:
            child = self._settle(rest, e[None])
            if child is not None:
                self._open.append(child)
