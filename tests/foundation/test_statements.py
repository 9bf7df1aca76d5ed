"""A page asks the database as often for many rows as for a few."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.orm import Session

from tests import factories as make
from tests.conftest import HeldClock
from tests.matches.arrange import Story, at, story
from tests.support.client import TimebankClient
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.coaching.models import CoachingRequest
from timebank.ledger.models import Category
from timebank.matches import service as matches
from timebank.matching import runs
from timebank.matching.models import RunTrigger
from timebank.organisations.models import Admission, Initiative

PAGES = {
    "nobody": ("/", "/initiatives", "/open-requests"),
    "coach": (
        "/today",
        "/agenda",
        "/agenda.ics",
        "/hours",
        "/hours/statement.csv",
        "/pledges",
        "/open-requests",
    ),
    "hr": ("/hr", "/hr/approvals", "/hr/staff", "/hr/agreements", "/hr/report", "/hr/policy", "/hr/wanted"),
    "coordinator": (
        *("/initiative", "/initiative/hours", "/initiative/agreements", "/initiative/people"),
        *("/initiative/wanted", "/requests", "/coaches"),
    ),
    "operator": (
        *("/operator", "/operator/admissions", "/operator/organisations", "/operator/requests"),
        *("/operator/runs", "/operator/runs/pairs", "/operator/approvals", "/operator/weights"),
    ),
}


QUARTER = timedelta(minutes=15)


def test_pages_take_no_more_statements_for_more_rows(
    session: Session, client: TimebankClient, client_as: Callable[..., TimebankClient], held_clock: HeldClock
) -> None:
    told = story(session, minutes=2400, asked=60)
    told.start()
    operator = make.make_operator(session)
    grow(told, 2)
    session.commit()
    people = {
        "nobody": client,
        "coach": client_as(told.coach),
        "hr": client_as(told.hr),
        "coordinator": client_as(told.coordinator),
        "operator": client_as(operator),
    }
    few = counted(people)
    grow(told, 7)
    session.commit()
    assert counted(people) == few


def counted(people: dict[str, TimebankClient]) -> dict[tuple[str, str], int]:
    """Statements that each page takes."""
    found = {}
    for who, paths in PAGES.items():
        for path in paths:
            assert people[who].get(path).status_code == 200, path  # what is read once and kept, is
            with statements() as seen:
                people[who].get(path)
            found[who, path] = len(seen)
    return found


@contextmanager
def statements() -> Any:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def grow(told: Story, times: int) -> None:
    """More of everything that the people of the story see in lists."""
    session, company = told.session, told.employment.organisation

    def asked(initiative: Initiative | None = None) -> CoachingRequest:
        return make.make_request(session, initiative, minutes_per_coach=60, title=f"Boekhouding {uuid4()}")

    for _ in range(times):
        make.make_pledge(session, make.make_employment(session, company), approved=False)
        offered = make.make_pledge(session, make.make_employment(session, company))
        make.make_match(session, offered, asked(told.initiative))
        make.make_match(session, told.pledge, asked())
        asked(told.initiative)
        elsewhere = make.make_initiative(session)
        begin(
            told,
            coordinator=make.make_coordinator(session, elsewhere),
            initiative=elsewhere,
            pledge=told.pledge,
        )
        helper = make.make_user(session)
        theirs = make.make_employment(session, company, user=helper)
        begin(told, coach=helper, employment=theirs, pledge=make.make_pledge(session, theirs))
        make.make_initiative(session, admission=Admission.APPLIED, decided_at=None)
        make.make_coordinator(session, told.initiative)
        session.commit()
        runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7)


def begin(told: Story, **over: Any) -> None:
    """A coaching like the one of the story, with a session that is planned, and hours that wait to be confirmed."""
    own = replace(told, **over)
    session = own.session
    own.request = make.make_request(
        session, own.initiative, minutes_per_coach=60, title=f"Boekhouding {uuid4()}"
    )
    own.match = make.make_match(session, own.pledge, own.request)
    own.start()
    actor, now = own.act_as(own.coach), clock.now()
    begins = at(2, 6) + own.match.id * QUARTER
    matches.plan_session(
        session,
        own.match.public_id,
        starts_at=begins,
        ends_at=begins + QUARTER,
        place="Dok-Noord",
        remote=False,
        actor=actor,
        now=now,
    )
    matches.log_hours(
        session,
        own.match.public_id,
        session_public_id=None,
        activity_date=clock.today(),
        minutes=30,
        category=Category.DELIVERY,
        note="",
        key="k",
        actor=actor,
        now=now,
    )
