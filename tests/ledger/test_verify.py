"""The verification: it holds for what was booked, and names the first thing that somebody changed behind its back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text

from tests.ledger.conftest import a_story, add_company, booking
from timebank import db
from timebank.db import APPEND_ONLY, Base
from timebank.ledger.entries import canonical, hash_payload, link
from timebank.ledger.models import LedgerAccount, LedgerFact, LedgerLine, LedgerTransaction
from timebank.ledger.verify import Break, verify

LEDGER = [t for t in APPEND_ONLY if t.startswith("ledger")]


@contextmanager
def behind_its_back() -> Iterator[Connection]:
    """A connection of somebody who may do anything to the database: no triggers, no foreign keys."""
    # SQLite has foreign keys off unless one asks for them, as our own engine does.
    engine = create_engine(db.engine().url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for table in LEDGER:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_update"))
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_delete"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        yield connection
    engine.dispose()


def found(company: int | None = None) -> Break | None:
    with db.read_session() as session:
        return verify(session, organisation_id=company).first_break


def transaction(number: int) -> str:
    return f"(SELECT id FROM ledger_transactions WHERE number = {number})"


def line(number: int, which: int) -> str:
    order = "ASC" if which == 0 else "DESC"
    return f"(SELECT id FROM ledger_lines WHERE transaction_id = {transaction(number)} ORDER BY id {order} LIMIT 1)"


def run(*statements: str) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, statement

    return act


def copy(model: type[Base], which: str, **changes: Any) -> Callable[[Connection], None]:
    """Insert a row like the one that `which` finds, but for `changes`."""

    def act(connection: Connection) -> None:
        table = model.__table__
        row = connection.execute(select(table).where(text(which))).mappings().one()
        values = {name: value for name, value in row.items() if name != "id"}
        if "public_id" in values:
            values["public_id"] = uuid.uuid4()
        connection.execute(insert(model).values({**values, **changes}))

    return act


def all_of(*acts: Callable[[Connection], None]) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        for each in acts:
            each(connection)

    return act


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
@pytest.mark.parametrize("table", LEDGER)
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
