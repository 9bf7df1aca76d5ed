"""The supervisor's promise: what it started ends with it, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from tests.conftest import settings_for
from tests.support.processes import alive, wait_for
from timebank import processes

pytestmark = pytest.mark.alone

# A child that starts a grandchild, writes both pids and ignores the polite request to end.
STUBBORN = """
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".part").write_text(f"{os.getpid()} {child.pid}")
path.with_suffix(".part").rename(path)
time.sleep(120)
"""
SUPERVISOR = """
import pathlib, sys
from timebank.processes import Failed, Family, Stopped

try:
    with Family() as family:
        family.start([sys.executable, "-c", sys.argv[1], sys.argv[2]], "the stubborn one")
        family.watch()
except Stopped:
    sys.exit(0)
except Failed as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_five_seconds_after_a_stop(stop: signal.Signals, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, STUBBORN, str(note)], cwd=ROOT, start_new_session=True
    )
    try:
        assert wait_for(note.exists, 20)
        pids = [int(pid) for pid in note.read_text().split()]
        assert all(alive(pid) for pid in pids)
        supervisor.send_signal(stop)
        assert wait_for(lambda: not any(alive(pid) for pid in pids), 5)
        assert supervisor.wait(2) == (-signal.SIGKILL if stop == signal.SIGKILL else 0)
    finally:
        if supervisor.poll() is None:
            supervisor.kill()


def test_a_child_that_dies_ends_the_rest_with_an_error(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, STUBBORN, str(note)],
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert wait_for(note.exists, 20)
    child, grandchild = (int(pid) for pid in note.read_text().split())
    os.kill(child, signal.SIGKILL)
    _output, errors = supervisor.communicate(timeout=10)
    assert supervisor.returncode == 1
    assert errors.strip() == "the stubborn one ended (signal SIGKILL); stopping the rest."
    assert not alive(grandchild)


def test_a_step_that_fails_is_named(tmp_path: Path) -> None:
    with processes.Family() as family, pytest.raises(processes.Failed, match=r"the step .*exit status 3"):
        family.finish([sys.executable, "-c", "raise SystemExit(3)"], "the step")


def test_a_step_hands_back_what_it_printed() -> None:
    with processes.Family() as family:
        assert family.finish([sys.executable, "-c", "print('ready')"], "the step", capture=True) == "ready\n"


def test_a_taken_port_is_said_at_once_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        url = f"sqlite:///{tmp_path}/t.db"
        assert processes.run(settings_for(url, port=port)) == 2
    said = capsys.readouterr()
    assert said.err == f"timebank: port {port} is taken: choose another, as PORT={port + 1}.\n"
    assert said.out == ""
    assert not (tmp_path / "t.db").exists()
