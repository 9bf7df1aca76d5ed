"""A report as a package that anybody can check: what is in it, and that no byte of it can be changed unseen."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import SCHROEF, Told
from tests.reports.test_inputs import rate
from timebank import clock, db
from timebank.audit.models import AuditEntry
from timebank.auth.actor import COMMAND_LINE, actor_of
from timebank.auth.models import Role
from timebank.errors import NotPermitted
from timebank.ledger.closing import close_period
from timebank.ledger.entries import hash_payload, link
from timebank.reports.exports import making
from timebank.reports.proof import manifest as words
from timebank.reports.proof import signing
from timebank.reports.proof.archive import NAME, Changed, Reader, Writer
from timebank.reports.proof.verification import Result, Unreadable, verify

QUARTER = (date(2026, 1, 1), date(2026, 3, 31))


@pytest.fixture(autouse=True)
def in_english(session: Session) -> Iterator[None]:
    with force_locale("en"):
        yield


def package_of(told: Told, *, auditor: bool = True, actor: Any = COMMAND_LINE, **order: Any) -> bytes:
    """The package of the company's first quarter."""
    told.books.session.commit()
    out = io.BytesIO()
    asked = making.Order(told.company.id, *QUARTER, "zip", "en", auditor=auditor)
    making.make(out, replace(asked, **order), actor=actor, now=clock.now())
    return out.getvalue()


def keys() -> set[bytes]:
    with db.read_session() as session:
        return {key.public_key for key in signing.published(session)}


def check(content: bytes, known: set[bytes] | None = None) -> Result:
    return verify(io.BytesIO(content), keys=keys() if known is None else known)


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        return {name: found.read(name) for name in found.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def holds(content: bytes) -> bool:
    """Whether a package is taken for good."""
    try:
        return check(content).authentic
    except Unreadable:
        return False


# --- what is in it --------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_package_is_consistent_and_authentic_and_the_same_again(told: Told) -> None:
    content = package_of(told)
    result = check(content)
    assert result.breaks == []
    assert result.authentic
    assert "490 minutes delivered" in str(result.held[-1])
    assert package_of(told) == content


def test_evidence_has_one_row_for_each_confirmed_activity(told: Told) -> None:
    found = members(package_of(told))
    evidence = rows(found["evidence.csv"])
    # Five confirmed, one that was wrong and its reversal, one journey.
    assert sum(int(r["minutes"]) for r in evidence if r["category"] == "delivery") == 490
    assert [r["minutes"] for r in evidence if r["category"] == "travel"] == ["45"]
    taken_back = next(r for r in evidence if r["reversal_of"])
    wrong = next(r for r in evidence if r["entry"] == taken_back["reversal_of"])
    assert (wrong["minutes"], taken_back["minutes"], taken_back["reason"]) == ("90", "-90", "correction")
    assert {r["company_number"] for r in evidence} == {"0566988259"}
    assert {r["approved_by"] for r in evidence if r["category"] == "delivery"} == {"system"}
    assert all(r["initiative_name"] != "=cmd|' /C calc'!A0" for r in evidence)


def test_evidence_has_the_rate_of_the_day_and_its_values_add_up(told: Told, session: Session) -> None:
    rate(session, told, date(2026, 1, 1), 5000)
    rate(session, told, date(2026, 2, 1), 6100)
    found = members(package_of(told))
    evidence = rows(found["evidence.csv"])
    used = {(r["activity_date"] < "2026-02", r["rate"], r["rate_valid_from"]) for r in evidence}
    assert used == {(True, "50.0", "2026-01-01"), (False, "61.0", "2026-02-01")}
    value = next(f for f in json.loads(found["report.json"])["key_figures"] if f["figure"] == "value")
    given = sum(float(r["value"]) for r in evidence if r["category"] == "delivery")
    assert given == pytest.approx(value["value"])


def test_what_restates_a_closed_day_says_which_and_costs_what_it_cost_then(
    told: Told, session: Session
) -> None:
    who = told.people["IT"][2]
    key = told.books.give(who, told.books.pledge(who, 600), 120, SCHROEF, date(2026, 1, 20))
    rate(session, told, date(2026, 1, 1), 5000)
    rate(session, told, date(2026, 2, 1), 6100)
    close_period(session, told.company.id, year=2026, month=1, closed_by_id=None, now=clock.now())
    told.books.correct(key, date(2026, 1, 20))
    package = package_of(told)
    found = members(package)
    restated = [r for r in rows(found["evidence.csv"]) if r["restates"]]
    assert [(r["restates"], r["minutes"], r["rate"]) for r in restated] == [("2026-01-20", "-120", "50.0")]
    assert restated[0]["activity_date"] > "2026-02"
    assert check(package).authentic
    sheet = openpyxl.load_workbook(io.BytesIO(found["evidence.xlsx"]))["Evidence"]
    column = [cell.value for cell in sheet[1]].index("restates")
    days = [row[column].value for row in sheet.iter_rows(min_row=2) if row[column].value]
    assert [day.date() for day in days] == [date(2026, 1, 20)]


def test_whoever_has_a_payload_and_its_salt_recomputes_the_chain(told: Told) -> None:
    found = members(package_of(told))
    chain = {r["number"]: r for r in rows(found["chain.csv"])}
    manifest = json.loads(found["manifest.json"])
    before = bytes.fromhex(manifest["chain"]["previous"])
    for line in chain.values():
        before = link(before, bytes.fromhex(line["payload_hash"]))
        assert before.hex() == line["hash"]
    assert before.hex() == manifest["chain"]["head"]
    for line in found["proof.jsonl"].decode().splitlines():
        given = json.loads(line)
        payload_hash = hash_payload(bytes.fromhex(given["salt"]), given["payload"])
        assert payload_hash.hex() == chain[str(given["number"])]["payload_hash"]


def test_totals_tie_out_to_the_lines_of_the_ledger(told: Told) -> None:
    tie_out = {r["total"]: r for r in rows(members(package_of(told))["tie-out.csv"])}
    assert {r["difference"] for r in tie_out.values()} == {"0"}
    assert tie_out["delivered"]["lines_minutes"] == "490"
    assert tie_out["travel"]["lines_minutes"] == "45"
    assert tie_out["lapsed"]["lines_minutes"] == "300"


def test_the_sample_follows_from_its_seed(told: Told) -> None:
    one, other = (rows(members(package_of(told, seed=seed))["sample.csv"]) for seed in ("x", "x"))
    assert one == other
    numbers = range(1, 1000)
    assert words.sample_of(numbers, "x", 25) != words.sample_of(numbers, "y", 25)


def test_rights_name_who_may_do_what_without_names_of_people(told: Told) -> None:
    rights = rows(members(package_of(told))["rights.csv"])
    own = next(r for r in rights if r["person"] == str(told.hr.public_id))
    assert own["role"] == "hr" and "pledge.approve" in own["actions"]


def test_a_package_without_the_auditors_part_shows_nobody(told: Told) -> None:
    found = members(package_of(told, auditor=False))
    assert set(found) == {
        "read-me.txt", "report.pdf", "report.csv", "report.xlsx", "report.json", "chain.csv", "manifest.json",
        "signature.json",
    }  # fmt: skip
    pseudonyms = [e.pseudonym.encode() for group in told.people.values() for e in group]
    assert not any(p in content for p in pseudonyms for content in found.values())
    assert check(package_of(told, auditor=False)).authentic


def test_a_company_without_hours_gets_a_package_that_holds(session: Session, held_clock: Any) -> None:
    company = factories.make_company(session)
    session.commit()
    out = io.BytesIO()
    order = making.Order(company.id, *QUARTER, "zip", "en", auditor=True)
    making.make(out, order, actor=COMMAND_LINE, now=clock.now())
    assert check(out.getvalue()).authentic


def test_only_an_auditor_is_given_evidence_and_the_log_says_so(told: Told, session: Session) -> None:
    with pytest.raises(NotPermitted):
        package_of(told, actor=actor_of(told.hr))
    auditor = factories.make_user(session)
    factories.grant(session, auditor, Role.AUDITOR, organisation_id=told.company.id)
    session.commit()
    package_of(told, actor=actor_of(auditor))
    line = session.scalars(select(AuditEntry).where(AuditEntry.action == "report_exported")).one()
    assert line.actor_user_id == auditor.id and line.detail["auditor"] is True


# --- what was changed -----------------------------------------------------------------------------------------------


def test_no_byte_can_be_changed_unseen(told: Told) -> None:
    content = package_of(told)
    chance = random.Random(7)
    end = len(content)
    # Headers, the manifest and the signature, the directory, and anything between.
    places = {*range(0, 60, 3), *range(end - 6000, end, 61), *range(end - 60, end)}
    places |= {chance.randrange(end) for _ in range(100)}
    unseen = []
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        if holds(bytes(changed)):
            unseen.append(place)
    assert unseen == []


@pytest.mark.parametrize("cut", [1, 22, 500])
def test_a_package_that_was_cut_or_grew_does_not_hold(told: Told, cut: int) -> None:
    content = package_of(told, auditor=False)
    assert not holds(content[:-cut])
    assert not holds(content[cut:])
    assert not holds(content + b"x" * cut)
    assert not holds(b"x" * cut + content)


def forged(
    content: bytes, change: Callable[[dict[str, bytes]], None], signer: signing.Signer | None = None
) -> bytes:
    """The package as a forger writes it: hashes recomputed, signed anew with a key of the forger's if there is one."""
    found = members(content)
    manifest, signature = json.loads(found.pop(words.MANIFEST)), found.pop(words.SIGNATURE)
    change(found)
    out = io.BytesIO()
    archive = Writer(out)
    for name, each in found.items():
        archive.add(name, [each])
    manifest["files"] = {name: vars(sums) for name, sums in archive.sums.items()}
    new = words.encode(manifest)
    if signer:
        signature = words.encode(words.signature(signer.key_id, signer.public_key, signer.sign(new)))
    archive.add(words.MANIFEST, [new], packed=False)
    archive.add(words.SIGNATURE, [signature], packed=False)
    archive.close()
    return out.getvalue()


def replaced(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        assert old in found[name]
        found[name] = found[name].replace(old, new, 1)

    return change


def test_a_forger_who_recomputes_hashes_is_found_by_the_signature(told: Told) -> None:
    content = forged(package_of(told), replaced("report.json", b'"minutes": 490', b'"minutes": 590'))
    assert "after it was signed" in " ".join(map(str, check(content).breaks))


def test_a_forger_who_signs_anew_is_found_by_the_key(told: Told) -> None:
    stranger = signing.Signer(Ed25519PrivateKey.generate())
    content = forged(package_of(told), lambda found: None, stranger)
    assert "Somebody else made this package" in " ".join(map(str, check(content).breaks))
    alone = verify(io.BytesIO(content), keys=None)
    assert alone.consistent and not alone.authentic


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("report.json", b'"minutes": 490', b'"minutes": 590', "report.json says 590 for delivered"),
        ("report.csv", b",490,60", b",590,60", "report.csv says 590 for delivered"),
        ("evidence.csv", b",delivery,125,", b",delivery,165,", "evidence.csv, booking 6: minutes is 165"),
        ("proof.jsonl", b'\\"minutes\\":125', b'\\"minutes\\":165', "payload of booking 5"),
        ("proof.jsonl", b'\\"department\\":\\"IT\\"', b'\\"department\\":\\"HR\\"', "payload of booking"),
        ("chain.csv", b"\n7,", b"\n8,", "The chain breaks at booking 7"),
        ("tie-out.csv", b"delivered,490,490,490", b"delivered,590,590,590", "tie-out.csv says 590"),
        ("sample.csv", b"\n6,", b"\n5,", "sample.csv says"),
    ],
)
def test_even_the_holder_of_the_key_cannot_change_a_figure_that_evidence_proves(
    told: Told, name: str, old: bytes, new: bytes, said: str
) -> None:
    told.books.session.commit()
    with db.unit_of_work() as session:
        signer = signing.current_signer(session, current_app.config["SETTINGS"], now=clock.now())
    content = forged(package_of(told), replaced(name, old, new), signer)
    assert said in " ".join(map(str, check(content).breaks))


def test_evidence_that_was_left_out_is_missed(told: Told) -> None:
    def change(found: dict[str, bytes]) -> None:
        lines = found["proof.jsonl"].splitlines(keepends=True)
        found["proof.jsonl"] = b"".join(line for line in lines if b'"confirm\\"' not in line)

    told.books.session.commit()
    with db.unit_of_work() as session:
        signer = signing.current_signer(session, current_app.config["SETTINGS"], now=clock.now())
    assert check(forged(package_of(told), change, signer)).breaks


# --- bad files ------------------------------------------------------------------------------------------------------


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a whole zip file"),
        (b"%PDF-1.7", "not a whole zip file"),
        (zip_of(("../report.csv", b"x")), "which no report has"),
        (zip_of(("/etc/passwd", b"x")), "which no report has"),
        (zip_of(("report.csv", b"x"), ("report.csv", b"y")), "report.csv twice"),
        (zip_of(("report.csv", bytes(2 * 10**6))), "would unpack to"),
        (zip_of(*((f"a{n}.csv", b"") for n in range(60))), "holds 60 files"),
    ],
)
def test_a_file_that_is_no_package_is_refused_in_one_line(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        verify(io.BytesIO(content), keys=None, most_bytes=10**6)


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    out = io.BytesIO()
    archive = Writer(out)
    archive.add("report.csv", [bytes(10**6)])
    archive.close()
    lying = out.getvalue().replace((10**6).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    reader = Reader(io.BytesIO(lying), most_bytes=1000)
    with pytest.raises(Changed, match="does not unpack to what the archive says"):
        list(reader.chunks("report.csv"))


def test_names_of_members_have_no_path() -> None:
    assert all(NAME.fullmatch(n) for n in ("report.csv", "tie-out.csv", "read-me.txt"))
    assert not any(NAME.fullmatch(n) for n in ("a/b.csv", "..", ".csv", "A.csv", "a\0.csv", "a.csv\n"))


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_what_a_retired_key_signed_stays_authentic(told: Told) -> None:
    old = package_of(told)
    with db.unit_of_work() as session:
        signing.rotate(session, current_app.config["SETTINGS"], actor=COMMAND_LINE, now=clock.now())
    new = package_of(told)
    assert len(keys()) == 2 and old != new
    assert holds(old) and holds(new)
    with db.read_session() as session:
        kept = [(k.retired_at is None, k.private_key is None) for k in signing.published(session)]
    assert kept == [(True, False), (False, True)]


def test_another_secret_key_makes_a_new_signing_key(told: Told) -> None:
    old = package_of(told)
    changed = replace(current_app.config["SETTINGS"], secret_key="another-" + "x" * 40)
    with db.unit_of_work() as session:
        signing.current_signer(session, changed, now=clock.now())
    assert len(keys()) == 2 and holds(old)


def test_the_database_alone_does_not_sign(told: Told) -> None:
    package_of(told)
    with db.read_session() as session:
        pem = signing.published(session)[0].private_key or ""
    assert pem.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")


@pytest.mark.both
def test_those_who_sign_first_at_once_use_one_key(app: Any, session: Session) -> None:
    session.rollback()
    settings = app.config["SETTINGS"]

    def first_use() -> str:
        with db.unit_of_work() as own:
            return signing.current_signer(own, settings, now=clock.now()).key_id

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(first_use) for _ in range(4)]
        assert len({each.result() for each in asked}) == 1
    assert len(keys()) == 1


def test_keys_are_published(told: Told, client: Any) -> None:
    package_of(told)
    found = client.get("/.well-known/timebank-keys.json").get_json()
    assert signing.keys_of(found) == keys()
    assert [k["retired_at"] for k in found["keys"]] == [None]
    assert "private" not in json.dumps(found)


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("en", "consistent and authentic", "does not hold"),
        ("nl", "sluitend en echt", "klopt niet"),
        ("fr", "cohérent et authentique", "ne tient pas"),
    ],
)
def test_anybody_drops_a_report_on_the_page(
    told: Told, client: Any, language: str, good: str, bad: str
) -> None:
    content = package_of(told)
    client.set_cookie("timebank_language", language)
    changed = forged(content, replaced("report.csv", b",490,60", b",590,60"))
    for each, said, status in ((content, good, 200), (changed, bad, 200), (b"x", "", 422)):
        answer = client.post_form(
            "/verify", {"file": (io.BytesIO(each), "report.zip")}, content_type="multipart/form-data"
        )
        assert answer.status_code == status
        assert said in answer.get_data(as_text=True)
