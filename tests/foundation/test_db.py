"""Sessions on both databases: nothing is lost or half written, readers and writers do not wait for each other."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from config import ROOT
from timebank import db, events
from timebank.jobs.models import Job
from timebank.marks import InstanceMark

pytestmark = pytest.mark.both

COUNTING = """
import sys
from sqlalchemy import select
from timebank import db
from timebank.marks import InstanceMark
db.init_engine(sys.argv[1])
for _ in range(25):
    with db.unit_of_work() as session:
        mark = session.scalars(select(InstanceMark).where(InstanceMark.key == "count").with_for_update()).one()
        mark.value = str(int(mark.value) + 1)
"""


@pytest.fixture(autouse=True)
def _engine(database_url: str) -> None:
    db.init_engine(database_url)


def value_of(key: str) -> str | None:
    with db.read_session() as session:
        return session.scalar(select(InstanceMark.value).where(InstanceMark.key == key))


def test_processes_that_write_at_once_lose_no_update(database_url: str) -> None:
    with db.unit_of_work() as session:
        session.add(InstanceMark(key="count", value="0"))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", COUNTING, database_url], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == ["", "", ""]
    assert value_of("count") == "75"


def test_an_act_that_fails_leaves_nothing() -> None:
    with pytest.raises(ZeroDivisionError), db.unit_of_work() as session:
        session.add(InstanceMark(key="half", value="1"))
        session.flush()
        raise ZeroDivisionError
    assert value_of("half") is None


def test_pages_are_read_while_somebody_writes() -> None:
    with db.unit_of_work() as session:
        session.add(InstanceMark(key="page", value="old"))
    with db.unit_of_work() as session:
        session.execute(text("UPDATE instance_marks SET value = 'new' WHERE key = 'page'"))
        seen: list[str | None] = []
        reader = threading.Thread(target=lambda: seen.append(value_of("page")))
        reader.start()
        reader.join(5)
        assert seen == ["old"]
    assert value_of("page") == "new"


@dataclass(frozen=True, kw_only=True)
class Happened(events.Event):
    """Something a test did."""


class Nobody:
    user_id = None
    label = "nobody"


def test_what_subscribers_write_stands_or_falls_with_the_act(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscribers", [])

    def note(session: Session, event: Happened) -> None:
        session.add(InstanceMark(key="heard", value=event.name()))

    events.on(Happened)(note)
    event = Happened(actor=Nobody(), at=datetime.now(UTC), subject=uuid4())
    with pytest.raises(ZeroDivisionError), db.unit_of_work() as session:
        events.record(session, event)
        raise ZeroDivisionError
    assert value_of("heard") is None
    with db.unit_of_work() as session:
        events.record(session, event)
    assert value_of("heard") == "happened"


def test_moments_come_back_in_utc_and_naive_ones_are_refused() -> None:
    moment = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    kind = db.UTCDateTime()
    dialect = db.engine().dialect
    assert kind.process_bind_param(moment, dialect) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        kind.process_bind_param(datetime(2026, 3, 29), dialect)  # noqa: DTZ001 - that is the point
    with db.unit_of_work() as session:
        session.add(Job(kind="a.test", key="a", payload={}, created_at=moment, run_after=moment))
    with db.read_session() as session:
        assert session.scalars(select(Job.run_after)).one() == moment
