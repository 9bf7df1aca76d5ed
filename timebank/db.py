"""Engine, sessions, types and the unit of work; one schema for SQLite and PostgreSQL."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    Uuid,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import JSON, TypeDecorator

from timebank import events

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """A moment, always timezone-aware in UTC in Python; a naive one is refused, since it hides a mistake."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: UTCDateTime(),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


class PublicId:
    """A random id for addresses and exports; integer keys stay inside."""

    public_id: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)


def enum_column(kind: type[enum.StrEnum], name: str) -> Enum:
    """A column type that stores the values of `kind` as text, with a CHECK named `name`."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda members: [m.value for m in members],
        validate_strings=True,
    )


# --- engine ---------------------------------------------------------------------------------------------------------

_factory: sessionmaker[Session] = sessionmaker(expire_on_commit=False)
_engine: Engine | None = None


def make_engine(url: str, **options: Any) -> Engine:
    """An engine with the settings that keep SQLite from losing updates and both databases in UTC."""
    # What people typed must not stand in the log beside an error.
    options.setdefault("hide_parameters", True)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, **options)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options.setdefault("pool_pre_ping", True)
    options.setdefault("connect_args", {"options": "-c timezone=UTC", "connect_timeout": 5})
    return create_engine(url, **options)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # We issue BEGIN ourselves; FULL, since NORMAL can lose the last committed hours when the power goes.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute("PRAGMA " + pragma)


def _begin_sqlite(connection: Any) -> None:
    # A deferred BEGIN lets two writers read the same balance and lose one update: writers take the lock first.
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def init_engine(url: str, **options: Any) -> Engine:
    """Make the process's engine and bind the session factory to it."""
    global _engine
    if _engine is not None:
        _engine.dispose()
    _engine = make_engine(url, **options)
    _factory.configure(bind=_engine)
    return _engine


def engine() -> Engine:
    """The process's engine.

    Raises RuntimeError before `init_engine`.
    """
    if _engine is None:
        raise RuntimeError("init_engine was not called")
    return _engine


# --- sessions -------------------------------------------------------------------------------------------------------


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """A session for one business act: subscribers hear its events, then it commits; any exception rolls it back."""
    session = _factory()
    try:
        yield session
        session.flush()
        events.dispatch(session)
        session.commit()
    except BaseException:
        session.rollback()
        events.discard(session)
        raise
    finally:
        session.close()
        close_read_session()


@contextmanager
def read_session() -> Iterator[Session]:
    """A session that only reads: on SQLite it takes no write lock, on PostgreSQL the server refuses writes."""
    session = _open_read_session()
    try:
        yield session
    finally:
        session.close()


def _open_read_session() -> Session:
    session = _factory(autoflush=False)
    if engine().dialect.name == "sqlite":
        session.connection(execution_options={"read_only": True})
    else:
        # One snapshot for the whole page, so that its figures agree with each other.
        session.connection(
            execution_options={"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        )
    return session


def request_session() -> Session:
    """The request's read session, opened at first use and closed by the app's teardown."""
    from flask import g

    if "read_session" not in g:
        g.read_session = _open_read_session()
    session: Session = g.read_session
    return session


def close_read_session() -> None:
    """Close the request's read session, so that what is read next sees what was just committed."""
    from flask import g, has_app_context

    if has_app_context():
        session = g.pop("read_session", None)
        if session is not None:
            session.close()


# --- append-only tables ---------------------------------------------------------------------------------------------

APPEND_ONLY = (
    "audit_entries",
    "ledger_transactions",
    "ledger_lines",
    "ledger_facts",
    "ledger_periods",
)


def append_only_statements(table: str, dialect: str) -> list[str]:
    """The DDL that makes `table` refuse UPDATE, DELETE and, on PostgreSQL, TRUNCATE.

    Migrations call it after any batch change too, since SQLite drops triggers silently when a table is recreated.
    """
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for act in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION timebank_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION timebank_append_only()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION timebank_append_only()",
    ]


# --- migrations -----------------------------------------------------------------------------------------------------


def migrations_folder() -> Path:
    """Beside the package, both in a checkout and in an installed wheel."""
    return Path(__file__).resolve().parent.parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`."""
    from alembic import command

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(alembic_config(url), revision)


def alembic_config(url: str) -> Any:
    """Alembic's configuration for the database at `url`; there is no ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["url"] = url
    return config
