"""Accounts like a bank's, for each side, on the page and as a file; one booking; the head of the chain."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories as make
from tests.books.conftest import confirm, log
from tests.matches.arrange import Story
from timebank import clock
from timebank.auth.models import Role
from timebank.books import statements
from timebank.books.statements import Balances, Query
from timebank.ledger import queries as ledger
from timebank.ledger import service
from timebank.ledger.models import AccountKind, LedgerBook, TransactionKind
from timebank.ledger.service import Facts
from timebank.matches import service as matches

Enter = Callable[..., Any]
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
PAGES = ("/hours/account", "/initiative/hours/account", "/hr/ledger")


@pytest.mark.both
def test_each_side_sees_what_there_was_what_came_and_went_and_what_there_is(told: Story) -> None:
    # In February: ten hours pledged, six agreed. In March: two confirmed, of which half an hour too much.
    entry = log(told)
    confirm(told, entry)
    right = matches.correct_hours(
        told.session,
        entry.public_id,
        minutes=90,
        reason="Too much",
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    told.session.commit()
    confirm(told, right)
    sides = {
        "coach": statements.of_employee(told.act_as(told.coach)),
        "initiative": statements.of_initiative(told.initiative.id),
        "company": statements.of_company(told.employment.organisation_id),
    }
    expected = {
        AccountKind.AVAILABLE: Balances(240, 0, 0),
        AccountKind.RESERVED: Balances(360, 120, 210),
        AccountKind.RECEIVED: Balances(0, 210, 120),
        AccountKind.GRANTED: Balances(600, 0, 0),
    }
    for side, whose in sides.items():
        for kind, balances in expected.items():
            shown = statements.statement(told.session, whose, Query(kind, *MARCH))
            if (side, kind) in {("initiative", AccountKind.AVAILABLE), ("initiative", AccountKind.GRANTED)}:
                balances = Balances(0, 0, 0)
            assert shown.balances == balances, (side, kind)
            assert sum(m.minutes for m in shown.movements) == balances.closing - balances.opening
        shown = statements.statement(told.session, whose, Query(AccountKind.RECEIVED, *MARCH))
        assert [(m.kind.value, m.minutes, m.reverses) for m in shown.movements] == [
            ("confirm", 90, None),
            ("reversal", -120, 3),
            ("confirm", 120, None),
        ]
        only = Query(AccountKind.RECEIVED, *MARCH, kind=TransactionKind.REVERSAL)
        one = statements.statement(told.session, whose, only)
        assert ([m.minutes for m in one.movements], one.balances) == ([-120], shown.balances)
    held = ledger.balances(told.session, tranches=[told.pledge.tranches[0].public_id])
    assert held[told.pledge.tranches[0].public_id].received == 90


def test_movements_are_paged_by_key_and_the_file_holds_them_all(
    told: Story, session: Session, client_as: Enter
) -> None:
    company = told.employment.organisation_id
    entries = [
        service.grant_entry(
            organisation_id=company,
            tranche=uuid.uuid4(),
            minutes=60 + i,
            activity_date=clock.today(),
            facts=Facts(employee="E-1"),
            actor_label="system",
            now=clock.now(),
            key=str(uuid.uuid4()),
        )
        for i in range(120)
    ]
    service.post_many(session, entries)
    session.commit()
    query, whose = Query(AccountKind.AVAILABLE, *MARCH), statements.of_company(company)
    first = statements.statement(session, whose, query)
    second = statements.statement(session, whose, query, first.next)
    third = statements.statement(session, whose, query, second.next)
    assert third.next is None
    seen = [m.minutes for page in (first, second, third) for m in page.movements]
    assert seen == list(range(179, 59, -1))
    hr = client_as(told.hr)
    page = hr.get("/hr/ledger?account=available&from=2026-03-01&until=2026-03-31")
    assert "after=" in page.text
    answer = hr.get("/hr/ledger.csv?account=available&from=2026-03-01&until=2026-03-31")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 1 + 1 + 120 + 1
    assert [int(r[5]) for r in rows[2:-1]] == list(range(60, 180))
    assert int(rows[1][5]) + sum(int(r[5]) for r in rows[2:-1]) == int(rows[-1][5])


def test_pages_show_their_own_side_in_its_language_and_lead_on(
    told: Story, session: Session, client_as: Enter
) -> None:
    confirm(told, log(told))
    coach, initiative, hr = (client_as(p) for p in (told.coach, told.coordinator, told.hr))
    own = coach.get("/hours/account?account=received&from=2026-03-01&until=2026-03-31&kind=").text
    assert f"/matches/{told.match.public_id}" in own and told.initiative.name in own
    pledged = coach.get("/hours/account?account=available&from=2026-01-01&until=2026-03-31&kind=").text
    assert f"/pledges/{told.pledge.public_id}" in pledged
    theirs = initiative.get("/initiative/hours/account").text
    assert f"/matches/{told.match.public_id}" in theirs
    ledger_page = hr.get("/hr/ledger").text
    assert "Grootboek" in ledger_page and "/hr/ledger/3" in ledger_page
    assert told.employment.name not in ledger_page and told.employment.pseudonym not in ledger_page
    booking = hr.get("/hr/ledger/3").text
    assert "Boeking 3" in booking and told.employment.pseudonym not in booking
    assert hr.get("/hr/ledger/99").status_code == hr.get("/hr/ledger/99999999999999").status_code == 404


@pytest.mark.both
def test_the_ledger_names_initiatives_to_the_auditor_and_not_to_hr(
    told: Story, session: Session, client_as: Enter
) -> None:
    """HR sees each pledge's hours by name: beside them, a row would tell who coaches where."""
    confirm(told, log(told))
    auditor = make.make_user(session)
    make.grant(session, auditor, Role.AUDITOR, organisation_id=told.employment.organisation_id)
    reserved = "account=reserved&from=2026-01-01&until=2026-03-31&kind="
    for person, named in ((told.hr, False), (auditor, True)):
        client = client_as(person)
        for page in (f"/hr/ledger?{reserved}", f"/hr/ledger.csv?{reserved}", "/hr/ledger/2", "/hr/ledger/3"):
            answer = client.get(page)
            assert answer.status_code == 200
            assert (told.initiative.name in answer.text) is named, page


def test_nobody_sees_the_account_of_another(told: Story, session: Session, client_as: Enter) -> None:
    confirm(told, log(told))
    other_company = make.make_company(session, name="Ander Bedrijf")
    strangers = (
        make.make_employment(session, other_company).user_id,
        make.make_coordinator(session, make.make_initiative(session, name="Ander Initiatief")).id,
        make.make_hr(session, other_company).id,
    )
    session.commit()
    for number, page in enumerate(PAGES):
        for role, user_id in enumerate(strangers):
            answer = client_as(session.get_one(make.User, user_id)).get(page)
            if role == number:
                assert answer.status_code == 200
                assert str(told.match.public_id) not in answer.text and "/hr/ledger/1" not in answer.text
            else:
                assert answer.status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        "account=nonsense&from=2026-01-01&until=2026-03-01&kind=",
        "account=received&from=2026-03-02&until=2026-03-01&kind=",
        "account=received&from=x&until=2026-03-01&kind=",
        "account=received&from=2026-01-01&until=2026-03-01&kind=x",
        "account=granted&from=2026-01-01&until=2026-03-01&kind=",  # the company's, not an initiative's
    ],
)
def test_what_cannot_be_asked_is_said(told: Story, client_as: Enter, asked: str) -> None:
    initiative = client_as(told.coordinator)
    assert initiative.get(f"/initiative/hours/account?{asked}").status_code == 422
    assert initiative.get(f"/initiative/hours/account.csv?{asked}").status_code == 422


def test_hr_downloads_the_head_of_the_chain(told: Story, session: Session, client_as: Enter) -> None:
    hr = client_as(told.hr)
    content = json.loads(hr.get("/hr/ledger/head.json").data)
    book = session.query(LedgerBook).one()
    assert (content["head"], content["bookings"], content["book"]) == (
        book.head.hex(),
        2,
        str(book.public_id),
    )
    empty = make.make_hr(session, make.make_company(session, name="Ander Bedrijf"))
    session.commit()
    assert client_as(empty).get("/hr/ledger/head.json").status_code == 404
    assert client_as(empty).get("/hr/ledger").status_code == 200
