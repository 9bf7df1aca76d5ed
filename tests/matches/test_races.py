"""Two at once, and deaths in between: real threads, real transactions, both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import balance, story
from timebank import clock, db
from timebank.audit.models import AuditEntry
from timebank.errors import DomainError
from timebank.ledger.models import LedgerTransaction, TransactionKind
from timebank.ledger.verify import verify
from timebank.matches import service
from timebank.matches.models import Match, MatchState, Reservation
from timebank.matches.service import ProposalInput
from timebank.notifications.models import OutboxMessage
from timebank.pledges import service as pledges

pytestmark = pytest.mark.both

Act = Callable[[Session], Any]


def at_once(app: Flask, *acts: Act) -> list[Any]:
    """Each act in a thread and a unit of work of its own, begun together; what each returned or was refused with."""
    gate = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(position: int, act: Act) -> None:
        gate.wait(timeout=10)
        try:
            with app.app_context(), db.unit_of_work() as session:
                answers[position] = act(session)
        except DomainError as refusal:
            answers[position] = refusal

    threads = [threading.Thread(target=run, args=(i, act)) for i, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return answers


def reserved(session: Session) -> int:
    session.commit()
    session.expire_all()
    kinds = session.scalars(
        select(LedgerTransaction.id).where(LedgerTransaction.kind == TransactionKind.RESERVE)
    ).all()
    return len(kinds)


def test_the_last_place_goes_to_one_of_two(app: Flask, session: Session) -> None:
    request = make.make_request(session)
    wanted = [ProposalInput(request.seats[0].id, make.make_pledge(session).id, 1, [], None) for _ in range(2)]
    session.commit()
    now = clock.now()

    def propose(item: ProposalInput) -> Act:
        def act(unit: Session) -> tuple[int, int]:
            result = service.propose(unit, [item], now=now, days=7)
            return len(result.created), len(result.lost)

        return act

    assert sorted(at_once(app, *(propose(i) for i in wanted))) == [(0, 1), (1, 0)]


def test_the_last_hours_go_to_one_of_two(app: Flask, session: Session) -> None:
    pledge = make.make_pledge(session, minutes=400)
    wanted = [ProposalInput(make.make_request(session).seats[0].id, pledge.id, 1, [], None) for _ in range(2)]
    session.commit()
    now = clock.now()
    acts = [
        lambda unit, item=item: len(service.propose(unit, [item], now=now, days=7).created) for item in wanted
    ]
    assert sorted(at_once(app, *acts)) == [0, 1]


def test_both_sides_at_once_confirm_once(app: Flask, session: Session) -> None:
    told = story(session)
    coach, coordinator = told.act_as(told.coach), told.act_as(told.coordinator)
    public_id, now = told.match.public_id, clock.now()
    session.commit()
    at_once(
        app,
        lambda unit: service.accept_as_coach(unit, public_id, actor=coach, now=now).id,
        lambda unit: service.accept_as_initiative(unit, public_id, actor=coordinator, now=now).id,
        lambda unit: service.accept_as_coach(unit, public_id, actor=coach, now=now).id,
    )
    assert reserved(session) == 1
    assert session.get_one(Match, told.match.id).state is MatchState.CONFIRMED
    assert verify(session).first_break is None


def test_a_yes_and_the_expiry_never_both_win(app: Flask, session: Session) -> None:
    told = story(session)
    service.accept_as_initiative(
        session, told.match.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    coach = told.act_as(told.coach)
    public_id, expires_at, before = told.match.public_id, told.match.expires_at, clock.now()
    session.commit()
    answers = at_once(
        app,
        lambda unit: service.accept_as_coach(unit, public_id, actor=coach, now=before).state,
        lambda unit: service.expire_open(unit, now=expires_at),
    )
    state = MatchState.EXPIRED if isinstance(answers[0], DomainError) else MatchState.CONFIRMED
    booked = reserved(session)
    assert session.get_one(Match, told.match.id).state is state
    assert booked == (1 if state is MatchState.CONFIRMED else 0)


def test_a_yes_and_a_withdrawn_approval_agree_on_who_was_first(app: Flask, session: Session) -> None:
    told = story(session)
    service.accept_as_initiative(
        session, told.match.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    coach, hr = told.act_as(told.coach), told.act_as(told.hr)
    match_id, pledge_id, now = told.match.public_id, told.pledge.public_id, clock.now()
    session.commit()
    answers = at_once(
        app,
        lambda unit: service.accept_as_coach(unit, match_id, actor=coach, now=now).state,
        lambda unit: pledges.withdraw_approval(unit, pledge_id, "Te druk", actor=hr, now=now).state,
    )
    assert not isinstance(answers[1], DomainError)
    reserved(session)
    available, held, received, lapsed = balance(session, told.pledge)
    won = not isinstance(answers[0], DomainError)
    assert (available, held, received, lapsed) == ((0, 360, 0, 240) if won else (0, 0, 0, 600))
    assert session.get_one(Match, told.match.id).state is (
        MatchState.CONFIRMED if won else MatchState.CANCELLED
    )


def test_hours_confirmed_by_two_at_once_are_booked_once(app: Flask, session: Session) -> None:
    from timebank.ledger.models import Category

    told = story(session)
    told.start()
    entry = service.log_hours(
        session,
        told.match.public_id,
        session_public_id=None,
        activity_date=clock.today(),
        minutes=120,
        category=Category.DELIVERY,
        note="",
        key="k",
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    other = make.make_coordinator(session, told.initiative)
    actors = [told.act_as(told.coordinator), told.act_as(other)]
    public_id, now = entry.public_id, clock.now()
    session.commit()
    acts = [
        lambda unit, actor=actor: service.confirm_hours(unit, public_id, actor=actor, now=now).id
        for actor in actors
    ]
    assert at_once(app, *acts) == [entry.id, entry.id]
    session.expire_all()
    assert balance(session, told.pledge) == (240, 240, 120, 0)


@pytest.mark.parametrize("point", ["propose", "accept"])
def test_a_death_before_the_commit_leaves_nothing(app: Flask, session: Session, point: str) -> None:
    told = story(session)
    coordinator = told.act_as(told.coordinator)
    service.accept_as_initiative(session, told.match.public_id, actor=coordinator, now=clock.now())
    other = make.make_request(session, minutes_per_coach=60)
    item = ProposalInput(other.seats[0].id, told.pledge.id, 1, [], None)
    coach, public_id, now = told.act_as(told.coach), told.match.public_id, clock.now()
    session.commit()

    def rows() -> list[int]:
        session.expire_all()
        counts = [
            len(session.scalars(select(column)).all())
            for column in (
                Match.id,
                Reservation.match_id,
                LedgerTransaction.id,
                AuditEntry.id,
                OutboxMessage.id,
            )
        ]
        session.commit()  # on SQLite a transaction that stays open would keep all others out
        return counts

    before = rows()

    class Killed(BaseException):
        """As if the process ended here."""

    def dying() -> None:
        with app.app_context(), db.unit_of_work() as unit:
            if point == "propose":
                service.propose(unit, [item], now=now, days=7)
            else:
                service.accept_as_coach(unit, public_id, actor=coach, now=now)
            raise Killed

    with pytest.raises(Killed):
        dying()
    session.expire_all()
    assert rows() == before
    assert session.get_one(Match, told.match.id).state is MatchState.ACCEPTED_BY_INITIATIVE
