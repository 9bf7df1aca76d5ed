"""What breaks in the middle leaves nothing half done."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.support import forks
from timebank import clock, db, events
from timebank.audit.models import AuditEntry
from timebank.auth.actor import actor_of
from timebank.auth.models import User
from timebank.ledger.models import LedgerTransaction
from timebank.matches import service as matches
from timebank.matches.events import MatchConfirmed
from timebank.matches.models import Match, MatchState
from timebank.notifications.models import OutboxMessage
from timebank.pledges.models import Pledge
from timebank.scheduler import work


def counts(session: Session) -> list[int | None]:
    session.expire_all()
    found = [
        session.scalar(select(func.count()).select_from(table))
        for table in (LedgerTransaction, AuditEntry, OutboxMessage)
    ]
    session.rollback()  # an open transaction would hold SQLite's write lock
    return found


def _accept_until_killed(url: str, match: Any, user_id: int) -> None:
    """In a process of its own: the second yes, dying after it was booked and before it is committed."""
    from tests.conftest import settings_for
    from timebank import create_app

    with create_app(settings_for(url)).app_context():

        @events.on(MatchConfirmed)
        def die(session: Session, _event: MatchConfirmed) -> None:
            session.flush()
            os.kill(os.getpid(), signal.SIGKILL)

        with db.unit_of_work() as session:
            actor = actor_of(session.get_one(User, user_id))
            matches.accept_as_coach(session, match, actor=actor, now=clock.now())


@pytest.mark.both
def test_a_worker_killed_within_an_accept_leaves_the_proposal_as_it_was(
    session: Session, database_url: str, database_kind: str
) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    match = make.make_match(session, pledge, request)
    coordinator = make.make_coordinator(session, request.initiative)
    matches.accept_as_initiative(
        session, match.public_id, actor=make.actor(session, coordinator), now=clock.now()
    )
    session.commit()
    offered, coach_id = match.public_id, pledge.employment.user_id
    before = counts(session)
    process = forks.context.Process(target=_accept_until_killed, args=(database_url, offered, coach_id))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert counts(session) == before
    assert session.get_one(Match, match.id).state == MatchState.ACCEPTED_BY_INITIATIVE
    coach = make.actor(session, session.get_one(User, pledge.employment.user_id))
    session.rollback()
    with db.unit_of_work() as unit:
        matches.accept_as_coach(unit, offered, actor=coach, now=clock.now())
    session.expire_all()
    assert session.scalars(select(Match.state)).all() == [MatchState.CONFIRMED]


@contextmanager
def gone(url: str) -> Iterator[None]:
    """The database refuses everybody, as one that is being restarted does."""
    address = make_url(url)
    name = sql.Identifier(str(address.database))
    admin = address.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [address.database]
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


@pytest.mark.postgresql
def test_while_the_database_is_gone_pages_say_so_and_nothing_is_lost(
    session: Session, database_url: str, database_kind: str, client_as: Callable[[User], Any]
) -> None:
    employment = make.make_employment(session)
    client = client_as(session.get_one(User, employment.user_id))
    offer = {
        "hours": "12",
        "rhythm": "once",
        "from_date": make.a_day(1).isoformat(),
        "until_date": make.a_day(90).isoformat(),
        "skills": [str(make.skill_id(session, "bookkeeping"))],
        "languages": ["nl"],
        "week": ["mon-am"],
        "postcode": "9000",
        "radius_km": "30",
    }
    session.commit()
    session.close()
    with gone(database_url):
        page = client.get("/pledges")
        assert page.status_code == 503
        assert client.post_form("/pledges/new", offer).status_code == 503
        assert client.get("/healthz").status_code == 503
        # The scheduler's timers go on as well.
        with pytest.raises(Exception, match="not currently accepting"):
            work.beat(leader=True)
    work.beat(leader=True)
    assert client.post_form("/pledges/new", offer).status_code == 303
    assert session.scalar(select(func.count()).select_from(Pledge)) == 1
