"""Processes of the product that start at once: each is forked from one that has imported everything already.

What they do is what a process does that was started from nothing, but for the seconds of its imports. Tests of how
long something takes to start, or how much memory it needs, start it from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config import ROOT

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.support.everything"])


def environment(database_url: str, **others: str) -> dict[str, str]:
    """The environment of a process on the database at `database_url`, without the product's settings of this one."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")},
        "TIMEBANK_ENV": "test",
        "TIMEBANK_DATABASE_URL": database_url,
        "TIMEBANK_SECRET_KEY": "k" * 40,
        **others,
    }


def start(
    target: Callable[..., object],
    *arguments: Any,
    environ: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
) -> multiprocessing.process.BaseProcess:
    """Call `target` in a process of its own, in a session of its own, that writes into files."""
    process = context.Process(target=_become, args=(target, arguments, dict(environ), output, errors))
    process.start()
    return process


def timebank(*arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The command `timebank` with these arguments, and what it answered."""
    with TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = start(_command, arguments, environ=environ, output=output, errors=errors)
        process.join(120)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode is not None
        return subprocess.CompletedProcess(
            arguments, process.exitcode, output.read_text(), errors.read_text()
        )


def _become(
    target: Callable[..., object],
    arguments: tuple[Any, ...],
    environ: dict[str, str],
    output: Path,
    errors: Path | None,
) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    for path, descriptor in ((output, 1), (errors or output, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    target(*arguments)


def _command(arguments: tuple[str, ...]) -> None:
    from timebank.cli import main

    sys.argv = ["timebank", *arguments]
    main()
