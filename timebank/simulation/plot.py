"""The plot of one policy or two, as an SVG file that needs nothing beside it: no script, no font, no stylesheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from timebank.simulation.measures import estimates, figures, waiting_days
from timebank.simulation.replay import Record
from timebank.simulation.world import BLOCKS_AN_HOUR

Values: TypeAlias = NDArray[np.floating[Any]]

# The platform's colours, in light and dark; honey is for hours only.
_STYLE: Final = """
svg{background:#fffffb;color:#16241d;font:13px Manrope,"Segoe UI",system-ui,sans-serif}
text{fill:currentColor}.soft{fill:#4b5850}.strong{font-weight:650;font-size:14px}
.end{text-anchor:end}.mid{text-anchor:middle}.grid{stroke:#d9dacd}.axis{stroke:currentColor;stroke-width:1.5}
.line{fill:none;stroke:#0f5b43;stroke-width:2.5}
.other{fill:none;stroke:currentColor;stroke-width:2;stroke-dasharray:5 4}
.given{fill:#f4b52b;stroke:#16241d;stroke-width:1.2}.free{fill:none;stroke:currentColor;stroke-width:1.5}
@media(prefers-color-scheme:dark){svg{background:#18221d;color:#ecf0e6}.soft{fill:#a8b5ab}.grid{stroke:#2c3831}
.line{stroke:#7fcfa9}.given{stroke:none}}
"""
_WIDTH, _HEIGHT = 960, 300
_PANEL, _GAP = 270, 50
_LEFT, _TOP, _BOTTOM = 40, 76, 256
_MOST_POINTS: Final = 120


@dataclass(frozen=True)
class Series:
    """One policy: what it is called, and its replays."""

    name: str
    records: Sequence[Record]


@dataclass(frozen=True)
class _Panel:
    """A part of the plot with its own scales; x runs from 0 to `most_x`, y from 0 to `most_y`."""

    at: int
    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        return round(self.at + value / self.most_x * _PANEL, 1)

    def y(self, value: float) -> float:
        return round(_BOTTOM - value / self.most_y * (_BOTTOM - _TOP), 1)


def svg(series: Sequence[Series]) -> str:
    """Three panels for one policy or two: who waits, how soon seats are served, and the hours delivered by month."""
    title = " ".join(_finding(each) for each in series)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="title"><title id="title">{escape(title)}</title><style>{_STYLE}</style>',
        *_legend(series),
        *_waiting(series, _LEFT),
        *_served(series, _LEFT + _PANEL + _GAP),
        *_delivered(series, _LEFT + 2 * (_PANEL + _GAP)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _finding(series: Series) -> str:
    mean = {name: e.mean for name, e in estimates([figures(r) for r in series.records]).items()}
    wait = mean["wait_median_days"]
    half = "" if np.isnan(wait) else f", half of them within {wait:.0f} days"
    served = 0 if np.isnan(mean["served_share"]) else mean["served_share"]
    hours = mean["hours_delivered"]
    return f"{series.name}: {served:.0%} of the seats are served{half}, and {hours:,.0f} hours delivered."


def _legend(series: Sequence[Series]) -> list[str]:
    parts, x = [], _LEFT
    for index, each in enumerate(series):
        line, bar = ("other", "free") if index else ("line", "given")
        parts.append(
            f'<path class="{line}" d="M{x} 20h26"/><rect class="{bar}" x="{x + 32}" y="14" width="9" height="12" '
            f'rx="2"/><text x="{x + 48}" y="24">{escape(each.name)}</text>'
        )
        x += 480
    return parts


def _waiting(series: Sequence[Series], at: int) -> list[str]:
    by_day = [_mean([np.array(r.waiting_by_day, float) for r in each.records]) for each in series]
    days = max(1, *(values.size for values in by_day))
    panel = _Panel(at, days, _round_up(max(values.max(initial=0) for values in by_day)))
    marks = _ticks(days)
    return [
        *_frame(panel, "Seats that wait", [(day, f"{day}") for day in marks], "day"),
        *(_curve(panel, values, np.arange(values.size) + 1.0, index) for index, values in enumerate(by_day)),
    ]


def _served(series: Sequence[Series], at: int) -> list[str]:
    """Of all seats asked, how many were served within so many days."""
    waits = [np.sort(np.concatenate([waiting_days(r) for r in each.records])) for each in series]
    asked = [sum(figures(r)["seats"] for r in each.records) for each in series]
    most = max(1, *(int(np.ceil(w[-1])) if w.size else 1 for w in waits))
    panel = _Panel(at, most, 100)
    days = np.arange(most + 1.0)
    return [
        *_frame(panel, "% of seats served within", [(day, f"{day}") for day in _ticks(most)], "days"),
        *(
            _curve(panel, _reached(wait, days, seats), days, index)
            for index, (wait, seats) in enumerate(zip(waits, asked, strict=True))
        ),
    ]


def _reached(waits: Values, days: Values, seats: float) -> Values:
    share: Values = 100.0 * np.searchsorted(waits, days, side="right") / max(1.0, seats)
    return share


def _delivered(series: Sequence[Series], at: int) -> list[str]:
    by_month = [_mean([_monthly_hours(r) for r in each.records]) for each in series]
    months = max(1, *(values.size for values in by_month))
    panel = _Panel(at, months, _round_up(max(values.max(initial=0) for values in by_month)))
    bars, width = [], 0.7 / len(series)
    for index, values in enumerate(by_month):
        for month, hours in enumerate(values):
            x, y = panel.x(month + 0.15 + width * index), panel.y(float(hours))
            bars.append(
                f'<rect class="{"free" if index else "given"}" x="{x}" y="{y}" '
                f'width="{_PANEL * width / months:.1f}" height="{_BOTTOM - y:.1f}" rx="2"/>'
            )
    names = _month_names(series[0].records[0], months)
    marks = [(month + 0.5, name) for month, name in enumerate(names) if month % (1 + months // 12) == 0]
    return [*_frame(panel, "Hours delivered, by month", marks, ""), *bars]


def _frame(panel: _Panel, title: str, marks: Sequence[tuple[float, str]], unit: str) -> list[str]:
    """The grid, its numbers, and the words around it."""
    parts = [f'<text class="strong" x="{panel.at}" y="{_TOP - 24}">{escape(title)}</text>']
    for part in range(5):
        value = panel.most_y * part / 4
        y = panel.y(value)
        parts.append(
            f'<path class="{"grid" if part else "axis"}" d="M{panel.at} {y}h{_PANEL}"/>'
            f'<text class="soft end" x="{panel.at - 6}" y="{y + 4}">{value:g}</text>'
        )
    for x, label in marks:
        parts.append(f'<text class="soft mid" x="{panel.x(x)}" y="{_BOTTOM + 18}">{escape(label)}</text>')
    if unit:
        parts.append(f'<text class="soft end" x="{panel.at + _PANEL}" y="{_BOTTOM + 36}">{unit}</text>')
    return parts


def _curve(panel: _Panel, values: Values, at: Values, index: int) -> str:
    step = max(1, -(-values.size // _MOST_POINTS))
    points = " ".join(
        f"{panel.x(float(x))},{panel.y(float(value))}"
        for x, value in zip(at[::step], values[::step], strict=True)
    )
    return f'<polyline class="{"other" if index else "line"}" points="{points}"/>'


def _mean(rows: Sequence[Values]) -> Values:
    """The mean of rows as long as the shortest."""
    shortest = min(row.size for row in rows)
    mean: Values = np.mean([row[:shortest] for row in rows], axis=0)
    return mean


def _monthly_hours(record: Record) -> Values:
    month = [day.month + 12 * day.year for day in record.world.calendar.dates[: len(record.delivered_by_day)]]
    if not month:
        return np.zeros(0)
    hours: Values = np.bincount(np.array(month) - month[0], record.delivered_by_day) / BLOCKS_AN_HOUR
    return hours


def _month_names(record: Record, months: int) -> list[str]:
    first = record.world.start.month
    return ["JFMAMJJASOND"[(first - 1 + month) % 12] for month in range(months)]


def _ticks(most: int) -> list[int]:
    step = max(1, _round_up(most / 6))
    return list(range(0, most + 1, int(step)))


def _round_up(value: float) -> float:
    """The least of 1, 2, 4 or 6 times a power of ten that is not below `value`: a quarter of it is easily read."""
    power = 1.0
    while True:
        for factor in (1, 2, 4, 6):
            if factor * power >= value:
                return factor * power
        power *= 10
