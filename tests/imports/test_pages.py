"""The pages: upload, preview with verdicts, headings by hand, apply, the refused rows; and who may see them."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from tests import factories as make
from timebank import clock
from timebank.imports import batches
from timebank.imports.decode import decode
from timebank.imports.models import BatchState, ImportBatch
from timebank.jobs import service as jobs
from timebank.organisations.models import Employment, Initiative

STAFF = "personeelsnummer;e-mail;voornaam;naam;vte\n1;an@x.example;An;Claes;0,8\n2;bo@x.example;Bo;Maes;2,5\n"


@pytest.fixture
def company(session):
    return make.make_company(session)


@pytest.fixture
def hr(session, company, client_as):
    return client_as(make.make_hr(session, company))


def upload(client: Any, url: str, content: str | bytes, name: str = "staff.csv", **fields: Any) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post_form(
        url, {"file": (io.BytesIO(data), name), **fields}, content_type="multipart/form-data"
    )


def sent(client: Any, url: str, content: str | bytes, **fields: Any) -> str:
    """Upload, and the address of the preview."""
    answer = upload(client, url, content, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def staff_count(session: Any) -> int:
    count = session.scalar(select(func.count()).select_from(Employment)) or 0
    session.rollback()  # whoever writes next must not wait for this look
    return count


def test_hr_sees_each_rows_verdict_before_anything_changes(session, hr):
    address = sent(hr, "/hr/staff/import", STAFF)
    page = hr.get(address)
    assert page.status_code == 200
    assert "an@x.example" in page.text
    assert "2,5" in page.text
    assert staff_count(session) == 0
    only = hr.get(address + "?show=refused")
    assert "bo@x.example" in only.text
    assert "an@x.example" not in only.text


def test_applying_twice_applies_once_and_gives_the_refused_rows_back(session, hr):
    address = sent(hr, "/hr/staff/import", STAFF)
    for _ in range(2):
        assert hr.post_form(address + "/apply", {}).status_code == 303
        assert staff_count(session) == 1
    assert session.scalars(select(ImportBatch.state)).one() == BatchState.APPLIED
    refused = hr.get(address + "/refused.csv")
    assert "attachment" in refused.headers["Content-Disposition"]
    row = decode(refused.data).rows[0].cells
    assert (row[1], row[-3:-1]) == ("bo@x.example", ("fte", "number"))


def test_people_who_are_not_in_the_file_are_closed_only_when_hr_ticks_it(session, company, hr):
    make.make_employment(session, company, with_user=False, employee_number="9", email="z@x.example")
    address = sent(hr, "/hr/staff/import", STAFF)
    hr.post_form(address + "/apply", {})
    assert session.scalar(select(func.count()).where(Employment.state == "left")) == 0
    address = sent(hr, "/hr/staff/import", STAFF)
    assert 'name="close_missing"' in hr.get(address).text
    hr.post_form(address + "/apply", {"close_missing": "y"})
    session.expire_all()
    assert session.scalar(select(func.count()).where(Employment.state == "left")) == 1


@pytest.mark.parametrize("as_job", [False, True])
def test_a_row_that_names_nobody_is_named_where_the_file_would_close_people(
    session, company, hr, monkeypatch, as_job
):
    make.make_employment(session, company, with_user=False, employee_number="9", email="z@x.example")
    address = sent(hr, "/hr/staff/import", STAFF + ";new@x.example;Cy;Maes;1\n")
    if as_job:
        monkeypatch.setattr(batches, "ROWS_AT_ONCE", 0)
    answer = hr.post_form(address + "/apply", {"close_missing": "y"}, follow_redirects=True)
    if as_job:
        jobs.run_next(clock.now())
        answer = hr.get(address)
    assert "Rij 4 heeft geen leesbaar nummer" in answer.text
    assert "voor zijn einde" not in answer.text
    assert f'action="{address}/apply"' in answer.text
    assert staff_count(session) == 1


def test_headings_that_we_do_not_know_are_mapped_by_hand(session, hr):
    unknown = STAFF.replace("personeelsnummer", "badge")
    address = sent(hr, "/hr/staff/import", unknown)
    page = hr.get(address).text
    assert f'action="{address}/apply"' not in page
    assert "badge" in page
    # Without its column nobody's part-time work is known, so the second row has no fault.
    names = ("employee_number", "email", "first_name", "last_name")
    mapping = {f"column-{name}": str(place) for place, name in enumerate(names)} | {"column-fte": ""}
    assert hr.post_form(address + "/headings", mapping).status_code == 303
    hr.post_form(address + "/apply", {})
    assert session.scalars(select(Employment.employee_number).order_by(Employment.id)).all() == ["1", "2"]


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"", b"PK\x03\x04 nothing", b"x" * (20 * 1024 * 1024 + 1)]
)
def test_what_is_no_table_is_refused_beside_the_field(session, hr, content):
    answer = upload(hr, "/hr/staff/import", content)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    session.expire_all()
    assert session.scalar(select(func.count()).where(ImportBatch.preview_file_id.is_not(None))) == 0


def test_no_file_is_said_beside_the_field(hr):
    answer = hr.post_form("/hr/pledges/import", {})
    assert answer.status_code == 422


def test_markup_in_cells_is_shown_as_text(hr):
    page = hr.get(sent(hr, "/hr/staff/import", STAFF.replace("Claes", "<script>alert(1)</script>"))).text
    assert "<script>alert(1)" not in page


def test_the_operator_imports_initiatives_and_a_companys_staff_on_its_behalf(session, company, client_as):
    operator = client_as(make.make_operator(session))
    assert operator.get("/operator/import").status_code == 200
    assert operator.get("/operator/import/nothing").status_code == 404
    text = "naam;fase;postcode;contactpersoon;e-mail contact\nDe Schroef;idee;9000;F;f@x.example\n"
    address = sent(operator, "/operator/import/initiatives", text)
    operator.post_form(address + "/apply", {})
    assert session.scalars(select(Initiative.name)).all() == ["De Schroef"]
    address = sent(operator, "/operator/import/staff", STAFF, company=str(company.id))
    operator.post_form(address + "/apply", {})
    assert staff_count(session) == 1


def test_a_batch_is_seen_by_whoever_sent_it_and_nobody_else(session, company, hr, client_as):
    address = sent(hr, "/hr/staff/import", STAFF)
    others = [
        make.make_hr(session, company),
        make.make_hr(session, make.make_company(session)),
        make.make_operator(session),
    ]
    for other in [client_as(user) for user in others]:
        assert other.get(address).status_code == 404
        assert other.post_form(address + "/apply", {}).status_code == 404
    employee = client_as(make.make_user(session))
    for path in (address, "/hr/staff/import", "/operator/import", "/operator/import/companies"):
        assert employee.get(path).status_code == 404
    assert hr.get("/operator/import/companies").status_code == 404
    assert staff_count(session) == 0


def test_large_files_are_worked_on_by_the_scheduler_with_progress(session, hr, monkeypatch):
    monkeypatch.setattr(batches, "BYTES_AT_ONCE", 10)
    monkeypatch.setattr(batches, "ROWS_AT_ONCE", 0)
    address = sent(hr, "/hr/staff/import", STAFF)
    assert "hx-trigger" in hr.get(address).text
    assert hr.post_form(address + "/apply", {}).status_code == 303
    assert jobs.run_next(clock.now()) is not None
    assert "an@x.example" in hr.get(address).text
    hr.post_form(address + "/apply", {})
    assert staff_count(session) == 0
    assert jobs.run_next(clock.now()) is not None
    assert staff_count(session) == 1
    assert re.search(r"refused\.csv", hr.get(address).text)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n" + bytes(100), "geen tabel"),
        ((STAFF * 2).encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04" + bytes(100), "werkmap"),
    ],
)
def test_a_large_file_that_is_no_table_is_refused_with_its_reason(hr, monkeypatch, content, words):
    monkeypatch.setattr(batches, "BYTES_AT_ONCE", 10)
    address = sent(hr, "/hr/staff/import", content)
    assert jobs.run_next(clock.now()) is not None
    page = hr.get(address).text
    assert words in page
    assert 'name="column-' not in page
    assert hr.post_form(address + "/apply", {}).status_code == 303
    assert hr.get(address).status_code == 200


def test_a_second_click_that_came_in_between_leaves_the_figures_of_the_first(session, hr):
    address = sent(hr, "/hr/staff/import", STAFF)
    batch = session.scalars(select(ImportBatch.public_id)).one()
    session.rollback()
    first = batches.apply(batch, now=clock.now())
    assert (first["new"], first["same"]) == (1, 0)
    assert batches.apply(batch, now=clock.now()) == first
    assert "Toegepast" in hr.get(address).text
    session.expire_all()
    assert session.scalars(select(ImportBatch.summary)).one() == first


def test_long_previews_are_paged(hr):
    rows = "".join(f"{i};p{i}@x.example;An;Claes;1\n" for i in range(1, 251))
    address = sent(hr, "/hr/staff/import", STAFF.splitlines(keepends=True)[0] + rows)
    first = hr.get(address).text
    assert "p100@x.example" in first
    assert "p101@x.example" not in first
    assert "p250@x.example" in hr.get(address + "?after=201").text
