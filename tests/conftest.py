"""What all tests share: real databases, the application with its protections on, clients, browsers.

SQLite is the default, since it is fast; `@pytest.mark.both` runs a test on each database and `@pytest.mark.postgresql`
on PostgreSQL alone. A test never skips because something is missing: it fails and says what.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from flask import Flask
from sqlalchemy import event, make_url, update
from sqlalchemy.orm import Session

from config import Settings
from tests.support.browser import Journey, chromium_launch_args
from tests.support.client import PASSWORD, PASSWORD_HASH, TimebankClient
from tests.support.live import LiveServer
from tests.support.postgres import Server, in_memory, postgresql_server
from timebank import clock, create_app, db, events
from timebank.auth.models import User
from timebank.cli import upgrade_database

# A Tuesday morning, far from the ends of a year and from the change of the clocks.
HELD = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def settings_for(url: str, **changes: Any) -> Settings:
    """The settings of a test installation on the database at `url`."""
    values: dict[str, Any] = {
        "secret_key": "tests-only-" + "k" * 32,
        "base_url": "http://localhost",
        **changes,
    }
    return Settings(env="test", database_url=url, **values)


# --- databases ------------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests marked `both` or `postgresql` their databases."""
    both = metafunc.definition.get_closest_marker("both")
    only = metafunc.definition.get_closest_marker("postgresql")
    if both or only:
        if "database_kind" not in metafunc.fixturenames:
            raise pytest.UsageError(f"{metafunc.definition.nodeid} is marked for a database, but uses none")
        kinds = ["sqlite", "postgresql"] if both else ["postgresql"]
        metafunc.parametrize("database_kind", kinds, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    kind: str = getattr(request, "param", "sqlite")
    return kind


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder for SQLite files, in memory where the machine offers it."""
    folder = Path(tempfile.mkdtemp(prefix="timebank", dir=in_memory(1024**3)))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(scratch: Path) -> Path:
    """A migrated SQLite file with the reference data, to be copied."""
    path = scratch / "template.db"
    url = f"sqlite:///{path}"
    upgrade_database(settings_for(url))
    db.engine().dispose()
    _fold_wal(path)
    return path


def _fold_wal(path: Path) -> None:
    """Bring everything into the one file, so that copying that file copies the database."""
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server that may be asked for databases."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql: Server) -> str:
    """The name of a migrated PostgreSQL database with the reference data, to be copied."""
    name = postgresql.create()
    upgrade_database(settings_for(postgresql.url(name)))
    db.engine().dispose()
    return name


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without any table."""
    if database_kind == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        name = server.create()
        yield server.url(name)
        server.drop(name)
    else:
        yield from _sqlite_file(request.getfixturevalue("scratch"), secrets.token_hex(6))


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh database, migrated and with the reference data; each test's own is at the same address."""
    if database_kind == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        template_name: str = request.getfixturevalue("postgresql_template")
        name = server.create(template_name, name=f"{template_name}_used")
        yield server.url(name)
        db.engine().dispose()
        server.drop(name)
    else:
        template: Path = request.getfixturevalue("sqlite_template")
        for url in _sqlite_file(request.getfixturevalue("scratch"), "used"):
            shutil.copyfile(template, make_url(url).database or "")
            yield url


def _sqlite_file(folder: Path, name: str) -> Iterator[str]:
    path = folder / f"{name}.db"
    yield f"sqlite:///{path}"
    for each in folder.glob(f"{path.name}*"):
        each.unlink()


# --- the application ------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The settings the test's application runs with; a module may override this fixture."""
    return settings_for(database_url)


@pytest.fixture(scope="session", autouse=True)
def one_engine_for_each_address() -> Iterator[None]:
    """What an engine compiled once serves all tests: the databases of a session come and go at few addresses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "make_engine", cache(db.make_engine))
        yield


@cache
def _application(settings: Settings) -> Flask:
    """Made once, as in production, where one application serves many requests."""
    application = create_app(settings)
    application.testing = True
    # An error in a view becomes the page that people would see, not an exception in the test.
    application.config["PROPAGATE_EXCEPTIONS"] = False
    application.test_client_class = TimebankClient
    return application


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on a fresh database, with nothing switched off but the cost of passwords."""
    application = _application(settings)
    db.init_engine(settings.database_url)
    before = [(kept, dict(kept)) for kept in (application.config, application.extensions)]
    yield application
    for kept, content in before:
        kept.clear()
        kept.update(content)
    db.engine().dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session to arrange and to look, inside an application context.

    `session.commit()` calls the subscribers of recorded events, as a unit of work does. A request through `client`
    commits it first and expires what it loaded, so that test and application see the same data.
    """
    with app.app_context():
        own = Session(db.engine(), expire_on_commit=False)
        event.listen(own, "before_commit", _tell_subscribers)
        TimebankClient.arranging = own
        try:
            yield own
        finally:
            TimebankClient.arranging = None
            events.discard(own)
            own.rollback()
            own.close()


def _tell_subscribers(session: Session) -> None:
    session.flush()
    events.dispatch(session)


@pytest.fixture
def client(app: Flask) -> TimebankClient:
    """A browser without JavaScript that nobody has signed in to."""
    return make_client(app)


def make_client(app: Flask) -> TimebankClient:
    made = app.test_client()
    assert isinstance(made, TimebankClient)
    return made


@pytest.fixture
def post_form() -> Callable[..., Any]:
    """`post_form(client, url, data)`: post a form with a valid token."""

    def post(client: TimebankClient, url: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        return client.post_form(url, data, **options)

    return post


class SignIn(Protocol):
    def __call__(self, email: str, password: str = PASSWORD) -> TimebankClient: ...


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """`sign_in(email, password)`: a client of its own that signed in through the real form."""

    def enter(email: str, password: str = PASSWORD) -> TimebankClient:
        made = make_client(app)
        made.sign_in(email, password)
        return made

    return enter


@pytest.fixture
def client_as(sign_in: SignIn) -> Callable[[User], TimebankClient]:
    """`client_as(user)`: a client of its own, signed in as that user, whose password becomes the tests' one."""

    def enter(user: User) -> TimebankClient:
        # Read before the commit: an expired user would open the test's transaction again, beside the unit of work.
        user_id, email = user.id, user.email
        if TimebankClient.arranging is not None:
            TimebankClient.arranging.commit()
        with db.unit_of_work() as unit:
            unit.execute(update(User).where(User.id == user_id).values(password_hash=PASSWORD_HASH))
        return sign_in(email)

    return enter


class HeldClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self._holding: Any = None

    def set(self, moment: datetime) -> datetime:
        """Let it be `moment` from now on."""
        self.release()
        self._holding = clock.hold(moment)
        self._holding.__enter__()
        return clock.now()

    def move(self, **amount: float) -> datetime:
        """Move on (or back) by a `timedelta(**amount)`."""
        return self.set(clock.now() + timedelta(**amount))

    def release(self) -> None:
        """Let time run again."""
        if self._holding is not None:
            self._holding.__exit__(None, None, None)
            self._holding = None


@pytest.fixture
def held_clock() -> Iterator[HeldClock]:
    """The time stands at 10:00 in Brussels on 10 March 2026; `held_clock.move(days=8)` moves it."""
    held = HeldClock()
    held.set(HELD)
    yield held
    held.release()


# --- real browsers --------------------------------------------------------------------------------------------------


@pytest.fixture
def live_server(app: Flask, settings: Settings) -> Iterator[LiveServer]:
    """gunicorn in a process of its own, on the same database as `session`. Commit before a page is opened."""
    with LiveServer(settings) as server:
        yield server


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's own Chromium, and nothing that talks to the network by itself."""
    return chromium_launch_args()


@pytest.fixture
def open_page(live_server: LiveServer, new_context: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """`open_page("desktop" | "phone", language="nl")`: a fresh browser profile, as another person has one.

    At the end the test fails if any of its pages broke the content security policy or a script stumbled.
    """
    journey = Journey(live_server.url, new_context)
    yield journey.open
    journey.check(live_server.log)


@pytest.fixture
def desktop(open_page: Callable[..., Any]) -> Any:
    """A page 1280 pixels wide."""
    return open_page("desktop")


@pytest.fixture
def phone(open_page: Callable[..., Any]) -> Any:
    """A page 390 pixels wide, with touch."""
    return open_page("phone")


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, open_page: Callable[..., Any]) -> Any:
    """The test runs twice: once at each width."""
    return open_page(request.param)


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], None]:
    """`axe(page)` fails with a list of what is not accessible on the page."""
    from tests.support.browser import check_accessibility

    return check_accessibility
