"""50,000 rows of staff, then 50,000 pledges: seconds and peak memory, against the limits that people rely on.

Each file is read by `timebank import` in a process of its own, so that memory is what such a run really takes.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

ROWS = 50_000
SECONDS, MEGABYTES = 60, 300
NUMBER = "0566.988.259"
DEPARTMENTS = ("Productie", "IT", "Finance", "Verkoop", "Logistiek", "R&D", "HR", "Marketing")
POSTCODES = ("1000", "2000", "3000", "8000", "9000", "9420", "8490", "3500")
SKILLS = ("bookkeeping", "website", "crm", "events", "logistics", "strategy", "contracts", "facilitation")


def main() -> int:
    """Print a line for each file; 1 when one is slower or larger than it may be."""
    rows = int(os.environ.get("ROWS", ROWS))
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), rows)


def _measure(folder: Path, rows: int) -> int:
    env = {
        **os.environ,
        "TIMEBANK_DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db"),
        "TIMEBANK_ENV": "development",
        "TIMEBANK_SECRET_KEY": "benchmark" * 4,
    }
    _run(env, "db", "upgrade")
    _run(env, "import", "companies", _companies(folder), "--json")
    staff, pledges = _staff(folder, rows), _pledges(folder, rows)
    failed = 0
    print(
        f"{'file':<24}{'rows':>8}{'new':>8}{'same':>8}{'seconds':>9}{'peak MB':>9}   limits {SECONDS} s, {MEGABYTES} MB"
    )
    for name, kind, path in (
        ("staff", "staff", staff),
        ("staff again", "staff", staff),
        ("staff as workbook", "staff", _workbook(staff)),
        ("pledges", "pledges", pledges),
        ("pledges again", "pledges", pledges),
    ):
        out, seconds, megabytes = _run(env, "import", kind, path, "--company", NUMBER, "--json")
        result = json.loads(out)
        failed += seconds > SECONDS or megabytes > MEGABYTES or result["new"] + result["same"] != rows
        figures = f"{result['rows']:>8}{result['new']:>8}{result['same']:>8}{seconds:>9.1f}{megabytes:>9.0f}"
        print(f"{name:<24}{figures}")
    return 1 if failed else 0


def _run(env: dict[str, str], *args: object) -> tuple[str, float, float]:
    """Output, seconds and peak memory in MB of one command."""
    # The kernel's own high-water mark of this very program; getrusage would also count whoever started it.
    code = (
        "import re, sys, time; t = time.perf_counter(); from timebank.cli import root\n"
        "try: root(sys.argv[1:], standalone_mode=False)\n"
        "finally:\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "    print(time.perf_counter() - t, peak, file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, env=env, check=True
    )
    seconds, kilobytes = done.stderr.split()[-2:]
    return done.stdout, float(seconds), float(kilobytes) / 1024


def _companies(folder: Path) -> Path:
    return _write(
        folder / "companies.csv",
        ["name", "organisation_number", "hr_name", "hr_email"],
        [["Bench NV", NUMBER, "An Peeters", "hr@bench.example"]],
    )


def _staff(folder: Path, rows: int) -> Path:
    chance = random.Random(1)
    begin = date(2005, 1, 1)
    header = ["personeelsnummer", "e-mail", "voornaam", "naam", "afdeling", "postcode vestiging", "taal",
              "e-mail leidinggevende", "in dienst", "uit dienst", "vte"]  # fmt: skip
    body = [
        [
            str(10_000 + i),
            f"Person.{i}@bench.example",
            f"Voornaam{i % 700}",
            f"Naam{i}",
            chance.choice(DEPARTMENTS),
            chance.choice(POSTCODES),
            "nl",
            f"person.{i // 50}@bench.example",
            (begin + timedelta(chance.randrange(7000))).strftime(
                chance.choice(["%d/%m/%Y", "%Y-%m-%d", "%d-%m-%y"])
            ),
            "",
            chance.choice(["1", "0,8", "50%"]),
        ]
        for i in range(rows)
    ]
    return _write(folder / "staff.csv", header, body, ";")


def _pledges(folder: Path, rows: int) -> Path:
    chance = random.Random(2)
    body = []
    for i in range(rows):
        skills = "|".join(f"{s}:{chance.randint(1, 3)}" for s in chance.sample(SKILLS, 3))
        hours = chance.choice(["8", "6,5", "16"])
        body.append([f"person.{i}@bench.example", hours, "01/12/2026", "2027-06-30", skills, "mon-am|wed-pm"])
    return _write(folder / "pledges.csv", ["email", "hours", "from", "until", "skills", "availability"], body)


def _workbook(path: Path) -> Path:
    from xlsxwriter import Workbook

    out = path.with_suffix(".xlsx")
    book = Workbook(str(out), {"constant_memory": True})
    sheet = book.add_worksheet()
    with path.open(newline="") as handle:
        for i, row in enumerate(csv.reader(handle, delimiter=";")):
            sheet.write_row(i, 0, row)
    book.close()
    return out


def _write(path: Path, header: list[str], rows: list[list[str]], separator: str = ",") -> Path:
    with path.open("w", newline="") as handle:
        csv.writer(handle, delimiter=separator).writerows([header, *rows])
    return path


if __name__ == "__main__":
    sys.exit(main())
