"""An experiment in words and numbers: a table for people, JSON for programs, names for policies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from timebank.simulation.experiment import Experiment, Setting
from timebank.simulation.measures import MEASURES, Estimate, differences, estimates, figures
from timebank.simulation.plot import Series, svg
from timebank.simulation.replay import Policy

_LABEL, _CELL = 44, 22
# Of each unit: what a value is multiplied by, its decimals, and what stands behind it.
_FORMATS = {
    "count": (1, 0, ""),
    "ratio": (1, 2, ""),
    "share": (100, 1, "%"),
    "points": (100, 1, "points"),
    "days": (1, 1, "days"),
    "hours": (1, 0, "hours"),
    "seconds": (1, 2, "s"),
}
_DIFFERENCE = {"share": "points"}  # per cent of something else would be another figure


def as_text(setting: Setting, done: Experiment) -> str:
    """A line for each measure: its mean with the margin of a 95 % confidence interval where there are several
    seeds, and the difference where there are two policies."""
    by_policy = _figures(done)
    columns = [{m.name: _cell(m.unit, e[m.name]) for m in MEASURES} for e in map(estimates, by_policy)]
    if len(by_policy) == 1:
        lines = [extent(setting, done), names(done.policies)[0], ""]
    else:
        apart = differences(*by_policy)
        columns.append({m.name: _cell(_DIFFERENCE.get(m.unit, m.unit), apart[m.name]) for m in MEASURES})
        heads = [*names(done.policies), "difference"]
        lines = [extent(setting, done), "", " " * _LABEL + "".join(f"{head:>{_CELL}}" for head in heads)]
    for measure in MEASURES:
        cells = "".join(f"{column[measure.name]:>{_CELL}}" for column in columns)
        lines.append(f"{measure.label:{_LABEL}}{cells}")
    return "\n".join(lines)


def as_json(setting: Setting, done: Experiment) -> dict[str, Any]:
    """The same, with the figures of each seed; what has no value is null."""
    by_policy = _figures(done)
    result: dict[str, Any] = {
        "days": done.records[0][0].days,
        "seeds": [record.world.seed for record in done.records[0]],
        "complete": done.complete,
        "setting": asdict(setting) | {"start": setting.start.isoformat()},
        "policies": [
            {"policy": asdict(policy), "mean": _plain(estimates(each)), "seeds": [_known(f) for f in each]}
            for policy, each in zip(done.policies, by_policy, strict=True)
        ],
    }
    if len(by_policy) == 2:
        result["difference"] = _plain(differences(*by_policy))
    return result


def as_svg(done: Experiment) -> str:
    pairs = zip(names(done.policies), done.records, strict=True)
    return svg([Series(name, records) for name, records in pairs])


def extent(setting: Setting, done: Experiment) -> str:
    """What was simulated: so many days, seeds, pledges and seats."""
    records = done.records[0]
    seeds = [record.world.seed for record in records]
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    pledges = round(sum(r.world.problem.n_pledges for r in records) / len(records))
    seats = round(sum(r.world.problem.n_seats for r in records) / len(records))
    return (
        f"{records[0].days} days from {setting.start}, {which}, {setting.kind} world: "
        f"{pledges} pledges and {seats} seats in {setting.days} days"
    )


def names(policies: Sequence[Policy]) -> list[str]:
    """What tells policies apart; of a single one, all that it is."""
    telling = [
        field.name
        for field in fields(Policy)
        if len(policies) == 1 or len({getattr(policy, field.name) for policy in policies}) > 1
    ]
    return [", ".join(_named(name, getattr(policy, name)) for name in telling) for policy in policies]


def _named(name: str, value: object) -> str:
    return f"{name.replace('_', '-')} {value}{'h' if name == 'every' else ''}"


def _figures(done: Experiment) -> list[list[dict[str, float]]]:
    return [[figures(record) for record in records] for records in done.records]


def _cell(unit: str, estimate: Estimate) -> str:
    if math.isnan(estimate.mean):
        return "-"
    scale, decimals, behind = _FORMATS[unit]
    mean = f"{scale * estimate.mean:,.{decimals}f}"
    margin = "" if math.isnan(estimate.margin) else f" ± {scale * estimate.margin:,.{decimals}f}"
    return f"{mean}{margin} {behind}".rstrip()


def _plain(values: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: _known(asdict(estimate)) for name, estimate in values.items()}


def _known(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
