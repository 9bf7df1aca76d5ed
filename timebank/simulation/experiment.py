"""Policies over seeds: each world is replayed under every policy, so that the policies alone make the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from timebank.simulation.replay import Policy, Record, simulate
from timebank.simulation.world import Kind, People, World, make_world


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

    def days_to_replay(self, policies: Sequence[Policy]) -> int:
        return self.repeats * len(policies) * self.days


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
    progress: Callable[[int], None] = lambda days: None,
) -> Experiment:
    """Replay the seeds from `setting.seed` on, each under all policies.

    Parameters
    ----------
    stop : asked before each simulated day; True ends the experiment there
    progress : told how many days were replayed, all seeds and policies together

    Raises
    ------
    ProblemError : the kernel has no such mode
    """
    whole: list[list[Record]] = [[] for _ in policies]
    replayed = 0
    for seed in range(setting.seed, setting.seed + setting.repeats):
        world = _world(setting, seed)
        records: list[Record] = []
        for policy in policies:
            tell = _counted_from(replayed, progress)
            record = simulate(world, policy, setting.people, stop=stop, progress=tell)
            records.append(record)
            replayed += record.days
            if record.days < setting.days:
                return _stopped(policies, whole, records)
        for each, record in zip(whole, records, strict=True):
            each.append(record)
    return Experiment(policies, whole, True)


def _counted_from(before: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda day: progress(before + day)


def _world(setting: Setting, seed: int) -> World:
    return make_world(
        seed,
        days=setting.days,
        start=setting.start,
        pledges_a_year=setting.pledges_a_year,
        seats_a_year=setting.seats_a_year,
        kind=setting.kind,
    )


def _stopped(
    policies: Sequence[Policy], whole: Sequence[Sequence[Record]], begun: Sequence[Record]
) -> Experiment:
    if whole[0]:
        return Experiment(policies, whole, False)
    return Experiment(policies[:1], [begun[:1]], False)
