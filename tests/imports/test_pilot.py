"""The files of a pilot, as organisations sent them, through the command: each verdict as it must be, twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from timebank import db
from timebank.cli import main

PILOT = Path(__file__).parent.parent / "data" / "pilot"
EXPECTED = json.loads((PILOT / "expected.json").read_text())
ORDER = (
    "companies.csv", "staff-delta.csv", "staff-lumiere.csv", "staff-northsea.xlsx", "initiatives.csv", "requests.csv",
    "pledges-delta.csv", "pledges-lumiere.csv", "pledges-northsea.csv",
)  # fmt: skip


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Command(Protocol):
    def __call__(self, *args: object) -> Done: ...


@pytest.fixture
def timebank(database_url, monkeypatch, capsys) -> Command:
    """`timebank(*args)`: the command in this very process, on a fresh database."""
    monkeypatch.setenv("TIMEBANK_DATABASE_URL", database_url)
    monkeypatch.setenv("TIMEBANK_ENV", "development")
    monkeypatch.setenv("TIMEBANK_SECRET_KEY", "pilot" * 8)

    def run(*args: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["timebank", *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        finally:
            db.engine().dispose()
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def send(timebank: Command, name: str, *more: object, file: Path | None = None) -> dict[str, Any]:
    company = next((number for key, number in EXPECTED["companies"].items() if key in name), None)
    whose = ("--company", company) if company else ()
    kind = name.split("-")[0].split(".")[0]
    done = timebank("import", kind, file or PILOT / name, *whose, "--json", *more)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def refusals(rows: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return sorted((r["row"], r["column"], r["reason"]) for r in rows)


@pytest.mark.both
def test_every_row_of_the_pilot_gets_its_verdict_and_the_second_time_nothing_changes(timebank, database_url):
    for again in (False, True):
        for name in ORDER:
            found, expected = send(timebank, name), EXPECTED["files"][name]
            new = 0 if again else expected["new"]
            assert refusals(found["refused"]) == refusals(expected["refused"]), name
            assert (found["rows"], found["new"], found["changed"]) == (expected["rows"], new, 0), name
            assert found["same"] == expected["same"] + expected["new"] - new, name
    verified = timebank("ledger", "verify")
    assert verified.code == 0, verified.out + verified.err


def test_one_changed_cell_is_one_change_and_a_dry_run_none(timebank, tmp_path):
    send(timebank, "companies.csv")
    send(timebank, "staff-delta.csv")
    text = (PILOT / "staff-delta.csv").read_text("cp1252")
    changed = tmp_path / "staff-delta.csv"
    changed.write_text(text.replace("Willems;R&D", "Willems;Nieuwe dienst", 1), "cp1252")
    for more, figures in ((["--dry-run"], 1), ([], 1), ([], 0)):
        found = send(timebank, "staff-delta.csv", *more, file=changed)
        assert (found["changed"], found["new"]) == (figures, 0)


def test_the_command_keeps_to_its_exit_codes_and_streams(timebank, tmp_path):
    no_table = tmp_path / "staff.csv"
    no_table.write_bytes(b"\x89PNG\r\n\x1a\n")
    for args in (
        ("companies", no_table),
        ("companies", tmp_path / "absent.csv"),
        ("staff", PILOT / "staff-delta.csv"),
        ("companies", PILOT / "companies.csv", "--company", "x"),
        ("staff", PILOT / "staff-delta.csv", "--company", "nobody"),
        ("companies", PILOT / "staff-delta.csv"),
        ("companies", PILOT / "companies.csv", "--close-missing"),
        ("nothing", PILOT / "companies.csv"),
    ):
        done = timebank("import", *args, "--json")
        assert (done.code, done.out) == (2, ""), args
        assert done.err.strip()
    refused = timebank("import", "companies", no_table)
    assert len(refused.err.strip().splitlines()) == 1


def test_refused_rows_come_back_as_a_file_that_is_read_again(timebank, tmp_path):
    rejects = tmp_path / "rejects.csv"
    send(timebank, "companies.csv", "--rejects", rejects)
    assert rejects.read_text("utf-8-sig").splitlines()[0].startswith("name,organisation_number,")
    again = send(timebank, "companies.csv", file=rejects)
    assert (again["rows"], refusals(again["refused"])) == (
        1,
        [(2, "organisation_number", "enterprise_number")],
    )
    mended = tmp_path / "mended.csv"
    mended.write_text(rejects.read_text("utf-8-sig").replace("0566.988.258", "0566.988.259"))
    assert send(timebank, "companies.csv", file=mended)["new"] == 1
