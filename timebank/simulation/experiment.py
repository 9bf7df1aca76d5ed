"""Policies over seeds: each world is replayed under every policy, so that the policies alone make the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from timebank.simulation.replay import Policy, Record, simulate
from timebank.simulation.world import Kind, People, make_world


@dataclass(frozen=True)
class Setting:
    """What is the same for all policies."""

    seed: int
    repeats: int
    days: int
    start: date
    pledges_a_year: int
    seats_a_year: int
    kind: Kind
    people: People


@dataclass(frozen=True)
class Experiment:
    """The records of each policy, seed by seed; `complete` unless it was stopped.

    What was stopped holds whole seeds only, or, before the first was whole, the first policy's days so far.
    """

    policies: Sequence[Policy]
    records: Sequence[Sequence[Record]]
    complete: bool


def run(
    setting: Setting,
    policies: Sequence[Policy],
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda seed, day: None,
) -> Experiment:
    """Replay the seeds from `setting.seed` on, each under all policies.

    Raises
    ------
    ProblemError : the kernel has no such mode
    """
    whole: list[list[Record]] = [[] for _ in policies]
    for number in range(setting.repeats):
        world = make_world(
            setting.seed + number,
            days=setting.days,
            start=setting.start,
            pledges_a_year=setting.pledges_a_year,
            seats_a_year=setting.seats_a_year,
            kind=setting.kind,
        )
        records: list[Record] = []
        for policy in policies:
            at = len(records) * setting.days

            def tell(day: int, number: int = number, at: int = at) -> None:
                progress(number, at + day)

            record = simulate(world, policy, setting.people, stop=stop, progress=tell)
            records.append(record)
            if record.days < setting.days:
                return _stopped(policies, whole, records)
        for each, record in zip(whole, records, strict=True):
            each.append(record)
    return Experiment(policies, whole, True)


def _stopped(
    policies: Sequence[Policy], whole: Sequence[Sequence[Record]], begun: Sequence[Record]
) -> Experiment:
    if whole[0]:
        return Experiment(policies, whole, False)
    return Experiment(policies[:1], [begun[:1]], False)
