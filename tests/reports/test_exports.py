"""Reports as files that are made in the background: never half a file, and everybody sees who took what."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import SCHROEF, Told
from tests.reports.test_figures import report_of
from timebank import clock, db, files
from timebank.auth.actor import COMMAND_LINE, actor_of
from timebank.auth.models import Role, RoleGrant, User
from timebank.files import StoredFile, StoredPiece
from timebank.jobs import service as jobs
from timebank.ledger.models import LedgerBook, LedgerPeriod
from timebank.notifications.models import OutboxMessage
from timebank.reports.exports import frozen, making, service
from timebank.reports.exports.models import Every, FrozenReport, ReportExport
from timebank.reports.proof.verification import verify

QUARTER = {"from": "2026-01-01", "until": "2026-03-31"}


def work() -> None:
    while jobs.run_next(clock.now(), service.LANE):
        pass


def ask(client: Any, **data: Any) -> str:
    answer = client.post_form("/hr/exports", {**QUARTER, "format": "csv", **data})
    assert answer.status_code == 303
    return str(answer.location)


@pytest.mark.both
def test_hr_asks_waits_and_takes_the_file(told: Told, client_as: Any, session: Session) -> None:
    hr = client_as(told.hr)
    assert hr.get("/hr/exports").status_code == 200
    place = ask(hr, format="zip")
    assert "We are making this file" in hr.get(place).text
    assert hr.get(f"{place}/file").status_code == 404
    work()
    assert "Download the file" in hr.get(place).text
    content = hr.get(f"{place}/file")
    assert int(content.headers["Content-Length"]) == len(content.data)
    with db.read_session() as own:
        keys = {k.public_key for k in making.signing.published(own)}
    assert verify(io.BytesIO(content.data), keys=keys).authentic
    history = hr.get("/hr/exports").text
    assert told.hr.name in history and "downloaded" in history and "made" in history


def test_a_direct_download_stands_in_the_history_too(told: Told, client_as: Any) -> None:
    hr = client_as(told.hr)
    assert hr.get("/hr/report.csv", query_string=QUARTER).status_code == 200
    assert "CSV: made" in hr.get("/hr/exports").text


def test_a_file_larger_than_a_piece_comes_whole(session: Session, held_clock: Any) -> None:
    content = bytes(range(256)) * 10_000
    stored = files.store_large(
        session,
        io.BytesIO(content),
        name="x",
        media_type="x/y",
        owner_id=None,
        now=clock.now(),
        expires_at=None,
    )
    session.commit()
    assert b"".join(files.pieces(stored)) == content
    assert stored.size == len(content)
    stored.expires_at = clock.now()
    session.flush()
    files.purge(session, now=clock.now())
    assert session.scalar(select(func.count()).select_from(StoredPiece)) == 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_no_half_file_is_offered_when_the_disk_is_full_or_the_worker_dies(
    told: Told, client_as: Any, session: Session, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    hr = client_as(told.hr)
    place = ask(hr)
    real = files.store_large

    def breaks(own: Session, source: Any, **rest: Any) -> Any:
        real(own, source, **rest)
        raise error

    monkeypatch.setattr(files, "store_large", breaks)
    with suppress(KeyboardInterrupt):
        work()
    assert hr.get(f"{place}/file").status_code == 404
    assert session.scalar(select(func.count()).select_from(StoredFile)) == 0
    monkeypatch.setattr(files, "store_large", real)
    if isinstance(error, OSError):
        assert "could not be made" in hr.get(place).text


def test_a_job_whose_worker_died_is_done_by_another(
    told: Told, client_as: Any, held_clock: Any, session: Session
) -> None:
    hr = client_as(told.hr)
    place = ask(hr)
    assert jobs.claim(clock.now(), service.LANE) is not None
    held_clock.move(minutes=5)
    work()
    assert hr.get(f"{place}/file").status_code == 200


def test_what_is_stopped_keeps_nothing(told: Told, client_as: Any, session: Session) -> None:
    hr = client_as(told.hr)
    place = ask(hr)
    claimed = jobs.claim(clock.now(), service.LANE)
    assert claimed
    assert hr.post_form(f"{place}/cancel").status_code == 303
    with pytest.raises(jobs.Cancelled):
        service.make_job(claimed.public_id, claimed.payload)
    jobs.stop(claimed, clock.now())
    assert "You stopped this" in hr.get(place).text
    assert session.scalar(select(func.count()).select_from(StoredFile)) == 0


def test_others_find_no_export(told: Told, client_as: Any, session: Session) -> None:
    place = ask(client_as(told.hr))
    work()
    other = factories.make_hr(session, factories.make_company(session))
    employment = factories.make_employment(session, told.company)
    session.commit()
    for stranger in (other, session.get_one(User, employment.user_id)):
        assert client_as(stranger).get(f"{place}/file").status_code == 404


def test_evidence_is_for_the_auditor_alone(told: Told, client_as: Any, session: Session) -> None:
    auditor = factories.grant(
        session, factories.make_user(session, language="en"), Role.AUDITOR, organisation_id=told.company.id
    )
    session.commit()
    hr, examiner = client_as(told.hr), client_as(auditor)
    assert "With evidence" not in hr.get("/hr/exports").text
    refused = hr.post_form("/hr/exports", {**QUARTER, "format": "zip", "auditor": "y"})
    assert refused.status_code == 403
    place = ask(examiner, auditor="y")
    work()
    assert examiner.get(f"{place}/file").status_code == 200
    assert hr.get(f"{place}/file").status_code == 403
    assert "with evidence" in hr.get("/hr/exports").text  # that it was taken, everybody sees


@pytest.mark.parametrize(
    "data",
    [
        {"from": "2026-04-01"},
        {"until": "2066-01-01"},
        {"from": ""},
        {"format": "docx"},
        {"stories": "no-id"},
    ],
)
def test_what_cannot_be_made_is_refused_in_the_form(told: Told, client_as: Any, data: dict[str, str]) -> None:
    answer = client_as(told.hr).post_form("/hr/exports", {**QUARTER, "format": "csv", **data})
    assert answer.status_code == 422


# --- schedules ------------------------------------------------------------------------------------------------------


def test_periods_that_are_over() -> None:
    assert service.last_period(Every.MONTH, date(2026, 3, 1)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert service.last_period(Every.QUARTER, date(2026, 1, 1)) == (date(2025, 10, 1), date(2025, 12, 31))
    assert service.last_period(Every.YEAR, date(2026, 12, 31)) == (date(2025, 1, 1), date(2025, 12, 31))


def due() -> int:
    with db.unit_of_work() as session:
        return service.request_due(session, now=clock.now())


@pytest.mark.both
def test_a_scheduled_report_comes_once_a_period_as_a_link(
    told: Told, client_as: Any, held_clock: Any, session: Session
) -> None:
    hr = client_as(told.hr)
    for _twice in range(2):
        assert hr.post_form("/hr/exports/schedules", {"every": "month", "format": "pdf"}).status_code == 303
    assert due() == 0
    held_clock.set(datetime(2026, 4, 7, 9, tzinfo=UTC))
    assert due() == 0
    held_clock.set(datetime(2026, 4, 8, 9, tzinfo=UTC))
    assert (due(), due()) == (1, 0)
    work()
    mail = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == service.KIND)).one()
    assert mail.email == told.hr.email
    place = mail.body.split("http://localhost")[1].split()[0]
    assert hr.get(f"{place}/file").data.startswith(b"%PDF-")
    export = session.scalars(select(ReportExport)).one()
    assert (export.from_date, export.until_date) == (date(2026, 3, 1), date(2026, 3, 31))


def test_who_has_no_right_any_more_is_sent_nothing(told: Told, held_clock: Any, session: Session) -> None:
    actor = actor_of(told.hr)
    session.commit()
    with db.unit_of_work() as own:
        service.schedule(own, told.company.id, every=Every.MONTH, kind="pdf", actor=actor, now=clock.now())
    session.scalars(select(RoleGrant).where(RoleGrant.user_id == told.hr.id)).one().ended_at = clock.now()
    session.commit()
    held_clock.set(datetime(2026, 4, 8, 9, tzinfo=UTC))
    assert due() == 0
    with db.read_session() as own:
        assert service.schedules(own, told.company.id) == []


# --- closed periods -------------------------------------------------------------------------------------------------


def close(told: Told, first: date, last: date) -> None:
    session = told.books.session
    session.flush()
    book = session.scalars(select(LedgerBook).where(LedgerBook.organisation_id == told.company.id)).one()
    session.add(
        LedgerPeriod(
            book_id=book.id,
            number=1 + session.query(LedgerPeriod).count(),
            from_date=first,
            until_date=last,
            closed_at=clock.now(),
            closed_by_id=told.hr.id,
            last_number=book.last_number,
            head=book.head,
        )
    )
    session.commit()


def made(told: Told, kind: str, language: str = "nl") -> bytes:
    out = io.BytesIO()
    order = making.Order(told.company.id, date(2026, 1, 1), date(2026, 3, 31), kind, language)
    making.make(out, order, actor=COMMAND_LINE, now=clock.now())
    return out.getvalue()


@pytest.mark.both
def test_a_closed_report_is_numbered_and_stays_the_same_to_the_byte(
    told: Told, held_clock: Any, session: Session
) -> None:
    close(told, date(2026, 1, 1), date(2026, 3, 31))
    before = {(k, lang): made(told, k, lang) for k in making.FORMATS for lang in ("nl", "fr")}
    held_clock.move(days=40)
    # People come, names change, later work is booked: what was closed stays.
    told.company.name = "Another name"
    for _each in range(7):
        factories.make_employment(session, told.company, with_user=False, department="IT")
    who = told.people["IT"][0]
    april = date(2026, 4, 2)
    told.books.give(who, told.books.pledge(who, 600, april), 120, SCHROEF, april)
    session.commit()
    assert {key: made(told, *key) for key in before} == before
    result = verify(io.BytesIO(before["zip", "nl"]), keys=None)
    assert result.consistent and result.company == "Delta Staal"
    rows = csv.DictReader(io.StringIO(before["csv", "nl"].decode()))
    assert next(r for r in rows if r["figure"] == "delivered")["numerator"] == "490"
    assert set(session.scalars(select(FrozenReport.number))) == {1}


def test_closed_reports_are_numbered_in_the_order_of_closing(told: Told, session: Session) -> None:
    close(told, date(2026, 2, 1), date(2026, 2, 28))
    close(told, date(2026, 1, 1), date(2026, 1, 31))
    for _again in range(2):
        with db.unit_of_work() as own:
            frozen.freeze_closed(own, now=clock.now())
    rows = session.execute(
        select(LedgerPeriod.from_date, FrozenReport.number).join(FrozenReport.period)
    ).all()
    assert sorted(set(map(tuple, rows))) == [(date(2026, 1, 1), 2), (date(2026, 2, 1), 1)]


def test_a_report_survives_being_kept_as_data(told: Told, session: Session) -> None:
    with force_locale("en"):
        report = report_of(session, told)
    kept = json.loads(json.dumps(frozen.encode(report)))
    assert frozen.decode(kept) == report
    kept["value"]["added_since"] = 1
    assert frozen.decode(kept) == replace(report)


@pytest.mark.parametrize("asked", ["from=0001-01-01&until=0001-12-31", "from=9999-12-31&until=9999-12-31"])
def test_a_day_that_no_period_has_leaves_the_form_as_it_begins(
    told: Told, client_as: Any, asked: str
) -> None:
    page = client_as(told.hr).get(f"/hr/exports?{asked}")
    assert page.status_code == 200
    assert f'value="{asked[5:15]}"' not in page.text
