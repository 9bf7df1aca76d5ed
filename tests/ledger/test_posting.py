"""Booking: what each act moves, and what is refused."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from tests.ledger.conftest import (
    COACHED,
    DAY,
    INITIATIVE,
    NOW,
    PLEDGED,
    Booker,
    a_story,
    add_company,
    booking,
)
from timebank import db
from timebank.errors import InsufficientHours, NotFound, WrongState
from timebank.ledger import service as ledger
from timebank.ledger.entries import Line
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.ledger.service import AccountRef, Entry, MatchBalance, TrancheBalance
from timebank.ledger.verify import verify


def held(tranche: uuid.UUID) -> TrancheBalance:
    with db.read_session() as session:
        return ledger.balances(session, tranches=[tranche])[tranche]


def count_of(kind: type) -> int:
    with db.read_session() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def grants(company: int, number: int, minutes: int = 600) -> list[Entry]:
    entries = []
    for i in range(number):
        tranche = uuid.uuid4()
        entries.append(
            ledger.grant_entry(
                organisation_id=company,
                tranche=tranche,
                minutes=minutes,
                activity_date=DAY,
                facts=replace(PLEDGED, employee=f"E-{i}"),
                actor_label="system:cli",
                now=NOW,
                key=f"tranche:{tranche}:granted",
            )
        )
    return entries


@pytest.mark.both
def test_each_act_moves_minutes_between_its_accounts(company: int) -> None:
    story = a_story(company)
    with db.read_session() as session:
        assert ledger.balances(session, tranches=[story["tranche"]]) == {
            story["tranche"]: TrancheBalance(
                granted=600, available=180, reserved=240, received=60, lapsed=120
            )
        }
        assert ledger.match_balance(session, story["match"]) == {
            story["tranche"]: MatchBalance(reserved=240, received=60)
        }
        assert verify(session).first_break is None


@pytest.mark.both
def test_facts_carry_the_sign_of_the_act_in_its_own_measure(company: int) -> None:
    a_story(company)
    with db.read_session() as session:
        facts = session.execute(
            select(LedgerFact.measure, LedgerFact.minutes, LedgerFact.category)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerFact.transaction_id)
            .order_by(LedgerTransaction.number)
        ).all()
    assert [tuple(f) for f in facts] == [
        ("granted", 600, None),
        ("reserved", 360, None),
        ("confirmed", 60, Category.DELIVERY),
        ("confirmed", 60, Category.DELIVERY),
        ("confirmed", 30, Category.TRAVEL),
        ("confirmed", -60, Category.DELIVERY),
        ("reserved", -60, None),
        ("lapsed", 120, None),
    ]


@pytest.mark.both
def test_the_payload_is_canonical_json_and_the_hashes_follow_from_it(company: int) -> None:
    tranche = uuid.uuid4()
    decomposed = "Repaircafe\u0301"
    with booking(company) as book:
        first = book.grant(tranche, 600, facts=replace(PLEDGED, department=decomposed), key="first")
        second = book.reserve(uuid.uuid4(), (tranche, 60))
        assert first.previous_hash == bytes(32)
        assert second.previous_hash == first.hash
        assert first.payload_hash == hashlib.sha256(first.salt + first.payload.encode("utf-8")).digest()
        assert first.hash == hashlib.sha256(first.previous_hash + first.payload_hash).digest()
        assert second.salt != first.salt
        content = json.loads(first.payload)
        assert first.payload == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        book_id = book.session.scalars(select(LedgerBook.public_id)).one()
        assert book.session.get_one(LedgerFact, first.id).department == "Repaircaf\u00e9"
    assert content == {
        "activity_date": "2026-03-10",
        "actor": "user:1",
        "book": str(book_id),
        "booked_at": "2026-03-10T09:00:00.000000+00:00",
        "facts": {
            **dict.fromkeys(
                ("category", "cause", "initiative", "initiative_name", "initiative_number", "nis", "nuts2"),
            ),
            **dict.fromkeys(("phase", "reason", "reference", "sdg", "skill", "work_form")),
            "department": "Repaircaf\u00e9",
            "employee": "E-1",
            "paid_time": True,
            "site": "Gent",
        },
        "key": "first",
        "kind": "grant",
        "lines": [
            {"account": f"company:granted:{tranche}", "minutes": -600},
            {"account": f"tranche:{tranche}:available", "minutes": 600},
        ],
        "measure": "granted",
        "minutes": 600,
        "number": 1,
        "reverses": None,
    }


@pytest.mark.both
def test_the_same_key_again_books_nothing_and_answers_the_first(company: int) -> None:
    tranche = uuid.uuid4()
    with booking(company) as book:
        first = book.grant(tranche, 600, key="once").id
    with booking(company) as book:
        assert book.grant(tranche, 600, key="once").id == first
        assert book.grant(tranche, 900, key="once").id == first
    assert held(tranche).granted == 600
    assert count_of(LedgerTransaction) == 1


def test_a_key_of_another_book_is_no_answer(company: int) -> None:
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60, key="theirs")
        other = Booker(book.session, add_company(book.session, "Other"))
        with pytest.raises(ValueError, match="another book"):
            other.grant(uuid.uuid4(), 60, key="theirs")


@pytest.mark.both
@pytest.mark.parametrize("act", ["lapse", "reserve", "release", "confirm"])
def test_no_act_takes_more_than_its_account_holds(company: int, act: str) -> None:
    tranche, match = uuid.uuid4(), uuid.uuid4()
    with booking(company) as book:
        book.grant(tranche, 600)
        book.reserve(match, (tranche, 60))
    with pytest.raises(InsufficientHours), booking(company) as book:
        if act == "lapse":
            book.lapse(tranche, 541)
        else:
            getattr(book, act)(match, (tranche, 61 if act != "reserve" else 541))
    assert held(tranche) == TrancheBalance(granted=600, available=540, reserved=60)
    assert count_of(LedgerTransaction) == 2


def test_a_match_takes_from_several_tranches_in_one_transaction(company: int) -> None:
    a, b, match = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    with booking(company) as book:
        book.grant(a, 100)
        book.grant(b, 100)
        book.reserve(match, (a, 100), (b, 40))
        book.confirm(match, (a, 100), (b, 20))
        assert ledger.match_balance(book.session, match) == {a: MatchBalance(0, 100), b: MatchBalance(20, 20)}
        with pytest.raises(InsufficientHours):
            book.confirm(match, (a, 10), (b, 10))
        assert verify(book.session).first_break is None


@pytest.mark.both
def test_a_reversed_confirmation_gives_the_minutes_back_to_the_match(company: int) -> None:
    tranche, match = uuid.uuid4(), uuid.uuid4()
    with booking(company) as book:
        book.grant(tranche, 600)
        book.reserve(match, (tranche, 120))
        wrong = book.confirm(match, (tranche, 90))
        back = book.reverse(wrong, activity_date=date(2026, 4, 1))
        assert ledger.match_balance(book.session, match) == {tranche: MatchBalance(reserved=120)}
        assert (back.kind, back.reverses_id) == (TransactionKind.REVERSAL, wrong.id)
        fact = book.session.get_one(LedgerFact, back.id)
        assert (fact.measure, fact.minutes, fact.category) == ("confirmed", -90, Category.DELIVERY)
        assert (fact.initiative, fact.activity_date) == (INITIATIVE, date(2026, 4, 1))
        content = json.loads(back.payload)
        assert content["reverses"] == wrong.number
        assert content["facts"]["reason"] == "wrong_minutes"
        assert content["facts"]["reference"] == wrong.idempotency_key
        assert verify(book.session).first_break is None


def test_a_reversal_happens_once_and_is_final(company: int) -> None:
    tranche = uuid.uuid4()
    with booking(company) as book:
        original = book.grant(tranche, 600)
        back = book.reverse(original)
        assert book.reverse(original).id == back.id
        with pytest.raises(WrongState):
            book.reverse(original, key="another")
        with pytest.raises(WrongState):
            book.reverse(back)
        with pytest.raises(NotFound):
            book.reverse(original, key_of_original="nothing")


def test_what_has_moved_on_cannot_be_reversed(company: int) -> None:
    tranche = uuid.uuid4()
    with booking(company) as book:
        original = book.grant(tranche, 600)
        book.reserve(uuid.uuid4(), (tranche, 60))
        with pytest.raises(InsufficientHours):
            book.reverse(original)


@pytest.mark.parametrize("category", [Category.TRAVEL, Category.PREPARATION, Category.MANAGEMENT])
def test_time_around_a_coaching_comes_from_the_company(company: int, category: Category) -> None:
    with booking(company) as book:
        book.support(uuid.uuid4(), 45, category=category)
        accounts = dict(book.session.execute(select(LedgerAccount.kind, LedgerAccount.balance)).all())
    assert accounts == {AccountKind.SUPPORT: -45, AccountKind(category): 45}


def test_delivery_is_never_booked_as_support(company: int) -> None:
    with booking(company) as book, pytest.raises(ValueError, match="pledge"):
        book.support(uuid.uuid4(), 45, category=Category.DELIVERY)


A, B = AccountRef(AccountKind.GRANTED, uuid.uuid4()), AccountRef(AccountKind.AVAILABLE, uuid.uuid4())


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [Line(A, -60)],
        [Line(A, -60), Line(AccountRef(AccountKind.AVAILABLE, A.tranche), 61)],
        [Line(A, -60), Line(B, 60)],  # from one tranche to another
        [Line(A, -60), Line(A, 60)],
        [Line(A, 0), Line(AccountRef(AccountKind.AVAILABLE, A.tranche), 0)],
    ],
)
def test_lines_that_do_not_sum_to_zero_are_a_mistake(company: int, lines: list[Line]) -> None:
    entry = replace(grants(company, 1)[0], lines=lines)
    with booking(company) as book, pytest.raises(ValueError, match="tranche:"):
        ledger.post(book.session, entry)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 6000},
        {"minutes": -600},
        {"measure": "lapsed"},
        {"kind": TransactionKind.LAPSE},
        {"kind": TransactionKind.CONFIRM},
        {"measure": "confirmed", "facts": replace(COACHED, category=Category.DELIVERY)},
        {"facts": replace(PLEDGED, category=Category.DELIVERY)},
    ],
)
def test_a_figure_that_the_lines_do_not_give_is_a_mistake(company: int, wrong: dict[str, object]) -> None:
    entry = replace(grants(company, 1)[0], **wrong)  # type: ignore[arg-type]
    with booking(company) as book, pytest.raises(ValueError, match=r"minutes|lines give"):
        ledger.post(book.session, entry)
    assert count_of(LedgerTransaction) == 0


@pytest.mark.parametrize("minutes", [0, -60])
def test_only_positive_minutes_are_booked(company: int, minutes: int) -> None:
    with booking(company) as book, pytest.raises(ValueError, match="cannot be booked"):
        book.grant(uuid.uuid4(), minutes)


@pytest.mark.both
def test_a_rolled_back_act_leaves_no_trace(company: int) -> None:
    tranche = uuid.uuid4()
    with pytest.raises(RuntimeError), booking(company) as book:
        book.grant(tranche, 600)
        raise RuntimeError
    assert held(tranche) == TrancheBalance()
    assert count_of(LedgerBook) == 0


@pytest.mark.both
def test_thousands_are_booked_with_few_statements_in_the_same_chain(company: int) -> None:
    entries = grants(company, 5000)
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60)
    statements = []
    event.listen(db.engine(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    began = time.process_time()
    with db.unit_of_work() as session:
        assert ledger.post_many(session, entries) == 5000
    seconds = time.process_time() - began
    assert len(statements) < 120
    # This process's own time, whatever else the machine does.
    assert seconds < 8, seconds
    with db.unit_of_work() as session:
        assert ledger.post_many(session, [*entries[:10], *grants(company, 1)]) == 1
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60)
    with db.read_session() as session:
        result = verify(session)
        assert result.first_break is None
        assert result.transactions == 5003
        balance = ledger.balances(session, tranches=[e.lines[0].account.tranche for e in entries])
        assert all(b == TrancheBalance(granted=600, available=600) for b in balance.values())


def test_in_bulk_a_key_given_twice_is_booked_once_and_later_entries_see_earlier_ones(company: int) -> None:
    (entry,) = grants(company, 1)
    tranche = entry.lines[0].account.tranche
    assert tranche is not None
    lapse = replace(
        entry,
        key="lapse",
        kind=TransactionKind.LAPSE,
        measure="lapsed",
        lines=[
            Line(AccountRef(AccountKind.AVAILABLE, tranche), -600),
            Line(AccountRef(AccountKind.LAPSED, tranche), 600),
        ],
    )
    with db.unit_of_work() as session:
        assert ledger.post_many(session, [entry, entry, lapse]) == 2
    assert held(tranche) == TrancheBalance(granted=600, lapsed=600)
    with pytest.raises(InsufficientHours), db.unit_of_work() as session:
        ledger.post_many(session, [*grants(company, 3), replace(lapse, key="again")])
    assert count_of(LedgerTransaction) == 2


def test_in_bulk_each_company_has_its_own_book(company: int) -> None:
    with db.unit_of_work() as session:
        other = add_company(session, "Other")
        mixed = [e for pair in zip(grants(company, 3), grants(other, 3), strict=True) for e in pair]
        assert ledger.post_many(session, mixed) == 6
        assert ledger.post_many(session, []) == 0
        books = session.execute(select(LedgerBook.organisation_id, LedgerBook.last_number)).all()
        assert dict(books) == {company: 3, other: 3}
        assert verify(session).first_break is None


# --- at the same time -----------------------------------------------------------------------------------------------


def at_once(number: int, act) -> list[BaseException | None]:  # type: ignore[no-untyped-def]
    """Run `act(i)` in so many threads that start together; answers what each raised."""
    barrier = threading.Barrier(number)
    errors: list[BaseException | None] = [None] * number

    def run(i: int) -> None:
        barrier.wait()
        try:
            act(i)
        except Exception as error:
            errors[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


@pytest.mark.both
def test_first_postings_at_once_share_one_book(company: int) -> None:
    def act(_: int) -> None:
        with booking(company) as book:
            book.grant(uuid.uuid4(), 60)

    assert at_once(8, act) == [None] * 8
    assert count_of(LedgerBook) == 1
    with db.read_session() as session:
        result = verify(session)
    assert (result.first_break, result.transactions) == (None, 8)


@pytest.mark.both
def test_of_those_who_take_the_same_minutes_at_once_one_wins(company: int) -> None:
    tranche = uuid.uuid4()
    with booking(company) as book:
        book.grant(tranche, 100)

    def act(_: int) -> None:
        with booking(company) as book:
            book.reserve(uuid.uuid4(), (tranche, 60))

    errors = at_once(8, act)
    assert sorted(type(e).__name__ for e in errors) == ["InsufficientHours"] * 7 + ["NoneType"]
    assert held(tranche) == TrancheBalance(granted=100, available=40, reserved=60)


@pytest.mark.both
def test_the_same_key_at_once_is_booked_once(company: int) -> None:
    tranche = uuid.uuid4()

    def act(_: int) -> None:
        with booking(company) as book:
            book.grant(tranche, 100, key="same")

    assert at_once(6, act) == [None] * 6
    assert held(tranche).granted == 100


@pytest.mark.both
def test_a_transaction_is_reversed_once_also_at_once(company: int) -> None:
    with booking(company) as book:
        original = book.grant(uuid.uuid4(), 100)
        book.session.expunge(original)

    def act(i: int) -> None:
        with booking(company) as book:
            book.reverse(original, key=f"reversal:{i}")

    errors = at_once(4, act)
    assert sorted(type(e).__name__ for e in errors) == ["NoneType"] + ["WrongState"] * 3


def test_sessions_that_hold_loaded_rows_read_the_balance_anew(company: int) -> None:
    tranche = uuid.uuid4()
    with Session(db.engine()) as session:
        book = Booker(session, company)
        book.grant(tranche, 100)
        before = session.scalars(select(LedgerAccount).where(LedgerAccount.kind == "available")).one()
        assert before.balance == 100
        book.lapse(tranche, 60)
        with pytest.raises(InsufficientHours):
            book.lapse(tranche, 60)
        session.rollback()


def test_lines_keep_the_order_of_the_payload(company: int) -> None:
    parts = [(uuid.uuid4(), 10 + i) for i in range(12)]
    with booking(company) as book:
        for tranche, minutes in parts:
            book.grant(tranche, minutes)
        reserved = book.reserve(uuid.uuid4(), *parts, facts=COACHED)
        rows = book.session.scalars(
            select(LedgerLine.minutes).where(LedgerLine.transaction_id == reserved.id).order_by(LedgerLine.id)
        ).all()
        assert [line["minutes"] for line in json.loads(reserved.payload)["lines"]] == list(rows)
