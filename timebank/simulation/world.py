"""Who pledges and who asks, when, and how people answer: everything that no policy of the operator changes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel import AttributeProblem
from timebank.matching.kernel.generate import generate_attributes
from timebank.simulation.seasons import Calendar

Kind = Literal["mixed", "scarce", "alike"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

HOURS_A_DAY: Final = 24
BLOCKS_AN_HOUR: Final = 2
FOREVER: Final = 2**31 - 1
"""The end of a request that is open-ended."""

# The platform's weights before an operator changes them.
WEIGHTS: Final = {
    "w_base": 1000,
    "w_nice": 100,
    "w_cause": 80,
    "w_near": 200,
    "w_near_metres": 60_000,
    "w_remote": 100,
}

_OPEN_ENDED: Final = 0.2
_OPENING, _CLOSING = 8, 18  # the hours of a day in which people pledge and ask
_AHEAD: Final = 400  # days of the calendar beyond the end, for what is planned there
_SPREAD: Final = 1.0  # of the logarithm of the days to an answer: one in six takes 2.7 times the median
_HOLIDAY_SLOWNESS: Final = 2.0


@dataclass(frozen=True, eq=False)
class World:
    """Arrivals of S seats and P pledges over some days.

    Attributes
    ----------
    seed : what people do follows from it, see `People`
    start, days : the first day, and how many there are
    problem : all seats and pledges that ever arrive; their windows count days from `start`. Their bonus for
        waiting is the policy's affair and not in it
    seat_hour, pledge_hour : (S,) and (P,) int64, the hour from midnight of `start` at which each arrives
    """

    seed: int
    start: date
    days: int
    problem: AttributeProblem
    seat_hour: NDArray[np.int64]
    pledge_hour: NDArray[np.int64]

    @property
    def hours(self) -> int:
        return HOURS_A_DAY * self.days

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self.start, self.days + _AHEAD)


def make_world(
    seed: int, *, days: int, start: date, pledges_a_year: int, seats_a_year: int, kind: Kind = "mixed"
) -> World:
    """Arrivals that look like Flanders, more in January and September, fewer in holidays and weekends.

    Parameters
    ----------
    kind : ``mixed`` asks for what many offer; ``scarce`` for what few do; ``alike`` always for the one skill that most
        people have, so that only place, languages and time tell requests apart, and coaches are fought over
    """
    calendar = Calendar(start, max(days, 1) + _AHEAD)
    rng = np.random.default_rng((seed, 0))
    pledges = int(rng.poisson(pledges_a_year * calendar.pledges[:days].sum()))
    seats = int(rng.poisson(seats_a_year * calendar.requests[:days].sum()))
    found = generate_attributes(pledges, seats, seed, scarce=kind == "scarce")
    pledge_hour = _arrivals(rng, calendar.pledges[:days], pledges)
    requests = int(found.seat_request.max(initial=-1)) + 1
    seat_hour = _arrivals(rng, calendar.requests[:days], requests)[found.seat_request]
    open_ended = (rng.random(requests) < _OPEN_ENDED)[found.seat_request]
    seat_day, pledge_day = seat_hour // HOURS_A_DAY, pledge_hour // HOURS_A_DAY
    arrays = _arrays(found) | {
        "seat_from": found.seat_from + seat_day,
        "seat_until": np.where(open_ended, FOREVER, found.seat_until + seat_day),
        "pledge_from": found.pledge_from + pledge_day,
        "pledge_until": found.pledge_until + pledge_day,
        "seat_bonus": np.zeros(seats, np.int64),
    }
    if kind == "alike":
        arrays["seat_must"] = _most_common_skill(found)
    problem = AttributeProblem(**arrays | WEIGHTS)
    return World(seed, start, days, problem, seat_hour, pledge_hour)


def _arrivals(rng: np.random.Generator, shares: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    day = np.sort(rng.choice(shares.size, n, p=shares / shares.sum()))
    arrivals: NDArray[np.int64] = np.sort(HOURS_A_DAY * day + rng.integers(_OPENING, _CLOSING, n))
    return arrivals


def _most_common_skill(problem: AttributeProblem) -> NDArray[np.uint64]:
    """What all seats ask, when they ask alike: the bit that most pledges have."""
    bits = np.unpackbits(problem.pledge_skills.view(np.uint8), axis=1, bitorder="little")
    asked = np.zeros((1, bits.shape[1]), np.uint8)
    asked[0, bits.sum(axis=0).argmax()] = 1
    mask: NDArray[np.uint64] = np.packbits(asked, axis=1, bitorder="little").view(np.uint64)
    return np.repeat(mask, problem.n_seats, axis=0)


def part_of(
    problem: AttributeProblem, seats: NDArray[np.int64], pledges: NDArray[np.int64]
) -> dict[str, Any]:
    """The arrays of a problem of some seats and pledges only, in this order; pairs of others are left out."""
    column = np.full(problem.n_pledges, -1, np.int64)
    column[pledges] = np.arange(pledges.size)
    known = column[problem.pair_pledge] >= 0
    arrays = _arrays(problem)
    for name, value in arrays.items():
        if name.startswith("seat_"):
            arrays[name] = value[seats]
        elif name.startswith("pledge_"):
            arrays[name] = value[pledges]
        elif name.startswith("pair_"):
            arrays[name] = value[known]
    arrays["pair_pledge"] = column[arrays["pair_pledge"]]
    return arrays


def _arrays(problem: AttributeProblem) -> dict[str, Any]:
    return {field.name: getattr(problem, field.name) for field in fields(problem)}


@dataclass(frozen=True)
class Answer:
    """What one side says to a proposal, so many hours after it."""

    hours: int
    yes: bool


@dataclass(frozen=True)
class People:
    """How those who are asked behave.

    What two people do when they meet for the nth time follows from the world's seed alone: under every policy the same
    pair gives the same answers, so that a difference between policies is the policies'.

    Attributes
    ----------
    declines : the chance that a side that answers says no
    silent : the chance that a side never answers
    answer_days : the median of the days to an answer; 0 for an answer at once
    no_shows : the chance that a session is not held
    """

    declines: float = 0.15
    silent: float = 0.08
    answer_days: float = 2.0
    no_shows: float = 0.05

    def answer(self, world: World, key: tuple[int, ...], hour: int) -> Answer | None:
        """What a side says to a proposal made at `hour`, or None for nothing ever."""
        rng = np.random.default_rng((world.seed, 1, *key))
        silent, declines, slowness = rng.random(), rng.random(), rng.standard_normal()
        if silent < self.silent:
            return None
        return Answer(self._delay(world, hour, float(slowness)), bool(declines >= self.declines))

    def attends(self, world: World, key: tuple[int, ...]) -> bool:
        """Whether a session is held."""
        return bool(np.random.default_rng((world.seed, 2, *key)).random() >= self.no_shows)

    def _delay(self, world: World, hour: int, slowness: float) -> int:
        """Hours until an answer, which comes on a working day unless it comes at once."""
        if not self.answer_days:
            return 0
        days = self.answer_days * float(np.exp(_SPREAD * slowness))
        if world.calendar.school_holiday[hour // HOURS_A_DAY]:
            days *= _HOLIDAY_SLOWNESS
        answered = hour + round(HOURS_A_DAY * days)
        day = world.calendar.next_working_day(answered // HOURS_A_DAY)
        return HOURS_A_DAY * day + answered % HOURS_A_DAY - hour
