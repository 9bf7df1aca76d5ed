"""The plots of the pages as drawings that stand alone: the same geometry, with the colours and the font written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, sqrt

from timebank.web import places_map
from timebank.web.discs import Discs
from timebank.web.plots import Row, column_plot, dot_plot, row_plot

INK, SOFT, LINE, HONEY, SUNK = "#16241d", "#4b5850", "#d6d8cb", "#f4b52b", "#dcded1"


def _svg(box: str, width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{width:g}" height="{height:g}"'
        f' font-family="Manrope" font-size="12" fill="{INK}">{"".join(parts)}</svg>'
    )


def months(rows: Sequence[Row]) -> str:
    """Hours by month: confirmed in full bars, pledged in outline behind them."""
    plot = column_plot(rows)
    parts = []
    for index, line in enumerate(plot.lines):
        colour = LINE if index else INK
        parts.append(f'<path d="M30 {line.y}H{plot.width}" stroke="{colour}"/>')
        parts.append(_text(23, line.y + 4, str(line.value), SOFT, "end"))
    # As many names of months as there is room for.
    every = -(-len(plot.bars) // 14)
    for index, bar in enumerate(plot.bars):
        if bar.free:
            parts.append(_rect(bar.x, bar.free_y, bar.width, bar.free, "none", INK))
        if bar.given:
            parts.append(_rect(bar.x, bar.given_y, bar.width, bar.given, HONEY, INK))
        if index % every == 0:
            parts.append(_text(bar.middle, plot.height - 7, bar.label, SOFT, "middle"))
    return _svg(f"0 0 {plot.width} {plot.height}", plot.width, plot.height, parts)


def bars(rows: Sequence[tuple[str, int]]) -> str:
    """Hours of a few things, longest bar first; each with its name above and its figure behind."""
    plot = row_plot(rows)
    parts = []
    for bar in plot.bars:
        parts.append(_text(0, bar.text_y, bar.label, INK))
        if bar.width:
            parts.append(_rect(1, bar.y, bar.width, 15, HONEY, INK))
        parts.append(_text(bar.width + 11, bar.y + 12, bar.said, INK, weight=700))
    return _svg(f"0 0 400 {plot.height + 2}", 400, plot.height + 2, parts)


def regions(minutes: Mapping[str, int]) -> str:
    """Flanders and Brussels in dots, larger and in honey where more hours went."""
    plot = dot_plot(regions=minutes, cities=True)
    parts = [_dots(plot.land, SUNK, 3)]
    for region in plot.regions:
        parts += [_dots(region.path, INK, region.edge), _dots(region.path, HONEY, region.width)]
    for city in plot.cities:
        parts.append(_label(city.x, city.y, city.label))
    _x, _y, width, height = plot.box.split()
    return _svg(plot.box, float(width) * 2, float(height) * 2, parts)


def discs(drawn: Discs) -> str:
    """One disc is one hour: full when confirmed, an outline when pledged. In a field that is wider than high."""
    pitch, parts = 12, []
    marks = list(drawn.marks)
    columns = max(10, ceil(sqrt(len(marks) * 2.4)))
    for index, mark in enumerate(marks):
        x, y = index % columns * pitch + 6, index // columns * pitch + 6
        fill = HONEY if mark == "g" else "none"
        parts.append(f'<circle cx="{x}" cy="{y}" r="4.4" fill="{fill}" stroke="{INK}" stroke-width=".8"/>')
    height = max(1, -(-len(marks) // columns)) * pitch
    return _svg(f"0 0 {columns * pitch} {height}", columns * pitch, height, parts)


def places() -> list[str]:
    """The NUTS 2 codes that the map shows."""
    return sorted(places_map.load().regions)


def _dots(path: str, colour: str, width: float) -> str:
    return f'<path d="{path}" stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round" fill="none"/>'


def _rect(x: float, y: float, width: float, height: float, fill: str, edge: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="2.5" fill="{fill}" stroke="{edge}"/>'


def _text(
    x: float, y: float, text: str, colour: str, anchor: str = "start", *, size: float = 12, weight: int = 400
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}" font-size="{size:g}"'
        f' font-weight="{weight}">{escape(text)}</text>'
    )


def _label(x: float, y: float, text: str) -> str:
    """A name on the map, with paper around its letters."""
    halo = _text(x, y, text, "#fffffb", "middle", size=7, weight=600)
    halo = halo.replace("<text ", '<text stroke="#fffffb" stroke-width="2" stroke-linejoin="round" ')
    return halo + _text(x, y, text, INK, "middle", size=7, weight=600)
