"""Hours that wait: late ones for the company, and for the initiative until its silence counts; what is unlikely."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, at, balance, mails_to, story
from timebank import clock
from timebank.auth.models import Role
from timebank.errors import Invalid, NotFound, NotPermitted, WrongState
from timebank.ledger.models import Category, LedgerTransaction
from timebank.matches import service
from timebank.matches.models import HourEntry, HoursState
from timebank.organisations import service as organisations
from timebank.scheduler import work


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    told = story(session)
    told.start()
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


def late(told: Story, held_clock: Any, **over: Any) -> HourEntry:
    day = clock.today()
    held_clock.move(days=31)
    return log(told, activity_date=day, late_reason="I was ill for a month", **over)


def act(told: Story, name: str, entry: HourEntry, who: Any, **over: Any) -> HourEntry:
    done = getattr(service, name)(
        told.session, entry.public_id, actor=told.act_as(who), now=clock.now(), **over
    )
    told.session.commit()
    return done


# --- late -----------------------------------------------------------------------------------------------------------


def test_late_hours_need_a_reason_then_the_company_then_the_initiative(told: Story, held_clock: Any) -> None:
    day = clock.today()
    held_clock.move(days=30)
    assert log(told, 30, activity_date=day).state is HoursState.LOGGED
    held_clock.move(days=1)
    with pytest.raises(Invalid) as refused:
        log(told, activity_date=day, key="l")
    assert set(refused.value.fields) == {"late_reason"}
    entry = log(told, activity_date=day, key="l", late_reason="I was ill")
    assert entry.state is HoursState.LATE
    with pytest.raises(WrongState):
        act(told, "confirm_hours", entry, told.coordinator)
    mail = mails_to(told.session, told.hr.email)[-1]
    assert "I was ill" in mail.body and "/hr/late-hours" in mail.body
    assert told.initiative.name not in mail.body
    act(told, "approve_late", entry, told.hr)
    assert act(told, "approve_late", entry, told.hr).state is HoursState.LOGGED
    assert "bevestig" in mails_to(told.session, told.coordinator.email)[-1].body.lower()
    act(told, "confirm_hours", entry, told.coordinator)
    assert balance(told.session, told.pledge)[2] == 120


def test_a_refusal_gives_the_coach_the_reason_and_room_to_log_again(told: Story, held_clock: Any) -> None:
    entry = late(told, held_clock)
    with pytest.raises(Invalid):
        act(told, "refuse_late", entry, told.hr, reason=" ")
    act(told, "refuse_late", entry, told.hr, reason="That was a holiday of yours")
    assert act(told, "refuse_late", entry, told.hr, reason="x").state is HoursState.WITHDRAWN
    assert "That was a holiday" in mails_to(told.session, told.coach.email)[-1].body
    with pytest.raises(WrongState):
        act(told, "approve_late", entry, told.hr)


def test_nobody_approves_their_own_late_hours_and_whoever_does_never_confirms(
    told: Story, held_clock: Any
) -> None:
    company = told.employment.organisation_id
    make.grant(told.session, told.coach, Role.HR, organisation_id=company)
    make.grant(told.session, told.hr, Role.COORDINATOR, initiative_id=told.initiative.id)
    stranger = make.make_hr(told.session, make.make_company(told.session, name="Ander Bedrijf"))
    told.session.commit()
    entry = late(told, held_clock)
    with pytest.raises(NotPermitted):
        act(told, "approve_late", entry, told.coach)
    for person in (stranger, told.coordinator):
        with pytest.raises(NotFound):
            act(told, "approve_late", entry, person)
    act(told, "approve_late", entry, told.hr)
    with pytest.raises(NotPermitted):
        act(told, "confirm_hours", entry, told.hr)


def test_the_company_says_what_is_late(told: Story, held_clock: Any) -> None:
    policy = told.employment.organisation.policy
    assert policy is not None
    policy.late_after_days = 5
    told.session.commit()
    day = clock.today()
    held_clock.move(days=5)
    assert log(told, 30, activity_date=day).state is HoursState.LOGGED
    held_clock.move(days=1)
    assert log(told, activity_date=day, key="l", late_reason="Busy").state is HoursState.LATE


def test_a_late_correction_waits_for_the_company_only_where_it_asks_for_more(
    told: Story, held_clock: Any
) -> None:
    entries = [log(told, key=str(i), minutes=60 + i) for i in range(2)]
    for entry in entries:
        act(told, "confirm_hours", entry, told.coordinator)
    held_clock.move(days=31)
    less = act(told, "correct_hours", entries[0], told.coach, minutes=30, reason="Too much")
    more = act(told, "correct_hours", entries[1], told.coach, minutes=90, reason="Too little")
    assert (less.state, more.state) == (HoursState.LOGGED, HoursState.LATE)
    assert "Too little" in mails_to(told.session, told.hr.email)[-1].body


def test_hr_decides_on_a_page_of_its_own(told: Story, held_clock: Any, client_as: Callable[..., Any]) -> None:
    day = clock.today()
    held_clock.move(days=31)
    coach = client_as(told.coach)
    address = f"/matches/{told.match.public_id}/hours"
    data = {"session": "", "date": day.isoformat(), "hours": "2", "category": "delivery", "key": "a"}
    first = coach.post_form(address, data)
    assert first.status_code == 422 and "late_reason" in first.text
    answer = coach.post_form(address, {**data, "late_reason": "I was ill"}, follow_redirects=True)
    assert "je bedrijf beslist eerst" in answer.text
    [entry] = told.session.query(HourEntry).all()
    told.session.commit()
    hr = client_as(told.hr)
    assert "/hr/late-hours" in hr.get("/hr").text
    page = hr.get("/hr/late-hours").text
    assert "I was ill" in page and told.initiative.name not in page
    assert client_as(told.coordinator).get("/hr/late-hours").status_code == 404
    refuse = hr.get(f"/late-hours/{entry.public_id}/refuse").text
    assert "I was ill" in refuse
    done = hr.post_form(f"/late-hours/{entry.public_id}/approve?desk=hr", follow_redirects=True)
    assert "I was ill" not in done.text
    assert "/hr/late-hours" not in hr.get("/hr").text
    assert str(entry.public_id) in client_as(told.coordinator).get("/initiative").text


# --- silence --------------------------------------------------------------------------------------------------------


def keep_house(session: Session) -> None:
    session.commit()  # what it read would keep the writers of SQLite waiting
    for kind in ("reminders", "consent"):
        work._until_nothing_is_left(work.HOUSEKEEPING[kind])


@pytest.mark.both
def test_silence_counts_after_both_sides_were_told_and_reminded(
    told: Story, session: Session, held_clock: Any
) -> None:
    entry = log(told)
    due = clock.now() + timedelta(days=21)
    assert entry.consent_at == due
    assert "31 maart 2026" in mails_to(session, told.coordinator.email)[-1].body
    held_clock.move(days=13)
    keep_house(session)
    session.refresh(entry)
    assert entry.reminded_at is None
    held_clock.move(days=1)
    keep_house(session)
    for person in (told.coach, told.coordinator):
        assert "31 maart 2026" in mails_to(session, person.email)[-1].body
    held_clock.move(days=6)
    keep_house(session)
    session.refresh(entry)
    assert entry.state is HoursState.LOGGED
    held_clock.move(days=1)
    keep_house(session)
    keep_house(session)
    session.refresh(entry)
    assert (entry.state, entry.confirmed_by_role, entry.confirmed_by_id) == (
        HoursState.CONFIRMED,
        "system",
        None,
    )
    booked = session.query(LedgerTransaction).filter_by(idempotency_key=entry.transaction_key).one()
    assert '"actor":"system"' in booked.payload
    for person in (told.coach, told.coordinator):
        assert "bevestigd" in mails_to(session, person.email)[-1].subject


def test_a_reminder_that_comes_late_leaves_its_week(told: Story, session: Session, held_clock: Any) -> None:
    entry = log(told)
    held_clock.move(days=40)
    keep_house(session)
    session.refresh(entry)
    assert (entry.state, entry.consent_at) == (HoursState.LOGGED, clock.now() + timedelta(days=7))


def test_what_is_disputed_or_switched_off_waits_for_the_answer(
    told: Story, session: Session, held_clock: Any
) -> None:
    disputed, waiting = log(told), log(told, 60, key="w")
    act(told, "dispute_hours", disputed, told.coordinator, reason="It was shorter")
    causes = [c.cause_id for c in told.initiative.causes]
    organisations.change_initiative(
        session,
        told.initiative.id,
        organisations.InitiativeProfile(
            texts={"nl": "Wij herstellen"},
            website="",
            contact_name="An",
            cause_ids=causes,
            work_form_id=None,
            term_ids=[],
            silent_consent=False,
        ),
        actor=told.act_as(told.coordinator),
        now=clock.now(),
    )
    session.commit()
    later = log(told, 30, key="l")
    held_clock.move(days=60)
    keep_house(session)
    session.expire_all()
    assert [e.state for e in (disputed, waiting, later)] == [
        HoursState.DISPUTED,
        HoursState.LOGGED,
        HoursState.LOGGED,
    ]


def test_silence_never_gives_more_hours_than_there_are(
    told: Story, session: Session, held_clock: Any
) -> None:
    entry = log(told, 700)
    held_clock.move(days=20)
    keep_house(session)
    held_clock.move(days=7)
    keep_house(session)
    session.refresh(entry)
    assert (entry.state, entry.consent_at) == (HoursState.LOGGED, None)


def test_silence_is_no_consent_where_it_is_switched_off_though_hours_were_logged_at_that_moment(
    told: Story, session: Session, held_clock: Any
) -> None:
    """What a coach logs while the initiative switches it off may still carry a day of consent."""
    entry = log(told)
    told.initiative.silent_consent = False
    session.commit()
    held_clock.move(days=22)
    keep_house(session)
    session.refresh(entry)
    assert (entry.state, entry.consent_at, entry.reminded_at) == (HoursState.LOGGED, None, None)


# --- unlikely -------------------------------------------------------------------------------------------------------


def test_the_company_s_free_days_shape_sessions_and_are_asked_twice_about(
    told: Story, client_as: Callable[..., Any], held_clock: Any
) -> None:
    hr = client_as(told.hr)
    rules = {"approval": "hr", "min_months": "0"}
    for wrong in ("24/12/2026 until new year", "12/03/2026 - 11/03/2026"):
        assert hr.post_form("/hr/policy", {**rules, "blackouts": wrong}).status_code == 422
    right = "11/03/2026 - 12/03/2026\n2026-03-20"
    assert hr.post_form("/hr/policy", {**rules, "blackouts": right}).status_code == 303
    assert "11/03/2026 - 12/03/2026\n20/03/2026" in hr.get("/hr/policy").text.replace("\r", "")
    plan = {"place": "Gent", "remote": False, "actor": told.act_as(told.coach), "now": clock.now()}
    with pytest.raises(Invalid) as refused:
        service.plan_session(
            told.session, told.match.public_id, starts_at=at(2, 14), ends_at=at(2, 16), **plan
        )
    assert set(refused.value.fields) == {"date"}
    service.plan_session(told.session, told.match.public_id, starts_at=at(3, 14), ends_at=at(3, 16), **plan)
    told.session.commit()
    held_clock.move(days=2)
    with pytest.raises(Invalid) as refused:
        log(told)
    assert set(refused.value.fields) == {"certain"}
    assert log(told, certain=True).minutes == 120


def test_what_is_unlikely_is_logged_when_the_coach_says_so(told: Story, held_clock: Any) -> None:
    meeting = service.plan_session(
        told.session,
        told.match.public_id,
        starts_at=at(1, 14),
        ends_at=at(1, 16),
        place="Gent",
        remote=False,
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    held_clock.set(clock.local_moment(date(2026, 4, 7), at(0, 10).time()))
    for over in (
        {"activity_date": date(2026, 4, 6)},  # Easter Monday
        {"session_public_id": meeting.public_id, "minutes": 181},
    ):
        with pytest.raises(Invalid) as refused:
            log(told, **over)
        assert set(refused.value.fields) == {"certain"}
    assert log(told, 120, activity_date=date(2026, 4, 6), certain=True).minutes == 120
    assert log(told, 180, key="s", session_public_id=meeting.public_id).minutes == 180
