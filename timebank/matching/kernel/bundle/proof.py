"""What is done beside the search, by the thread that waits for it: to prove that nothing better is left.

Where few candidates are left that a better answer could hold, by branch and bound on the prices. Where seats that must
be filled are still empty late, by HiGHS, which also proves that they cannot be.
"""

from __future__ import annotations

from typing import Final

from timebank.matching.kernel.bundle.branch import Tree
from timebank.matching.kernel.bundle.exact import Exact, branch_and_bound
from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.bundle.relaxation import Floats
from timebank.matching.kernel.bundle.search import Answer

_ATTEMPTS: Final = (0.1, 0.3, 0.6)
"""Shares of the time after which it is seen how many candidates are left: fewer, the better the answer is."""
_BRANCHABLE, _FEW = 20_000, 600
"""Candidates in all, and of those left, up to which branching is tried and goes on."""
_LATE: Final = 0.6
_PROVABLE: Final = 50_000
"""Candidates up to which HiGHS is the last resort."""
_NEARLY: Final = 0.9
"""Of the time that is left: HiGHS looks at its watch now and then only."""


class Prover:
    """Works in small steps, so that the time limit and whoever stops the search are heard."""

    def __init__(
        self, network: Network, price: Floats, must_fill: bool, complete: bool, answer: Answer, exact: Exact
    ) -> None:
        self._network, self._price, self._must_fill = network, price, must_fill
        self._answer = answer
        self._attempts = list(_ATTEMPTS) if complete and network.size <= _BRANCHABLE else []
        self._tree: Tree | None = None
        self._desperate = False
        self.exact = exact

    def work(self, passed: float, left: float) -> bool:
        """Take a step, when such a share of the time has passed and so many seconds are left; False for none."""
        if not self._answer.filled and not self._desperate and passed > _LATE:
            self._desperate = True
            self._fill(_NEARLY * left)
            return True
        if self._attempts and passed > self._attempts[0]:
            del self._attempts[0]
            tree = Tree(self._network, self._price, self._must_fill, self._answer)
            tree.step()
            if tree.left <= _FEW:
                self._tree, self._attempts = tree, []
        elif self._tree is None:
            return False
        else:
            self._tree.step()
        if self._tree is not None and self._tree.done:
            self._conclude()
        return True

    def _conclude(self) -> None:
        self._tree = None
        bound = int(self._answer.key[1])
        self.exact = Exact(None, bound, False) if self._answer.filled else Exact(None, None, True)
        self._answer.final.set()

    def _fill(self, seconds: float) -> None:
        if self._network.size <= _PROVABLE:
            self.exact = branch_and_bound(self._network, self._must_fill, seconds)
            if self.exact.holder is not None:
                self._answer.offer(self._network, self.exact.holder)
