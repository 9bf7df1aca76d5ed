"""The verification: it holds for what was booked, and names the first thing that somebody changed behind its back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from tests.ledger.conftest import a_story, add_company, booking
from tests.ledger.forgery import LEDGER, all_of, behind_its_back, found, line, run, transaction
from timebank import db
from timebank.ledger.entries import canonical, hash_payload, link


def change_payload(*, rehash: str) -> Callable[[Connection], None]:
    """A forger turns 60 confirmed minutes of transaction 3 into 90, and recomputes hashes so far."""

    def act(connection: Connection) -> None:
        rows = connection.execute(
            text(
                "SELECT id, number, payload, salt, payload_hash, previous_hash FROM ledger_transactions ORDER BY number"
            )
        ).all()
        previous = None
        for row in rows:
            payload, payload_hash = row.payload, bytes(row.payload_hash)
            if row.number == 3:
                content = json.loads(payload)
                content["minutes"] = 90
                payload = canonical(content)
                if rehash != "nothing":
                    payload_hash = hash_payload(bytes(row.salt), payload)
            before = bytes(row.previous_hash) if previous is None or rehash != "chain" else previous
            previous = link(before, payload_hash)
            if row.number == 3 or (row.number > 3 and rehash == "chain"):
                connection.execute(
                    text(
                        "UPDATE ledger_transactions SET payload = :p, payload_hash = :ph, previous_hash = :b, hash = :h"
                        " WHERE id = :id"
                    ),
                    {"p": payload, "ph": payload_hash, "b": before, "h": previous, "id": row.id},
                )
        if rehash == "chain":
            connection.execute(text("UPDATE ledger_books SET head = :h"), {"h": previous})

    return act


def swap_numbers(connection: Connection) -> None:
    a, b = (connection.scalar(text(f"SELECT id FROM ledger_transactions WHERE number = {n}")) for n in (3, 4))
    for row, number in ((a, 1000), (b, 3), (a, 4)):
        connection.execute(text(f"UPDATE ledger_transactions SET number = {number} WHERE id = {row}"))


def remove(number: int) -> Callable[[Connection], None]:
    return run(
        f"DELETE FROM ledger_lines WHERE transaction_id = {transaction(number)}",
        f"DELETE FROM ledger_facts WHERE transaction_id = {transaction(number)}",
        f"DELETE FROM ledger_transactions WHERE number = {number}",
    )


# The story books: 1 grant, 2 reserve, 3 confirm, 4 confirm, 5 travel, 6 reversal of 4, 7 release, 8 lapse.
TAMPERINGS: dict[str, tuple[Callable[[Connection], None], int | None, str]] = {
    "a line was changed": (
        run(f"UPDATE ledger_lines SET minutes = minutes + 1 WHERE id = {line(3, 1)}"),
        3,
        "sum to zero",
    ),
    "two lines were changed": (
        run(
            f"UPDATE ledger_lines SET minutes = minutes + 1 WHERE id = {line(3, 1)}",
            f"UPDATE ledger_lines SET minutes = minutes - 1 WHERE id = {line(3, 0)}",
        ),
        3,
        "lines are not those",
    ),
    "a line was removed": (run(f"DELETE FROM ledger_lines WHERE id = {line(2, 1)}"), 2, "sum to zero"),
    "all lines were removed": (
        run(f"DELETE FROM ledger_lines WHERE transaction_id = {transaction(2)}"),
        2,
        "lines are not those",
    ),
    "lines were inserted": (
        run(
            f"INSERT INTO ledger_lines (transaction_id, account_id, minutes) SELECT {transaction(1)}, id, 5"
            " FROM ledger_accounts WHERE kind = 'received'",
            f"INSERT INTO ledger_lines (transaction_id, account_id, minutes) SELECT {transaction(1)}, id, -5"
            " FROM ledger_accounts WHERE kind = 'lapsed'",
        ),
        1,
        "lines are not those",
    ),
    "lines were reordered": (
        run(f"UPDATE ledger_lines SET id = 1000 WHERE id = {line(3, 0)}"),
        3,
        "lines are not those",
    ),
    "the last transaction was removed": (remove(8), None, "ends at transaction 7"),
    "a transaction was removed": (remove(5), 5, "missing"),
    "transactions were reordered": (swap_numbers, 3, "previous hash"),
    "a payload was changed": (change_payload(rehash="nothing"), 3, "payload was changed"),
    "a payload and its hashes were changed": (change_payload(rehash="one"), 3, "minutes"),
    "a payload and the whole chain were changed": (change_payload(rehash="chain"), 3, "minutes"),
    "a figure was raised in facts, payload and the whole chain": (
        all_of(
            change_payload(rehash="chain"),
            run(f"UPDATE ledger_facts SET minutes = 90 WHERE transaction_id = {transaction(3)}"),
        ),
        3,
        "its lines give 60 minutes confirmed",
    ),
    "a hash was changed": (
        run("UPDATE ledger_transactions SET hash = payload_hash WHERE number = 2"),
        2,
        "its hash",
    ),
    "an activity date was changed": (
        run(
            "UPDATE ledger_transactions SET activity_date = '2027-03-10' WHERE number = 3",
            f"UPDATE ledger_facts SET activity_date = '2027-03-10' WHERE transaction_id = {transaction(3)}",
        ),
        3,
        "activity_date",
    ),
    "a fact's date was changed": (
        run(f"UPDATE ledger_facts SET activity_date = '2027-03-10' WHERE transaction_id = {transaction(3)}"),
        3,
        "date",
    ),
    "a fact's minutes were changed": (
        run(f"UPDATE ledger_facts SET minutes = minutes * 2 WHERE transaction_id = {transaction(4)}"),
        4,
        "minutes",
    ),
    "a fact's initiative was renamed": (
        run(f"UPDATE ledger_facts SET initiative_name = 'X' WHERE transaction_id = {transaction(4)}"),
        4,
        "initiative_name",
    ),
    "a fact's person was changed": (
        run(f"UPDATE ledger_facts SET employee = 'E-2' WHERE transaction_id = {transaction(4)}"),
        4,
        "employee",
    ),
    "a fact was removed": (
        run(f"DELETE FROM ledger_facts WHERE transaction_id = {transaction(4)}"),
        4,
        "facts are missing",
    ),
    "a reversal points elsewhere": (
        run(f"UPDATE ledger_transactions SET reverses_id = {transaction(3)} WHERE number = 6"),
        6,
        "reverses",
    ),
    "a balance was changed": (
        run("UPDATE ledger_accounts SET balance = balance + 60 WHERE kind = 'received'"),
        None,
        "its lines",
    ),
    "two balances were changed": (
        run(
            "UPDATE ledger_accounts SET balance = balance + 60 WHERE kind = 'available'",
            "UPDATE ledger_accounts SET balance = balance - 60 WHERE kind = 'granted'",
        ),
        None,
        "its lines",
    ),
    "an account was given another name": (
        run("UPDATE ledger_accounts SET name = 'match:mine' WHERE kind = 'received'"),
        3,
        "account",
    ),
    "an account was made another kind": (
        run("UPDATE ledger_accounts SET kind = 'lapsed', match = NULL WHERE kind = 'reserved'"),
        2,
        "account",
    ),
    "the head was changed": (
        run("UPDATE ledger_books SET head = (SELECT hash FROM ledger_transactions WHERE number = 7)"),
        None,
        "head",
    ),
    "the book's last number was changed": (
        run("UPDATE ledger_books SET last_number = 9"),
        None,
        "9 were booked",
    ),
}


@pytest.mark.both
@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_changed_is_found_and_named(company: int, name: str) -> None:
    a_story(company)
    assert found() is None
    act, number, words = TAMPERINGS[name]
    with behind_its_back() as connection:
        act(connection)
    broken = found()
    assert broken is not None
    assert broken.organisation_id == company
    assert broken.number == number
    assert words in broken.what


@pytest.mark.both
def test_two_companies_whose_books_changed_hands_are_found(company: int) -> None:
    a_story(company)
    with db.unit_of_work() as session:
        other = add_company(session, "Other")
        third = add_company(session, "Third")
    with booking(other) as book:
        book.grant(uuid.uuid4(), 60)
    with behind_its_back() as connection:
        for old, new in ((company, third), (other, company), (third, other)):
            run(f"UPDATE ledger_books SET organisation_id = {new} WHERE organisation_id = {old}")(connection)
    for one in (company, other, None):
        broken = found(one)
        assert broken is not None
        assert broken.number is None
        assert "another organisation" in broken.what


# SQLite keeps in any column whatever somebody puts there.
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("ledger_transactions", "activity_date", "'soon'"),
        ("ledger_transactions", "activity_date", "99999"),
        ("ledger_transactions", "booked_at", "-1"),
        ("ledger_transactions", "payload", "x'7b7d'"),
        ("ledger_transactions", "salt", "'0123456789abcdef'"),
        ("ledger_transactions", "idempotency_key", "x'00'"),
        ("ledger_lines", "minutes", "'sixty'"),
        ("ledger_facts", "department", "x'00'"),
        ("ledger_facts", "initiative", "x'00'"),
        ("ledger_accounts", "balance", "x'00'"),
        ("ledger_books", "head", "'0123456789abcdef0123456789abcdef'"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_break(company: int, table: str, column: str, value: str) -> None:
    a_story(company)
    with behind_its_back() as connection:
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        first = f"SELECT rowid FROM {table} LIMIT 1"
        connection.execute(text(f"UPDATE {table} SET {column} = {value} WHERE rowid = ({first})"))
    broken = found()
    assert broken is not None
    assert broken.organisation_id == company


@pytest.mark.both
def test_a_transaction_that_takes_back_what_is_not_there_is_found(company: int) -> None:
    a_story(company)
    with behind_its_back() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            connection.execute(
                text(
                    "ALTER TABLE ledger_transactions DROP CONSTRAINT ck_ledger_transactions_reverses_iff_reversal"
                )
            )
        run("UPDATE ledger_transactions SET reverses_id = 999999 WHERE number = 3")(connection)
    broken = found()
    assert broken is not None
    assert broken.number == 3


@pytest.mark.both
@pytest.mark.parametrize("table", [t for t in LEDGER if t != "ledger_periods"])
def test_the_database_refuses_to_change_or_remove_what_is_booked(company: int, table: str) -> None:
    a_story(company)
    column = "minutes" if table != "ledger_transactions" else "number"
    statements = [f"UPDATE {table} SET {column} = {column} + 1", f"DELETE FROM {table}"]
    if db.engine().dialect.name == "postgresql":
        statements.append(f"TRUNCATE {table} CASCADE")
    for statement in statements:
        with pytest.raises(Exception, match="append-only"), db.engine().begin() as connection:
            connection.execute(text(statement))
    assert found() is None


@pytest.mark.both
def test_the_database_refuses_balances_below_zero(company: int) -> None:
    a_story(company)
    with pytest.raises(Exception, match="only_sources_below_zero"), db.engine().begin() as connection:
        connection.execute(text("UPDATE ledger_accounts SET balance = -1 WHERE kind = 'received'"))


def test_only_the_chosen_book_is_read(company: int) -> None:
    a_story(company)
    with db.unit_of_work() as session:
        other = add_company(session, "Other")
    a_story(other)
    with behind_its_back() as connection:
        connection.execute(text(f"UPDATE ledger_books SET last_number = 9 WHERE organisation_id = {other}"))
    assert found(company) is None
    assert found(other) is not None
    assert found() is not None


def test_an_empty_ledger_holds(database: str) -> None:
    assert found() is None


def test_memory_does_not_grow_with_the_book(company: int) -> None:
    import tracemalloc

    from tests.ledger.test_posting import grants
    from timebank.ledger import service as ledger

    def peak() -> int:
        tracemalloc.start()
        assert found() is None
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    with db.unit_of_work() as session:
        ledger.post_many(session, grants(company, 1500))
    found()
    before = peak()
    with db.unit_of_work() as session:
        ledger.post_many(session, grants(company, 4500))
    assert peak() < before * 1.5


@pytest.mark.both
def test_a_book_of_a_company_that_only_began_holds(company: int) -> None:
    with booking(company) as book:
        book.grant(uuid.uuid4(), 60)
        book.session.execute(text("SELECT 1"))
    assert found(company) is None
