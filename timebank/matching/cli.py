"""`timebank match`: solve, verify and generate matching problems as files, without a database or any
configuration.

The kernel is imported inside the commands, so that help and other commands don't wait for it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from math import isfinite
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, NoReturn

import click

from timebank.commands import keep_output_clean

NO_ANSWER = 1
WRONG_USE = 2


class OneLineError(click.ClickException):
    """Wrong use or a malformed file, told in one line."""

    exit_code = WRONG_USE


class OneLineCommand(click.Command):
    """A command that tells wrong use in one line, without the reminder how it is used."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise OneLineError(" ".join(error.format_message().split())) from None


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    return click.command(name, cls=OneLineCommand)


def refuse(message: str) -> NoReturn:
    raise OneLineError(message)


@click.group()
def match() -> None:
    """Match pledged hours to the seats of coaching requests."""


@command("solve")
@click.argument("problem", type=click.Path(path_type=Path))
@click.option(
    "--mode", default="single", metavar="single|bundle", help="Whether a pledge takes one seat or several."
)
@click.option(
    "--engine", default="auto", metavar="auto|scipy|native", help="What solves it; auto goes by size."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds for the solution; in bundle mode 10 by default.",
)
@click.option(
    "--executor",
    metavar="processes|tcp://HOST:PORT",
    help="Solve what can be solved apart by processes of this machine, or by the workers of a Dask scheduler.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the solution is written (.npz).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def solve_command(
    problem: Path,
    mode: str,
    engine: str,
    time_limit: float | None,
    executor: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Solve PROBLEM (.npz): the best assignment of pledges to seats, with the proof that there is none
    better, or, in bundle mode, a good one with a proof of how much better there could be.

    In bundle mode, Ctrl-C ends the search and keeps the best solution so far.

    Exit status: 0 with a solution, 1 without one, 2 for a malformed file or wrong use.
    """
    from timebank.matching import executors
    from timebank.matching.kernel import ProblemError, WorkersError, load_problem, save_solution, solve
    from timebank.matching.kernel.modes import MODES
    from timebank.matching.kernel.single import ENGINES

    if mode not in MODES:
        refuse(f"no mode {mode!r}; there are {' and '.join(MODES)}")
    if engine not in ENGINES:
        refuse(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
    if mode == "bundle" and engine != "auto":
        refuse(f"no engine {engine!r} in bundle mode; there is auto")
    if time_limit is not None and not isfinite(time_limit):
        refuse(f"--time-limit is no number of seconds: {time_limit}")
    if executor is not None and not executors.is_executor(executor):
        refuse(f"no executor {executor!r}; there are {executors.FORMS}")
    _check_target(out)
    keep_output_clean()
    try:
        loaded = load_problem(problem, mode)
        with _stopping(mode) as stop, executors.workers_of(executor) as workers:
            result = solve(
                loaded,
                mode=mode,
                engine=engine,
                time_limit=time_limit,
                progress=_progress(),
                stop=stop,
                workers=workers,
            )
    except ProblemError as error:
        refuse(f"{problem}: {error}")
    except WorkersError as error:
        refuse(f"{executor}: {error}")
    except MemoryError:
        refuse(f"{problem}: this needs more memory than there is")
    if out is not None:
        _write(out, lambda target: save_solution(result, target))
    summary = {
        "mode": result.mode,
        "status": result.status,
        "value": result.value,
        "bound": result.bound,
        "gap": result.gap,
        "seconds": round(result.seconds, 6),
    }
    words = "  ".join(f"{key} {value}" for key, value in summary.items())
    click.echo(json.dumps(summary) if as_json else words)
    if result.status in ("unknown", "infeasible"):
        sys.exit(NO_ANSWER)


@command("verify")
@click.argument("problem", type=click.Path(path_type=Path))
@click.argument("solution", type=click.Path(path_type=Path))
def verify_command(problem: Path, solution: Path) -> None:
    """Check SOLUTION against PROBLEM from scratch: the rules, the value and the proof.

    Exit status: 0 when all is right, 1 with the first violation, 2 for a malformed file.
    """
    from timebank.matching.kernel import VerificationError, verify_files

    try:
        verified = verify_files(problem, solution)
    except VerificationError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USE if error.malformed else NO_ANSWER)
    except MemoryError:
        refuse("this needs more memory than there is")
    best = "is the best possible"
    if verified.bound > verified.value:
        best = f"is at most {verified.bound - verified.value} below the best possible"
    click.echo(f"verified: {verified.form} form, value {verified.value} {best}")


@command("generate")
@click.option("--pledges", type=click.IntRange(0), required=True, help="How many pledges.")
@click.option("--seats", type=click.IntRange(0), required=True, help="How many seats.")
@click.option("--seed", type=click.IntRange(0), required=True, help="The same seed gives the same instance.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where it is written (.npz).")
@click.option("--scarce", is_flag=True, help="Ask for what few offer.")
@click.option("--attributes", is_flag=True, help="The attribute form, not the best 64 candidates a seat.")
def generate_command(pledges: int, seats: int, seed: int, out: Path, scarce: bool, attributes: bool) -> None:
    """Write a realistic problem."""
    from timebank.matching.kernel import ProblemError, generate, save_problem

    _check_target(out)
    try:
        made = generate(pledges, seats, seed, scarce=scarce, attributes=attributes)
    except ProblemError as error:
        refuse(str(error))
    except MemoryError:
        refuse("this needs more memory than there is")
    _write(out, lambda target: save_problem(made.problem, target, **made.bundle))


@command("run")
@click.option(
    "--mode", default="single", metavar="single|bundle", help="Whether a pledge takes one seat or several."
)
@click.option(
    "--time-limit", type=click.IntRange(1, 3600), metavar="SECONDS", help="How long bundles may take (60)."
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Run as if it were this day.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run_command(mode: str, time_limit: int | None, as_of: datetime | None, as_json: bool) -> None:
    """Match what is free in the database now, and send the proposals."""
    from timebank.matching import run_commands
    from timebank.matching.kernel.modes import MODES

    if mode not in MODES:
        refuse(f"no mode {mode!r}; there are {' and '.join(MODES)}")
    keep_output_clean()
    run_commands.print_run(run_commands.run(mode, time_limit, as_of), as_json)


@command("export")
@click.argument("run_id", metavar="RUN")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder.")
def export_command(run_id: str, out: Path) -> None:
    """Write a run's problem.npz and solution.npz, so that anybody can verify it."""
    from timebank.matching import run_commands

    for path in run_commands.export(run_id, out):
        click.echo(path)


match.add_command(run_command)
match.add_command(export_command)
match.add_command(solve_command)
match.add_command(verify_command)
match.add_command(generate_command)


def _check_target(path: Path | None) -> None:
    """Refuse before hours of work what could not be written after them."""
    if path is None:
        return
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        refuse(f"{path} is a folder")
    if not folder.is_dir():
        refuse(f"there is no folder {folder}")
    if not os.access(folder, os.W_OK) and not os.access(path, os.W_OK):
        refuse(f"{folder} cannot be written to")


def _write(path: Path, save: Callable[[Path], None]) -> None:
    try:
        save(path)
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror}")


@contextmanager
def _stopping(mode: str) -> Iterator[Event]:
    """In bundle mode, let the first Ctrl-C ask for the best solution so far, and only the next one abort."""
    stop, before = Event(), signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        click.echo("interrupted: this is the best solution so far", err=True)
        stop.set()

    if mode == "bundle":
        signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _progress() -> Callable[[str, int, int], None] | None:
    """Tell how far it is, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def tell(step: str, done: int, total: int) -> None:
        share = f" {100 * done // max(1, total)} %" if total > 1 else ""
        click.echo(f"\r\x1b[K{step}{share}", nl=False, err=True)
        if done == total:
            click.echo("\r\x1b[K", nl=False, err=True)

    return tell


if __name__ == "__main__":
    match(prog_name="timebank match")
