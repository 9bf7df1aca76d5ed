"""The command line's outer edge: help, and what goes wrong in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask, request

from tests.conftest import settings_for
from tests.support import forks
from timebank import clock, create_app
from timebank.cli import COMMANDS
from timebank.web.access import public


def timebank(*arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
    return forks.timebank(*arguments, environ=forks.environment(url))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    answer = timebank(name, "--help")
    assert answer.returncode == 0
    assert "Usage:" in answer.stdout


def test_a_database_that_was_not_upgraded_is_named_in_one_line(tmp_path: Path) -> None:
    answer = timebank("match", "run", url=f"sqlite:///{tmp_path}/empty.db")
    assert answer.returncode == 2
    assert "timebank db upgrade" in answer.stderr
    assert len([line for line in answer.stderr.splitlines() if line.startswith("timebank:")]) == 1
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_not_there_is_named_in_one_line() -> None:
    answer = timebank("match", "run", url="postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    assert answer.returncode == 2
    assert "can't be used" in answer.stderr
    assert "Traceback" not in answer.stderr


def _sees(app: Flask, forwarded: str) -> str:
    @app.get("/address")
    @public
    def address() -> str:
        return request.remote_addr or ""

    return app.test_client().get("/address", headers={"X-Forwarded-For": forwarded}).text


def test_behind_its_own_proxy_the_caller_counts_and_not_what_the_caller_wrote(database_url: str) -> None:
    app = create_app(settings_for(database_url, proxies=1))
    assert _sees(app, "9.9.9.9, 10.0.0.7") == "10.0.0.7"


def test_without_a_proxy_nobody_can_choose_an_address(database_url: str) -> None:
    assert _sees(create_app(settings_for(database_url)), "9.9.9.9") == "127.0.0.1"


def test_a_demo_that_was_stopped_halfway_is_begun_anew(database_url: str) -> None:
    from timebank import db, marks
    from timebank.organisations.models import Organisation

    create_app(settings_for(database_url))
    with db.unit_of_work() as session:
        marks.begin_demo(session)
        session.add(
            Organisation(
                slug="half", name="Half", is_company=True, applied_at=clock.now(), decided_at=clock.now(),
                admission="admitted",
            )
        )  # fmt: skip
    db.engine().dispose()
    answer = subprocess.run(
        [sys.executable, "-m", "timebank.processes"],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "TIMEBANK_ENV": "test",
            "TIMEBANK_SECRET_KEY": "k" * 40,
            "TIMEBANK_DATABASE_URL": database_url,
        },
    )
    assert json.loads(answer.stdout.splitlines()[-1]) == {"organisations": False, "demo": False}
