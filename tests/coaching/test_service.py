"""Asking for coaches: opening, the operator's look, changing, pausing, closing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import HeldClock
from tests.factories import (
    a_day,
    actor,
    grant,
    make_coordinator,
    make_initiative,
    make_operator,
    make_request,
    make_user,
    request_input,
    skill_id,
)
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.actor import Actor
from timebank.auth.models import Role
from timebank.coaching import holds, queries, service
from timebank.coaching.holds import Hold
from timebank.coaching.models import ClosedReason, CoachingRequest, RequestState, Shape
from timebank.errors import Conflict, Expired, Invalid, NotFound, NotPermitted, WrongState
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Admission, Initiative

STAFFING = {"minutes_per_coach": 24_000}


@pytest.fixture(autouse=True)
def _held(held_clock: HeldClock) -> None:
    """The time stands still."""


@pytest.fixture
def initiative(session: Session) -> Initiative:
    return make_initiative(session)


@pytest.fixture
def own(session: Session, initiative: Initiative) -> Actor:
    return actor(session, make_coordinator(session, initiative, language="fr"))


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[int, Hold]:
    """Seats that the test says are held."""
    seats: dict[int, Hold] = {}

    def source(session: Session, request_ids: Sequence[int]) -> dict[int, Hold]:
        return dict(seats)

    monkeypatch.setattr(holds, "_sources", [source])
    return seats


def ask(session: Session, initiative: Initiative, own: Actor, **over: Any) -> CoachingRequest:
    return service.submit_request(
        session, initiative.id, request_input(session, **over), actor=own, now=clock.now()
    )


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


@pytest.mark.both
def test_a_request_opens_at_once(session: Session, initiative: Initiative, own: Actor) -> None:
    nice = [(skill_id(session, "budgeting"), 1)]
    request = ask(session, initiative, own, seats=3, nice=nice)
    session.commit()
    assert request.state == RequestState.OPEN
    assert request.opened_at == clock.now()
    assert [s.position for s in request.seats] == [1, 2, 3]
    assert request.text("nl").title == "Een begroting die het bestuur begrijpt"
    assert {(s.skill_id, s.must) for s in request.skills} == {
        (skill_id(session, "bookkeeping"), True),
        (nice[0][0], False),
    }
    assert actions(session) == ["request_opened"]


def test_the_very_same_request_twice_is_one(
    session: Session, initiative: Initiative, own: Actor, held_clock: HeldClock
) -> None:
    first = ask(session, initiative, own)
    assert ask(session, initiative, own) is first
    assert ask(session, initiative, own, title="Een andere vraag") is not first
    held_clock.move(minutes=11)
    assert ask(session, initiative, own) is not first


def test_what_looks_like_staffing_goes_to_the_operator(
    session: Session, initiative: Initiative, own: Actor
) -> None:
    operator = make_operator(session)
    request = ask(session, initiative, own, **STAFFING)
    session.commit()
    assert request.state == RequestState.SUBMITTED
    assert request.opened_at is None
    assert session.scalars(select(OutboxMessage.user_id)).all() == [operator.id]
    who = actor(session, operator)
    service.release_request(session, request.public_id, actor=who, now=clock.now())
    service.release_request(session, request.public_id, actor=who, now=clock.now())
    session.commit()
    assert request.state == RequestState.OPEN
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "request.released")).one()
    assert (mail.user_id, mail.language) == (own.user_id, "fr")
    with pytest.raises(WrongState):
        service.refuse_request(session, request.public_id, "Te laat", actor=who, now=clock.now())


def test_the_operator_refuses_with_a_reason_that_is_mailed(
    session: Session, initiative: Initiative, own: Actor
) -> None:
    who = actor(session, make_operator(session))
    request = ask(session, initiative, own, **STAFFING)
    with pytest.raises(Invalid):
        service.refuse_request(session, request.public_id, "", actor=who, now=clock.now())
    service.refuse_request(session, request.public_id, "Dit is een vaste job.", actor=who, now=clock.now())
    session.commit()
    assert (request.state, request.closed_reason) == (RequestState.CLOSED, ClosedReason.REFUSED)
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "request.refused")).one()
    assert "Dit is een vaste job." in mail.body
    assert session.scalars(select(AuditEntry.detail)).all()[-1].get("reason") == "refused"


def test_an_initiative_without_coordinator_is_mailed_at_its_contact_address(session: Session) -> None:
    initiative = make_initiative(session)
    request = make_request(session, initiative, **STAFFING)
    who = actor(session, make_operator(session))
    service.refuse_request(session, request.public_id, "Neen", actor=who, now=clock.now())
    session.commit()
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "request.refused")).one()
    assert (mail.email, mail.user_id) == (initiative.contact_email, None)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"description": "x" * 5_001}, "description"),
        ({"language": "de"}, "language"),
        ({"seats": 0}, "seats"),
        ({"seats": 51}, "seats"),
        ({"minutes_per_coach": -600}, "hours"),
        ({"minutes_per_coach": 10**9}, "hours"),
        ({"until_date": -1}, "until_date"),
        ({"until_date": None}, "until_date"),
        ({"from_date": None}, "from_date"),
        ({"from_date": -400, "until_date": 10}, "from_date"),
        ({"from_date": -20, "until_date": -10}, "until_date"),
        ({"until_date": 4 * 366}, "until_date"),
        ({"must": []}, "must"),
        ({"must": [(999_999, 1)]}, "must"),
        ({"must": "level"}, "must"),
        ({"nice": "same"}, "nice"),
        ({"language_bits": 0}, "languages"),
        ({"week_bits": 0}, "week"),
        ({"postcode": "9999"}, "postcode"),
        ({"shape": Shape.SLOTS, "slots": []}, "slots"),
    ],
)
def test_bad_answers_are_refused_at_their_field(
    session: Session, initiative: Initiative, own: Actor, over: dict[str, Any], field: str
) -> None:
    skill = skill_id(session, "bookkeeping")
    words = {"level": [(skill, 0)], "same": [(skill, 1)]}
    values = {
        k: a_day(v)
        if k.endswith("_date") and isinstance(v, int)
        else words.get(v, v)
        if isinstance(v, str)
        else v
        for k, v in over.items()
    }
    with pytest.raises(Invalid) as refusal:
        ask(session, initiative, own, **values)
    assert field in refusal.value.fields
    assert session.scalar(select(func.count()).select_from(CoachingRequest)) == 0


def moment(day: int, hour: int, minutes: int = 60) -> tuple[datetime, datetime]:
    start = datetime(2026, 4, day, hour, tzinfo=UTC)
    return start, start + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "slots",
    [
        [moment(1, 9, -60)],
        [moment(1, 9, 10)],
        [moment(1, 9, 13 * 60)],
        [moment(1, 9), moment(1, 9, 30)],
        [(datetime(2026, 2, 1, 9, tzinfo=UTC), datetime(2026, 2, 1, 10, tzinfo=UTC))],
        [moment(1 + i // 10, i % 10 + 1) for i in range(41)],
    ],
)
def test_impossible_moments_are_refused(
    session: Session, initiative: Initiative, own: Actor, slots: list[tuple[datetime, datetime]]
) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(session, initiative, own, shape=Shape.SLOTS, slots=slots)
    assert "slots" in refusal.value.fields


def test_fixed_moments_back_to_back_are_fine(session: Session, initiative: Initiative, own: Actor) -> None:
    request = ask(session, initiative, own, shape=Shape.SLOTS, slots=[moment(2, 10), moment(2, 9)])
    assert [s.starts_at for s in request.slots] == [moment(2, 9)[0], moment(2, 10)[0]]
    assert request.minutes_per_coach == 120


def test_only_an_admitted_initiative_asks(session: Session, initiative: Initiative, own: Actor) -> None:
    initiative.admission = Admission.SUSPENDED
    with pytest.raises(WrongState):
        ask(session, initiative, own)


Act = Callable[[Session, uuid.UUID, Actor], CoachingRequest]
ACTS: dict[str, Act] = {
    "change": lambda s, i, a: service.change_request(
        s, i, request_input(s, title="Anders"), actor=a, now=clock.now()
    ),
    "seats": lambda s, i, a: service.change_seats(s, i, 2, actor=a, now=clock.now()),
    "pause": lambda s, i, a: service.pause_request(s, i, actor=a, now=clock.now()),
    "reopen": lambda s, i, a: service.reopen_request(s, i, actor=a, now=clock.now()),
    "cancel": lambda s, i, a: service.cancel_request(s, i, "Niet meer nodig", actor=a, now=clock.now()),
}


@pytest.mark.parametrize("act", ACTS)
def test_strangers_and_operators_do_nothing_with_a_request(
    session: Session, initiative: Initiative, own: Actor, act: str
) -> None:
    request = ask(session, initiative, own)
    elsewhere = actor(session, make_coordinator(session, make_initiative(session)))
    operator = actor(session, make_operator(session))
    for who in (elsewhere, operator):
        with pytest.raises(NotFound):
            ACTS[act](session, request.public_id, who)
    with pytest.raises(NotFound):
        ACTS[act](session, uuid.uuid4(), own)
    assert request.state == RequestState.OPEN


@pytest.mark.parametrize("act", ACTS)
def test_a_closed_request_stays_as_it_is(
    session: Session, initiative: Initiative, own: Actor, held_clock: HeldClock, act: str
) -> None:
    request = ask(session, initiative, own)
    held_clock.move(days=120)
    service.close_expired(session, now=clock.now())
    held_clock.move(days=-120)
    with pytest.raises(WrongState):
        ACTS[act](session, request.public_id, own)


def test_co_ordinators_do_not_review(session: Session, initiative: Initiative, own: Actor) -> None:
    request = ask(session, initiative, own, **STAFFING)
    with pytest.raises(NotPermitted):
        service.release_request(session, request.public_id, actor=own, now=clock.now())
    hr = grant(session, make_user(session), Role.HR, organisation_id=initiative.organisation_id)
    with pytest.raises(NotPermitted):
        service.refuse_request(session, request.public_id, "x", actor=actor(session, hr), now=clock.now())


def test_pause_and_open_again(
    session: Session, initiative: Initiative, own: Actor, held_clock: HeldClock
) -> None:
    request = ask(session, initiative, own)
    opened = request.opened_at
    for _twice in range(2):
        service.pause_request(session, request.public_id, actor=own, now=clock.now())
    assert request.state == RequestState.PAUSED
    held_clock.move(days=3)
    for _twice in range(2):
        service.reopen_request(session, request.public_id, actor=own, now=clock.now())
    assert request.state == RequestState.OPEN
    assert request.opened_at == opened  # it keeps its place in the queue
    service.pause_request(session, request.public_id, actor=own, now=clock.now())
    held_clock.move(days=200)
    with pytest.raises(Expired):
        service.reopen_request(session, request.public_id, actor=own, now=clock.now())
    session.commit()
    assert actions(session) == ["request_opened", "request_paused", "request_opened", "request_paused"]


def test_cancelling_needs_a_reason_and_happens_once(
    session: Session, initiative: Initiative, own: Actor
) -> None:
    request = ask(session, initiative, own)
    for empty in ("", " \n", "x" * 2_001):
        with pytest.raises(Invalid):
            service.cancel_request(session, request.public_id, empty, actor=own, now=clock.now())
    for _twice in range(2):
        service.cancel_request(session, request.public_id, "Opgelost", actor=own, now=clock.now())
    session.commit()
    assert (request.closed_reason, request.closed_note) == (ClosedReason.CANCELLED, "Opgelost")
    assert actions(session) == ["request_opened", "request_closed"]


def test_a_change_keeps_the_other_language(session: Session, initiative: Initiative, own: Actor) -> None:
    request = ask(session, initiative, own)
    wish = request_input(
        session, title="Un budget clair", language="fr", seats=2, must=[(skill_id(session, "budgeting"), 3)]
    )
    service.change_request(session, request.public_id, wish, actor=own, now=clock.now())
    session.commit()
    session.expire_all()
    request = session.scalars(select(CoachingRequest)).one()
    assert request.text("fr").title == "Un budget clair"
    assert request.text("nl").title == "Een begroting die het bestuur begrijpt"
    assert [(s.skill_id, s.level) for s in request.skills] == [(skill_id(session, "budgeting"), 3)]
    assert len(request.seats) == 2


def test_an_open_request_does_not_grow_into_staffing(
    session: Session, initiative: Initiative, own: Actor
) -> None:
    request = ask(session, initiative, own)
    with pytest.raises(Invalid):
        service.change_request(
            session, request.public_id, request_input(session, **STAFFING), actor=own, now=clock.now()
        )


def test_a_waiting_request_opens_once_it_is_made_lighter(
    session: Session, initiative: Initiative, own: Actor
) -> None:
    request = ask(session, initiative, own, **STAFFING)
    service.change_request(session, request.public_id, request_input(session), actor=own, now=clock.now())
    assert request.state == RequestState.OPEN


def test_what_coaches_said_yes_to_stays(
    session: Session, initiative: Initiative, own: Actor, held: dict[int, Hold]
) -> None:
    request = ask(session, initiative, own, seats=2)
    held[request.seats[0].id] = Hold.PROPOSED

    def change(**over: Any) -> None:
        wish = request_input(session, seats=2, **over)
        service.change_request(session, request.public_id, wish, actor=own, now=clock.now())

    refused: list[dict[str, Any]] = [
        {"minutes_per_coach": 300},
        {"until_date": a_day(60)},
        {"from_date": a_day(8)},
        {"postcode": "1000"},
        {"remote": True},
        {"language_bits": 3},
        {"must": [(skill_id(session, "budgeting"), 1)]},
        {"shape": Shape.OPEN_ENDED, "until_date": None},
    ]
    for over in refused:
        with pytest.raises(Conflict):
            change(**over)
        session.expire_all()
    change(
        title="Nieuwe titel", until_date=a_day(120), week_bits=1, nice=[(skill_id(session, "budgeting"), 1)]
    )
    assert request.until_date == a_day(120)


def test_seats_come_and_go_but_never_below_those_held(
    session: Session, initiative: Initiative, own: Actor, held: dict[int, Hold]
) -> None:
    request = ask(session, initiative, own, seats=3)
    first, second, third = request.seats
    held[second.id] = Hold.TAKEN

    def seats(count: int) -> list[int]:
        service.change_seats(session, request.public_id, count, actor=own, now=clock.now())
        return [s.position for s in request.seats if not s.withdrawn]

    assert seats(2) == [1, 2]
    assert seats(4) == [1, 2, 3, 4]
    held[first.id] = Hold.PROPOSED
    assert seats(2) == [1, 2]
    with pytest.raises(Conflict):
        seats(1)
    for wrong in (0, -3, 51):
        with pytest.raises(Invalid):
            seats(wrong)
    assert third.withdrawn


def test_a_request_is_filled_when_all_seats_are_taken_and_opens_when_one_is_freed(
    session: Session, initiative: Initiative, own: Actor, held: dict[int, Hold]
) -> None:
    request = ask(session, initiative, own, seats=2)
    held[request.seats[0].id] = Hold.TAKEN
    held[request.seats[1].id] = Hold.PROPOSED
    assert not service.close_if_filled(session, request, now=clock.now())
    held[request.seats[1].id] = Hold.TAKEN
    assert service.close_if_filled(session, request, now=clock.now())
    assert not service.close_if_filled(session, request, now=clock.now())
    assert (request.state, request.closed_reason) == (RequestState.CLOSED, ClosedReason.FILLED)
    assert not service.reopen_if_freed(session, request, now=clock.now())
    del held[request.seats[0].id]
    assert service.reopen_if_freed(session, request, now=clock.now())
    session.commit()
    assert (request.state, request.closed_reason, request.closed_at) == (RequestState.OPEN, None, None)


def test_requests_close_the_day_after_their_last_and_open_ended_ones_never(
    session: Session, initiative: Initiative, own: Actor, held_clock: HeldClock
) -> None:
    request = ask(session, initiative, own)
    endless = ask(session, initiative, own, shape=Shape.OPEN_ENDED, until_date=None)
    held_clock.move(days=90)
    assert service.close_expired(session, now=clock.now()) == 0
    held_clock.move(days=1)
    assert service.close_expired(session, now=clock.now()) == 1
    assert service.close_expired(session, now=clock.now()) == 0
    assert request.closed_reason == ClosedReason.EXPIRED
    assert endless.state == RequestState.OPEN


@pytest.mark.both
def test_open_requests_are_found_and_paged_longest_waiting_first(
    session: Session, held_clock: HeldClock
) -> None:
    ghent, liege = (
        make_initiative(session, name="Herstelpunt Gent"),
        make_initiative(session, postcode="4000"),
    )
    for number in range(3):
        make_request(session, ghent, title=f"Vraag {number}", seats=2)
        held_clock.move(hours=1)
    make_request(session, liege, title="Compta", postcode="4000", must=[(skill_id(session, "budgeting"), 1)])
    session.commit()

    def titles(**filters: Any) -> list[str]:
        page = queries.open_requests(session, on=clock.today(), **filters)
        return [r.title for r in page.rows]

    assert titles() == ["Vraag 0", "Vraag 1", "Vraag 2", "Compta"]
    assert titles(text="vraag 1") == ["Vraag 1"]
    assert titles(text="herstelpunt") == ["Vraag 0", "Vraag 1", "Vraag 2"]
    assert titles(text="100%_") == []
    assert titles(skill="budgeting") == ["Compta"]
    assert titles(region="flanders") == ["Vraag 0", "Vraag 1", "Vraag 2"]
    assert titles(region="BE33") == ["Compta"]
    first = queries.open_requests(session, on=clock.today(), limit=3)
    assert first.next
    assert titles(after=first.next) == ["Compta"]
    assert len(titles(after="nonsense")) == 4
    assert first.rows[0].free_seats == 2
    ghent.admission = Admission.SUSPENDED
    session.flush()
    assert titles() == ["Compta"]
    assert queries.open_requests(session, on=a_day(91)).rows == []
