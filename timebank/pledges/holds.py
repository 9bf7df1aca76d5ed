"""What open proposals hold of a tranche, and who confirmed its hours: the room of matches, which stands above this one,
tells it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

# Minutes by tranche id, for open proposals only; what is confirmed is booked in the ledger.
Source = Callable[[Session, Sequence[int]], dict[int, int]]

# Whether a user confirmed hours of a pledge, both by id.
Confirmed = Callable[[Session, int, int], bool]

_sources: list[Source] = []
_confirmed: list[Confirmed] = []


def source(function: Source) -> Source:
    """Register who knows of held minutes."""
    if function not in _sources:
        _sources.append(function)
    return function


def confirmations(function: Confirmed) -> Confirmed:
    """Register who knows of confirmed hours."""
    if function not in _confirmed:
        _confirmed.append(function)
    return function


def confirmed_hours(session: Session, pledge_id: int, user_id: int) -> bool:
    """Whether the user said, for an initiative, that hours of the pledge were given."""
    return any(function(session, pledge_id, user_id) for function in _confirmed)


def held_minutes(session: Session, tranche_ids: Sequence[int]) -> dict[int, int]:
    """Minutes that open proposals hold, by tranche id; a tranche without any is left out."""
    held: dict[int, int] = {}
    for function in _sources:
        for tranche_id, minutes in function(session, tranche_ids).items():
            held[tranche_id] = held.get(tranche_id, 0) + minutes
    return held
