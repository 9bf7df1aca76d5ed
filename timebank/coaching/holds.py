"""Which seats are held: the room of matches, which stands above this one, tells it here."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session


class Hold(enum.StrEnum):
    PROPOSED = "proposed"  # a proposal that waits for an answer
    TAKEN = "taken"  # both said yes: confirmed, active or completed


# By seat id, for the seats of these requests; a free seat is left out.
Source = Callable[[Session, Sequence[int]], dict[int, Hold]]

_sources: list[Source] = []


def source(function: Source) -> Source:
    """Register who knows of held seats."""
    if function not in _sources:
        _sources.append(function)
    return function


def held_seats(session: Session, request_ids: Sequence[int]) -> dict[int, Hold]:
    """Holds by seat id; a free seat is left out."""
    held: dict[int, Hold] = {}
    if request_ids:
        for function in _sources:
            held.update(function(session, request_ids))
    return held
