"""Hours logged, confirmed, disputed, withdrawn, corrected."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, at, balance, mails_to, story
from timebank import clock
from timebank.auth.models import Role
from timebank.errors import Conflict, InsufficientHours, Invalid, NotFound, NotPermitted, WrongState
from timebank.ledger.models import Category, LedgerFact, LedgerTransaction
from timebank.ledger.verify import verify
from timebank.matches import service
from timebank.matches.models import CoachingSession, HourEntry, HoursState, MatchState, SessionState
from timebank.pledges import service as pledges


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    told = story(session)
    told.start()
    assert told.match.state is MatchState.ACTIVE
    return told


def log(told: Story, minutes: int = 120, *, key: str = "k", **over: Any) -> HourEntry:
    values: dict[str, Any] = {
        "session_public_id": None,
        "activity_date": clock.today(),
        "category": Category.DELIVERY,
        "note": "",
        "actor": told.act_as(told.coach),
        "now": clock.now(),
        **over,
    }
    entry = service.log_hours(told.session, told.match.public_id, minutes=minutes, key=key, **values)
    told.session.commit()
    return entry


def confirm(told: Story, entry: HourEntry) -> HourEntry:
    done = service.confirm_hours(
        told.session, entry.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    told.session.commit()
    return done


def test_confirmed_hours_are_booked_at_once(told: Story, session: Session) -> None:
    entry = log(told)
    assert balance(session, told.pledge) == (240, 360, 0, 0)
    confirm(told, entry)
    assert balance(session, told.pledge) == (240, 240, 120, 0)
    fact = session.scalars(
        select(LedgerFact)
        .join(LedgerTransaction)
        .where(LedgerTransaction.idempotency_key == entry.transaction_key)
    ).one()
    assert (fact.minutes, fact.category) == (120, Category.DELIVERY)
    assert fact.employee == told.employment.pseudonym
    assert fact.initiative == told.initiative.public_id
    assert (fact.site, fact.department, fact.skill) == ("Gent", "Productie", "bookkeeping")
    assert verify(session).first_break is None


def test_a_key_that_no_database_takes_is_refused(told: Story, client_as: Any) -> None:
    hours = {"session": "", "date": "2026-03-10", "hours": "1", "category": "delivery", "key": "a\0b"}
    answer = client_as(told.coach).post_form(f"/matches/{told.match.public_id}/hours", hours)
    assert answer.status_code == 422


def test_the_same_click_logs_and_books_once(told: Story, session: Session) -> None:
    entry = log(told)
    assert log(told) is entry
    confirm(told, entry)
    confirm(told, entry)
    assert balance(session, told.pledge) == (240, 240, 120, 0)
    assert len(session.scalars(select(HourEntry)).all()) == 1


def test_whoever_logged_never_confirms(told: Story, session: Session) -> None:
    entry = log(told)
    make.grant(session, told.coach, Role.COORDINATOR, initiative_id=told.initiative.id)
    with pytest.raises(NotPermitted):
        service.confirm_hours(session, entry.public_id, actor=told.act_as(told.coach), now=clock.now())


def test_whoever_approved_the_pledge_never_confirms_its_hours(told: Story, session: Session) -> None:
    entry = log(told)
    told.pledge.approved_by_id = told.hr.id
    make.grant(session, told.hr, Role.COORDINATOR, initiative_id=told.initiative.id)
    session.commit()
    with pytest.raises(NotPermitted):
        service.confirm_hours(session, entry.public_id, actor=told.act_as(told.hr), now=clock.now())
    assert confirm(told, entry).state is HoursState.CONFIRMED


def test_whoever_raised_the_pledge_never_confirms_its_hours(told: Story, session: Session) -> None:
    entry = log(told)
    pledges.change_minutes(session, told.pledge.public_id, 900, actor=told.act_as(told.hr), now=clock.now())
    make.grant(session, told.hr, Role.COORDINATOR, initiative_id=told.initiative.id)
    session.commit()
    with pytest.raises(NotPermitted):
        service.confirm_hours(session, entry.public_id, actor=told.act_as(told.hr), now=clock.now())
    assert confirm(told, entry).state is HoursState.CONFIRMED


def test_whoever_confirmed_hours_never_decides_on_their_pledge(told: Story, session: Session) -> None:
    confirm(told, log(told))
    company = told.employment.organisation_id
    make.grant(session, told.coordinator, Role.HR, organisation_id=company)
    session.commit()
    for who, allowed in ((told.coordinator, False), (told.hr, True)):
        with nullcontext() if allowed else pytest.raises(NotPermitted):
            pledges.change_minutes(
                session, told.pledge.public_id, 900, actor=told.act_as(who), now=clock.now()
            )


def test_strangers_neither_log_nor_confirm(told: Story, session: Session) -> None:
    entry = log(told)
    other = story(session)
    with pytest.raises(NotFound):
        log(told, key="x", actor=told.act_as(other.coach))
    for stranger in (other.coordinator, told.hr):
        with pytest.raises(NotFound):
            service.confirm_hours(session, entry.public_id, actor=told.act_as(stranger), now=clock.now())


def test_nothing_is_logged_before_the_agreement_is_in_force(session: Session, held_clock: Any) -> None:
    told = story(session)
    told.accept()
    with pytest.raises(WrongState):
        log(told)


@pytest.mark.parametrize(
    ("field", "over"),
    [
        ("date", {"activity_date": date(2026, 3, 11)}),  # tomorrow
        ("date", {"activity_date": date(2026, 3, 9)}),  # before the agreement
        ("hours", {"minutes": 0}),
        ("hours", {"minutes": -60}),
        ("hours", {"minutes": 83 * 60}),
        ("category", {"category": Category.MANAGEMENT}),
    ],
)
def test_hours_that_cannot_be_are_refused_beside_their_field(
    told: Story, session: Session, field: str, over: dict[str, Any]
) -> None:
    minutes = over.pop("minutes", 60)
    with pytest.raises(Invalid) as refusal:
        log(told, minutes, **over)
    assert field in refusal.value.fields
    session.rollback()
    assert session.scalars(select(HourEntry)).all() == []


def test_a_day_has_twelve_hours_at_most_over_all_coachings(told: Story) -> None:
    log(told, 400, key="a")
    with pytest.raises(Invalid) as refusal:
        log(told, 330, key="b", note="Avondsessie")
    assert "hours" in refusal.value.fields


def test_the_same_work_is_never_logged_twice_by_hand(told: Story) -> None:
    log(told, 60, key="a", note="Begroting")
    with pytest.raises(Conflict):
        log(told, 60, key="b", note="Begroting")
    log(told, 60, key="c", note="Jaarrekening")


def plan(told: Story) -> CoachingSession:
    """Two hours tomorrow."""
    meeting = service.plan_session(
        told.session,
        told.match.public_id,
        starts_at=at(1, 13, 30),
        ends_at=at(1, 15, 30),
        place="Gent",
        remote=False,
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    return meeting


def test_a_session_and_a_manual_entry_never_count_the_same_work(told: Story, held_clock: Any) -> None:
    meeting = plan(told)
    held_clock.move(days=2)
    day = clock.local_date(meeting.starts_at)
    with pytest.raises(Conflict):
        log(told, 120, key="hand", activity_date=day)
    entry = log(told, 120, key="a", session_public_id=meeting.public_id)
    assert (entry.activity_date, meeting.state) == (day, SessionState.HELD)
    with pytest.raises(Conflict):
        log(told, 120, key="b", session_public_id=meeting.public_id)
    with pytest.raises(Conflict):
        log(told, 120, key="c", activity_date=day)


def test_a_session_whose_travel_was_logged_still_stands_for_its_coaching(
    told: Story, held_clock: Any, client_as: Any
) -> None:
    meeting = plan(told)
    held_clock.move(days=2)
    day = clock.local_date(meeting.starts_at)
    log(told, 30, session_public_id=meeting.public_id, category=Category.TRAVEL)
    with pytest.raises(Conflict):
        log(told, 90, key="by hand", activity_date=day)
    page, offered = f"/matches/{told.match.public_id}", f'value="{meeting.public_id}"'
    coach = client_as(told.coach)
    assert offered in coach.get(page).text
    log(told, key="session", session_public_id=meeting.public_id)
    assert offered not in coach.get(page).text


def test_a_correction_never_moves_to_the_day_of_a_planned_session(told: Story, held_clock: Any) -> None:
    entry = confirm(told, log(told))
    meeting = plan(told)
    held_clock.move(days=2)
    correct = {"actor": told.act_as(told.coach), "now": clock.now(), "minutes": 120, "reason": "Another day"}
    with pytest.raises(Conflict):
        service.correct_hours(
            told.session, entry.public_id, activity_date=clock.local_date(meeting.starts_at), **correct
        )


def test_a_session_that_is_not_over_cannot_be_logged(told: Story) -> None:
    meeting = service.plan_session(
        told.session,
        told.match.public_id,
        starts_at=at(0, 13),
        ends_at=at(0, 15),
        place="Gent",
        remote=False,
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    with pytest.raises(Invalid):
        log(told, 120, session_public_id=meeting.public_id)


def test_more_than_agreed_comes_from_the_free_hours_of_the_pledge(told: Story, session: Session) -> None:
    confirm(told, log(told, 480))
    assert balance(session, told.pledge) == (120, 0, 480, 0)
    assert verify(session).first_break is None


def test_more_than_the_budget_is_refused_with_what_to_do(told: Story, session: Session) -> None:
    other = make.make_match(session, told.pledge, make.make_request(session, minutes_per_coach=200))
    session.commit()
    entry = log(told, 480)
    with pytest.raises(InsufficientHours) as refusal:
        confirm(told, entry)
    session.rollback()
    session.refresh(entry)
    assert "budget" in str(refusal.value)
    assert entry.state is HoursState.LOGGED
    assert other.state is MatchState.PROPOSED
    assert balance(session, told.pledge) == (240, 360, 0, 0)


@pytest.mark.parametrize("category", [Category.TRAVEL, Category.PREPARATION])
def test_travel_and_preparation_come_from_the_company_not_the_pledge(
    told: Story, session: Session, category: Category
) -> None:
    confirm(told, log(told, 60, category=category))
    assert balance(session, told.pledge) == (240, 360, 0, 0)
    assert verify(session).first_break is None


def test_a_dispute_is_answered_and_then_confirmed(told: Story, session: Session) -> None:
    entry = log(told)
    coordinator = told.act_as(told.coordinator)
    with pytest.raises(Invalid):
        service.dispute_hours(session, entry.public_id, reason="  ", actor=coordinator, now=clock.now())
    for _twice in range(2):
        service.dispute_hours(
            session, entry.public_id, reason="Het was 1 uur", actor=coordinator, now=clock.now()
        )
    session.commit()
    assert "Het was 1 uur" in mails_to(session, told.coach.email)[-1].body
    service.answer_dispute(
        session,
        entry.public_id,
        answer="Met voorbereiding ter plaatse",
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    session.commit()
    assert confirm(told, entry).state is HoursState.CONFIRMED


def test_withdrawn_hours_are_gone_and_may_be_logged_anew(told: Story, session: Session) -> None:
    entry = log(told, key="a")
    for _twice in range(2):
        service.withdraw_hours(session, entry.public_id, actor=told.act_as(told.coach), now=clock.now())
    session.commit()
    with pytest.raises(WrongState):
        confirm(told, entry)
    assert log(told, key="b").state is HoursState.LOGGED


def test_a_correction_reverses_and_asks_anew(told: Story, session: Session) -> None:
    entry = confirm(told, log(told))
    for _twice in range(2):
        new = service.correct_hours(
            session,
            entry.public_id,
            minutes=60,
            reason="Het was 1 uur",
            actor=told.act_as(told.coach),
            now=clock.now(),
        )
    session.commit()
    assert entry.state is HoursState.CORRECTED
    assert balance(session, told.pledge) == (240, 360, 0, 0)
    confirm(told, new)
    assert balance(session, told.pledge) == (240, 300, 60, 0)
    assert verify(session).first_break is None


def test_completion_gives_back_what_is_left(told: Story, session: Session) -> None:
    confirm(told, log(told))
    for _twice in range(2):
        service.complete(session, told.match.public_id, actor=told.act_as(told.coach), now=clock.now())
    session.commit()
    assert told.match.state is MatchState.COMPLETED
    assert balance(session, told.pledge) == (480, 0, 120, 0)
    assert verify(session).first_break is None


def test_hours_that_wait_keep_their_minutes_when_a_coaching_ends(told: Story, session: Session) -> None:
    entry = log(told)
    service.complete(session, told.match.public_id, actor=told.act_as(told.coordinator), now=clock.now())
    session.commit()
    assert balance(session, told.pledge) == (480, 120, 0, 0)
    confirm(told, entry)
    assert balance(session, told.pledge) == (480, 0, 120, 0)


def test_hours_left_of_a_pledge_that_is_over_lapse(told: Story, session: Session) -> None:
    from timebank.pledges import service as pledges

    pledges.withdraw_pledge(session, told.pledge.public_id, actor=told.act_as(told.coach), now=clock.now())
    service.cancel(session, told.match.public_id, "", actor=told.act_as(told.coach), now=clock.now())
    session.commit()
    assert balance(session, told.pledge) == (0, 0, 0, 600)
    assert verify(session).first_break is None


def test_a_leaver_s_coaching_stops_and_given_hours_still_count(told: Story, session: Session) -> None:
    from timebank.auth.actor import SYSTEM
    from timebank.organisations import service as organisations

    entry = log(told)
    organisations.close_employment(
        session, told.employment, clock.today() + timedelta(days=1), actor=SYSTEM, now=clock.now()
    )
    session.commit()
    session.refresh(told.match)
    assert told.match.state is MatchState.CANCELLED
    confirm(told, entry)
    available, reserved, received, lapsed = balance(session, told.pledge)
    assert (available, reserved, received, lapsed) == (0, 0, 120, 480)
    assert verify(session).first_break is None
