"""The replay: no hour and no seat is lost on the way, and the waiting term does what it is for."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timebank.matching.kernel import AttributeProblem, ProblemError
from timebank.matching.kernel.candidates import weights
from timebank.simulation.measures import figures
from timebank.simulation.replay import Policy, Record, SeatState, simulate
from timebank.simulation.world import FOREVER, HOURS_A_DAY, KINDS, WEIGHTS, People, World, make_world

START = date(2026, 9, 1)
MONDAY = date(2026, 9, 7)
AT_ONCE = People(declines=0, silent=0, answer_days=0, no_shows=0)


def small_world(seed: int, **changes: Any) -> World:
    setting = {"days": 100, "start": START, "pledges_a_year": 150, "seats_a_year": 200, "kind": "alike"}
    return make_world(seed, **setting | changes)


def outcome(record: Record) -> dict[str, Any]:
    """Everything but what depends on the machine."""
    known = {f.name: getattr(record, f.name) for f in fields(record)}
    for name in ("world", "policy", "solver_seconds"):
        del known[name]
    known["hours"] = asdict(known["hours"])
    return known


policies = st.builds(
    Policy,
    every=st.sampled_from([3, 12, 24, 36, 168]),
    expiry_days=st.integers(1, 20),
    waiting_weight=st.sampled_from([0, 1, 5, 50]),
)
peoples = st.builds(
    People,
    declines=st.sampled_from([0.0, 0.2, 1.0]),
    silent=st.sampled_from([0.0, 0.1, 1.0]),
    answer_days=st.sampled_from([0.0, 0.2, 2.0, 10.0]),
    no_shows=st.sampled_from([0.0, 0.3, 1.0]),
)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    policy=policies,
    people=peoples,
    kind=st.sampled_from(KINDS),
    days=st.integers(1, 120),
)
def test_every_hour_and_every_seat_is_accounted_for(
    seed: int, policy: Policy, people: People, kind: str, days: int
) -> None:
    world = small_world(seed, days=days, kind=kind)
    record = simulate(world, policy, people)
    hours, state = record.hours, record.seat_state
    assert all((each >= 0).all() for each in asdict(hours).values())
    arrived = world.pledge_hour < world.hours
    assert np.array_equal(hours.granted, np.where(arrived, world.problem.pledge_capacity, 0))
    left = hours.available + hours.held + hours.reserved
    assert np.array_equal(hours.granted, hours.delivered + hours.lapsed + left)
    assert not left[record.pledge_over].any(), "a pledge that is over keeps nothing"
    assert not hours.lapsed[~record.pledge_over].any()
    assert sum(record.delivered_by_day) == hours.delivered.sum()

    over = world.problem.seat_until <= (world.hours - 1) // HOURS_A_DAY
    assert not (state == SeatState.AHEAD).any()
    assert (np.isin(state[over], (SeatState.SERVED, SeatState.GONE))).all()
    assert not (state[~over] == SeatState.GONE).any()
    assert np.array_equal(state == SeatState.SERVED, record.served_hour >= 0)
    assert (record.served_hour[record.served_hour >= 0] >= world.seat_hour[record.served_hour >= 0]).all()
    waiting = np.isin(state, (SeatState.WAITING, SeatState.PROPOSED)).sum()
    assert record.waiting_by_day[-1] == waiting
    assert (state == SeatState.SERVED).sum() == record.confirmed
    open_now = (state == SeatState.PROPOSED).sum()
    assert record.proposals == record.confirmed + record.declined + record.expired + open_now
    assert record.seat_proposals.sum() == record.proposals


def test_the_same_seed_gives_the_same_record_and_another_seed_another() -> None:
    first, again, other = (outcome(simulate(small_world(seed), Policy(), People())) for seed in (3, 3, 4))
    np.testing.assert_equal(again, first)
    assert not np.array_equal(other["seat_state"], first["seat_state"])


@pytest.mark.parametrize("kind", KINDS)
def test_without_declines_and_delays_more_seats_are_served(kind: str) -> None:
    willing = patient = 0.0
    for seed in range(2):
        world = small_world(seed, kind=kind)
        at_once = figures(simulate(world, Policy(), AT_ONCE))
        as_usual = figures(simulate(world, Policy(), People(declines=0.3)))
        assert at_once["served_share"] >= as_usual["served_share"]
        willing, patient = willing + at_once["served_share"], patient + as_usual["served_share"]
    assert willing > patient


def test_a_decline_keeps_the_pair_apart_and_an_expiry_does_not() -> None:
    pair = one_pair()
    assert outcome(simulate(pair, Policy(expiry_days=7), replace(AT_ONCE, declines=1)))["proposals"] == 1
    assert outcome(simulate(pair, Policy(expiry_days=7), replace(AT_ONCE, silent=1)))["proposals"] > 5


def test_hours_of_a_pledge_lapse_when_it_is_over_and_count_when_they_were_given() -> None:
    pair = one_pair()
    served = simulate(pair, Policy(), AT_ONCE)
    assert (served.hours.delivered[0], served.hours.lapsed[0]) == (8, 12)
    missed = simulate(pair, Policy(), replace(AT_ONCE, no_shows=1))
    assert (missed.hours.delivered[0], missed.hours.lapsed[0]) == (0, 20)


def test_a_replay_that_is_stopped_holds_the_days_until_then() -> None:
    world = small_world(1)
    days: list[int] = []
    stopped = simulate(world, Policy(), People(), stop=lambda: len(days) >= 30, progress=days.append)
    assert stopped.days == len(stopped.waiting_by_day) == 30
    whole = simulate(world, Policy(), People())
    assert stopped.waiting_by_day == whole.waiting_by_day[:30]
    granted = stopped.hours.granted
    assert 0 < granted.sum() < whole.hours.granted.sum()


def test_a_mode_that_the_kernel_has_not_is_refused() -> None:
    with pytest.raises(ProblemError, match="no mode"):
        simulate(small_world(1, days=2), Policy(mode="none such"), People())


# --- nobody starves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weeks", [26, 78])
def test_without_the_waiting_weight_a_seat_can_lose_every_run_for_ever(weeks: int) -> None:
    record = simulate(rivals(weeks, far_metres=40_000), Policy(waiting_weight=0), AT_ONCE)
    assert record.seat_state[0] == SeatState.WAITING
    assert record.overtaken_days[0] == weeks - 1, (
        "each later week it had a candidate and lost it to a newcomer"
    )
    assert record.overtaken_by[0] == 7 * (weeks - 1)


@settings(max_examples=20, deadline=None)
@given(waiting_weight=st.integers(3, 20), far_metres=st.integers(0, 100_000))
def test_with_it_the_same_seat_is_served_once_its_wait_outweighs_the_rest(
    waiting_weight: int, far_metres: int
) -> None:
    record = simulate(rivals(16, far_metres), Policy(waiting_weight=waiting_weight), AT_ONCE)
    assert record.seat_state[0] == SeatState.SERVED
    assert record.served_hour[0] / HOURS_A_DAY <= WEIGHTS["w_near"] / waiting_weight + 7 + 1


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), policy=policies, people=peoples, kind=st.sampled_from(KINDS))
def test_nobody_is_overtaken_by_who_asked_later_than_the_waiting_weight_allows(
    seed: int, policy: Policy, people: People, kind: str
) -> None:
    """An optimum that gave the younger seat the pledge gains at least as much by it as by the older: what the older
    has waited longer weighs no more than the rest of the weight can differ. So only those that are younger by fewer
    days can come first; they are finitely many, and each comes once."""
    policy = replace(policy, waiting_weight=max(policy.waiting_weight, 1))
    world = small_world(seed, kind=kind)
    record = simulate(world, policy, people)
    assert record.overtaken_by.max(initial=0) <= spread_of_fit(world) / policy.waiting_weight


def test_over_many_months_of_too_few_coaches_the_term_decides_who_starves() -> None:
    world = contested_world()
    without = simulate(world, Policy(waiting_weight=0), People())
    with_it = simulate(world, Policy(waiting_weight=20), People())
    starving = (without.seat_state == SeatState.WAITING) & (without.overtaken_by > 365)
    assert without.overtaken_days[starving].max() > 30, (
        "a seat with candidates loses to newcomers for a year and more"
    )
    assert with_it.overtaken_by.max() <= spread_of_fit(world) / 20 < 60
    assert with_it.overtaken_days.max() < without.overtaken_days.max() / 2


def spread_of_fit(world: World) -> int:
    """The most by which the weights of two seats for one pledge can differ, waiting apart."""
    n, m = world.problem.n_seats, world.problem.n_pledges
    if not n or not m:
        return 0
    fit = weights(world.problem, np.arange(n)[:, None], np.arange(m)[None, :])
    return int((fit.max(axis=0) - fit.min(axis=0)).max())


def one_pair() -> World:
    """A seat of 8 blocks, and a pledge of 20 for 90 days."""
    return built([0], [0], seat_until=[FOREVER], pledge_until=[90], capacity=20, seat_x=[0], days=120)


def rivals(weeks: int, far_metres: int) -> World:
    """Each week a pledge with time for one seat, and a request next door to it. Seat 0 is open from the first day on,
    and always `far_metres` away."""
    weekly = np.arange(weeks) * 7
    return built(
        seat_day=[0, *weekly],
        pledge_day=weekly,
        seat_until=[FOREVER] * (weeks + 1),
        pledge_until=weekly + 14,
        capacity=8,
        seat_x=[far_metres, *([0] * weeks)],
        days=7 * weeks,
    )


def contested_world() -> World:
    world = small_world(5, days=600, pledges_a_year=150, seats_a_year=450)
    problem = replace(world.problem, seat_until=np.full(world.problem.n_seats, FOREVER, np.int32))
    return replace(world, problem=problem)


def built(
    seat_day: Any,
    pledge_day: Any,
    *,
    seat_until: Any,
    pledge_until: Any,
    capacity: int,
    seat_x: Any,
    days: int,
) -> World:
    """A world in which everybody may meet everybody, and only distance tells seats apart."""
    n, m = len(seat_day), len(pledge_day)
    problem = AttributeProblem(
        seat_must=np.zeros((n, 1), np.uint64),
        pledge_skills=np.zeros((m, 1), np.uint64),
        seat_languages=[1] * n,
        pledge_languages=[1] * m,
        seat_x=seat_x,
        seat_y=[0] * n,
        pledge_x=[0] * m,
        pledge_y=[0] * m,
        pledge_radius=[100_000] * m,
        seat_remote=[False] * n,
        pledge_remote=[False] * m,
        seat_from=seat_day,
        seat_until=seat_until,
        pledge_from=pledge_day,
        pledge_until=pledge_until,
        seat_week=[2**21 - 1] * n,
        pledge_week=[2**21 - 1] * m,
        seat_hours=[8] * n,
        pledge_capacity=[capacity] * m,
        seat_request=np.arange(n),
        seat_org=[0] * n,
        pledge_org=[1] * m,
        **WEIGHTS,
    )
    return World(
        seed=1,
        start=MONDAY,
        days=days,
        problem=problem,
        seat_hour=HOURS_A_DAY * np.array(seat_day, np.int64),
        pledge_hour=HOURS_A_DAY * np.array(pledge_day, np.int64),
    )
