"""The desks of coach and initiative, and one coaching, through the web."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, at, balance, story
from tests.support.client import TimebankClient
from timebank import clock, db
from timebank.agreements.models import Agreement
from timebank.auth.models import User
from timebank.ledger.models import Category
from timebank.matches import service
from timebank.matches.models import CoachingSession, HourEntry, HoursState, MatchState, SessionState

ClientAs = Callable[[User], TimebankClient]


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    return story(session)


def logged(told: Story, minutes: int = 120, key: str = "k") -> HourEntry:
    entry = service.log_hours(
        told.session,
        told.match.public_id,
        session_public_id=None,
        activity_date=clock.today(),
        minutes=minutes,
        category=Category.DELIVERY,
        note=key,
        key=key,
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    return entry


def test_the_coach_sees_the_proposal_with_its_reasons_and_no_points(told: Story, client_as: ClientAs) -> None:
    page = client_as(told.coach).get("/today").text
    assert told.request.text("nl").title in page
    assert told.initiative.name in page
    assert "1200" not in page
    assert told.initiative.contact_email not in page


def test_only_what_both_sides_said_yes_to_is_agreed_on_every_page(told: Story, client_as: ClientAs) -> None:
    coach, held = client_as(told.coach), "vastgehouden voor open voorstellen"

    def agreed(path: str) -> str:
        return re.findall(r"<b>([^<]+)</b> afgesproken", coach.get(path).text)[-1]

    assert agreed("/today") == agreed("/hours") == "0 u"
    assert held in coach.get("/today").text
    told.accept()
    assert agreed("/today") == agreed("/hours") != "0 u"
    assert held not in coach.get("/today").text


def test_the_whole_story_from_proposal_to_confirmed_hours(
    told: Story, session: Session, client_as: ClientAs
) -> None:
    coach, coordinator, hr = client_as(told.coach), client_as(told.coordinator), client_as(told.hr)
    here = f"/matches/{told.match.public_id}"
    assert told.coach.last_name not in coordinator.get("/initiative").text
    assert coach.post_form(f"{here}/accept").status_code == 303
    assert f'href="{here}"' in coach.get("/today").text, "what waits for the other side can be looked at"
    assert f'href="{here}/decline"' in coach.get(here).text, "a yes can be taken back while nobody answered"
    answer = coordinator.post_form(f"{here}/accept", follow_redirects=True)
    assert told.coach.email in answer.text
    assert told.initiative.contact_email in coach.get(here).text

    agreement = session.scalars(select(Agreement)).one().public_id
    assert f"/agreements/{agreement}" in hr.get("/hr/agreements").text
    assert f"/agreements/{agreement}" in hr.get("/hr").text, "it waits for HR"
    assert hr.post_form(f"/agreements/{agreement}/accept").status_code == 303
    assert coach.get(f"/agreements/{agreement}").status_code == 200
    assert coordinator.post_form(f"/agreements/{agreement}/accept").status_code == 303

    form = {"session": "", "date": "2026-03-10", "hours": "1,5", "category": "delivery", "key": "k1"}
    for _twice in range(2):
        assert coach.post_form(f"{here}/hours", form).status_code == 303
    entry = session.scalars(select(HourEntry)).one()
    assert coordinator.post_form(f"/hours/{entry.public_id}/confirm").status_code == 303
    session.expire_all()
    assert entry.state is HoursState.CONFIRMED
    assert balance(session, told.pledge) == (240, 270, 90, 0)
    for page, client in (("/today", coach), ("/agenda", coach), ("/coaches", coordinator)):
        assert client.get(page).status_code == 200


def test_htmx_swaps_the_card(told: Story, client_as: ClientAs) -> None:
    answer = client_as(told.coach).post_form(f"/matches/{told.match.public_id}/accept", htmx=True)
    assert answer.status_code == 200
    assert f'id="match-{told.match.public_id}"' in answer.text
    assert "<html" not in answer.text


def test_a_late_yes_is_told_on_the_page_that_follows(
    told: Story, client_as: ClientAs, held_clock: Any
) -> None:
    coach = client_as(told.coach)
    held_clock.move(days=8)
    answer = coach.post_form(f"/matches/{told.match.public_id}/accept", follow_redirects=True)
    assert answer.status_code == 200
    assert "tb-notice--due" in answer.text
    late = coach.post_form(f"/matches/{told.match.public_id}/accept", htmx=True)
    assert late.headers["HX-Redirect"] == "/today"


@pytest.mark.parametrize("side", ["coach", "coordinator"])
def test_either_side_declines_with_a_reason(
    told: Story, session: Session, client_as: ClientAs, side: str
) -> None:
    client = client_as(getattr(told, side))
    url = f"/matches/{told.match.public_id}/decline"
    assert client.get(url).status_code == 200
    refused = client.post_form(url, {"note": "Ik kan pas in het najaar"})
    assert refused.status_code == 422
    assert "Ik kan pas in het najaar" in refused.text
    assert client.post_form(url, {"reason": "time", "note": "Najaar"}).status_code == 303
    session.refresh(told.match)
    assert (told.match.state, told.match.end_note) == (MatchState.DECLINED, "Najaar")


def test_what_was_agreed_meanwhile_offers_no_form_to_decline(told: Story, client_as: ClientAs) -> None:
    coach, coordinator = client_as(told.coach), client_as(told.coordinator)
    here = f"/matches/{told.match.public_id}"
    coach.post_form(f"{here}/accept")
    agreed = coordinator.post_form(f"{here}/accept", htmx=True)
    assert "Bekijk het" in agreed.text and "Plan een eerste sessie" not in agreed.text, "the coach plans"
    late = coordinator.get(f"{here}/decline", follow_redirects=True)
    assert "Beide kanten spraken deze begeleiding al af" in late.text
    assert 'name="reason"' not in late.text


PATHS = [
    ("get", ""),
    ("post", "/accept"),
    ("get", "/decline"),
    ("get", "/stop"),
    ("post", "/complete"),
    ("get", "/sessions.ics"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_other_people_s_matches_do_not_exist(
    told: Story, client_as: ClientAs, method: str, path: str
) -> None:
    other = story(told.session)
    for user in (other.coach, other.coordinator, told.hr):
        client = client_as(user)
        for public_id in (told.match.public_id, uuid4()):
            url = f"/matches/{public_id}{path}"
            answer = client.get(url) if method == "get" else client.post_form(url)
            assert answer.status_code == 404, (user.name, url)


def test_other_people_s_hours_and_sessions_do_not_exist(
    told: Story, session: Session, client_as: ClientAs
) -> None:
    told.start()
    entry = logged(told)
    meeting = service.plan_session(
        session,
        told.match.public_id,
        starts_at=at(2, 13),
        ends_at=at(2, 15),
        place="Gent",
        remote=False,
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    other = story(session)
    coach, coordinator = client_as(other.coach), client_as(other.coordinator)
    for client, path in (
        (coordinator, f"/hours/{entry.public_id}/confirm"),
        (coordinator, f"/sessions/{meeting.public_id}/cancel"),
        (coach, f"/hours/{entry.public_id}/withdraw"),
        (coach, f"/sessions/{meeting.public_id}/log"),
        (coach, f"/sessions/{meeting.public_id}/missed"),
    ):
        assert client.post_form(path).status_code == 404, path
    for client, path in (
        (coordinator, f"/hours/{entry.public_id}/dispute"),
        (coach, f"/hours/{entry.public_id}/answer"),
        (coach, f"/hours/{entry.public_id}/correct"),
        (coach, f"/sessions/{meeting.public_id}/move"),
        (coordinator, f"/matches/seats/{told.request.public_id}"),
    ):
        assert client.get(path).status_code == 404, path


def test_a_form_without_its_token_is_refused(told: Story, session: Session, client_as: ClientAs) -> None:
    assert client_as(told.coach).post(f"/matches/{told.match.public_id}/accept").status_code == 400
    session.refresh(told.match)
    assert told.match.state is MatchState.PROPOSED


@pytest.mark.parametrize(
    "over",
    [
        {"hours": "-2"},
        {"hours": "83"},
        {"hours": "veel"},
        {"date": "2026-03-11"},
        {"date": "31/02/2026"},
        {"date": ""},
        {"category": "management"},
        {"note": "x" * 100_000},
        {"note": "a\x00b"},
        {"session": str(uuid4())},
    ],
)
def test_bad_hours_stay_in_the_form(
    told: Story, session: Session, client_as: ClientAs, over: dict[str, str]
) -> None:
    told.start()
    form = {
        "session": "",
        "date": "2026-03-10",
        "hours": "2",
        "category": "delivery",
        "note": "Begroting",
        "key": "k",
    }
    answer = client_as(told.coach).post_form(f"/matches/{told.match.public_id}/hours", {**form, **over})
    assert answer.status_code == 422
    if "note" not in over:
        assert "Begroting" in answer.text
    assert session.scalars(select(HourEntry)).all() == []


def test_direction_marks_are_taken_out_of_a_note(told: Story, session: Session, client_as: ClientAs) -> None:
    told.start()
    form = {
        "session": "",
        "date": "2026-03-10",
        "hours": "2",
        "category": "delivery",
        "note": "ab\u202ecd",
        "key": "k",
    }
    assert client_as(told.coach).post_form(f"/matches/{told.match.public_id}/hours", form).status_code == 303
    assert session.scalars(select(HourEntry)).one().note == "abcd"


def test_a_session_is_planned_moved_logged_in_one_click(
    told: Story, session: Session, client_as: ClientAs, held_clock: Any
) -> None:
    told.start()
    coach = client_as(told.coach)
    url = f"/matches/{told.match.public_id}/sessions/new"
    assert coach.get(url).status_code == 200
    form = {"date": "2026-03-12", "starts": "13:30", "ends": "15:30", "place": "Gent"}
    refused = coach.post_form(url, {**form, "date": "2026-04-06"})  # Easter Monday
    assert (refused.status_code, "Gent" in refused.text) == (422, True)
    assert "Zeg wanneer het begint." in coach.post_form(url, {**form, "starts": ""}).text
    assert coach.post_form(url, form).status_code == 303
    meeting = session.scalars(select(CoachingSession)).one()
    assert meeting.starts_at == at(2, 13, 30)
    move = f"/sessions/{meeting.public_id}/move"
    assert "13:30" in coach.get(move).text
    assert coach.post_form(move, {**form, "date": "2026-03-13"}).status_code == 303
    moved = session.scalars(
        select(CoachingSession).where(CoachingSession.state == SessionState.PLANNED)
    ).one()
    assert "BEGIN:VEVENT" in coach.get("/agenda.ics").text
    held_clock.set(at(4, 10))
    assert f"/sessions/{moved.public_id}/log" in coach.get("/today").text
    assert coach.post_form(f"/sessions/{moved.public_id}/log").status_code == 303
    assert session.scalars(select(HourEntry)).one().minutes == 120


def test_disputed_hours_go_back_and_forth(told: Story, session: Session, client_as: ClientAs) -> None:
    told.start()
    entry = logged(told)
    coach, coordinator = client_as(told.coach), client_as(told.coordinator)
    assert coordinator.post_form(f"/hours/{entry.public_id}/dispute", {"reason": " "}).status_code == 422
    assert coordinator.post_form(f"/hours/{entry.public_id}/dispute", {"reason": "1 uur?"}).status_code == 303
    assert "1 uur?" in coach.get("/today").text
    here = f"/matches/{told.match.public_id}"
    assert "Het initiatief vraagt: 1 uur?" in coach.get(here).text
    assert "Je vroeg: 1 uur?" in coordinator.get(here).text
    assert coach.post_form(f"/hours/{entry.public_id}/answer", {"answer": "Nee, 2"}).status_code == 303
    assert "Nee, 2" in coordinator.get("/initiative").text
    swapped = coordinator.post_form(f"/hours/{entry.public_id}/confirm", htmx=True)
    assert f'id="hours-{entry.public_id}"' in swapped.text
    form = {"date": "2026-03-10", "hours": "1", "reason": "Het was toch 1 uur"}
    assert coach.post_form(f"/hours/{entry.public_id}/correct", form).status_code == 303
    assert balance(session, told.pledge) == (240, 360, 0, 0)


def test_several_hours_are_confirmed_together(told: Story, session: Session, client_as: ClientAs) -> None:
    told.start()
    entries = [logged(told, 60, key) for key in ("a", "b")]
    coordinator = client_as(told.coordinator)
    assert coordinator.get("/initiative/hours?state=logged&from=2026-01-01&until=onzin").status_code == 200
    chosen = [str(e.public_id) for e in entries]
    assert coordinator.post_form("/initiative/hours/confirm", {"chosen": chosen}).status_code == 303
    assert balance(session, told.pledge) == (240, 240, 120, 0)
    for bad in (["x"], [str(uuid4())]):
        assert coordinator.post_form("/initiative/hours/confirm", {"chosen": bad}).status_code == 404


def test_seats_of_a_request_tell_names_only_after_two_yeses(told: Story, client_as: ClientAs) -> None:
    coordinator = client_as(told.coordinator)
    url = f"/matches/seats/{told.request.public_id}"
    assert told.coach.last_name not in coordinator.get(url).text
    told.accept()
    assert told.coach.last_name in coordinator.get(url).text


def test_a_coaching_is_stopped_and_completed(told: Story, session: Session, client_as: ClientAs) -> None:
    told.start()
    coach = client_as(told.coach)
    here = f"/matches/{told.match.public_id}"
    assert coach.post_form(f"{here}/complete").status_code == 303
    late = coach.post_form(f"{here}/stop", {"reason": "Ziek"}, follow_redirects=True)
    assert "tb-notice--due" in late.text
    session.refresh(told.match)
    assert told.match.state is MatchState.COMPLETED


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_pages_speak_each_language(told: Story, session: Session, client_as: ClientAs, language: str) -> None:
    told.start()
    logged(told)
    for user, paths in (
        (told.coach, ("/today", "/agenda", f"/matches/{told.match.public_id}")),
        (
            told.coordinator,
            ("/initiative", "/coaches", "/initiative/hours", f"/matches/{told.match.public_id}"),
        ),
        (told.hr, ("/hr/agreements",)),
    ):
        user.language = language
        client = client_as(user)
        for path in paths:
            page = client.get(path)
            assert page.status_code == 200, path
            assert f'<html lang="{language}"' in page.text


def statements_of(client: TimebankClient, path: str) -> int:
    seen: list[str] = []

    def listen(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    client.get(path)
    event.listen(db.engine(), "before_cursor_execute", listen)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(db.engine(), "before_cursor_execute", listen)
    return len(seen)


def test_desks_ask_no_more_statements_for_more_rows(
    session: Session, client_as: ClientAs, held_clock: Any
) -> None:
    told = story(session, minutes=3000)
    told.start()
    for key in ("a", "b"):
        logged(told, 60, key)

    def another(n: int) -> None:
        for i in range(n):
            title = f"Vraag {n}.{i}"
            request = make.make_request(session, told.initiative, minutes_per_coach=60, title=title)
            make.make_match(session, told.pledge, request)
        session.commit()

    another(2)
    coach, coordinator = client_as(told.coach), client_as(told.coordinator)
    before = {
        p: statements_of(c, p)
        for c, p in ((coach, "/today"), (coordinator, "/initiative"), (coordinator, "/coaches"))
    }
    another(5)
    for key in ("c", "d", "e"):
        logged(told, 60, key)
    after = {
        p: statements_of(c, p)
        for c, p in ((coach, "/today"), (coordinator, "/initiative"), (coordinator, "/coaches"))
    }
    assert after == before


def test_a_proposal_that_runs_out_is_no_longer_shown(
    told: Story, client_as: ClientAs, held_clock: Any
) -> None:
    coach = client_as(told.coach)
    held_clock.set(told.match.expires_at + timedelta(minutes=1))
    assert f"/matches/{told.match.public_id}/accept" not in coach.get("/today").text
