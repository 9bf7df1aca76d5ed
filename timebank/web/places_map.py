"""Flanders and Brussels as a grid of dots, made at build time (see `timebank.web.assets`), in kilometres.

x grows to the east and y to the south, from a corner in the North Sea. Over so small a country a plain projection is
within a kilometre of the real distances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import cos, radians
from pathlib import Path

NORTH, WEST, MIDDLE = 51.52, 2.52, 51.05
KM_PER_DEGREE = 111.2
PITCH = 5.2  # kilometres between two dots of a row
GENERATED = Path(__file__).parent / "static" / "generated"

Dot = tuple[float, float]


@dataclass(frozen=True)
class Land:
    """The dots of each province and of Brussels, by NUTS 2 code, and the box of the drawing."""

    regions: dict[str, list[Dot]]
    box: str

    def dots(self) -> Iterator[Dot]:
        for code in sorted(self.regions):
            yield from self.regions[code]


def project(lat: float, lon: float) -> Dot:
    """Kilometres east and south of the corner of the map."""
    x = (lon - WEST) * KM_PER_DEGREE * cos(radians(MIDDLE))
    y = (NORTH - lat) * KM_PER_DEGREE
    return round(x, 1), round(y, 1)


def path(dots: Iterable[Dot]) -> str:
    """Path data: a line of no length for each dot, which a round cap makes a disc."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in dots)


@cache
def load(folder: Path = GENERATED) -> Land:
    """The dots that the build made. Raises RuntimeError when they were never made."""
    file = folder / "map.json"
    if not file.is_file():
        raise RuntimeError("The map is not built: run `python -m timebank.web.assets`")
    data = json.loads(file.read_text(encoding="utf-8"))
    regions = {code: [(x, y) for x, y in dots] for code, dots in data["regions"].items()}
    return Land(regions, data["box"])
