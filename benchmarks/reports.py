"""A company with a million confirmed sessions: the year's report, and its evidence as files, on both databases.

The report is compared with one hand-written query for the same figures, the files with the bare driver and library
doing the same rows, all in the same run. Each file is written in a process of its own, so that memory is what it
really takes.
"""

from __future__ import annotations

import csv
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, text

from timebank import db
from timebank.ledger.entries import (
    COLUMNS,
    GENESIS,
    AccountRef,
    Facts,
    book_id_of,
    hash_payload,
    link,
    payload_of,
)
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.organisations.models import Employment, EmploymentTerms, Organisation

ROWS = 1_000_000
TIMES, MEGABYTES, FILE_TIMES = 1.5, 150, 3.0
YEAR = 2026
PEOPLE = 2_000
SESSIONS_OF_MATCH, MATCHES_OF_PLEDGE = 10, 10
DEPARTMENTS = ("Productie", "IT", "Finance", "Verkoop", "Logistiek", "R&D", "HR", "Marketing")
CAUSES = (("circular", "12"), ("food", "2"), ("digital", "4"), ("arts", "11"), ("energy", "7"), ("care", "3"))
REGIONS = ("BE10", "BE21", "BE22", "BE23", "BE24", "BE25")
SKILLS = ("bookkeeping", "website", "crm", "events", "logistics", "strategy")
BATCH = 20_000
NOW = datetime(YEAR, 1, 1, 9, tzinfo=UTC)


def main() -> int:
    """Print a line for each measurement; 1 when one is slower or larger than it may be."""
    rows = int(os.environ.get("ROWS", 20_000 if "--quick" in sys.argv else ROWS))
    failed = 0
    print(f"{rows:,} confirmed sessions in one company")
    print(f"{'':<34}{'seconds':>9}{'compared to':>13}{'times':>7}{'peak MB':>9}")
    for name, database in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with database() as url:
            failed += _measure(name, url, rows)
    print(f"limits: the report {TIMES} times, files {FILE_TIMES} times and {MEGABYTES} MB")
    return 1 if failed else 0


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.db"


@contextmanager
def _postgresql() -> Iterator[str]:
    from tests.support.postgres import postgresql_server

    with postgresql_server() as server:
        name = server.create()
        yield server.url(name)
        db.engine().dispose()
        server.drop(name)


def _measure(name: str, url: str, rows: int) -> int:
    begun = time.perf_counter()
    organisation_id = fill(url, rows)
    _line(f"{name}: filling", time.perf_counter() - begun)
    query, report = _best(lambda: _by_hand(organisation_id)), _best(lambda: _report(url, organisation_id))
    failed = _line(f"{name}: year report", report, query, limit=TIMES)
    for kind in ("csv", "xlsx"):
        seconds, bare, megabytes = _in_a_process(kind, url, organisation_id)
        failed += _line(f"{name}: evidence as {kind}", seconds, bare, FILE_TIMES, megabytes)
    return failed


def _line(
    what: str, seconds: float, compared: float | None = None, limit: float = 0, megabytes: float | None = None
) -> int:
    other = f"{compared:>13.2f}{seconds / compared:>7.2f}" if compared else ""
    memory = f"{megabytes:>9.0f}" if megabytes else ""
    broken = bool(compared and seconds > limit * compared) or bool(megabytes and megabytes > MEGABYTES)
    print(f"{what:<34}{seconds:>9.2f}{other}{memory}{'   over' if broken else ''}", flush=True)
    return int(broken)


def _best(act: Callable[[], object], times: int = 3) -> float:
    found = []
    for _each in range(times):
        begun = time.perf_counter()
        act()
        found.append(time.perf_counter() - begun)
    return min(found)


# --- a year in the ledger ---------------------------------------------------------------------------------------------


def fill(url: str, rows: int) -> int:
    """A company with that many confirmed sessions, written past the services; answers its id."""
    db.upgrade(url)
    engine = db.init_engine(url)
    with engine.begin() as connection:
        organisation_id, people = _company(connection)
        _Ledger(connection, organisation_id, people, rows).write()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return organisation_id


def _company(connection: Connection) -> tuple[int, list[tuple[str, str]]]:
    made = connection.execute(
        insert(Organisation).values(
            slug="bench",
            name="Bench NV",
            is_company=True,
            applied_at=NOW,
            decided_at=NOW,
            admission="admitted",
        )
    )
    organisation_id: int = made.inserted_primary_key[0]
    employments = [
        {
            "organisation_id": organisation_id,
            "employee_number": str(number),
            "email": f"p{number}@bench.example",
            "first_name": "P",
            "last_name": str(number),
            "pseudonym": f"E{number:07d}",
            "created_at": NOW,
            "public_id": uuid.uuid4(),
        }
        for number in range(PEOPLE)
    ]
    connection.execute(insert(Employment), employments)
    ids = connection.execute(select(Employment.id, Employment.pseudonym).order_by(Employment.id)).all()
    people = [(row[1], DEPARTMENTS[index % len(DEPARTMENTS)]) for index, row in enumerate(ids)]
    connection.execute(
        insert(EmploymentTerms),
        [
            {
                "employment_id": row[0],
                "valid_from": date(YEAR - 1, 1, 1),
                "department": department,
                "fte": 1,
            }
            for row, (_who, department) in zip(ids, people, strict=True)
        ],
    )
    return organisation_id, people


class _Ledger:
    """Writes pledges, matches and their sessions as the services book them: true payloads, hashes and balances."""

    def __init__(
        self, connection: Connection, organisation_id: int, people: list[tuple[str, str]], rows: int
    ) -> None:
        self.connection, self.organisation_id, self.people, self.rows = (
            connection,
            organisation_id,
            people,
            rows,
        )
        self.book = book_id_of(organisation_id)
        self.chance = random.Random(5)
        self.number, self.head, self.account, self.line = 0, GENESIS, 0, 0
        self.pending: dict[Any, list[tuple[Any, ...]]] = {t: [] for t in TABLES}
        self.initiatives = [
            Facts(
                initiative=uuid.UUID(int=self.chance.getrandbits(128)),
                initiative_name=f"Initiatief {number}",
                nuts2=REGIONS[number % len(REGIONS)],
                nis="44021",
                phase="development",
                cause=CAUSES[number % len(CAUSES)][0],
                sdg=CAUSES[number % len(CAUSES)][1],
            )
            for number in range(500)
        ]

    def write(self) -> None:
        book = self.connection.execute(
            insert(LedgerBook).values(
                organisation_id=self.organisation_id, public_id=self.book, last_number=0, head=GENESIS
            )
        )
        self.book_key: int = book.inserted_primary_key[0]
        done = pledge = 0
        while done < self.rows:
            sessions = min(SESSIONS_OF_MATCH * MATCHES_OF_PLEDGE, self.rows - done)
            self._pledge(*self.people[pledge % len(self.people)], sessions)
            done, pledge = done + sessions, pledge + 1
        self._flush()
        self.connection.execute(
            LedgerBook.__table__.update()  # type: ignore[attr-defined]
            .where(LedgerBook.id == self.book_key)
            .values(last_number=self.number, head=self.head)
        )

    def _pledge(self, who: str, department: str, sessions: int) -> None:
        tranche = self._uuid()
        person = {"employee": who, "department": department, "site": "Gent"}
        granted = self._account(AccountKind.GRANTED, tranche, None, -60 * sessions)
        available = self._account(AccountKind.AVAILABLE, tranche, None, 0)
        first = date(YEAR, 1, 2)
        kinds = TransactionKind
        self._book(
            kinds.GRANT, "granted", 60 * sessions, first, Facts(**person), (granted, -1), (available, 1)
        )
        for begin in range(0, sessions, SESSIONS_OF_MATCH):
            count = min(SESSIONS_OF_MATCH, sessions - begin)
            match = self._uuid()
            theirs = self.chance.choice(self.initiatives)
            own = {f.name: getattr(theirs, f.name) for f in fields(theirs)}
            own |= {**person, "skill": self.chance.choice(SKILLS)}
            reserved = self._account(AccountKind.RESERVED, tranche, match, 0)
            received = self._account(AccountKind.RECEIVED, tranche, match, 60 * count)
            facts = Facts(**own)
            self._book(kinds.RESERVE, "reserved", 60 * count, first, facts, (available, -1), (reserved, 1))
            given = Facts(**{**own, "category": Category.DELIVERY})
            for _session in range(count):
                day = first + timedelta(days=self.chance.randrange(360))
                self._book(kinds.CONFIRM, "confirmed", 60, day, given, (reserved, -1), (received, 1))

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)

    def _account(
        self, kind: AccountKind, tranche: uuid.UUID, match: uuid.UUID | None, balance: int
    ) -> tuple[int, str]:
        self.account += 1
        name = AccountRef(kind, tranche, match).name
        self.pending[LedgerAccount].append(
            (self.account, self.book_key, name, kind.value, self._id(tranche), self._id(match), balance)
        )
        return self.account, name

    def _id(self, value: uuid.UUID | None) -> Any:
        """As each database's driver takes it."""
        return value if value is None or self.connection.dialect.name == "postgresql" else value.hex

    def _book(
        self,
        kind: TransactionKind,
        measure: str,
        minutes: int,
        day: date,
        facts: Facts,
        *lines: tuple[tuple[int, str], int],
    ) -> None:
        self.number += 1
        key, salt = f"bench:{self.number}", self.chance.randbytes(16)
        content = payload_of(
            book=self.book,
            number=self.number,
            kind=kind,
            key=key,
            activity_date=day,
            booked_at=NOW,
            actor="user:00000000-0000-4000-8000-000000000001",
            lines=[(account[1], sign * minutes) for account, sign in lines],
            facts={f.name: getattr(facts, f.name) for f in fields(facts)},
            measure=measure,
            minutes=minutes,
            reverses=None,
        )
        payload = hash_payload(salt, content)
        own = link(self.head, payload)
        stamp: Any = NOW if self.connection.dialect.name == "postgresql" else "2026-01-01 09:00:00.000000"
        when: Any = day if self.connection.dialect.name == "postgresql" else day.isoformat()
        self.pending[LedgerTransaction].append(
            (
                *(
                    self.number,
                    self.book_key,
                    self.number,
                    kind.value,
                    when,
                    stamp,
                    key,
                    content,
                    salt,
                    payload,
                ),
                *(self.head, own, self._id(self._uuid())),
            )
        )
        for account, sign in lines:
            self.line += 1
            self.pending[LedgerLine].append((self.line, self.number, account[0], sign * minutes))
        cells = [self._cell(getattr(facts, name)) for name in COLUMNS]
        self.pending[LedgerFact].append((self.number, self.book_key, measure, when, minutes, *cells))
        self.head = own
        if len(self.pending[LedgerTransaction]) >= BATCH:
            self._flush()

    def _cell(self, value: Any) -> Any:
        if isinstance(value, uuid.UUID):
            return self._id(value)
        return value.value if isinstance(value, Category) else value

    def _flush(self) -> None:
        """COPY on PostgreSQL, many rows a statement on SQLite."""
        raw: Any = self.connection.connection.driver_connection
        for model, columns in TABLES.items():
            table, names = model.__tablename__, ", ".join(f'"{c}"' for c in columns)
            if self.connection.dialect.name == "postgresql":
                with raw.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in self.pending[model]:
                        copy.write_row(row)
            else:
                marks = ", ".join("?" * len(columns))
                raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", self.pending[model])  # noqa: S608
            self.pending[model].clear()


TABLES: dict[Any, tuple[str, ...]] = {
    LedgerAccount: ("id", "book_id", "name", "kind", "tranche", "match", "balance"),
    LedgerTransaction: (
        "id",
        "book_id",
        "number",
        "kind",
        "activity_date",
        "booked_at",
        "idempotency_key",
        "payload",
        "salt",
        "payload_hash",
        "previous_hash",
        "hash",
        "public_id",
    ),
    LedgerLine: ("id", "transaction_id", "account_id", "minutes"),
    LedgerFact: ("transaction_id", "book_id", "measure", "activity_date", "minutes", *COLUMNS),
}


# --- the report -------------------------------------------------------------------------------------------------------

# The same figures as a person would ask the database for them: one pass over the facts, then sums of its groups.
BY_HAND = """
WITH groups AS MATERIALIZED (
  SELECT measure, category, {month} AS month, department, employee, initiative, cause, sdg,
         sum(minutes) AS minutes, max(transaction_id) AS last
  FROM ledger_facts
  WHERE book_id = :book AND activity_date BETWEEN :first AND :last
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
given AS MATERIALIZED (SELECT * FROM groups WHERE measure = 'confirmed' AND category = 'delivery')
SELECT 'total', measure, category, sum(minutes) FROM groups GROUP BY 2, 3
UNION ALL SELECT 'month ' || month, measure, category, sum(minutes) FROM groups GROUP BY 1, 2, 3
UNION ALL SELECT 'department ' || department, measure, category, sum(minutes) FROM groups GROUP BY 1, 2, 3
UNION ALL SELECT 'people', NULL, NULL, count(*)
  FROM (SELECT employee FROM given GROUP BY 1 HAVING sum(minutes) > 0) p
UNION ALL SELECT 'people of ' || department, NULL, NULL, count(*)
  FROM (SELECT department, employee FROM given GROUP BY 1, 2 HAVING sum(minutes) > 0) d GROUP BY 1
UNION ALL SELECT CAST(initiative AS text), cause, sdg, sum(minutes) FROM given GROUP BY 1, 2, 3
UNION ALL SELECT 'cause', cause, sdg, sum(minutes) FROM given GROUP BY 2, 3
"""


def _by_hand(organisation_id: int) -> int:
    sqlite = db.engine().dialect.name == "sqlite"
    month = "substr(activity_date, 1, 7)" if sqlite else "to_char(activity_date, 'YYYY-MM')"
    with db.read_session() as session:
        book = session.scalar(select(LedgerBook.id).where(LedgerBook.organisation_id == organisation_id))
        first, last = date(YEAR, 1, 1), date(YEAR, 12, 31)
        given: dict[str, Any] = {"book": book, "first": first, "last": last}
        if sqlite:
            given |= {"first": first.isoformat(), "last": last.isoformat()}
        return len(session.execute(text(BY_HAND.format(month=month)), given).all())


_app: dict[str, Any] = {}


def _report(url: str, organisation_id: int) -> None:
    from timebank.auth.actor import COMMAND_LINE
    from timebank.reports import service

    with _application(url).app_context(), db.read_session() as session:
        report = service.build_report(
            session,
            organisation_id,
            date(YEAR, 1, 1),
            date(YEAR, 12, 31),
            actor=COMMAND_LINE,
            now=datetime(YEAR + 1, 1, 2, tzinfo=UTC),
        )
    assert report.figure("delivered").numerator > 0  # noqa: S101 - a bench that measures nothing must not pass


def _application(url: str) -> Any:
    from config import Settings
    from timebank import create_app

    if url not in _app:
        _app[url] = create_app(Settings(env="development", database_url=url, secret_key="benchmark" * 4))
    return _app[url]


# --- evidence ---------------------------------------------------------------------------------------------------------


def _in_a_process(kind: str, url: str, organisation_id: int) -> tuple[float, float, float]:
    """Seconds of ours, seconds of the bare driver and library, peak memory of ours in MB."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [kind, url, str(organisation_id), folder]
        streamed = _child("stream", *arguments)
        bare = _child("bare", *arguments)
    return streamed[0], bare[0], streamed[1]


def _child(*arguments: str) -> tuple[float, float]:
    done = subprocess.run(  # noqa: S603 - this very file
        [sys.executable, "-m", "benchmarks.reports", *arguments], capture_output=True, text=True, check=True
    )
    seconds, kilobytes = done.stdout.split()
    return float(seconds), float(kilobytes) / 1024


def _child_main(what: str, kind: str, url: str, organisation_id: str, folder: str) -> None:
    seconds = {"stream": _stream, "bare": _bare}[what](kind, url, int(organisation_id), Path(folder))
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    print(seconds, peak[1] if peak else 0)


def _rows(session: Any, organisation_id: int) -> Iterator[list[Any]]:
    from timebank.reports.proof import evidence
    from timebank.reports.queries import Scope

    scope = Scope(organisation_id, date(YEAR, 1, 1), date(YEAR, 12, 31))
    beside = evidence.Beside("0566988259", evidence.approvers(session, organisation_id))
    return evidence.evidence_rows(session, scope, 2**31 - 1, beside)


def _stream(kind: str, url: str, organisation_id: int, folder: Path) -> float:
    from timebank.reports.proof import evidence

    db.init_engine(url)
    begun = time.perf_counter()
    with db.read_session() as session, (folder / f"e.{kind}").open("wb") as file:
        rows = _rows(session, organisation_id)
        if kind == "csv":
            file.writelines(evidence.evidence_csv(rows))
        else:
            evidence.write_workbook(file, rows, "Evidence")
    return time.perf_counter() - begun


BARE = """
SELECT t.number, CAST(f.activity_date AS text), CAST(t.booked_at AS text), f.site, f.employee, f.department, f.category,
       f.minutes, f.paid_time, f.skill, CAST(f.initiative AS text), f.initiative_name, f.initiative_number, f.nuts2,
       f.nis, f.phase, f.work_form, f.cause, f.sdg, 'coordinator', NULL, NULL, {before}, {own}, '0566988259', 'hr'
FROM ledger_transactions t JOIN ledger_facts f ON f.transaction_id = t.id
WHERE f.book_id = (SELECT id FROM ledger_books WHERE organisation_id = {organisation}) AND f.measure = 'confirmed'
ORDER BY t.number
"""


def _bare(kind: str, url: str, organisation_id: int, folder: Path) -> float:
    """The same rows by the bare driver and the bare library."""
    import xlsxwriter

    engine = db.init_engine(url)
    sqlite = engine.dialect.name == "sqlite"
    hashes = {name: f"lower(hex(t.{c}))" if sqlite else f"encode(t.{c}, 'hex')" for name, c in HASHES.items()}
    begun = time.perf_counter()
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        rows = driver.cursor() if sqlite else driver.cursor("bare")
        rows.execute(BARE.format(organisation=organisation_id, **hashes))
        if kind == "csv":
            with (folder / "bare.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
        else:
            book = xlsxwriter.Workbook(str(folder / "bare.xlsx"), {"constant_memory": True})
            sheet = book.add_worksheet()
            for line, row in enumerate(rows):
                sheet.write_row(line, 0, row)
            book.close()
    return time.perf_counter() - begun


HASHES = {"before": "previous_hash", "own": "hash"}


if __name__ == "__main__":
    if len(sys.argv) == 6:
        _child_main(*sys.argv[1:])
    else:
        sys.exit(main())
