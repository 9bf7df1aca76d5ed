"""The files of a report: the same rows as the page, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastjsonschema
import openpyxl
import pytest
from flask_babel import force_locale
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import MARCH, SCHROEF, Told
from tests.reports.test_figures import report_of
from tests.support import forks
from timebank import db
from timebank.reports import json_file, renderings
from timebank.reports.proof import signing
from timebank.reports.service import Report

TRAPS = (
    "=1+1",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "https://example.test",
    "Foo;=1+1",
    "Foo, +1",
    "Foo\t@SUM(A1)",
    'Foo;"=1+1"',
    "Bell\x07 and escape\x1b",
    "🧰 Ploeg 🏳️‍🌈",
    "_x0041_ & <b>",
    "Lang " * 38,
)


@pytest.fixture(autouse=True)
def in_english(session: Session) -> Iterator[None]:
    """The words of the source, whatever the catalogues say."""
    with force_locale("en"):
        yield


@pytest.fixture
def report(session: Session, told: Told) -> Report:
    for index, trap in enumerate(TRAPS):
        for _ in range(5):
            who = factories.make_employment(
                session, told.company, with_user=False, department=f"{trap}{index}"
            )
        told.books.give(who, told.books.pledge(who, 60, MARCH), 60, SCHROEF, MARCH)
    session.commit()
    with force_locale("en"):
        return report_of(session, told)


def rows_of(content: bytes, **options: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), **options))


def test_csv_has_one_line_for_each_figure(report: Report) -> None:
    content = renderings.render_csv(report)
    assert not content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n")
    rows = rows_of(content)
    assert {len(r) for r in rows} == {9}
    key = {r["figure"]: r for r in rows if r["table"] == "key_figures"}
    minutes = report.figure("delivered").numerator
    assert (key["delivered"]["numerator"], key["delivered"]["denominator"]) == (str(minutes), "60")
    assert Decimal(key["delivered"]["value"]) == (Decimal(minutes) / 60).quantize(Decimal("0.000001"))
    assert "unconfirmed" not in key
    assert [r["figure"] for r in rows if r["table"] == "beside"] == ["unconfirmed"]
    months = {r["item"]: r["value"] for r in rows if r["table"] == "by_month" and r["figure"] == "delivered"}
    assert list(months) == ["2026-01", "2026-02", "2026-03"]
    goals = {r["code"]: r["numerator"] for r in rows if r["table"] == "by_sdg"}
    assert goals == {"12": str(370 + 60 * len(TRAPS)), "2": "120"}
    for table in ("by_department", "by_initiative", "by_cause"):
        lines = [r for r in rows if r["table"] == table and r["figure"] == "delivered"]
        assert sum(int(r["numerator"]) for r in lines) == minutes


def test_csv_for_a_belgian_excel_has_semicolons_decimal_commas_and_a_mark(report: Report) -> None:
    content = renderings.render_csv(report, excel=True)
    assert content.startswith(b"\xef\xbb\xbf")
    delivered = next(r for r in rows_of(content, delimiter=";") if r["figure"] == "delivered")
    assert re.fullmatch(r"\d+,\d+", delivered["value"])


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("excel", [False, True])
def test_no_cell_of_a_csv_can_run_as_a_formula(report: Report, excel: bool, separator: str) -> None:
    text = renderings.render_csv(report, excel=excel).decode("utf-8-sig")
    cells = [
        c.lstrip('"') for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for c in row
    ]
    risky = [c for c in cells if c.lstrip()[:1] in ("=", "+", "-", "@") or c[:1] in ("\t", "\r")]
    assert risky == []
    assert "'=cmd|" in text


def test_a_workbook_has_its_sheets_real_numbers_frozen_heads_and_filters(report: Report) -> None:
    book = openpyxl.load_workbook(io.BytesIO(renderings.render_xlsx(report)))
    assert book.sheetnames == [
        "Cover",
        "Key figures",
        "By month",
        "By site and department",
        "By initiative",
        "By cause and SDG",
        "By region and phase",
        "Targets and outcomes",
        "Frameworks",
        "Restatements",
        "Definitions",
    ]
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes, sheet.title
        assert sheet.auto_filter.ref, sheet.title
    figures = {row[0]: row for row in book["Key figures"].iter_rows(min_row=2, values_only=True)}
    assert figures["Hours delivered"][1] == pytest.approx(report.figure("delivered").numerator / 60)
    assert figures["Participation rate"][3:5] == (4 + len(TRAPS), 14 + 5 * len(TRAPS))
    by_month = list(book["By month"].iter_rows(min_row=2, values_only=True))
    assert [row[0].date() for row in by_month] == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert sum(row[1] for row in by_month) == pytest.approx(report.figure("delivered").numerator / 60)
    assert sum(
        row[-1] for row in book["By initiative"].iter_rows(min_row=2, values_only=True)
    ) == pytest.approx(report.figure("delivered").numerator / 60)
    cover = {row[0]: row[1] for row in book["Cover"].iter_rows(min_row=3, max_col=2, values_only=True)}
    assert cover["Company"] == "Delta Staal"
    assert cover["Enterprise number"] == "0566988259"
    assert cover["Chain head"] == report.head


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(report: Report) -> None:
    content = renderings.render_xlsx(report)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(n).decode() for n in archive.namelist() if n.startswith("xl/worksheets/")]
    assert all("<f>" not in s and "<hyperlink" not in s for s in sheets)
    book = openpyxl.load_workbook(io.BytesIO(content))
    names = [row[0] for row in book["By initiative"].iter_rows(min_row=2, values_only=True)]
    assert "=cmd|' /C calc'!A0" in names
    shown = [cell for row in book["By site and department"].iter_rows(values_only=True) for cell in row]
    assert {"🧰 Ploeg 🏳️‍🌈13", "Bell\x07 and escape\x1b12"} <= {_plain(cell) for cell in shown}
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def _plain(cell: Any) -> Any:
    """As Excel shows it: what XML cannot hold is written as _x0007_."""
    return re.sub(r"_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), cell) if isinstance(cell, str) else cell


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_every_language_gives_a_workbook_that_opens(session: Session, told: Told, language: str) -> None:
    with force_locale(language):
        content = renderings.render_xlsx(report_of(session, told))
    assert len(openpyxl.load_workbook(io.BytesIO(content)).sheetnames) == 11


def test_json_keeps_minutes(report: Report) -> None:
    content = json.loads(renderings.render_json(report))
    delivered = next(f for f in content["key_figures"] if f["figure"] == "delivered")
    assert delivered["minutes"] == report.figure("delivered").numerator
    assert sum(m["delivered_minutes"] for m in content["by_month"]) == delivered["minutes"]
    assert content["ledger"]["head"] == report.head


def test_json_follows_the_published_schema(session: Session, report: Report, told: Told) -> None:
    check = fastjsonschema.compile(json_file.schema())
    check(json.loads(renderings.render_json(report)))
    empty = factories.make_company(session)
    for each in (
        report_of(session, told, (date(2024, 1, 1), date(2024, 1, 1))),
        report_of(session, Told(empty, told.hr, {}, told.books)),
    ):
        check(json.loads(renderings.render_json(each)))
    wrong = json.loads(renderings.render_json(report)) | {"surprise": 1}
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check(wrong)


def test_a_workbook_has_native_charts(report: Report) -> None:
    with zipfile.ZipFile(io.BytesIO(renderings.render_xlsx(report))) as archive:
        assert sum(n.startswith("xl/charts/chart") for n in archive.namelist()) >= 2


# --- the command ----------------------------------------------------------------------------------------------------


def command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forks.timebank("report", *arguments, environ=forks.environment(url))


PERIOD = ("--from", "2026-01-01", "--until", "2026-03-31")


@pytest.mark.both
def test_the_command_writes_the_report(told: Told, database_url: str, tmp_path: Path) -> None:
    for kind in ("csv", "xlsx", "json"):
        out = tmp_path / f"r.{kind}"
        for company in ("0566.988.259", told.company.slug):
            done = command(
                database_url, "export", "--company", company, *PERIOD, "--format", kind, "--out", str(out)
            )
            assert (done.returncode, done.stderr) == (0, "")
        assert out.stat().st_size > 500
    assert list(tmp_path.glob(".*")) == []
    rows = rows_of((tmp_path / "r.csv").read_bytes())
    assert next(r for r in rows if r["figure"] == "delivered")["numerator"] == "490"
    assert json.loads((tmp_path / "r.json").read_text())["company"]["name"] == "Delta Staal"


@pytest.mark.both
def test_the_command_writes_a_package_and_verifies_it_also_without_a_database(
    told: Told, database_url: str, tmp_path: Path
) -> None:
    out, keys = tmp_path / "report.zip", tmp_path / "keys.json"
    chosen = ("--company", told.company.slug, *PERIOD, "--format", "zip", "--auditor", "--out", str(out))
    done = command(database_url, "export", *chosen)
    assert (done.returncode, done.stderr) == (0, "")
    done = command(database_url, "verify", str(out))
    assert done.returncode == 0 and "consistent and authentic" in done.stdout
    nowhere = f"sqlite:///{tmp_path}/none.db"
    done = command(nowhere, "verify", str(out))
    assert done.returncode == 0 and "was not checked" in done.stdout
    with db.read_session() as session:
        keys.write_text(json.dumps(signing.key_set(session, "http://localhost")), encoding="utf-8")
    assert "authentic" in command(nowhere, "verify", str(out), "--keys", str(keys)).stdout
    assert not (tmp_path / "none.db").exists()
    content = bytearray(out.read_bytes())
    content[len(content) // 2] ^= 1
    out.write_bytes(content)
    done = command(nowhere, "verify", str(out))
    assert done.returncode == 1 and "timebank: " in done.stderr
    out.write_bytes(content[:1000])
    done = command(nowhere, "verify", str(out))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert command(database_url, "rotate-key").returncode == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--format": "docx"}, "cannot be made as docx"),
        ({"--company": "nobody"}, "no company nobody"),
        ({"--from": "2026-04-01"}, ""),
        ({"--until": "31/03/2026"}, "31/03/2026"),
        ({"--out": "/nowhere/at/all.csv"}, "cannot be written"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(
    told: Told, database_url: str, tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    values = {
        "--company": told.company.slug,
        "--from": "2026-01-01",
        "--until": "2026-03-31",
        "--format": "csv",
        "--out": str(tmp_path / "r.csv"),
        **changes,
    }
    done = command(database_url, "export", *(part for pair in values.items() for part in pair))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []
