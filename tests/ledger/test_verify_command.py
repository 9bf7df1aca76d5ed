"""`timebank ledger verify`, as somebody runs it: what it prints, and how it exits."""

from __future__ import annotations

import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ledger.conftest import a_story, add_company, booking
from tests.ledger.forgery import behind_its_back
from tests.ledger.test_invented import INVENTIONS
from tests.ledger.test_verify import TAMPERINGS
from tests.support import forks
from timebank import db


def command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forks.timebank("ledger", "verify", *arguments, environ=forks.environment(url))


@pytest.mark.both
def test_the_command_prints_a_line_a_book_and_a_total(database: str) -> None:
    empty = command(database)
    assert (empty.returncode, empty.stdout, empty.stderr) == (
        0,
        "0 books, 0 transactions, 0 lines: everything holds\n",
        "",
    )
    with db.unit_of_work() as session:
        a = add_company(session, "Delta Staal", "0566988259")
        b = add_company(session, "Other")
    a_story(a)
    a_story(b)
    done = command(database)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, len(lines)) == (0, "", 3)
    assert lines[0].startswith("0566988259 Delta Staal: 8 transactions, 16 lines, 1.5 hours confirmed, head ")
    assert lines[1].startswith("Other: 8 transactions")
    assert lines[2] == "2 books, 16 transactions, 32 lines: everything holds"
    for name in ("0566.988.259", "BE 0566 988 259", "566988259", "delta-staal"):
        one = command(database, "--company", name)
        assert (one.returncode, len(one.stdout.splitlines())) == (0, 2), name


@pytest.mark.both
def test_the_command_exits_1_at_the_first_break_and_says_where(company: int, database: str) -> None:
    a_story(company)
    with behind_its_back() as connection:
        TAMPERINGS["two lines were changed"][0](connection)
    done = command(database)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "timebank: Delta Staal: transaction 3: its lines are not those of its payload\n"


def test_wrong_use_of_the_command_is_one_line(database: str, tmp_path: Path) -> None:
    unknown = command(database, "--company", "nobody")
    assert (unknown.returncode, unknown.stderr) == (2, "timebank: there is no company nobody\n")
    nowhere = command(f"sqlite:///{tmp_path}/none.db")
    assert nowhere.returncode == 2
    assert nowhere.stderr.count("\n") == 1
    option = command(database, "--what")
    assert (option.returncode, option.stderr.count("\n")) == (2, 1)


@pytest.mark.both
def test_the_command_names_what_is_in_no_book(company: int, database: str) -> None:
    a_story(company)
    with behind_its_back() as connection:
        INVENTIONS["an account of no book"][0](connection)
    done = command(database)
    assert done.returncode == 1
    assert done.stderr.startswith("timebank: account row ")
    assert done.stderr.endswith(" is in no book\n")


def test_since_reads_the_chain_from_a_day_and_a_kept_head_is_looked_for(company: int, database: str) -> None:
    a_story(company)
    with booking(company) as book:
        kept = book.grant(uuid.uuid4(), 60, now=datetime(2026, 4, 1, 9, tzinfo=UTC)).previous_hash.hex()
    part = command(database, "--since", "2026-04-01")
    assert part.stdout.splitlines()[-1] == "1 book, 1 transactions, 2 lines: everything holds"
    none = command(database, "--since", "2026-04-02")
    assert none.stdout.splitlines()[-1] == "1 book, 0 transactions, 0 lines: everything holds"
    known = command(database, "--head", kept)
    assert known.stdout.splitlines()[-1] == (
        "Delta Staal: this was the head after transaction 8, booked on 2026-03-10"
    )
    lost = command(database, "--company", "delta-staal", "--head", "00" * 32)
    assert (lost.returncode, "changed or removed" in lost.stderr) == (1, True)
    assert command(database, "--head", "x").returncode == command(database, "--since", "x").returncode == 2
    with behind_its_back() as connection:
        TAMPERINGS["a hash was changed"][0](connection)
    assert command(database).returncode == 1
    assert command(database, "--since", "2026-04-01").returncode == 0
