"""Facts of this room."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class FileImported(Event):
    """Rows of a file were applied; `new` and `changed` count those of this transaction."""

    kind: str
    file: str
    new: int
    changed: int
    missing: int
    closed_missing: bool
