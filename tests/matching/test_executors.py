"""Which executor a run takes, and what happens where there is none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.processes import alive, descendants, wait_for
from timebank.matching import executors
from timebank.matching.kernel import AttributeProblem, WorkersError, generate, solve

NOBODY_LISTENS = "tcp://127.0.0.1:9"


@pytest.fixture
def problem() -> AttributeProblem:
    made = generate(60, 20, 1, attributes=True).problem
    assert isinstance(made, AttributeProblem)
    return made


def solved(problem: AttributeProblem, **options: Any) -> int:
    answer = executors.solve_run(
        problem, **{"mode": "single", "time_limit": None, "progress": None, "executor": None, **options}
    )
    return answer.value


def test_a_run_whose_cluster_is_away_is_solved_here_with_a_warning(
    problem: AttributeProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "WORTHWHILE_PAIRS", 1)
    monkeypatch.setattr(executors, "_PATIENCE", 0.2)
    with capture_logs() as logs:
        assert solved(problem, executor=NOBODY_LISTENS) == solve(problem).value
    (warning,) = [line for line in logs if line["event"] == "matching_executor_failed"]
    assert warning["log_level"] == "warning"
    assert "does not answer" in warning["reason"]


@pytest.mark.parametrize("mode", ["single", "bundle"])
def test_a_small_run_and_bundles_do_without_an_executor(
    problem: AttributeProblem, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(executors, "_cluster", None)  # would be an error
    if mode == "bundle":
        monkeypatch.setattr(executors, "WORTHWHILE_PAIRS", 1)
    assert solved(problem, mode=mode, time_limit=1, executor=NOBODY_LISTENS) > 0


def test_a_cluster_without_its_extra_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(WorkersError, match=r"pip install 'timebank\[cluster\]'"),
        executors.workers_of(NOBODY_LISTENS),
    ):
        pass


WORK_AND_WAIT = """
import time
from timebank.matching.executors import PROCESSES, workers_of
with workers_of(PROCESSES) as workers:
    for _result in workers.results(abs, [1], lambda: None):
        print("at work", flush=True)
        time.sleep(60)
"""


def test_workers_end_when_the_process_that_started_them_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", WORK_AND_WAIT], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "at work\n"
        workers = descendants(parent.pid)
        parent.kill()
    assert any("spawn_main" in command for command in workers.values())
    assert wait_for(lambda: not any(alive(pid) for pid in workers), 10)
