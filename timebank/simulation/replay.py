"""The replay: a world's arrivals, hour by hour, through runs of the kernel, answers and sessions.

It moves hours as the ledger does: a proposal holds those of its pledge, two yeses reserve them, a session delivers
them, and what is free when a pledge is over lapses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel import FORBIDDEN, AttributeProblem, solve
from timebank.matching.kernel.generate import best_edges
from timebank.simulation.world import FOREVER, HOURS_A_DAY, People, World, part_of

NIGHTLY_HOUR: Final = 4
DAYS_TO_PLAN: Final = 7  # between the second yes and the first session, where the window leaves them
DAYS_BETWEEN: Final = 5  # working days between sessions
SESSION_BLOCKS: Final = 6
_SESSION_HOUR: Final = 17  # a session counts from its end


@dataclass(frozen=True)
class Policy:
    """What the operator decides.

    Attributes
    ----------
    every : hours between two runs of the matching, the first of which is at four in the morning
    expiry_days : days until a proposal that is not answered by both sides expires
    waiting_weight : points that a seat's weight gains with each day of waiting
    mode : what a pledge may take in one run, see `kernel.solve`
    """

    every: int = 24
    expiry_days: int = 7
    waiting_weight: int = 5
    mode: str = "single"


class SeatState(IntEnum):
    """Where a seat stands; it is served when both sides said yes."""

    AHEAD = 0
    WAITING = 1
    PROPOSED = 2
    SERVED = 3
    GONE = 4


@dataclass(eq=False)
class Hours:
    """The blocks of each pledge, (P,) int64 each: always granted = the sum of the others."""

    granted: NDArray[np.int64]
    available: NDArray[np.int64]
    held: NDArray[np.int64]
    reserved: NDArray[np.int64]
    delivered: NDArray[np.int64]
    lapsed: NDArray[np.int64]

    @classmethod
    def none(cls, pledges: int) -> Hours:
        return cls(*(np.zeros(pledges, np.int64) for _ in range(6)))


@dataclass(eq=False)
class Record:
    """What happened in a world under a policy, in its first `days` days.

    Attributes
    ----------
    days : days that were replayed, fewer than the world's when it was stopped
    hours : blocks by pledge
    seat_state, served_hour : (S,) `SeatState`, and the hour of the second yes, -1 for none
    seat_proposals : (S,) how many each seat had
    reachable : (S,) whether a run ever had a candidate for the seat
    overtaken_days, overtaken_by : (S,) days on which a run gave a candidate of the seat to one that was asked on a
        later day, leaving it empty, and by how many days that other one was the younger, at most
    pledge_over : (P,) whether each pledge has ended
    runs, proposals, declined, expired, confirmed : how many
    fit : total weight of all proposals, without what they got for waiting
    solver_seconds : as the kernel measured; nothing else here depends on the machine
    waiting_by_day, delivered_by_day : seats that wait at the end of each day, blocks delivered on it
    """

    world: World
    policy: Policy
    hours: Hours
    seat_state: NDArray[np.int8]
    served_hour: NDArray[np.int64]
    seat_proposals: NDArray[np.int64]
    reachable: NDArray[np.bool_]
    overtaken_days: NDArray[np.int64]
    overtaken_by: NDArray[np.int64]
    pledge_over: NDArray[np.bool_]
    days: int = 0
    runs: int = 0
    proposals: int = 0
    declined: int = 0
    expired: int = 0
    confirmed: int = 0
    fit: int = 0
    solver_seconds: float = 0.0
    waiting_by_day: list[int] = field(default_factory=list)
    delivered_by_day: list[int] = field(default_factory=list)


@dataclass(eq=False)
class Match:
    """A proposal and what became of it; `ends` is the day before which all has to happen."""

    seat: int
    pledge: int
    blocks: int
    meeting: tuple[int, int, int]
    ends: int
    open: bool = True
    yeses: int = 0
    sessions_ahead: int = 0


class _Order(IntEnum):
    """What comes first in one hour: what expires is free, and what was delivered counts, before a window ends."""

    ARRIVAL = 0
    SESSION = 1
    EXPIRY = 2
    ANSWER = 3
    END = 4
    MIDNIGHT = 5


def simulate(
    world: World,
    policy: Policy,
    people: People,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda day: None,
) -> Record:
    """Replay a world under a policy; the same arguments give the same record, but for its seconds.

    Parameters
    ----------
    stop : asked before each day's first run; True ends the replay before that day
    progress : told the day before each run

    Raises
    ------
    ProblemError : the kernel has no such mode
    """
    return _Replay(world, policy, people).run(stop, progress)


class _Replay:
    def __init__(self, world: World, policy: Policy, people: People) -> None:
        self.world, self.problem, self.policy, self.people = world, world.problem, policy, people
        n_seats, n_pledges = self.problem.n_seats, self.problem.n_pledges
        self.hours = Hours.none(n_pledges)
        self.record = Record(
            world=world,
            policy=policy,
            hours=self.hours,
            seat_state=np.full(n_seats, SeatState.AHEAD, np.int8),
            served_hour=np.full(n_seats, -1, np.int64),
            seat_proposals=np.zeros(n_seats, np.int64),
            reachable=np.zeros(n_seats, np.bool_),
            overtaken_days=np.zeros(n_seats, np.int64),
            overtaken_by=np.zeros(n_seats, np.int64),
            pledge_over=np.zeros(n_pledges, np.bool_),
        )
        self.events: list[tuple[int, int, int, Callable[[int], None]]] = []
        self.event_count = 0
        self.apart: set[tuple[int, int]] = set()  # requests and pledges: live, or declined once
        self.meetings: dict[tuple[int, int], int] = {}
        self.last_overtaken = np.full(n_seats, -1, np.int64)
        self.something_new = True
        self._expect_arrivals()

    def run(self, stop: Callable[[], bool], progress: Callable[[int], None]) -> Record:
        end = self.world.hours
        last_day = -1
        for hour in range(NIGHTLY_HOUR % self.policy.every, end, self.policy.every):
            day = hour // HOURS_A_DAY
            if day > last_day and stop():
                end = HOURS_A_DAY * day
                break
            last_day = day
            self._happen_until(hour)
            progress(day)
            if self.something_new:
                self._match(hour)
        self._happen_until(end - 1)
        self.record.days = end // HOURS_A_DAY
        return self.record

    # --- what happens by itself ---------------------------------------------------------------------------------

    def _at(self, hour: int, order: _Order, event: Callable[[int], None]) -> None:
        self.event_count += 1
        heappush(self.events, (hour, order, self.event_count, event))

    def _happen_until(self, hour: int) -> None:
        while self.events and self.events[0][0] <= hour:
            now, _order, _count, event = heappop(self.events)
            event(now)

    def _expect_arrivals(self) -> None:
        for seat, hour in enumerate(self.world.seat_hour.tolist()):
            self._at(hour, _Order.ARRIVAL, partial(self._seat_arrives, seat))
        for pledge, hour in enumerate(self.world.pledge_hour.tolist()):
            self._at(hour, _Order.ARRIVAL, partial(self._pledge_arrives, pledge))
        for day in range(self.world.days):
            self._at(HOURS_A_DAY * (day + 1) - 1, _Order.MIDNIGHT, self._day_closes)

    def _seat_arrives(self, seat: int, _hour: int) -> None:
        self.record.seat_state[seat] = SeatState.WAITING
        until = int(self.problem.seat_until[seat])
        if until != FOREVER:
            self._at(HOURS_A_DAY * until, _Order.END, partial(self._seat_ends, seat))
        self.something_new = True

    def _seat_ends(self, seat: int, _hour: int) -> None:
        if self.record.seat_state[seat] == SeatState.WAITING:
            self.record.seat_state[seat] = SeatState.GONE

    def _pledge_arrives(self, pledge: int, _hour: int) -> None:
        blocks = self.problem.pledge_capacity[pledge]
        self.hours.granted[pledge] = self.hours.available[pledge] = blocks
        over = int(self.problem.pledge_until[pledge])
        self._at(HOURS_A_DAY * over, _Order.END, partial(self._pledge_ends, pledge))
        self.something_new = True

    def _pledge_ends(self, pledge: int, _hour: int) -> None:
        self.record.pledge_over[pledge] = True
        self.hours.lapsed[pledge] += self.hours.available[pledge]
        self.hours.available[pledge] = 0

    def _day_closes(self, _hour: int) -> None:
        waiting = np.isin(self.record.seat_state, (SeatState.WAITING, SeatState.PROPOSED))
        self.record.waiting_by_day.append(int(waiting.sum()))
        before = sum(self.record.delivered_by_day)
        self.record.delivered_by_day.append(int(self.hours.delivered.sum()) - before)

    # --- a run --------------------------------------------------------------------------------------------------

    def _match(self, hour: int) -> None:
        """Solve what is free, and propose. Without news and proposals there is nothing for the next run to find:
        windows only grow shorter, and waiting makes no candidates."""
        day = hour // HOURS_A_DAY
        seats = np.flatnonzero(self.record.seat_state == SeatState.WAITING)
        pledges = np.flatnonzero(self.hours.available > 0)
        problem = self._free(seats, pledges, day)
        assignment = solve(problem, mode=self.policy.mode)
        found = np.flatnonzero(assignment.seat_pledge >= 0)
        self.record.runs += 1
        self.record.solver_seconds += assignment.seconds
        self.record.fit += assignment.value - int(problem.seat_bonus[found].sum())
        self._note_overtaken(problem, seats, assignment.seat_pledge, day)
        self.something_new = bool(found.size)
        for seat, pledge in zip(seats[found], pledges[assignment.seat_pledge[found]], strict=True):
            self._propose(int(seat), int(pledge), hour)

    def _free(self, seats: NDArray[np.int64], pledges: NDArray[np.int64], day: int) -> AttributeProblem:
        arrays = part_of(self.problem, seats, pledges)
        waited = day - self.world.seat_hour[seats] // HOURS_A_DAY
        column = {int(pledge): at for at, pledge in enumerate(pledges)}
        apart = sorted((request, column[pledge]) for request, pledge in self.apart if pledge in column)
        requests, columns = np.array(apart, np.int32).reshape(-1, 2).T
        return AttributeProblem(
            **arrays
            | {
                "seat_from": np.maximum(arrays["seat_from"], day),
                "pledge_from": np.maximum(arrays["pledge_from"], day),
                "pledge_capacity": self.hours.available[pledges],
                "seat_bonus": self.policy.waiting_weight * waited,
                "pair_request": np.concatenate([arrays["pair_request"], requests]),
                "pair_pledge": np.concatenate([arrays["pair_pledge"], columns]),
                "pair_bonus": np.concatenate([arrays["pair_bonus"], np.full(len(apart), FORBIDDEN)]),
            }
        )

    def _note_overtaken(
        self, problem: AttributeProblem, seats: NDArray[np.int64], chosen: NDArray[np.int32], day: int
    ) -> None:
        """Note who stays empty and could have had a pledge that went to another seat.

        A run leaves no free pledge to an empty seat, so only those that it gave away need to be looked at.
        """
        given, left = np.flatnonzero(chosen >= 0), np.flatnonzero(chosen < 0)
        self.record.reachable[seats[given]] = True
        if not given.size or not left.size:
            return
        missed = best_edges(AttributeProblem(**part_of(problem, left, chosen[given].astype(np.int64))))
        loser, winner = seats[left[missed.seat]], seats[given[missed.pledge]]
        self.record.reachable[loser] = True
        asked = self.world.seat_hour // HOURS_A_DAY
        younger_by = asked[winner] - asked[loser]
        np.maximum.at(self.record.overtaken_by, loser, younger_by)
        overtaken = np.unique(loser[younger_by > 0])
        self.record.overtaken_days[overtaken[self.last_overtaken[overtaken] < day]] += 1
        self.last_overtaken[overtaken] = day

    # --- a match's life -----------------------------------------------------------------------------------------

    def _propose(self, seat: int, pledge: int, hour: int) -> None:
        pair = int(self.problem.seat_request[seat]), pledge
        self.meetings[pair] = self.meetings.get(pair, 0) + 1
        match = Match(
            seat=seat,
            pledge=pledge,
            blocks=int(self.problem.seat_hours[seat]),
            meeting=(*pair, self.meetings[pair]),
            ends=int(min(self.problem.seat_until[seat], self.problem.pledge_until[pledge])),
        )
        self.apart.add(pair)
        self.record.seat_state[seat] = SeatState.PROPOSED
        self.record.seat_proposals[seat] += 1
        self.record.proposals += 1
        self.hours.available[pledge] -= match.blocks
        self.hours.held[pledge] += match.blocks
        for side in (0, 1):
            answer = self.people.answer(self.world, (*match.meeting, side), hour)
            if answer:
                self._at(hour + answer.hours, _Order.ANSWER, partial(self._answer, match, answer.yes))
        expires = min(hour + HOURS_A_DAY * self.policy.expiry_days, HOURS_A_DAY * match.ends)
        self._at(expires, _Order.EXPIRY, partial(self._expire, match))

    def _answer(self, match: Match, yes: bool, hour: int) -> None:
        if not match.open:
            return
        if not yes:
            self.record.declined += 1
            self._free_again(match)
            return
        match.yeses += 1
        if match.yeses == 2:
            self._confirm(match, hour)

    def _expire(self, match: Match, _hour: int) -> None:
        if match.open:
            self.record.expired += 1
            self._free_again(match)
            self._may_meet_again(match)

    def _free_again(self, match: Match) -> None:
        match.open = False
        self.record.seat_state[match.seat] = SeatState.WAITING
        self.hours.held[match.pledge] -= match.blocks
        self.hours.available[match.pledge] += match.blocks
        self.something_new = True

    def _may_meet_again(self, match: Match) -> None:
        self.apart.discard(match.meeting[:2])
        self.something_new = True

    def _confirm(self, match: Match, hour: int) -> None:
        match.open = False
        self.record.confirmed += 1
        self.record.seat_state[match.seat] = SeatState.SERVED
        self.record.served_hour[match.seat] = hour
        self.hours.held[match.pledge] -= match.blocks
        self.hours.reserved[match.pledge] += match.blocks
        full, rest = divmod(match.blocks, SESSION_BLOCKS)
        sessions = [SESSION_BLOCKS] * full + [rest] * bool(rest)
        match.sessions_ahead = len(sessions)
        days = self._session_days(match, hour // HOURS_A_DAY, len(sessions))
        for number, (day, blocks) in enumerate(zip(days, sessions, strict=True)):
            self._plan(match, max(HOURS_A_DAY * day + _SESSION_HOUR, hour + 1), blocks, (number, 0))

    def _session_days(self, match: Match, today: int, sessions: int) -> list[int]:
        """About weekly from a week ahead on; closer to each other where the window is short."""
        opens = int(max(self.problem.seat_from[match.seat], self.problem.pledge_from[match.pledge], today))
        first = min(max(opens, today + DAYS_TO_PLAN), match.ends - 1)
        days = self.world.calendar.working_days(first, match.ends)
        if not days.size:
            return [first] * sessions
        pace = max(1, min(DAYS_BETWEEN, days.size // sessions))
        return [int(days[min(pace * number, days.size - 1)]) for number in range(sessions)]

    def _plan(self, match: Match, hour: int, blocks: int, number: tuple[int, int]) -> None:
        self._at(hour, _Order.SESSION, partial(self._hold_session, match, blocks, number))

    def _hold_session(self, match: Match, blocks: int, number: tuple[int, int], hour: int) -> None:
        """Deliver its hours; after a no-show it is tried once more a week later, then its hours are free again."""
        session, tries = number
        attended = self.people.attends(self.world, (*match.meeting, session, tries))
        later = hour + 7 * HOURS_A_DAY
        if not attended and tries == 0 and later < HOURS_A_DAY * match.ends:
            self._plan(match, later, blocks, (session, 1))
            return
        self.hours.reserved[match.pledge] -= blocks
        goes_to = self.hours.delivered if attended else self.hours.available
        goes_to[match.pledge] += blocks
        match.sessions_ahead -= 1
        if match.sessions_ahead == 0:
            self._may_meet_again(match)
