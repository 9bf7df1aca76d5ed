"""Branch and bound on the prices: an emptied tree has found the best answer, or there is none."""

from __future__ import annotations

import numpy as np
import pytest

from tests.matching.kernel.bundles import best_value, random_bundles
from timebank.matching.kernel import BundleProblem
from timebank.matching.kernel.bundle.branch import Tree
from timebank.matching.kernel.bundle.certificate import bundle_worths
from timebank.matching.kernel.bundle.fixing import losses
from timebank.matching.kernel.bundle.network import Network, make_network, with_only
from timebank.matching.kernel.bundle.question import of_edges
from timebank.matching.kernel.bundle.search import Answer


def network_of(problem: BundleProblem) -> Network:
    asked = of_edges(problem)
    pairs = asked.pairs
    return make_network(
        asked.n_seats, pairs.seat, pairs.pledge, pairs.weight, asked.hours, asked.capacity, asked.request
    )


def test_an_emptied_tree_has_found_the_best() -> None:
    rng = np.random.default_rng(21)
    for _ in range(60):
        problem = random_bundles(rng, int(rng.integers(1, 8)), int(rng.integers(1, 5)))
        network = network_of(problem)
        answer = Answer(network, problem.must_fill, bound=2**60)
        tree = Tree(network, np.zeros(problem.n_seats), problem.must_fill, answer)
        while not tree.done:
            tree.step()
        assert (int(answer.key[1]) if answer.filled else None) == best_value(problem)


@pytest.mark.parametrize("held", [True, False])
def test_a_loss_is_what_the_bound_falls_by(held: bool) -> None:
    """Compared with the knapsacks of a network without the candidate, or without all that it excludes."""
    rng = np.random.default_rng(22)
    for _ in range(20):
        network = network_of(random_bundles(rng, 6, 3, must_fill=False))
        price = rng.integers(0, 600, network.n_seats)
        before = bundle_worths(network, price, 1)
        loss = losses(network, price, 1)[0 if held else 1]
        for e in range(network.size):
            i = network.pledge[e]
            other = np.arange(network.size) != e
            if held:
                apart = (network.pledge != i) | (network.request != network.request[e])
                rest = with_only(network, np.flatnonzero(other & apart))
                room = network.capacity - network.hours[e] * (np.arange(network.n_pledges) == i)
                gain = int(network.weight[e]) - price[network.seat[e]]
                after = bundle_worths(rest._replace(capacity=room), price, 1)[i] + gain
            else:
                after = bundle_worths(with_only(network, np.flatnonzero(other)), price, 1)[i]
            assert loss[e] == before[i] - after
