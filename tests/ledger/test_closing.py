"""Closed periods: nothing counts in them any more, what comes later says which day it restates, and nobody hides it."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from tests.ledger.conftest import NOW, add_company, booking
from tests.ledger.forgery import behind_its_back, found
from timebank import db
from timebank.errors import Conflict, DomainError, Invalid
from timebank.ledger import queries
from timebank.ledger.closing import close_period
from timebank.ledger.models import LedgerFact, LedgerPeriod, LedgerTransaction

FEBRUARY = date(2026, 2, 10)


def close(company: int, year: int, month: int | None, now: datetime = NOW) -> LedgerPeriod:
    with db.unit_of_work() as session:
        return close_period(session, company, year=year, month=month, closed_by_id=None, now=now)


def february(company: int) -> tuple[uuid.UUID, uuid.UUID, str]:
    """Ten hours pledged and one confirmed in February, which is then closed; gives the confirmation's key."""
    tranche, match = uuid.uuid4(), uuid.uuid4()
    with booking(company) as book:
        book.grant(tranche, 600, activity_date=FEBRUARY)
        book.reserve(match, (tranche, 360), activity_date=FEBRUARY)
        key = book.confirm(match, (tranche, 60), activity_date=FEBRUARY).idempotency_key
    close(company, 2026, 2)
    return tranche, match, key


def counted(company: int, first: date, last: date) -> int:
    with db.read_session() as session:
        return session.scalars(
            select(func.coalesce(func.sum(LedgerFact.minutes), 0)).where(
                LedgerFact.measure == "confirmed", LedgerFact.activity_date.between(first, last)
            )
        ).one()


@pytest.mark.both
def test_what_is_booked_after_the_closing_counts_in_the_open_and_says_what_it_restates(company: int) -> None:
    tranche, match, key = february(company)
    with booking(company) as book:
        original = book.session.scalars(
            select(LedgerTransaction).where(LedgerTransaction.idempotency_key == key)
        ).one()
        book.reverse(original, activity_date=FEBRUARY, reason="correction")
        book.confirm(match, (tranche, 45), activity_date=FEBRUARY)
        book.confirm(match, (tranche, 15))
    assert counted(company, date(2026, 2, 1), date(2026, 2, 28)) == 60
    assert counted(company, date(2026, 3, 1), date(2026, 3, 31)) == -60 + 45 + 15
    with db.read_session() as session:
        told = queries.restatements(session, company, date(2026, 3, 1), date(2026, 3, 31))
        assert queries.restatements(session, company, date(2026, 2, 1), date(2026, 2, 28)) == []
        [period] = queries.closed_periods(session, company)
        payloads = [json.loads(p)["facts"] for p in session.scalars(select(LedgerTransaction.payload))]
    assert [(r.minutes, r.activity_date, r.restates, r.reverses, r.reason) for r in told] == [
        (-60, date(2026, 3, 10), FEBRUARY, 3, "correction"),
        (45, date(2026, 3, 10), FEBRUARY, None, None),
    ]
    assert (period.number, period.last_number) == (1, 3)
    assert [p.get("restates", "-") for p in payloads] == ["-", "-", "-", "2026-02-10", "2026-02-10", "-"]
    assert found() is None


def test_a_booking_that_waited_past_midnight_counts_after_the_closed_period(company: int) -> None:
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60, activity_date=FEBRUARY)
    close(company, 2026, 2, now=datetime(2026, 3, 1, 0, 1, tzinfo=UTC))
    with booking(company) as book:
        late = book.grant(
            uuid.uuid4(), 60, activity_date=date(2026, 2, 28), now=datetime(2026, 2, 28, 22, 59, tzinfo=UTC)
        )
        assert late.activity_date == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("year", "month", "refusal"),
    [
        (2026, 2, Conflict),  # closed already
        (2025, 12, Conflict),  # in a year that is closed
        (2026, None, Invalid),  # not ended
        (2026, 3, Invalid),
        (2027, 1, Invalid),
        (2026, 13, Invalid),
        (0, 1, Invalid),
        (2026, 1, None),
        (2024, None, None),
    ],
)
def test_a_period_closes_once_and_after_its_end(
    company: int, year: int, month: int | None, refusal: type[DomainError] | None
) -> None:
    close(company, 2026, 2)
    close(company, 2025, None)
    if refusal is None:
        assert close(company, year, month).number == 3
    else:
        with pytest.raises(refusal):
            close(company, year, month)


def test_a_year_of_which_a_month_is_closed_is_refused(company: int) -> None:
    close(company, 2025, 4)
    with pytest.raises(Conflict, match="part of this period"):
        close(company, 2025, None)


def test_a_month_ends_by_the_clock_of_brussels(company: int) -> None:
    with pytest.raises(Invalid):
        close(company, 2026, 2, now=datetime(2026, 2, 28, 22, 59, tzinfo=UTC))
    assert close(company, 2026, 2, now=datetime(2026, 2, 28, 23, 0, tzinfo=UTC)).number == 1


@pytest.mark.both
def test_of_two_who_close_at_once_one_is_told(company: int) -> None:
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60)
    begin, outcomes = threading.Barrier(2), []

    def closing() -> None:
        begin.wait()
        try:
            close(company, 2026, 2)
            outcomes.append("closed")
        except Conflict as told:
            outcomes.append(str(told.message))

    threads = [threading.Thread(target=closing) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["This period is closed already.", "closed"]


def test_another_company_s_periods_stay_open(company: int) -> None:
    close(company, 2026, 2)
    with db.unit_of_work() as session:
        other = add_company(session, "Ander Bedrijf")
    with booking(other) as book:
        assert book.grant(uuid.uuid4(), 60, activity_date=FEBRUARY).activity_date == FEBRUARY


@pytest.mark.both
@pytest.mark.parametrize(
    "act", ["UPDATE ledger_periods SET until_date = from_date", "DELETE FROM ledger_periods"]
)
def test_no_period_is_opened_again(company: int, act: str) -> None:
    close(company, 2026, 2)
    with pytest.raises(DBAPIError, match="append-only"), db.unit_of_work() as session:
        session.execute(text(act))


@pytest.mark.parametrize(
    ("forgery", "number", "what"),
    [
        (
            "UPDATE ledger_periods SET from_date = '2026-03-01', until_date = '2026-03-31'",
            4,
            "counts in a period",
        ),
        ("UPDATE ledger_periods SET last_number = 2", 2, "not the head that closing 1 kept"),
        ("UPDATE ledger_periods SET last_number = 9", 4, "which was in no closed period"),
        ("DELETE FROM ledger_periods", 4, "which was in no closed period"),
    ],
)
def test_a_closing_that_was_changed_is_found(
    company: int, forgery: str, number: int | None, what: str
) -> None:
    tranche, match, _ = february(company)
    with booking(company) as book:
        book.confirm(match, (tranche, 45), activity_date=FEBRUARY)
    with behind_its_back() as connection:
        connection.execute(text(forgery))
    broken = found()
    assert broken is not None
    assert (broken.number, what in broken.what) == (number, True), broken.what
