"""A Dask cluster, real, of two workers that installed the wheel: the same optimum, whatever becomes of a worker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from config import ROOT
from tests.support.processes import alive, wait_for
from timebank.matching.executors import workers_of
from timebank.matching.kernel import AttributeProblem, generate, solve, verify_solution
from timebank.matching.kernel.native import blocks

pytestmark = pytest.mark.alone  # a build writes the files that other tests read

PATIENCE = 120  # seconds for a process to answer: workers compile the kernel when they first need it


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment, which got this package as a wheel, and the others from this environment."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    install = ["-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(python)]
    subprocess.run([sys.executable, *install, *map(str, folder.glob("*.whl"))], check=True)
    site = next((folder / "env").glob("lib/python*/site-packages"))
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


class Cluster:
    """A scheduler and two workers."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = folder / "scheduler.log"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        assert wait_for(lambda: bool(self.found(r"at:\s+(tcp://\S+)")), PATIENCE), self.log.read_text()
        self.address = self.found(r"at:\s+(tcp://\S+)")[0]
        self.workers = [
            self.start(
                "worker",
                self.address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--memory-limit",
                "0",
            )
            for _ in range(2)
        ]
        assert wait_for(lambda: len(set(self.found(r"Register worker addr: (tcp://\S+)"))) == 2, PATIENCE)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(self.python), "-m", "distributed.cli.dask_" + command[0], *command[1:]],
                cwd=self.folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def found(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.log.read_text())

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(installed: Path, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(installed, tmp_path)
    yield made
    made.end()


def test_workers_of_a_cluster_find_the_optimum_though_one_is_killed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        where = {
            client.submit(find_spec, "timebank", workers=[each]).result(PATIENCE).origin
            for each in client.nthreads()
        }
    assert len(where) == 1
    assert where.pop().startswith(str(cluster.python.parent.parent))

    problem = generate(1_000, 300, 1, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    monkeypatch.setattr(blocks, "SEATS_PER_TASK", 2)
    first = cluster.workers[0]

    def kill_one(step: str, done: int, total: int) -> None:
        if step == "candidates" and 0 < done < total and alive(first.pid):
            first.send_signal(signal.SIGKILL)
            first.wait()

    with workers_of(cluster.address) as workers:
        answer = solve(problem, workers=workers, progress=kill_one)
    assert not alive(first.pid)
    assert answer.value == solve(problem, engine="native").value
    assert verify_solution(problem, answer).bound == answer.value
