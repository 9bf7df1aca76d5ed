"""One schema on both databases: built from nothing, equal to the models, taken down and built again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from timebank import db
from timebank.models import metadata


@contextmanager
def connection_to(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables(url: str) -> set[str]:
    with connection_to(url) as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def triggers(url: str) -> set[tuple[str, str]]:
    with connection_to(url) as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.execute(text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"))
        else:
            rows = connection.execute(
                text(
                    "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                    " WHERE NOT t.tgisinternal AND t.tgenabled = 'O'"
                )
            )
        return {(row[0], row[1]) for row in rows}


def expected_triggers(dialect: str) -> set[tuple[str, str]]:
    names = ("no_update", "no_delete") if dialect == "sqlite" else ("no_change", "no_truncate")
    return {(table, f"{table}_{name}") for table in db.APPEND_ONLY for name in names}


@pytest.mark.both
def test_the_schema_is_built_from_nothing_and_equals_the_models(empty_database_url: str) -> None:
    db.upgrade(empty_database_url)
    assert tables(empty_database_url) == set(metadata.tables)
    command.check(db.alembic_config(empty_database_url))


@pytest.mark.both
def test_the_schema_goes_down_to_nothing_and_up_again(empty_database_url: str, database_kind: str) -> None:
    config = db.alembic_config(empty_database_url)
    db.upgrade(empty_database_url)
    command.downgrade(config, "base")
    assert tables(empty_database_url) == set()
    assert triggers(empty_database_url) == set()
    db.upgrade(empty_database_url)
    assert tables(empty_database_url) == set(metadata.tables)
    assert triggers(empty_database_url) == expected_triggers(database_kind)
    command.check(config)


@pytest.mark.both
def test_each_step_can_be_taken_back_by_itself(empty_database_url: str) -> None:
    from alembic.script import ScriptDirectory

    config = db.alembic_config(empty_database_url)
    script = ScriptDirectory.from_config(config)
    assert len(script.get_heads()) == 1
    for revision in reversed(list(script.walk_revisions())):
        command.upgrade(config, revision.revision)
        command.downgrade(config, "-1")
        command.upgrade(config, revision.revision)


def checks(connection: Connection) -> dict[str, set[str]]:
    """The names of the CHECK constraints of each table."""
    found = inspect(connection)
    return {
        table: {str(each["name"]) for each in found.get_check_constraints(table)} for table in metadata.tables
    }


@pytest.mark.both
def test_no_check_was_lost_on_the_way_to_head(database_url: str, empty_database_url: str) -> None:
    """SQLite forgets the checks of a table that a step makes anew, unless the step names them."""
    with connection_to(empty_database_url) as connection:
        metadata.create_all(connection)
        expected = checks(connection)
    with connection_to(database_url) as connection:
        assert checks(connection) == expected


RUN = (
    "INSERT INTO runs"
    " (state, trigger, as_of, mode, parameters, requested_at, finished_at, value, bound, gap, public_id)"
    " VALUES ('applied', 'command', '2026-03-10', 'single', '{}', '2026-03-10 09:00:00+00:00',"
    " '2026-03-10 09:00:01+00:00', 7, 7, 0, '00000000000000000000000000000001')"
)
WEIGHTS = (
    "INSERT INTO weight_policies (w_base, w_nice, w_cause, w_near, near_km, w_remote, w_waiting, set_at, public_id)"
    " VALUES (1, 2, 3, 4, 5, 6, 7, '2026-03-10 09:00:00+00:00', '00000000000000000000000000000002')"
)


@pytest.mark.both
def test_runs_and_weights_of_before_keep_their_meaning(empty_database_url: str) -> None:
    config = db.alembic_config(empty_database_url)
    command.upgrade(config, "3f6c1b7a9d20")
    with connection_to(empty_database_url) as connection:
        for row in (RUN, WEIGHTS):
            connection.execute(text(row))
        connection.commit()
    command.upgrade(config, "head")
    with connection_to(empty_database_url) as connection:
        run = connection.execute(text("SELECT preview, mode, applied_at = finished_at FROM runs")).one()
        assert (bool(run[0]), run[1], bool(run[2])) == (False, "single", True)
        assert connection.scalar(text("SELECT w_star FROM weight_policies")) == 150
        connection.execute(text("UPDATE runs SET state = 'discarded', applied_at = NULL"))
        connection.commit()
    command.downgrade(config, "3f6c1b7a9d20")
    with connection_to(empty_database_url) as connection:
        assert connection.scalar(text("SELECT state FROM runs")) == "done"
        assert connection.scalar(text("SELECT w_waiting FROM weight_policies")) == 7


@pytest.mark.both
def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    db.upgrade(empty_database_url)
    before = triggers(empty_database_url)
    db.upgrade(empty_database_url)
    assert triggers(empty_database_url) == before


@pytest.mark.both
def test_append_only_tables_are_guarded_at_head(database_url: str, database_kind: str) -> None:
    assert triggers(database_url) == expected_triggers(database_kind)


@pytest.mark.both
def test_an_append_only_row_can_be_neither_changed_nor_deleted(database_url: str) -> None:
    with connection_to(database_url) as connection:
        columns = {each["name"]: each for each in inspect(connection).get_columns("audit_entries")}
        required = [name for name, each in columns.items() if not each["nullable"] and name != "id"]
        values = {name: _sample(str(columns[name]["type"])) for name in required}
        connection.execute(
            text(f"INSERT INTO audit_entries ({', '.join(required)}) VALUES (:{', :'.join(required)})"),
            values,
        )
        connection.commit()
        for attack in ("UPDATE audit_entries SET id = id + 1", "DELETE FROM audit_entries"):
            with pytest.raises(DBAPIError, match="append-only"):
                connection.execute(text(attack))
            connection.rollback()
        assert connection.scalar(text("SELECT count(*) FROM audit_entries")) == 1


@pytest.mark.postgresql
def test_postgresql_refuses_to_empty_an_append_only_table(database_url: str) -> None:
    with connection_to(database_url) as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text("TRUNCATE audit_entries"))


def _sample(kind: str) -> object:
    kind = kind.upper()
    if "TIME" in kind:
        return "2026-03-10 09:00:00+00:00"
    if "JSON" in kind:
        return "{}"
    if "INT" in kind:
        return 1
    if "UUID" in kind or kind == "CHAR(32)":
        return "0" * 32
    return "sample"
