"""Who sent a file may stop the work on it, and reads before what that means."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests import factories as make
from tests.imports.test_pages import STAFF, sent, staff_count
from timebank import clock
from timebank.imports import batches
from timebank.imports.models import BatchState, ImportBatch
from timebank.jobs import service as jobs
from timebank.jobs.models import Job, JobState

pytestmark = pytest.mark.both


@pytest.fixture
def hr(session: Any, client_as: Any) -> Any:
    return client_as(make.make_hr(session, make.make_company(session)))


@pytest.fixture
def address(hr: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that waits to be judged by the scheduler."""
    monkeypatch.setattr(batches, "BYTES_AT_ONCE", 10)
    monkeypatch.setattr(batches, "ROWS_AT_ONCE", 0)
    return sent(hr, "/hr/staff/import", STAFF)


def states(session: Any) -> list[JobState]:
    session.rollback()
    return list(session.scalars(select(Job.state).order_by(Job.id)))


def test_a_file_that_is_judged_can_be_stopped(session: Any, hr: Any, address: str) -> None:
    assert f"{address}/stop" in hr.get(address).text
    assert "Nog niets van dit bestand is toegepast" in hr.get(f"{address}/stop").text
    assert hr.post_form(f"{address}/stop").status_code == 303
    assert states(session) == [JobState.CANCELLED]
    session.rollback()
    page = hr.get(address).text
    assert "Er is niets van toegepast" in page
    assert f"{address}/stop" not in page


def test_work_that_waits_to_apply_is_stopped_and_can_go_on_later(session: Any, hr: Any, address: str) -> None:
    jobs.run_next(clock.now())
    hr.post_form(f"{address}/apply", {})
    assert "Geschreven rijen blijven" in hr.get(f"{address}/stop").text
    hr.post_form(f"{address}/stop")
    assert states(session)[-1] == JobState.CANCELLED
    assert staff_count(session) == 0
    assert "Je hebt het werk aan dit bestand gestopt" in hr.get(address).text
    hr.post_form(f"{address}/apply", {})
    jobs.run_next(clock.now())
    assert staff_count(session) == 1


def test_work_that_runs_stops_before_it_writes(
    session: Any, hr: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run_next(clock.now())
    hr.post_form(f"{address}/apply", {})
    preview = batches.service.preview

    def preview_while_somebody_stops(*args: Any, **more: Any) -> Any:
        hr.post_form(f"{address}/stop")
        assert "Het stopt bij de volgende stap" in hr.get(address).text
        return preview(*args, **more)

    monkeypatch.setattr(batches.service, "preview", preview_while_somebody_stops)
    jobs.run_next(clock.now())
    assert states(session)[-1] == JobState.CANCELLED
    assert staff_count(session) == 0


def test_what_is_written_already_counts_as_applied(
    session: Any, hr: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run_next(clock.now())
    hr.post_form(f"{address}/apply", {})
    apply = batches.service.apply

    def apply_and_somebody_stops(*args: Any, **more: Any) -> Any:
        done = apply(*args, **more)
        hr.post_form(f"{address}/stop")
        return done

    monkeypatch.setattr(batches.service, "apply", apply_and_somebody_stops)
    jobs.run_next(clock.now())
    assert staff_count(session) == 1
    assert session.scalars(select(ImportBatch.state)).one() == BatchState.APPLIED
    session.rollback()
    assert hr.get(f"{address}/stop").status_code == 303
    assert "al klaar" in hr.post_form(f"{address}/stop", follow_redirects=True).text


def test_only_who_sent_it_stops_it(session: Any, hr: Any, address: str, client_as: Any) -> None:
    stranger = client_as(make.make_hr(session, make.make_company(session)))
    assert stranger.get(f"{address}/stop").status_code == 404
    assert stranger.post_form(f"{address}/stop").status_code == 404
    assert states(session) == [JobState.QUEUED]
