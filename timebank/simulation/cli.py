"""`timebank simulate`: ask what a policy would do before people feel it. Needs no database and no configuration."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from timebank.commands import WrongUse, keep_output_clean

DEFAULT_SEEDS = 5  # of a comparison


class Interval(click.ParamType):
    """Hours between two runs, written as `24h`."""

    name = "HOURSh"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        number = value.removesuffix("h")
        if not (value.endswith("h") and number.isdecimal() and 1 <= int(number) <= 168):
            self.fail(f"{value!r} is no number of hours from 1h to 168h", param, ctx)
        return int(number)


# What a policy is made of, under the names that --compare knows as well.
POLICY_TYPES: dict[str, click.ParamType] = {
    "every": Interval(),
    "expiry-days": click.IntRange(1, 60),
    "waiting-weight": click.IntRange(0, 1_000_000),
    "mode": click.STRING,
}


class Change(click.ParamType):
    """`NAME=VALUE`: how the other policy differs."""

    name = "NAME=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        name, equals, given = value.partition("=")
        if not equals or name not in POLICY_TYPES:
            self.fail(f"{value!r} is none of {', '.join(f'{each}=…' for each in POLICY_TYPES)}", param, ctx)
        return name.replace("-", "_"), POLICY_TYPES[name].convert(given, param, ctx)


@click.command("simulate")
@click.option("--days", type=click.IntRange(1, 3660), default=180, show_default=True, help="How long.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same gives the same.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2026-09-01",
    show_default=True,
    help="The first day.",
)
@click.option(
    "--pledges", type=click.IntRange(0, 100_000), default=1000, show_default=True, help="Pledges a year."
)
@click.option(
    "--seats", type=click.IntRange(0, 100_000), default=1000, show_default=True, help="Seats a year."
)
@click.option(
    "--world",
    "kind",
    type=click.Choice(["mixed", "scarce", "alike"]),
    default="mixed",
    show_default=True,
    help="Seats ask for what many offer, for what few offer, or all for the same.",
)
@click.option(
    "--every", type=POLICY_TYPES["every"], default="24h", show_default=True, help="Time between two runs."
)
@click.option(
    "--expiry-days",
    type=POLICY_TYPES["expiry-days"],
    default=7,
    show_default=True,
    help="Days until a proposal expires.",
)
@click.option(
    "--waiting-weight",
    type=POLICY_TYPES["waiting-weight"],
    default=5,
    show_default=True,
    help="Points for each day that a seat waits.",
)
@click.option("--mode", default="single", show_default=True, help="What a pledge may take in one run.")
@click.option(
    "--declines",
    type=click.FloatRange(0, 1),
    default=0.15,
    show_default=True,
    help="Chance that a side that answers says no.",
)
@click.option(
    "--silent",
    type=click.FloatRange(0, 1),
    default=0.08,
    show_default=True,
    help="Chance that a side never answers.",
)
@click.option(
    "--answer-days",
    type=click.FloatRange(0, 60),
    default=2,
    show_default=True,
    help="Days to an answer, the median.",
)
@click.option(
    "--no-shows",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Chance that a session is not held.",
)
@click.option("--repeats", type=click.IntRange(1, 1000), help="Seeds to average over, from --seed on.")
@click.option(
    "--compare",
    "changes",
    type=Change(),
    multiple=True,
    help="Also replay another policy, which differs in this (may be repeated), over 5 seeds or --repeats.",
)
@click.option(
    "--plot", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write a plot (.svg)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    days: int,
    seed: int,
    start: datetime,
    pledges: int,
    seats: int,
    kind: Any,
    every: int,
    expiry_days: int,
    waiting_weight: int,
    mode: str,
    declines: float,
    silent: float,
    answer_days: float,
    no_shows: float,
    repeats: int | None,
    changes: Sequence[tuple[str, Any]],
    plot: Path | None,
    as_json: bool,
) -> None:
    """Replay months of pledges, requests, answers and sessions against the matching, and print what came of it.

    Ctrl-C ends it with what was simulated so far.
    """
    from timebank.matching.kernel import ProblemError
    from timebank.simulation import experiment, printing
    from timebank.simulation.replay import Policy
    from timebank.simulation.world import People

    if plot and not plot.absolute().parent.is_dir():
        raise WrongUse(f"there is no folder {plot.absolute().parent}")
    policy = Policy(every, expiry_days, waiting_weight, mode)
    policies = [policy, replace(policy, **dict(changes))] if changes else [policy]
    if policies.count(policy) > 1:
        raise WrongUse("the policy to compare with is the same")
    setting = experiment.Setting(
        seed=seed,
        repeats=repeats or (DEFAULT_SEEDS if changes else 1),
        days=days,
        start=start.date(),
        pledges_a_year=pledges,
        seats_a_year=seats,
        kind=kind,
        people=People(declines, silent, answer_days, no_shows),
    )
    keep_output_clean()
    try:
        with _interrupt_noted() as interrupted, _progress(setting.days_to_replay(policies)) as progress:
            done = experiment.run(setting, policies, stop=interrupted, progress=progress)
    except ProblemError as error:
        raise WrongUse(str(error)) from None
    if not done.complete:
        click.echo("timebank: stopped before the end; this is what was simulated", err=True)
    if plot:
        plot.write_text(printing.as_svg(done), encoding="utf-8")
    click.echo(json.dumps(printing.as_json(setting, done)) if as_json else printing.as_text(setting, done))


@contextmanager
def _interrupt_noted() -> Iterator[Callable[[], bool]]:
    """Note the first Ctrl-C instead of breaking off in the middle of a day; the second one breaks off."""
    noted: list[int] = []

    def note(number: int, _frame: object) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(days: int) -> Iterator[Callable[[int], None]]:
    """Tell how much of so many days is done, on a terminal only, and leave nothing of it behind."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    told = -1

    def tell(done: int) -> None:
        nonlocal told
        percent = 100 * done // days
        if percent != told:
            told = percent
            click.echo(f"\r\x1b[K{percent} %", nl=False, err=True)

    try:
        yield tell
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)
