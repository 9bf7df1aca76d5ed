"""Which figure feeds which data point of the standards that companies report under.

With reference to these standards, never "compliant": the company decides what is material and what else it reports.
Standards change, so each mapping names the edition that it was made for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from timebank.reports.indicators import Figure, Indicator, Unit
from timebank.reports.service import Report

# Of the mapping as a whole; grows with each change to it.
VERSION = "2026.1"

B4SI = "B4SI (LBG)"
GRI = "GRI Standards"
ESRS = "ESRS / VSME"
IRIS = "IRIS+"
CECP = "CECP"
SDG = "SDG"

# What each is mapped by.
EDITIONS = {
    B4SI: _l("guidance manual of the framework"),
    GRI: _l("GRI 2 (2021), 201, 203, 404, 413 (2016)"),
    ESRS: _l("ESRS of 2023 and VSME of December 2024; directive (EU) 2026/470 changed who must report"),
    IRIS: _l("IRIS catalogue of metrics"),
    CECP: _l("Giving in Numbers"),
    SDG: _l("global indicator framework of the United Nations"),
}


@dataclass(frozen=True)
class DataPoint:
    """What a standard asks, and the indicator that answers it; without one, the programme does not cover it."""

    framework: str
    code: str
    asks: Any
    indicator: str | None
    note: Any = ""


DATA_POINTS = (
    DataPoint(
        B4SI,
        "how: time",
        _l("Working time given, in hours"),
        "delivered",
        _l("Company time only; unpaid time is no input."),
    ),
    DataPoint(
        B4SI,
        "how: time, cost",
        _l("Working time given, at its cost to the company"),
        "value",
        _l("Own cost only; with another basis this is additional information."),
    ),
    DataPoint(B4SI, "management costs", _l("Cost of running the programme"), "management", _l("Apart.")),
    DataPoint(B4SI, "how: cash", _l("Money given"), None),
    DataPoint(B4SI, "how: in kind", _l("Goods and services given"), None),
    DataPoint(
        B4SI,
        "why",
        _l("Charitable gift, community investment or commercial initiative"),
        None,
        _l("The company says so itself; coaching in this programme asks for nothing in return."),
    ),
    DataPoint(B4SI, "what", _l("Subject that was supported"), "delivered", _l("By cause: see that table.")),
    DataPoint(B4SI, "where", _l("Place that was supported"), "delivered", _l("By region: see that table.")),
    DataPoint(B4SI, "who", _l("Organisations that were supported"), "initiatives"),
    DataPoint(
        GRI,
        "2-4",
        _l("Restatements of information"),
        "delivered",
        _l("See the table of restatements, with reason and effect."),
    ),
    DataPoint(
        GRI,
        "2-7",
        _l("Employees, with the method of counting"),
        "participation",
        _l("The headcount by which rates are divided; its method stands on the cover."),
    ),
    DataPoint(
        GRI,
        "201-1",
        _l("Economic value distributed: community investments"),
        "value",
        _l("A memo item, “of which paid time”: wages hold it already, so it is never added."),
    ),
    DataPoint(GRI, "203-1", _l("Infrastructure investments and services supported, pro bono"), "delivered"),
    DataPoint(GRI, "203-2", _l("Significant indirect economic impacts"), None),
    DataPoint(
        GRI,
        "404-1",
        _l("Hours of training that employees received"),
        None,
        _l("Coaching given is no training received."),
    ),
    DataPoint(
        GRI,
        "413-1",
        _l("Operations with local community engagement"),
        "sites",
        _l("Sites that took part; the company gives all of its operations to divide by."),
    ),
    DataPoint(
        ESRS,
        "ESRS S3",
        _l("Affected communities: entity-specific metric"),
        "delivered",
        _l("Where the company finds it material."),
    ),
    DataPoint(
        ESRS,
        "ESRS S1-13",
        _l("Training and skills development"),
        None,
        _l("Coaching given is no training received."),
    ),
    DataPoint(ESRS, "VSME B2", _l("Practices towards a more sustainable economy"), "delivered"),
    DataPoint(ESRS, "VSME C2", _l("Description of these practices and initiatives"), "initiatives"),
    DataPoint(ESRS, "VSME B10", _l("Hours of training per employee"), None, _l("As for S1-13.")),
    DataPoint(
        IRIS,
        "OI8429",
        _l("Community service hours contributed"),
        "delivered",
        _l("The nearest code to the headline figure."),
    ),
    DataPoint(CECP, "participation", _l("Employees who gave at least one hour"), "participation_hour"),
    DataPoint(CECP, "pro bono hours", _l("Hours of skilled service"), "delivered"),
    DataPoint(
        CECP,
        "pro bono value",
        _l("Value of skilled service at its market price"),
        "value",
        _l("Only if the rates of this report are market prices: one basis a report."),
    ),
)


def served_by(key: str) -> list[str]:
    """The data points that an indicator feeds."""
    points = (p for p in DATA_POINTS if p.indicator == key)
    return [
        p.code if p.framework in p.code or p.framework == ESRS else f"{p.framework} {p.code}" for p in points
    ]


def index() -> list[tuple[str, list[DataPoint]]]:
    """The data points of each framework, with the edition that they were mapped by."""
    return [
        (_with_edition(framework), [p for p in DATA_POINTS if p.framework == framework])
        for framework in dict.fromkeys(p.framework for p in DATA_POINTS)
    ]


@dataclass(frozen=True)
class Entry:
    """A line of the index, in the reader's language."""

    framework: str
    code: str
    asks: str
    figure: Figure | None
    note: str


def entries(report: Report) -> list[Entry]:
    """The index of a report: each data point with its figure, or none."""
    return [*_fixed(report), *_targets(report)]


def _fixed(report: Report) -> Iterator[Entry]:
    for point in DATA_POINTS:
        figure = report.figure(point.indicator) if point.indicator and report.has(point.indicator) else None
        yield Entry(_with_edition(point.framework), point.code, str(point.asks), figure, str(point.note))


def _targets(report: Report) -> Iterator[Entry]:
    """Hours by the target of the sustainable development goals that each cause serves."""
    minutes: dict[str, int] = {}
    for row in report.causes:
        if row.target:
            minutes[row.target] = minutes.get(row.target, 0) + row.minutes
    for target in sorted(minutes, key=lambda t: [p.zfill(2) for p in t.split(".")]):
        indicator = Indicator(
            "delivered", Unit.HOURS, _("Hours delivered"), _("For this target."), _("As the figure above.")
        )
        yield Entry(
            _with_edition(SDG),
            target,
            _("Target %(target)s of the sustainable development goals", target=target),
            Figure(indicator, minutes[target]),
            _("Hours go to the target of an initiative's primary cause alone."),
        )


def _with_edition(framework: str) -> str:
    return f"{framework} ({EDITIONS[framework]})"
