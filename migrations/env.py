"""Runs migrations on a connection of its own: on SQLite with foreign keys off, since recreating a parent table would
otherwise delete the rows of its children."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import NullPool, create_engine, event

from timebank.models import metadata

url: str = context.config.attributes["url"]


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    # The scheduler library keeps a table of its own.
    return not (kind == "table" and name == "apscheduler_jobs")


def lock_writers_out(connection: Any) -> None:
    # Without a real BEGIN the driver would commit each DDL statement by itself.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def issue_begin_ourselves(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


if context.is_offline_mode():
    context.configure(url=url, target_metadata=metadata, literal_binds=True, include_name=include_name)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(url, poolclass=NullPool)
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:
        event.listen(engine, "connect", issue_begin_ourselves)
        event.listen(engine, "begin", lock_writers_out)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=sqlite,
            include_name=include_name,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
