"""What PostgreSQL adds: the server itself refuses writes of a page, and a page sees one moment."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from timebank import db

pytestmark = pytest.mark.postgresql

CAUSES = text("SELECT count(*) FROM causes WHERE sdg_target = '9.9'")


@pytest.fixture(autouse=True)
def _engine(database_url: str) -> None:
    db.init_engine(database_url)


def test_a_read_session_cannot_write() -> None:
    with db.read_session() as session, pytest.raises(DBAPIError, match="read-only"):
        session.execute(text("UPDATE causes SET sdg_target = '9.9'"))


def test_a_read_session_sees_one_moment_from_its_start_to_its_end() -> None:
    with db.read_session() as session:
        assert session.scalar(CAUSES) == 0
        with db.unit_of_work() as other:
            other.execute(text("UPDATE causes SET sdg_target = '9.9'"))
        assert session.scalar(CAUSES) == 0
    with db.read_session() as session:
        assert session.scalar(CAUSES) > 0


def test_moments_are_kept_in_utc_whatever_the_server_thinks() -> None:
    with db.read_session() as session:
        assert session.scalar(text("SHOW timezone")) == "UTC"
