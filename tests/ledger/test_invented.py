"""The verification finds what was invented beside the chain: rows that hang on nothing or on another book."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from tests.ledger.conftest import a_story, add_company, booking
from tests.ledger.forgery import all_of, behind_its_back, copy, found, line, run, transaction
from timebank import db
from timebank.ledger.entries import canonical, hash_payload, link
from timebank.ledger.models import LedgerAccount, LedgerFact, LedgerLine, LedgerTransaction

FACT_3 = f"transaction_id = {transaction(3)}"
NOWHERE = 999_999

# (act, whether a company of its own shows it, words)
INVENTIONS: dict[str, tuple[Callable[[Connection], None], bool, str]] = {
    "facts of no transaction": (
        copy(LedgerFact, FACT_3, transaction_id=NOWHERE, minutes=60_000),
        True,
        "facts of no transaction",
    ),
    "lines of no transaction, with their balances": (
        all_of(
            copy(LedgerLine, f"id = {line(3, 0)}", transaction_id=NOWHERE, minutes=-60),
            copy(LedgerLine, f"id = {line(3, 1)}", transaction_id=NOWHERE, minutes=60),
            run(
                "UPDATE ledger_accounts SET balance = balance - 60 WHERE kind = 'reserved'",
                "UPDATE ledger_accounts SET balance = balance + 60 WHERE kind = 'received'",
            ),
        ),
        True,
        "line of no transaction",
    ),
    "a line on no account": (
        copy(LedgerLine, f"id = {line(3, 0)}", account_id=NOWHERE, minutes=5),
        True,
        "sum to zero",
    ),
    "lines on no account, which sum to zero": (
        all_of(
            copy(LedgerLine, f"id = {line(3, 0)}", account_id=NOWHERE, minutes=5),
            copy(LedgerLine, f"id = {line(3, 0)}", account_id=NOWHERE + 1, minutes=-5),
        ),
        True,
        "account that does not exist",
    ),
    "a line of nothing": (
        copy(LedgerLine, f"id = {line(3, 0)}", transaction_id=NOWHERE, account_id=NOWHERE),
        False,
        "no transaction and no account",
    ),
    "facts of no book": (
        copy(LedgerFact, FACT_3, transaction_id=NOWHERE, book_id=NOWHERE),
        False,
        "in no book",
    ),
    "an account of no book": (
        copy(LedgerAccount, "kind = 'lapsed'", book_id=NOWHERE),
        False,
        "in no book",
    ),
    "a transaction of no book": (
        copy(LedgerTransaction, "number = 3", book_id=NOWHERE, idempotency_key="invented"),
        False,
        "in no book",
    ),
}


@pytest.mark.both
@pytest.mark.parametrize("name", INVENTIONS)
def test_what_was_invented_beside_the_chain_is_found_and_named(company: int, name: str) -> None:
    a_story(company)
    act, of_a_company, words = INVENTIONS[name]
    with behind_its_back() as connection:
        act(connection)
    broken = found()
    assert broken is not None
    assert (broken.organisation_id == company) == of_a_company
    assert words in broken.what
    assert (found(company) is not None) == of_a_company


@pytest.mark.both
def test_facts_and_lines_that_hang_on_another_book_are_found(company: int) -> None:
    a_story(company)
    with db.unit_of_work() as session:
        other = add_company(session, "Other")
    with booking(other) as book:
        book.grant(uuid.uuid4(), 60)
    with behind_its_back() as connection:
        theirs = connection.scalar(
            text(
                f"SELECT t.id FROM ledger_transactions t JOIN ledger_books b ON b.id = t.book_id"
                f" WHERE b.organisation_id = {other}"
            )
        )
        copy(LedgerLine, f"id = {line(8, 0)}", transaction_id=theirs)(connection)
    broken = found(company)
    assert broken is not None
    assert "line of no transaction of the book" in broken.what


def forge(connection: Connection, order: list[int]) -> None:
    """Put a book's transactions in another order, and compute all hashes anew."""
    rows = {
        row.number: row
        for row in connection.execute(text("SELECT id, number, payload, salt FROM ledger_transactions"))
    }
    connection.execute(text("UPDATE ledger_transactions SET number = number + 1000"))
    head = bytes(32)
    for number, old in enumerate(order, start=1):
        row = rows[old]
        payload = canonical({**json.loads(row.payload), "number": number})
        payload_hash = hash_payload(bytes(row.salt), payload)
        before, head = head, link(head, payload_hash)
        connection.execute(
            text(
                "UPDATE ledger_transactions SET number = :n, payload = :p, payload_hash = :ph, previous_hash = :b,"
                " hash = :h WHERE id = :id"
            ),
            {"n": number, "p": payload, "ph": payload_hash, "b": before, "h": head, "id": row.id},
        )
    connection.execute(text("UPDATE ledger_books SET head = :h"), {"h": head})


@pytest.mark.both
def test_an_account_below_zero_in_the_middle_is_found(company: int) -> None:
    tranche = uuid.uuid4()
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60)
        book.grant(tranche, 120)
        book.lapse(tranche, 120)
    with behind_its_back() as connection:
        forge(connection, [1, 2, 3])
    assert found() is None
    with behind_its_back() as connection:
        forge(connection, [1, 3, 2])
    broken = found()
    assert broken is not None
    assert broken.number == 2
    assert "below zero: -120 minutes" in broken.what
