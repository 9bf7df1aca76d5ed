"""The same file twice at the same moment, and a file beside what people do by themselves: on real databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.imports import service
from timebank.imports.registry import Act, Scope, spec
from timebank.ledger.models import LedgerAccount
from timebank.ledger.verify import verify
from timebank.organisations.models import Employment, Initiative, Organisation
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge

COMPANIES = (
    "name;organisation_number;hr_name;hr_email\nDelta NV;0566.988.259;Saskia Roosen;hr@delta.example\n"
)
STAFF = (
    "employee_number;email;first_name;last_name;site_postcode\n"
    "1;an@x.example;An;Claes;9000\n2;bo@x.example;Bo;Maes;9000\n"
)
INITIATIVES = "name;phase;postcode;contact_name;contact_email\nDe Vonk;idea;9000;Mo;mo@x.example\n"
REQUESTS = "initiative;title;seats;hours_per_coach;from;must_skills;languages\nDe Vonk;Hulp;1;6;2026-04-01;{skill};nl\n"
PLEDGES = "email;hours;from;until;skills\nan@x.example;10;2026-04-01;2026-09-30;{skill}\n"


def at_once(app: Flask, *acts: Callable[[], Any]) -> list[Any]:
    """Each act in a thread of its own, begun together; what each returned or was stopped by."""
    gate = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(position: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            gate.wait(timeout=20)
            try:
                answers[position] = act()
            except Exception as error:  # what the test wants to see
                answers[position] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return answers


def judged(kind: str, text: str, company: Organisation | None) -> Callable[[], dict[str, Any]]:
    """Judge the file now; the answer applies it."""
    where = Scope(company.id if company else None, date(2026, 3, 10))
    found = service.preview(spec(kind), text.encode(), where)
    return lambda: service.apply(spec(kind), found, where, Act(COMMAND_LINE, clock.now(), f"{kind}.csv"))


@pytest.mark.both
@pytest.mark.parametrize(
    ("kind", "text", "model"),
    [
        ("companies", COMPANIES, Organisation),
        ("staff", STAFF, Employment),
        ("initiatives", INITIATIVES, Initiative),
        ("requests", REQUESTS, CoachingRequest),
        ("pledges", PLEDGES, Pledge),
    ],
    ids=["companies", "staff", "initiatives", "requests", "pledges"],
)
def test_one_file_sent_twice_at_once_is_applied_once(
    app: Flask, session: Session, held_clock: Any, kind: str, text: str, model: Any
) -> None:
    company = None
    skill = "bookkeeping"
    if kind in ("staff", "pledges"):
        company = make.make_company(session)
        session.commit()
        if kind == "pledges":
            judged("staff", STAFF, company)()
    if kind == "requests":
        judged("initiatives", INITIATIVES, None)()
    session.commit()
    text = text.format(skill=skill)
    before = session.scalar(select(func.count()).select_from(model))
    session.commit()
    rows = text.count("\n") - 1
    answers = at_once(app, *(judged(kind, text, company) for _ in range(2)))
    session.commit()
    assert not [a for a in answers if isinstance(a, Exception)]
    assert sorted((a["new"], a["same"]) for a in answers) == [(0, rows), (rows, 0)]
    assert session.scalar(select(func.count()).select_from(model)) == before + rows
    assert verify(session).first_break is None
    if kind == "pledges":
        assert session.scalars(
            select(LedgerAccount.balance).where(LedgerAccount.kind == "available")
        ).all() == [600]


@pytest.mark.both
def test_a_file_beside_the_persons_own_pledge_promises_no_hours_twice(
    app: Flask, session: Session, held_clock: Any
) -> None:
    employment = make.make_employment(session)
    offer = make.pledge_input(session, minutes=600, from_date=date(2026, 4, 1), until_date=date(2026, 9, 30))
    company = session.get_one(Organisation, employment.organisation_id)
    own = make.actor(session, session.get_one(User, employment.user_id))
    session.commit()
    text = PLEDGES.format(skill="bookkeeping").replace("an@x.example", employment.email)

    def by_hand() -> None:
        with db.unit_of_work() as unit:
            pledges.submit_pledge(unit, employment.id, offer, actor=own, now=clock.now())

    at_once(app, judged("pledges", text, company), by_hand)
    session.commit()
    assert session.scalar(select(func.count()).select_from(Pledge)) == 1


@pytest.mark.postgresql
def test_what_others_ask_while_a_file_is_judged_does_not_stop_it(
    app: Flask, session: Session, held_clock: Any
) -> None:
    initiative = make.make_initiative(session)
    session.commit()
    text = REQUESTS.format(skill="bookkeeping").replace("De Vonk", initiative.name)
    asked: list[int] = []

    def ask(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        """Somebody asks right behind the moment in which the file's transaction read the requests."""
        if "FROM coaching_requests" in statement and not asked:
            asked.append(1)
            other = threading.Thread(target=_ask, args=(app, initiative.id))
            other.start()
            other.join(timeout=20)

    act = judged("requests", text, None)
    event.listen(db.engine(), "after_cursor_execute", ask)
    answer = act()
    assert asked
    assert answer["new"] == 1


def _ask(app: Flask, initiative_id: int) -> None:
    with app.app_context(), db.unit_of_work() as unit:
        make.make_request(unit, unit.get_one(Initiative, initiative_id), title="Iets anders")
