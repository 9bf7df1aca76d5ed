"""What a skill picker posts (see components/skills.html), with or without a script."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import MultiDict


@dataclass(frozen=True)
class Picked:
    """The chosen skills with their levels, in the order chosen.

    `changed` says that a button of the picker sent the form, so that it is to be shown again rather than judged.
    """

    chosen: list[tuple[int, int]]
    changed: bool


def read(name: str, values: MultiDict[str, str] | None = None, level: int = 2) -> Picked:
    """What the picker `name` holds after the button that was pressed. A skill added gets `level`."""
    values = request.values if values is None else values
    chosen: dict[int, int] = {}
    for skill in _numbers(values.getlist(name)):
        chosen[skill] = _level(values.get(f"{name}-level-{skill}"), level)
    changed = False
    if f"{name}-add" in values:
        changed = True
        for skill in _numbers([values[f"{name}-add"] or values.get(f"{name}-choose", "")]):
            chosen.setdefault(skill, level)
    if f"{name}-drop" in values:
        changed = True
        for skill in _numbers([values[f"{name}-drop"]]):
            chosen.pop(skill, None)
    return Picked(list(chosen.items()), changed)


def _numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10]


def _level(text: str | None, otherwise: int) -> int:
    return int(text) if text in ("1", "2", "3") else otherwise
