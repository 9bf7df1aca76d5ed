"""Who knows the optimum over what is free at this moment, for those who want it at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.orm import Session

from timebank.matching import snapshot as snapshots
from timebank.matching.snapshot import Snapshot

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment


@dataclass(frozen=True)
class Solved:
    """An optimum with its certificate, over what `snapshot` saw."""

    snapshot: Snapshot
    assignment: Assignment


class Optimiser(Protocol):
    """Lives as long as the process, so that it may keep what it solved and repair it."""

    def optimum(self, session: Session, as_of: date) -> Solved:
        """Each seat at most one pledge and each pledge at most one seat, over what is free now, without pairs that
        were asked before."""


class Afresh:
    """Looks and solves anew each time."""

    def optimum(self, session: Session, as_of: date) -> Solved:
        from timebank.matching import kernel

        snapshot = snapshots.take(session, as_of, ask_again=False)
        return Solved(snapshot, kernel.solve(snapshot.problem))
