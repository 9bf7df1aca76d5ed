"""What open proposals hold of a tranche: the room of matches, which stands above this one, tells it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

# Minutes by tranche id, for open proposals only; what is confirmed is booked in the ledger.
Source = Callable[[Session, Sequence[int]], dict[int, int]]

_sources: list[Source] = []


def source(function: Source) -> Source:
    """Register who knows of held minutes."""
    if function not in _sources:
        _sources.append(function)
    return function


def held_minutes(session: Session, tranche_ids: Sequence[int]) -> dict[int, int]:
    """Minutes that open proposals hold, by tranche id; a tranche without any is left out."""
    held: dict[int, int] = {}
    for function in _sources:
        for tranche_id, minutes in function(session, tranche_ids).items():
            held[tranche_id] = held.get(tranche_id, 0) + minutes
    return held
