"""`timebank run` as people use it: one command starts everything, one Ctrl-C ends it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from config import ROOT
from tests.factories import make_company
from tests.support.processes import alive, descendants

pytestmark = pytest.mark.alone

RUN = [sys.executable, "-c", "from timebank.cli import main; main()", "run"]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


@contextmanager
def running(url: str, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`timebank run` until it says where it runs; yields the process and the line."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")},
        "TIMEBANK_ENV": "development",
        "TIMEBANK_DATABASE_URL": url,
        "TIMEBANK_SECRET_KEY": "k" * 40,
        "PORT": str(port),
        "WEB_WORKERS": "1",
    }
    process = subprocess.Popen(
        RUN, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout
    try:
        line = next((line for line in process.stdout if line.startswith("Timebank runs at")), "")
        yield process, line
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        process.stdout.close()


@pytest.mark.both
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_serves_and_leaves_nothing_behind(
    session: Session, database_url: str, stop: signal.Signals
) -> None:
    make_company(session)
    session.commit()
    port = free_port()
    started = time.monotonic()
    with running(database_url, port) as (process, line):
        took = time.monotonic() - started
        assert line.startswith(f"Timebank runs at http://localhost:{port} ")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())
        children = descendants(process.pid)
        assert any("gunicorn" in line for line in children.values())
        assert any("scheduler" in line for line in children.values())
        process.send_signal(stop)
        assert process.wait(5) == 0
        assert [line for pid, line in children.items() if alive(pid)] == []
    assert took < 15, "five seconds on an idle machine"
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))


def test_when_the_scheduler_dies_the_web_server_ends_too(session: Session, database_url: str) -> None:
    make_company(session)
    session.commit()
    with running(database_url, free_port()) as (process, _line):
        children = descendants(process.pid)
        scheduler = next(pid for pid, line in children.items() if "scheduler" in line)
        os.kill(scheduler, signal.SIGKILL)
        assert process.wait(10) == 1
        assert [line for pid, line in children.items() if alive(pid)] == []
