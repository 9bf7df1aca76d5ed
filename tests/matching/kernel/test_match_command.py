"""`timebank match`: files in, files out, one line where something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.support import forks
from timebank.matching.cli import match
from timebank.matching.kernel import BundleProblem, EdgeProblem, load_problem, save_problem, solve
from timebank.matching.kernel.single import ENGINES


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(match, [str(a) for a in arguments])


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.npz"
    save_problem(EdgeProblem(2, 2, [0, 1, 1], [0, 0, 1], [5, 6, 2]), path)
    return path


def assert_refused(result: Result, message: str) -> None:
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def solve_beside_a_library_that_prints(path: str) -> None:
    """What the process below does; HiGHS prints like this, from C."""
    from timebank.cli import main
    from timebank.matching import kernel

    def noisy(*arguments: Any, **options: Any) -> Any:
        os.write(1, b"HighsMipSolverData\n")
        return solve(*arguments, **options)

    kernel.solve = noisy
    sys.argv = ["timebank", "match", "solve", path, "--json"]
    main()


def test_what_libraries_print_is_not_in_the_output(problem: Path, tmp_path: Path) -> None:
    output, errors = tmp_path / "output", tmp_path / "errors"
    environ = forks.environment("sqlite://")
    process = forks.start(
        solve_beside_a_library_that_prints, str(problem), environ=environ, output=output, errors=errors
    )
    process.join(60)
    assert json.loads(output.read_text())["value"] == 7
    assert errors.read_text() == "HighsMipSolverData\n"


@pytest.mark.parametrize(
    "options", [[], ["--scarce"], ["--attributes"], ["--attributes", "--scarce"]], ids=" ".join
)
@pytest.mark.parametrize("engine", ENGINES)
def test_generate_solve_and_verify_belong_together(tmp_path: Path, options: list[str], engine: str) -> None:
    problem, solution = tmp_path / "p.npz", tmp_path / "s.npz"
    assert (
        run("generate", "--pledges", 300, "--seats", 100, "--seed", 1, "--out", problem, *options).exit_code
        == 0
    )
    solved = run("solve", problem, "--mode", "single", "--engine", engine, "--out", solution, "--json")
    told = json.loads(solved.stdout)
    assert list(told) == ["mode", "status", "value", "bound", "gap", "seconds"]
    assert (solved.exit_code, told["status"], told["gap"]) == (0, "optimal", 0)
    assert told["value"] == told["bound"] > 0
    assert solved.stderr == ""
    verified = run("verify", problem, solution)
    assert (verified.exit_code, verified.stderr) == (0, "")
    assert str(told["value"]) in verified.stdout


@pytest.mark.parametrize("options", [[], ["--scarce"], ["--attributes"]], ids=" ".join)
def test_one_file_is_solved_and_verified_in_both_modes(tmp_path: Path, options: list[str]) -> None:
    problem, values = tmp_path / "p.npz", []
    run("generate", "--pledges", 40, "--seats", 60, "--seed", 2, "--out", problem, *options)
    for mode in ("single", "bundle"):
        solution = tmp_path / f"{mode}.npz"
        solved = run("solve", problem, "--mode", mode, "--time-limit", 5, "--out", solution, "--json")
        told = json.loads(solved.stdout)
        assert list(told) == ["mode", "status", "value", "bound", "gap", "seconds"]
        assert (solved.exit_code, solved.stderr, told["mode"]) == (0, "", mode)
        verified = run("verify", problem, solution)
        assert (verified.exit_code, verified.stderr) == (0, "")
        assert f"value {told['value']} is" in verified.stdout
        values.append(told["value"])
    assert values[0] <= values[1]


def test_what_cannot_be_filled_exits_1_and_the_file_says_so(tmp_path: Path) -> None:
    problem, solution = tmp_path / "p.npz", tmp_path / "s.npz"
    save_problem(BundleProblem(2, 1, [0, 1], [0, 0], [5, 6], [3], [2, 2], must_fill=True), problem)
    solved = run("solve", problem, "--mode", "bundle", "--out", solution, "--json")
    assert (solved.exit_code, json.loads(solved.stdout)["status"]) == (1, "infeasible")
    assert np.load(solution)["seat_pledge"].tolist() == [-1, -1]
    verified = run("verify", problem, solution)
    assert verified.exit_code == 1
    assert verified.stderr == "Error: there is no solution: the status is infeasible\n"


def test_an_interrupt_writes_the_best_bundles_so_far(tmp_path: Path) -> None:
    """A process of its own, which the signal reaches in the midst of the work."""
    problem, solution = tmp_path / "p.npz", tmp_path / "s.npz"
    run("generate", "--pledges", 60, "--seats", 120, "--seed", 2, "--out", problem)
    script = (
        "import os, signal, sys\n"
        "from timebank.matching.cli import match\n"
        "from timebank.matching.kernel.bundle import solve\n"
        "real = solve.tighten\n"
        "def tighten(network, *rest):\n"
        "    if network.n_seats == 120:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return real(network, *rest)\n"
        "solve.tighten = tighten\n"
        "match(sys.argv[1:])\n"
    )
    arguments = ["solve", problem, "--mode", "bundle", "--time-limit", 3600, "--out", solution, "--json"]
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "interrupted: this is the best solution so far\n")
    assert json.loads(done.stdout)["value"] > 0
    assert run("verify", problem, solution).exit_code == 0


def test_a_solution_holds_the_arrays_of_the_file_format(problem: Path, tmp_path: Path) -> None:
    assert run("solve", problem, "--out", tmp_path / "s.npz").exit_code == 0
    arrays = dict(np.load(tmp_path / "s.npz"))
    assert {name: (array.dtype.str, array.shape) for name, array in arrays.items()} == {
        "seat_pledge": ("<i4", (2,)),
        "value": ("<i8", ()),
        "bound": ("<i8", ()),
        "gap": ("<f8", ()),
        "seat_price": ("<i8", (2,)),
        "pledge_price": ("<i8", (2,)),
        "price_scale": ("<i8", ()),
        "seconds": ("<f8", ()),
        "mode": ("<U6", ()),
        "status": ("<U7", ()),
    }
    assert arrays["seat_pledge"].tolist() == [0, 1]
    assert int(arrays["value"]) == 7


@pytest.mark.parametrize(("pledges", "seats"), [(0, 0), (5, 0), (0, 5), (1, 1)])
@pytest.mark.parametrize("form", [[], ["--attributes"]], ids=["edge", "attribute"])
def test_odd_sizes_are_solved_and_verified(tmp_path: Path, pledges: int, seats: int, form: list[str]) -> None:
    problem, solution = tmp_path / "p.npz", tmp_path / "s.npz"
    run("generate", "--pledges", pledges, "--seats", seats, "--seed", 1, "--out", problem, *form)
    assert run("solve", problem, "--out", solution).exit_code == 0
    assert run("verify", problem, solution).exit_code == 0


def test_the_same_seed_gives_the_same_instance(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        run("generate", "--pledges", 200, "--seats", 50, "--seed", seed, "--out", path)
    a, b, c = (load_problem(path) for path in paths)
    assert isinstance(a, EdgeProblem)
    assert isinstance(b, EdgeProblem)
    assert isinstance(c, EdgeProblem)
    assert np.array_equal(a.weight, b.weight)
    assert not np.array_equal(a.weight, c.weight)


def test_both_forms_of_an_instance_have_the_same_optimum(tmp_path: Path) -> None:
    values = []
    for form in ([], ["--attributes"]):
        run("generate", "--pledges", 400, "--seats", 150, "--seed", 4, "--out", tmp_path / "p", *form)
        values.append(json.loads(run("solve", tmp_path / "p", "--json").stdout)["value"])
    assert values[0] == values[1] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "magic"], "no engine 'magic'; there are auto, scipy, native"),
        (["--mode", "triple"], "no mode 'triple'; there are single and bundle"),
        (["--mode", "bundle"], "array pledge_capacity is missing"),
        (["--mode", "bundle", "--engine", "scipy"], "no engine 'scipy' in bundle mode; there is auto"),
        (["--executor", "magic"], "no executor 'magic'; there are processes, or the address of a Dask"),
        (["--executor", "processes"], "workers are of use only for the attribute form"),
        (["--time-limit", "-1"], "--time-limit"),
        (["--time-limit", "soon"], "'soon' is not a valid float range"),
        (["--time-limit", "nan"], "--time-limit is no number of seconds"),
        (["--time-limit", "inf"], "--time-limit is no number of seconds"),
        (["--colour"], "No such option"),
    ],
)
def test_wrong_use_is_told_in_one_line_and_nothing_is_written(
    problem: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    result = run("solve", problem, "--out", tmp_path / "s.npz", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "s.npz").exists()


def test_missing_arguments_are_told_in_one_line() -> None:
    assert_refused(run("solve"), "Missing argument 'PROBLEM'")
    assert_refused(run("generate", "--pledges", 3), "Missing option '--seats'")


def test_a_malformed_problem_exits_2_and_leaves_what_stood_there(tmp_path: Path) -> None:
    (tmp_path / "p.npz").write_bytes(b"hello")
    (tmp_path / "s.npz").write_bytes(b"before")
    assert_refused(run("solve", tmp_path / "p.npz", "--out", tmp_path / "s.npz"), "cannot read the file")
    assert_refused(run("solve", tmp_path / "none.npz", "--out", tmp_path / "s.npz"), "no such file")
    assert (tmp_path / "s.npz").read_bytes() == b"before"


def test_a_place_that_cannot_be_written_is_refused_before_the_work(problem: Path, tmp_path: Path) -> None:
    assert_refused(run("solve", problem, "--out", tmp_path / "no" / "s.npz"), "there is no folder")
    assert_refused(run("solve", problem, "--out", tmp_path), "is a folder")


def test_when_time_is_up_the_exit_is_1_and_the_file_says_so(problem: Path, tmp_path: Path) -> None:
    result = run("solve", problem, "--time-limit", "1e-9", "--out", tmp_path / "s.npz", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, "unknown")
    assert np.load(tmp_path / "s.npz")["seat_pledge"].tolist() == [-1, -1]
    verified = run("verify", problem, tmp_path / "s.npz")
    assert verified.exit_code == 1
    assert verified.stderr == "Error: there is no solution: the status is unknown\n"


def test_verify_exits_1_for_a_violation_and_2_for_a_malformed_file(problem: Path, tmp_path: Path) -> None:
    solution = tmp_path / "s.npz"
    run("solve", problem, "--out", solution)
    arrays = dict(np.load(solution))
    np.savez(solution, **{**arrays, "value": arrays["value"] + 1})
    violated = run("verify", problem, solution)
    assert (violated.exit_code, len(violated.stderr.splitlines())) == (1, 1)
    np.savez(solution, **{**arrays, "value": np.float64(7)})
    assert_refused(run("verify", problem, solution), "solution: array value has type float64")


def test_the_commands_need_neither_web_nor_database_and_start_without_the_kernel() -> None:
    script = (
        "import sys; import timebank.matching.cli;"
        "heavy = {'flask', 'sqlalchemy', 'numpy', 'scipy', 'numba'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_kernel_imports_neither_web_nor_database() -> None:
    script = (
        "import sys; import timebank.matching.kernel;"
        "heavy = {'flask', 'sqlalchemy', 'click', 'numba'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_kernel_is_light_until_a_large_problem_comes() -> None:
    script = (
        "import sys; from timebank.matching.kernel import generate, solve;"
        "solve(generate(40, 20, 1).problem);"
        "sys.exit('numba' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_help_names_what_exists() -> None:
    text = run("solve", "--help").stdout
    assert "auto|scipy|native" in text
    assert "single|bundle" in text
