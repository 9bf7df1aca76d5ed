"""`timebank simulate`: figures, comparisons and plots, without a database; one line where something is wrong."""

from __future__ import annotations

import json
import math
import os
import pty
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from config import ROOT, Settings
from timebank.cli import main, root
from timebank.matching import kernel
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.scheduler.work import NIGHTLY_AT
from timebank.simulation import replay, world
from timebank.simulation.cli import command
from timebank.simulation.measures import MEASURES

SMALL = ("--pledges", "150", "--seats", "200", "--world", "alike", "--days", "60")
SVG = "{http://www.w3.org/2000/svg}"


def simulate(*arguments: Any) -> Result:
    return CliRunner().invoke(root, ["simulate", *SMALL, *(str(a) for a in arguments)])


def as_json(*arguments: Any) -> dict[str, Any]:
    result = simulate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def without_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    for policy in answer["policies"]:
        for figures in (policy["mean"], *policy["seeds"]):
            del figures["solver_seconds"]
    return answer


def test_it_prints_every_figure_with_its_unit() -> None:
    result = simulate()
    assert result.exit_code == 0
    assert [m.label for m in MEASURES if m.label not in result.stdout] == []
    assert "60 days from 2026-09-01, seed 1, alike world" in result.stdout
    assert "every 24h, expiry-days 7, waiting-weight 5, mode single" in result.stdout


def test_the_same_seed_prints_the_same() -> None:
    assert without_seconds(as_json("--seed", 7)) == without_seconds(as_json("--seed", 7))


def test_a_comparison_is_of_the_same_arrivals_seed_by_seed() -> None:
    answer = as_json("--compare", "waiting-weight=0", "--compare", "every=12h", "--repeats", 3)
    assert answer["seeds"] == [1, 2, 3]
    first, second = answer["policies"]
    assert first["policy"] == {"every": 24, "expiry_days": 7, "waiting_weight": 5, "mode": "single"}
    assert second["policy"] == {**first["policy"], "every": 12, "waiting_weight": 0}
    for a, b in zip(first["seeds"], second["seeds"], strict=True):
        assert (a["seats"], a["hours_pledged"]) == (b["seats"], b["hours_pledged"])
    changes = [b["proposals"] - a["proposals"] for a, b in zip(first["seeds"], second["seeds"], strict=True)]
    mean = sum(changes) / 3
    deviation = math.sqrt(sum((c - mean) ** 2 for c in changes) / 2)
    found = answer["difference"]["proposals"]
    assert found["mean"] == pytest.approx(mean)
    assert found["margin"] == pytest.approx(
        4.302653 * deviation / math.sqrt(3), rel=1e-6
    )  # Student's t, 2 degrees


def test_a_comparison_is_printed_in_three_columns() -> None:
    result = simulate("--compare", "expiry-days=3", "--repeats", 2)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2].split() == ["expiry-days", "7", "expiry-days", "3", "difference"]
    assert result.stdout.count("±") >= 3 * 10


@pytest.mark.parametrize(
    "options", [[], ["--compare", "waiting-weight=0", "--repeats", "2"]], ids=["one", "two"]
)
def test_the_plot_is_a_picture_with_a_title_that_says_what_it_shows(
    tmp_path: Path, options: list[str]
) -> None:
    path = tmp_path / "plot.svg"
    assert simulate("--plot", path, *options).exit_code == 0
    drawing = ET.fromstring(path.read_text())  # noqa: S314 - our own drawing
    title = drawing.find(f"{SVG}title")
    assert (
        title is not None
        and drawing.get("aria-labelledby") == title.get("id")
        and drawing.get("role") == "img"
    )
    assert "% of the seats are served" in (title.text or "")
    lines = [each.get("class") for each in drawing.iter(f"{SVG}polyline")]
    assert lines == (["line", "other"] * 2 if options else ["line"] * 2)
    assert not list(drawing.iter(f"{SVG}script"))
    assert path.stat().st_size < 20_000


@pytest.mark.parametrize("days", ["1", "400"])
def test_a_world_in_which_nothing_happens_has_figures_and_a_plot(tmp_path: Path, days: str) -> None:
    path = tmp_path / "plot.svg"
    answer = as_json("--pledges", 0, "--seats", 0, "--days", days, "--plot", path)
    assert answer["policies"][0]["mean"]["served_share"] == {"mean": None, "margin": None}
    ET.fromstring(path.read_text())  # noqa: S314 - our own drawing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mode", "none-such"], "no mode 'none-such'"),
        (["--compare", "mode=none-such"], "no mode 'none-such'"),
        (["--every", "3d"], "'3d' is no number of hours"),
        (["--every", "0h"], "'0h' is no number of hours"),
        (["--compare", "colour=red"], "'colour=red' is none of every=…"),
        (["--compare", "expiry-days=0"], "0 is not in the range"),
        (["--compare", "every=24h"], "the policy to compare with is the same"),
        (["--plot", "/nowhere/plot.svg"], "there is no folder /nowhere"),
        (["--declines", "1.5"], "1.5 is not in the range"),
    ],
)
def test_wrong_use_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["timebank", "simulate", *SMALL, *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert message in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("options", "run"), [((), 20), (("--repeats", "3"), 90)], ids=["in the first seed", "later"]
)
def test_an_interrupt_ends_with_what_was_simulated(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], run: int
) -> None:
    runs = count(1)

    def solve_and_interrupt(*args: Any, **kwargs: Any) -> Any:
        if next(runs) == run:
            signal.raise_signal(signal.SIGINT)
        return kernel.solve(*args, **kwargs)

    monkeypatch.setattr(replay, "solve", solve_and_interrupt)
    before = signal.getsignal(signal.SIGINT)
    result = simulate(*options, "--json")
    assert result.exit_code == 0
    assert "stopped before the end" in result.stderr
    answer = json.loads(result.stdout)
    assert answer["complete"] is False
    assert answer["seeds"] == [1]
    assert answer["days"] == 60 if options else 20 <= answer["days"] < 60
    assert signal.getsignal(signal.SIGINT) is before


def test_it_needs_no_setting_and_shows_progress_on_a_terminal_only() -> None:
    started = [sys.executable, "-c", "from timebank.cli import main; main()", "simulate", *SMALL]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")}
    quiet = subprocess.run(started, capture_output=True, text=True, check=True, env=bare)
    assert quiet.stderr == ""
    reader, terminal = pty.openpty()
    shown = subprocess.run(started, stdout=subprocess.PIPE, stderr=terminal, text=True, check=True, env=bare)
    os.close(terminal)
    assert b" %" in os.read(reader, 100_000)
    os.close(reader)
    assert shown.stdout.splitlines()[:20] == quiet.stdout.splitlines()[:20]


def test_the_commands_in_the_documentation_are_understood() -> None:
    lines = (ROOT / "docs" / "matching.md").read_text(encoding="utf-8").splitlines()
    commands = [line.split()[2:] for line in lines if line.startswith("    timebank simulate")]
    assert len(commands) >= 5
    for arguments in commands:
        command.make_context("simulate", arguments)


def test_it_begins_with_what_the_platform_begins_with() -> None:
    policy, platform = replay.Policy(), DEFAULT_WEIGHTS
    assert policy.waiting_weight == platform["w_waiting"]
    assert policy.expiry_days == Settings.proposal_days
    assert NIGHTLY_AT.hour == replay.NIGHTLY_HOUR
    of_platform = {name: platform[name] for name in ("w_base", "w_nice", "w_cause", "w_near", "w_remote")}
    assert of_platform | {"w_near_metres": 1000 * platform["near_km"]} == world.WEIGHTS
