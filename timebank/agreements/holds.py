"""What rests on the agreements of a company and an initiative: the room of matches, which stands above this one, locks
it here.

An act on a match locks the match first and comes to its agreement last. An act on an agreement touches matches too, so
it takes their locks before its own: in the one order that every room keeps, nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

# Takes the ids of the organisation and the initiative.
Locker = Callable[[Session, int, int], None]

_lockers: list[Locker] = []


def locker(function: Locker) -> Locker:
    """Register who locks what rests on a pair's agreements."""
    if function not in _lockers:
        _lockers.append(function)
    return function


def lock_resting(session: Session, organisation_id: int, initiative_id: int) -> None:
    """Lock what rests on the agreements of the two, until the end of the transaction."""
    for function in _lockers:
        function(session, organisation_id, initiative_id)
