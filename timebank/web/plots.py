"""The geometry of plots. Templates draw what these say; there is no drawing library and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from timebank.web import places_map
from timebank.web.format import hours_digits, hours_exact, number, percent

Row = tuple[str, int, int]


# --- columns: two series over months ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of the grid and the hours it stands for."""

    y: float
    value: int


@dataclass(frozen=True)
class Column:
    """A month: the full bar of what was given before the outline of what was pledged."""

    label: str
    x: float
    width: float
    middle: float
    given: float
    given_y: float
    free: float
    free_y: float


@dataclass(frozen=True)
class ColumnPlot:
    """A whole plot of columns."""

    width: int
    height: int
    lines: list[Line]
    bars: list[Column]
    table: list[tuple[str, str, str]]


def column_plot(rows: Sequence[Row]) -> ColumnPlot:
    """Columns for rows of (label, minutes given, minutes pledged)."""
    width, height, top, bottom, left = 480, 232, 12.0, 206.0, 30
    step = grid_step(max((max(given, free) for _label, given, free in rows), default=0) / 60)
    steps = max(1, -(-max((max(row[1], row[2]) for row in rows), default=0) // (60 * step)))
    scale = (bottom - top) / (steps * step * 60)
    lines = [
        Line(round(bottom - index * (bottom - top) / steps, 1), index * step) for index in range(steps + 1)
    ]
    pitch = (width - left - 2) / max(len(rows), 1)
    bar = round(min(pitch * 0.62, 34), 1)
    bars = []
    for index, (label, given, free) in enumerate(rows):
        x = round(left + 2 + index * pitch + (pitch - bar) / 2, 1)
        bars.append(
            Column(
                label=label,
                x=x,
                width=bar,
                middle=round(x + bar / 2, 1),
                given=round(given * scale, 1),
                given_y=round(bottom - given * scale, 1),
                free=round(free * scale, 1),
                free_y=round(bottom - free * scale, 1),
            )
        )
    given_digits = hours_digits(given for _label, given, _free in rows)
    free_digits = hours_digits(free for _label, _given, free in rows)
    table = [
        (label, hours_exact(given, given_digits), hours_exact(free, free_digits))
        for label, given, free in rows
    ]
    return ColumnPlot(width, height, lines, bars, table)


def grid_step(highest: float) -> int:
    """A round number of hours (1, 2 or 5 times a power of ten) that divides up to `highest` into at most five."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * 5 >= highest:
                return factor * power
        power *= 10


# --- rows: one series, longest first ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowBar:
    """A bar with its words above it and its figure behind it."""

    label: str
    text_y: int
    y: int
    width: int
    said: str


@dataclass(frozen=True)
class RowPlot:
    """A whole plot of rows."""

    height: int
    bars: list[RowBar]
    table: list[tuple[str, str]]


def row_plot(
    rows: Sequence[tuple[str, int]], minutes: bool = True, small: int = 0, share: bool = False
) -> RowPlot:
    """Bars for rows of (label, value); values are minutes, counts of something else, or shares in hundredths of a
    percent. Counts above 0 and below `small` are drawn alike and not said, since so few could be somebody."""
    most = max((value for _label, value in rows), default=0)
    digits = hours_digits(value for _label, value in rows) if minutes else 0

    def hidden(value: int) -> bool:
        return 0 < value < small

    def say(value: int) -> str:
        if hidden(value):
            return str(_("fewer than %(count)s", count=small))
        if share:
            return percent(value / 10_000)
        return hours_exact(value, digits) if minutes else number(value)

    def width(value: int) -> int:
        # The longest leaves room for its figure.
        return (
            round((250 if small else 310) * (min(small - 1, most) if hidden(value) else value) / most)
            if most
            else 0
        )

    bars = [
        RowBar(label, 14 + 46 * index, 20 + 46 * index, width(value), say(value))
        for index, (label, value) in enumerate(rows)
    ]
    return RowPlot(46 * len(rows) - 4, bars, [(label, say(value)) for label, value in rows])


# --- the map ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """A place on the map."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True)
class RegionMark:
    """A province whose dots are drawn larger, in honey."""

    path: str
    width: float
    edge: float


@dataclass(frozen=True)
class DotPlot:
    """A whole map."""

    box: str
    land: str
    near: str
    regions: list[RegionMark]
    cities: list[Mark]
    points: list[Mark]
    me: Mark | None
    reach: float | None


# As municipalities are named in each language, so that a place of the caller is not written twice.
CITIES = (
    (_l("Gent"), 51.054, 3.717),
    (_l("Antwerpen"), 51.221, 4.400),
    (_l("Hasselt"), 50.930, 5.338),
    (_l("Brugge"), 51.209, 3.225),
)


def dot_plot(
    points: Iterable[Mapping[str, object]] = (),
    me: Mapping[str, object] | None = None,
    radius_km: float | None = None,
    regions: Mapping[str, int] | None = None,
    cities: bool = True,
) -> DotPlot:
    """Flanders and Brussels in dots: one unit of the drawing is one kilometre."""
    land = places_map.load()
    centre = _mark(me) if me else None
    reach = radius_km if centre and radius_km else None
    within = [
        dot
        for dot in land.dots()
        if centre and reach and (dot[0] - centre.x) ** 2 + (dot[1] - centre.y) ** 2 <= reach**2
    ]
    marks = [_mark(point) for point in points]
    taken = {mark.label for mark in marks} | ({centre.label} if centre else set())
    return DotPlot(
        box=land.box,
        land=places_map.path(land.dots()),
        near=places_map.path(within),
        regions=_regions(land, regions or {}),
        cities=[
            Mark(*places_map.project(lat, lon), str(name))
            for name, lat, lon in CITIES
            if cities and str(name) not in taken
        ],
        points=marks,
        me=centre,
        reach=reach,
    )


def _mark(point: Mapping[str, object]) -> Mark:
    x, y = places_map.project(float(str(point["lat"])), float(str(point["lon"])))
    return Mark(x, y, str(point.get("label") or ""))


def _regions(land: places_map.Land, values: Mapping[str, int]) -> list[RegionMark]:
    most = max(values.values(), default=0)
    marks = []
    for code, value in sorted(values.items()):
        if value > 0 and code in land.regions:
            width = round(2.2 + 2.4 * (value / most) ** 0.5, 2)
            marks.append(RegionMark(places_map.path(land.regions[code]), width, round(width + 0.9, 2)))
    return marks
