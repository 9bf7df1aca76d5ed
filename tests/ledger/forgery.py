"""What somebody with the database in hand could do to the ledger, and what the verification says of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, insert, select, text

from timebank import db
from timebank.db import APPEND_ONLY, Base
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
