"""The drawing of the home page: a working week as a dial of hours, two of which land on the map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin

from timebank.web import places_map

WEEK = 38  # hours of a full-time week in Belgium
LEAVING = (4, 5)  # which hours of the dial leave it
CENTRE, RADIUS = (146.0, 128.0), 112.0
# The map is in kilometres; here is where it stands in the drawing, and how large a kilometre is.
LEFT, TOP, SCALE = 38.3, 196.0, 2.1


@dataclass(frozen=True)
class Town:
    """A town where an hour lands, and the way to it."""

    x: float
    y: float
    way: str


@dataclass(frozen=True)
class Hero:
    """The drawing's geometry."""

    land: str
    transform: str
    hours: list[tuple[float, float]]
    leaving: list[tuple[float, float]]
    ghent: Town
    hasselt: Town


@cache
def draw() -> Hero:
    """The drawing; it is the same for everybody."""
    dial = [_hour(number) for number in range(WEEK)]
    first, second = (dial[number] for number in LEAVING)
    hasselt, ghent = _town(50.930, 5.338), _town(51.054, 3.717)
    return Hero(
        land=places_map.path(places_map.load().dots()),
        transform=f"translate({LEFT:g} {TOP:g}) scale({SCALE:g})",
        hours=[hour for number, hour in enumerate(dial) if number not in LEAVING],
        leaving=[first, second],
        ghent=Town(*ghent, way=_way(second, ghent, (100, -10), (140, -90))),
        hasselt=Town(*hasselt, way=_way(first, hasselt, (252, -66), (40, -176))),
    )


def _hour(number: int) -> tuple[float, float]:
    angle = 2 * pi * number / WEEK - pi / 2
    return round(CENTRE[0] + RADIUS * cos(angle), 1), round(CENTRE[1] + RADIUS * sin(angle), 1)


def _town(lat: float, lon: float) -> tuple[float, float]:
    x, y = places_map.project(lat, lon)
    return round(LEFT + SCALE * x, 1), round(TOP + SCALE * y, 1)


def _way(
    start: tuple[float, float], end: tuple[float, float], out: tuple[int, int], back: tuple[int, int]
) -> str:
    """A curve from beside `start` to just above `end`; `out` and `back` pull it at either end."""
    x, y = start[0] + 8, start[1]
    to = end[0], end[1] - 14
    return (
        f"M{x:.1f} {y:.1f}C{x + out[0]:.1f} {y + out[1]:.1f} "
        f"{to[0] + back[0]:.1f} {to[1] + back[1]:.1f} {to[0]:.1f} {to[1]:.1f}"
    )
