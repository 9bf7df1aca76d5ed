"""`timebank run`: everything on one machine. This process starts the others, watches them and ends them all.

Each child leads a process group of its own, so that ending a group also ends what the child started (web workers, a
solver in the middle of its work). A small guard process does the same when this one is killed and cannot.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final

import click

import config
from config import Settings

if TYPE_CHECKING:
    from flask import Flask

DEMO_PEOPLE: Final = (
    "employee@demo.example",
    "hr@demo.example",
    "initiative@demo.example",
    "operator@demo.example",
)
PATIENCE: Final = 3.5  # seconds that children get to end by themselves; 5 s after Ctrl-C nothing may be left
START_LIMIT: Final = 90.0  # seconds until the web server must have answered
WEB_THREADS: Final = 4
POLL: Final = 0.1
START_POLL: Final = 0.02  # while somebody waits for the start


class Stopped(Exception):
    """Somebody asked to stop."""


class Failed(Exception):
    """It cannot start or go on. `code` is the exit status: 2 where the user can put it right, else 1."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@click.command("run")
def command() -> None:
    """Start everything on this machine: database, demo data the first time, scheduler and web server."""
    sys.exit(run(config.load()))


def run(settings: Settings) -> int:
    """Bring the database up to date, start the scheduler and the web server, and wait until told to stop.

    Returns the exit status: 0 after Ctrl-C or SIGTERM, 1 when a child failed, 2 when the port is taken.
    """
    try:
        with _reserve_port(settings) as door, Family() as family:
            waiting, ready = os.pipe()
            # It loads while the database is prepared, and serves once `ready` is closed.
            arguments = _gunicorn(settings, door, waiting)
            family.start(arguments, "the web server", pass_fds=(door.fileno(), waiting))
            os.close(waiting)
            demo = _prepare(family, settings)
            os.close(ready)
            _serve(family, settings, demo)
    except Stopped:
        return 0
    except Failed as error:
        click.echo(f"timebank: {error}", err=True)
        return error.code
    return 0


def _prepare(family: Family, settings: Settings) -> bool:
    """Migrate; in an empty database that is not production's, tell the demo's story and match once.

    Returns whether the demo's people are there.
    """
    # In a process of its own: this one stays small, and a stop works in the middle of a migration too.
    state = json.loads(
        family.finish([sys.executable, "-m", "timebank.processes"], "the database", capture=True)
    )
    if state["organisations"] or settings.production:
        return bool(state["demo"])
    click.echo("The database is empty: making demo data. This takes a minute or two, the first time only.")
    family.finish(_timebank("demo"), "the demo data")
    click.echo("Matching for the first time.")
    family.finish(_timebank("match", "run"), "the first matching run")
    return True


def _serve(family: Family, settings: Settings, demo: bool) -> None:
    family.start(_timebank("scheduler"), "the scheduler")
    _wait_until_healthy(family, settings)
    people = f" Sign in as {', '.join(DEMO_PEOPLE)} with the password demo-timebank." if demo else ""
    click.echo(f"Timebank runs at {settings.base_url} (Ctrl-C stops it).{people}")
    family.watch()


def _timebank(*arguments: str) -> list[str]:
    script = Path(sys.executable).with_name("timebank")
    if script.exists():
        return [str(script), *arguments]
    return [sys.executable, "-c", "from timebank.cli import main; main()", *arguments]


def web(waiting: int) -> Flask:
    """The application, as gunicorn gets it: once the other end of the pipe `waiting` is closed."""
    from timebank import create_app

    # What is loaded stays: the collector would only look through it, now and in each worker.
    gc.disable()
    app = create_app()
    gc.freeze()
    gc.enable()
    os.read(waiting, 1)
    return app


def _gunicorn(settings: Settings, door: socket.socket, waiting: int) -> list[str]:
    options = [
        f"--bind=fd://{door.fileno()}",
        "--worker-class=gthread",
        f"--threads={WEB_THREADS}",
        f"--workers={settings.workers}",
        "--graceful-timeout=3",
        "--no-control-socket",
        "--log-level=warning",
    ]
    # Loaded once and forked: the web server answers sooner. Reloading needs workers that load for themselves, and
    # that then wait for the database themselves, however long its demo takes.
    options += ["--reload", "--timeout=0"] if settings.debug else ["--preload"]
    return [sys.executable, "-m", "gunicorn", *options, f"timebank.processes:web({waiting})"]


# --- the port -------------------------------------------------------------------------------------------------------


def _reserve_port(settings: Settings) -> socket.socket:
    """A bound socket that the web server will listen on: a taken port is known before minutes of preparing."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        door = socket.socket(family, kind, protocol)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(address)
        except OSError:
            door.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Failed(
                f"port {settings.port} is taken: choose another, as PORT={settings.port + 1}.", 2
            ) from error
        reason = error.strerror or str(error)
        raise Failed(f"cannot listen on {settings.host} port {settings.port} ({reason}).", 2) from error
    return door


def _wait_until_healthy(family: Family, settings: Settings) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - where to ask
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        family.check()
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        family.pause(START_POLL)
    raise Failed(f"the web server did not answer within {START_LIMIT:.0f} seconds.")


# --- children -------------------------------------------------------------------------------------------------------


class Family:
    """The child processes: started in groups of their own, watched, and ended together when the block is left."""

    def __init__(self) -> None:
        self._children: dict[int, tuple[subprocess.Popen[str], str]] = {}
        self._signals = 0
        self._old_handlers: dict[int, Any] = {}
        self._guard, self._to_guard = _start_guard()

    def __enter__(self) -> Family:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._old_handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_all()
        os.close(self._to_guard)
        os.waitpid(self._guard, 0)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def start(
        self, arguments: Sequence[str], name: str, *, pass_fds: tuple[int, ...] = (), capture: bool = False
    ) -> subprocess.Popen[str]:
        """Start a child that `check` expects to stay alive."""
        self.check_stop()
        child = subprocess.Popen(  # noqa: S603 - our own commands
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            start_new_session=True,
            pass_fds=pass_fds,
            text=True,
        )
        os.write(self._to_guard, b"+%d\n" % child.pid)
        self._children[child.pid] = (child, name)
        return child

    def finish(self, arguments: Sequence[str], name: str, *, capture: bool = False) -> str:
        """Run a child to its end and return what it printed (with `capture`). Raises Failed unless it exits 0."""
        child = self.start(arguments, name, capture=capture)
        while child.poll() is None:
            self.pause(START_POLL)
        output = child.stdout.read() if child.stdout else ""
        self._forget(child)
        if child.returncode:
            raise Failed(f"{name} could not be made ready ({_outcome(child.returncode)}).")
        return output

    def check(self) -> None:
        """Raise Stopped when told to stop, Failed when a child that should live has ended."""
        self.check_stop()
        for child, name in self._children.values():
            if child.poll() is not None:
                raise Failed(f"{name} ended ({_outcome(child.returncode)}); stopping the rest.")

    def check_stop(self) -> None:
        if self._signals:
            raise Stopped

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)
        self.check_stop()

    def watch(self) -> None:
        """Wait for ever, that is until `check` raises."""
        while True:
            self.check()
            time.sleep(POLL)

    def _end_all(self) -> None:
        # Ask once, kill what is left after the patience, or at once when asked to stop a second time.
        asked = self._signals
        for pid in self._children:
            _signal_group(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._signals <= max(asked, 1):
            for child, _name in self._children.values():
                child.poll()
            if not any(_group_lives(pid) for pid in self._children):
                break
            time.sleep(POLL / 2)
        for child, _name in list(self._children.values()):
            _signal_group(child.pid, signal.SIGKILL)
            child.wait()
            self._forget(child)

    def _forget(self, child: subprocess.Popen[str]) -> None:
        _signal_group(child.pid, signal.SIGKILL)  # whatever it left behind
        if child.stdout:
            child.stdout.close()
        del self._children[child.pid]
        os.write(self._to_guard, b"-%d\n" % child.pid)


def _outcome(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _start_guard() -> tuple[int, int]:
    """Fork the guard; returns its pid and the pipe on which it hears which groups live."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(reading)
        return pid, writing
    status = 1
    try:
        os.close(writing)
        os.setsid()  # Ctrl-C and the end of the terminal are for the parent to handle
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _guard(reading)
        status = 0
    finally:
        os._exit(status)


def _guard(reading: int) -> None:
    """Hear of groups until the parent is gone (the pipe ends); what still lives then was orphaned: end it."""
    living: set[int] = set()
    with open(reading, encoding="ascii") as messages:
        for message in messages:
            change, pid = message[0], int(message[1:])
            if change == "+":
                living.add(pid)
            else:
                living.discard(pid)
    for pid in living:
        _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(_group_lives(pid) for pid in living):
        time.sleep(POLL)
    for pid in living:
        _signal_group(pid, signal.SIGKILL)


# --- the child that looks after the database ------------------------------------------------------------------------


def _upgrade_and_look() -> dict[str, bool]:
    """Migrate, and say whether anything is in the database and whether it is the demo."""
    from sqlalchemy import exists, select

    from timebank import db, marks
    from timebank.cli import upgrade_database
    from timebank.organisations.models import Organisation

    settings = config.load()
    upgrade_database(settings)
    with db.read_session() as session:
        unfinished = marks.is_unfinished(session)
    if unfinished:
        _remove_half_demo(settings)
        upgrade_database(settings)
    with db.read_session() as session:
        return {
            "organisations": bool(session.scalar(select(exists().select_from(Organisation)))),
            "demo": marks.is_demo(session),
        }


def _remove_half_demo(settings: Settings) -> None:
    """A demo that was stopped while it was made is made anew; nothing of anybody's is in it."""
    from sqlalchemy import make_url

    from timebank import db

    if not settings.is_sqlite:
        sys.exit("timebank: the demo in this database was never finished: give an empty database")
    db.engine().dispose()
    path = Path(make_url(settings.database_url).database or "")
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def main() -> None:
    """Prepare the database for `run` and print its state as JSON."""
    gc.disable()  # it ends soon, and loading is most of what it does
    from sqlalchemy.exc import SQLAlchemyError

    try:
        state = _upgrade_and_look()
    except SQLAlchemyError as error:
        sys.exit(f"timebank: the database cannot be used: {str(error).splitlines()[0]}")
    click.echo(json.dumps(state))


if __name__ == "__main__":
    main()
