"""The optimum that a process keeps is the one that a fresh look at the database and a fresh solution find."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.auth.models import User
from timebank.coaching import service as coaching
from timebank.coaching.models import CoachingRequest, RequestState
from timebank.errors import DomainError
from timebank.matches import queries as matches
from timebank.matches import service as answers
from timebank.matches.models import DeclineReason, Match, MatchState, Side
from timebank.matching import kernel, rows, snapshot, warm
from timebank.matching.columns import Numbering, SkillWords
from timebank.matching.free import Free
from timebank.matching.interest import NO_INTEREST
from timebank.matching.kernel import FORBIDDEN, AttributeProblem, single
from timebank.matching.kernel.native.warm import WarmState
from timebank.matching.kernel.single import NotProvedError
from timebank.matching.models import RequestStar
from timebank.matching.rows import FreePledge, FreeSeat
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.matching.warm import Kept, Optimiser
from timebank.organisations import service as organisations
from timebank.organisations.models import CompanyExclusion
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge, PledgeState

DAY = date(2026, 3, 10)

# --- without a database ----------------------------------------------------------------------------------------------


def a_seat(rng: np.random.Generator, id_: int) -> FreeSeat:
    request = int(rng.integers(1, 6))
    return FreeSeat(
        id=id_,
        request_id=request,
        initiative_id=request,
        organisation_id=int(rng.choice([3, 101, 102])),
        from_date=DAY + timedelta(days=int(rng.integers(-5, 20))),
        until_date=DAY + timedelta(days=int(rng.integers(20, 90))) if rng.random() < 0.8 else None,
        minutes=int(rng.choice([60, 90, 300, 1200])),
        languages=int(rng.integers(1, 4)),
        week=int(rng.integers(1, 2**21)),
        remote=bool(rng.random() < 0.5),
        opened_at=datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=int(rng.integers(0, 30))),
        x=int(rng.integers(0, 40_000)),
        y=int(rng.integers(0, 40_000)),
        causes=int(rng.integers(0, 8)),
        skills=",".join(
            str(8 * skill + 2 * int(rng.integers(1, 3)) + int(rng.random() < 0.5)) for skill in (1, 2)
        ),
    )


def a_pledge(rng: np.random.Generator, id_: int) -> FreePledge:
    return FreePledge(
        id=id_,
        employment_id=id_,
        organisation_id=int(rng.integers(1, 4)),
        user_id=None,
        from_date=DAY + timedelta(days=int(rng.integers(-5, 20))),
        until_date=DAY + timedelta(days=int(rng.integers(20, 90))),
        languages=int(rng.integers(1, 4)),
        week=int(rng.integers(1, 2**21)),
        radius_km=int(rng.integers(0, 50)),
        remote=bool(rng.random() < 0.5),
        x=int(rng.integers(0, 40_000)),
        y=int(rng.integers(0, 40_000)),
        monthly=int(rng.choice([0, 120, 600])),
        free=int(rng.choice([30, 100, 600, 2400])),
        excluded_by_company=int(rng.choice([0, 0, 4])),
        skills=",".join(str(4 * skill + int(rng.integers(1, 4))) for skill in (1, 2)),
        causes=str(int(rng.integers(0, 6))) if rng.random() < 0.5 else "",
    )


def changed(free: Free, rng: np.random.Generator) -> Free:
    """The same after one act."""
    seats, pledges = dict(free.seats), dict(free.pledges)
    of_pairs = {pledge: dict(points) for pledge, points in free.pairs.items()}
    excluded = dict(free.excluded)
    act = rng.integers(8)
    side: Any = seats if rng.random() < 0.5 else pledges
    new: Callable[[np.random.Generator, int], Any] = a_seat if side is seats else a_pledge
    if act == 0 and len(side) > 1:
        del side[int(rng.choice(list(side)))]
    elif act == 1:
        id_ = max(side, default=0) + 1
        side[id_] = new(rng, id_)
    elif act == 2:
        id_ = int(rng.integers(1, 9))  # comes back, or is another one now
        side[id_] = new(rng, id_)
    elif act == 3:  # one value alone
        id_ = int(rng.choice(list(side)))
        field = str(rng.choice([name for name in side[id_]._fields if name != "id"]))
        side[id_] = side[id_]._replace(**{field: getattr(new(rng, id_), field)})
    elif act in (4, 5):
        pledge, request = int(rng.choice(list(pledges))), int(rng.integers(1, 6))
        of_pairs.setdefault(pledge, {})[request] = int(rng.choice([150, 300, FORBIDDEN]))
    elif act == 6 and of_pairs:
        of_pairs.pop(int(rng.choice(list(of_pairs))))
    elif rng.random() < 0.3:
        excluded[int(rng.integers(1, 6))] = frozenset({int(rng.integers(1, 4))})
    return replace(free, seats=seats, pledges=pledges, pairs=of_pairs, excluded=excluded)


def without_the_gone(free: Free) -> Free:
    """As a look at the database has it: exceptions only of who is there."""
    requests = {row.request_id for row in free.seats.values()}
    some = {
        pledge: {request: points for request, points in of_pledge.items() if request in requests}
        for pledge, of_pledge in free.pairs.items()
        if pledge in free.pledges
    }
    excluded = {request: companies for request, companies in free.excluded.items() if request in requests}
    return replace(free, pairs=some, excluded=excluded)


def canonical(problem: AttributeProblem) -> dict[str, Any]:
    """Every array, with requests and organisations numbered as they come, and exceptions of those who are there."""
    arrays = {field.name: getattr(problem, field.name) for field in fields(problem)}
    requests, organisations = Numbering(), Numbering()
    for name, number in (
        ("seat_request", requests),
        ("seat_org", organisations),
        ("pledge_org", organisations),
    ):
        arrays[name] = np.array([number[value] for value in arrays[name].tolist()])
    excluded = zip(arrays.pop("excluded_request").tolist(), arrays.pop("excluded_org").tolist(), strict=True)
    pairs = zip(
        *(arrays.pop(f"pair_{name}").tolist() for name in ("request", "pledge", "bonus")), strict=True
    )
    arrays["excluded"] = {
        (requests[q], organisations[o]) for q, o in excluded if q in requests and o in organisations
    }
    arrays["pairs"] = {(requests[q], j): bonus for q, j, bonus in pairs if q in requests and bonus}
    return arrays


def assert_same(problem: AttributeProblem, other: AttributeProblem) -> None:
    ours, theirs = canonical(problem), canonical(other)
    for name, value in theirs.items():
        assert np.array_equal(ours[name], value) if isinstance(value, np.ndarray) else ours[name] == value, (
            name
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_it_follows_every_change_of_what_is_free(seed: int, acts: int) -> None:
    rng = np.random.default_rng(seed)
    free = Free(
        as_of=DAY,
        weights=DEFAULT_WEIGHTS,
        skill_words=SkillWords({1: 0, 2: 1}),
        seats={id_: a_seat(rng, id_) for id_ in range(1, 6)},
        pledges={id_: a_pledge(rng, id_) for id_ in range(1, 6)},
        excluded={},
        pairs={},
        pinned=(),
        interest=NO_INTEREST,
    )
    kept = Kept(free)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm, "MOST_GONE", 100)
        for _each in range(acts):
            free = without_the_gone(changed(free, rng))
            if not kept.follow(free):
                kept = Kept(free)
            problem, answer = kept.answer()
            fresh = warm.problem_of(free)
            assert_same(problem, fresh)
            assert kernel.verify_solution(problem, answer).value == kernel.solve(fresh).value == answer.value


def test_what_no_seat_and_no_pledge_says_is_solved_anew() -> None:
    """Each field of a problem is of a seat, of a pledge, of a pair, or the same for all; and the last are no change."""
    rng = np.random.default_rng(1)
    free = Free(
        DAY,
        DEFAULT_WEIGHTS,
        SkillWords({1: 0, 2: 1}),
        {1: a_seat(rng, 1)},
        {1: a_pledge(rng, 1)},
        {},
        {},
        (),
        NO_INTEREST,
    )
    kinds = ("seat_", "pledge_", "pair_", "excluded_", "w_")
    assert [field.name for field in fields(AttributeProblem) if not field.name.startswith(kinds)] == []
    for name, value in (
        ("as_of", DAY + timedelta(days=1)),
        ("weights", {**DEFAULT_WEIGHTS, "w_near": 1}),
        ("skill_words", SkillWords({1: 0, 2: 2})),
        ("excluded", {free.seats[1].request_id: frozenset({1})}),
    ):
        assert not Kept(free).follow(replace(free, **{name: value})), name


# --- with one --------------------------------------------------------------------------------------------------------


class World:
    """Acts on a few requests and pledges, each in a transaction of its own."""

    def __init__(self, session: Session, rng: np.random.Generator) -> None:
        self.session, self.rng = session, rng
        self.initiatives = [make.make_initiative(session, causes=(cause,)) for cause in ("circular", "care")]

    def some(self, kind: Any, **state: Any) -> Any:
        found = self.session.scalars(select(kind).filter_by(**state).order_by(kind.id)).all()
        return found[int(self.rng.integers(len(found)))] if found else None

    def pledge(self) -> None:
        make.make_pledge(self.session, minutes=int(self.rng.choice([360, 900])))

    def request(self) -> None:
        initiative = self.initiatives[int(self.rng.integers(2))]
        make.make_request(self.session, initiative, seats=int(self.rng.integers(1, 3)))

    def propose(self) -> None:
        """As a run does that knows nothing of what is kept."""
        found = snapshot.take(self.session, clock.today())
        for i, j in enumerate(kernel.solve(found.problem).seat_pledge.tolist()):
            if j >= 0 and self.rng.random() < 0.5:
                pledge = found.pool[j].pledge.id
                wanted = answers.ProposalInput(found.seats[i].id, pledge, weight=1, reasons=[], run_id=None)
                answers.propose(self.session, [wanted], now=clock.now(), days=7)

    def decline(self) -> None:
        match = self.some(Match, state=MatchState.PROPOSED)
        if match:
            coach = make.actor(self.session, self.session.get_one(User, match.employment.user_id))
            answers.decline(
                self.session,
                match.public_id,
                side=Side.COACH,
                reason=DeclineReason.TIME,
                note="",
                actor=coach,
                now=clock.now(),
            )

    def change_hours(self) -> None:
        pledge = self.some(Pledge)
        coach = make.actor(self.session, self.session.get_one(User, pledge.employment.user_id))
        with contextlib.suppress(DomainError):
            pledges.change_minutes(
                self.session, pledge.public_id, int(self.rng.choice([360, 720])), actor=coach, now=clock.now()
            )

    def end(self) -> None:
        pledge = self.some(Pledge, state=PledgeState.APPROVED)
        if pledge:
            pledges.withdraw_approval(self.session, pledge.public_id, "No", actor=SYSTEM, now=clock.now())

    def pause(self) -> None:
        request = self.some(CoachingRequest)
        act = coaching.pause_request if request.state is RequestState.OPEN else coaching.reopen_request
        with contextlib.suppress(DomainError):
            act(self.session, request.public_id, actor=SYSTEM, now=clock.now())

    def star(self) -> None:
        user, request = self.some(Pledge).employment.user_id, self.some(CoachingRequest).id
        self.session.merge(RequestStar(user_id=user, request_id=request, starred_at=clock.now()))

    def exclude(self) -> None:
        company, initiative = (
            self.some(Pledge).employment.organisation_id,
            self.some(CoachingRequest).initiative_id,
        )
        self.session.merge(
            CompanyExclusion(organisation_id=company, initiative_id=initiative, declared_at=clock.now())
        )


ACTS = ("pledge", "request", "propose", "decline", "change_hours", "end", "pause", "star", "exclude")


@pytest.mark.both
@pytest.mark.usefixtures("database_kind")
def test_what_changed_since_is_read_and_the_optimum_is_that_of_a_whole_look(
    session: Session, held_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "NATIVE_FROM", 0)
    rng = np.random.default_rng(7)
    world, optimiser = World(session, rng), Optimiser()
    for act in ("pledge", "pledge", "pledge", "request", "request"):
        getattr(world, act)()
    before = None
    for act in [*ACTS, *rng.choice(ACTS, 12).tolist()]:
        session.commit()
        getattr(world, act)()
        session.commit()
        held_clock.move(minutes=20)
        with db.read_session() as read:
            whole = rows.read(read, clock.today())
            before = rows.read(read, clock.today(), before)
            assert (before.seats, before.pledges) == (whole.seats, whole.pledges), act
            solved = optimiser.optimum(read, clock.today())
            fresh = from_objects(read)
        found = kernel.verify_solution(solved.snapshot.problem, solved.assignment)
        assert found.value == kernel.solve(fresh).value, act


def from_objects(session: Session) -> AttributeProblem:
    """What is free, by the road that a nightly run takes."""
    day = clock.today()
    apart = matches.separated_pairs(session, ended=True)
    return snapshot.of(
        session, snapshot.free_seats(session, day), snapshot.free_pool(session, day), day, apart=apart
    ).problem


def test_after_any_other_act_everything_is_read(session: Session, held_clock: Any) -> None:
    make.make_pledge(session)
    initiative = make.make_initiative(session)
    request = make.make_request(session, initiative)
    session.commit()
    with db.read_session() as read:
        before = rows.read(read, clock.today())
    assert before.seats[request.seats[0].id].x == request.place.x
    organisations.suspend(
        session,
        initiative.public_id,
        "Why",
        actor=make.actor(session, make.make_operator(session)),
        now=clock.now(),
    )
    session.commit()
    with db.read_session() as read:
        assert not rows.read(read, clock.today(), before).seats


def of_one_pair(session: Session) -> Optimiser:
    make.make_pledge(session)
    make.make_request(session)
    session.commit()
    return Optimiser()


def test_an_optimum_that_is_lost_is_found_anew(
    session: Session, held_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "NATIVE_FROM", 0)
    optimiser = of_one_pair(session)
    with db.read_session() as read:
        value = optimiser.optimum(read, clock.today()).assignment.value

        def lose(state: WarmState) -> None:
            monkeypatch.undo()
            raise NotProvedError

        monkeypatch.setattr(WarmState, "assignment", lose)
        assert optimiser.optimum(read, clock.today()).assignment.value == value > 0


def test_after_a_failure_everything_is_read(
    session: Session, held_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a backup was put back below a scheduler that remembers what no longer is."""
    optimiser = of_one_pair(session)
    with db.read_session() as read:
        value = optimiser.optimum(read, clock.today()).assignment.value
        seen: list[Any] = []
        real = rows.read

        def note(session: Session, as_of: Any, before: Any) -> Any:
            seen.append(before)
            return real(session, as_of, before)

        monkeypatch.setattr(rows, "read", note)
        with monkeypatch.context() as broken, pytest.raises(KeyError):
            broken.setattr(warm, "pledges_by_id", lambda _session, _ids: {})
            optimiser.optimum(read, clock.today())
        assert optimiser.optimum(read, clock.today()).assignment.value == value > 0
        assert [before is None for before in seen] == [False, True]
