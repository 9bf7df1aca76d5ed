"""`report.zip`: the renderings of a report, the chain that its figures rest on, and a signature over all of it.

With the auditor's part besides: evidence with salt and payload, a sample, the list of rights, the tie-out.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from timebank.auth.models import Role, RoleGrant, User
from timebank.auth.permissions import RULES
from timebank.ledger.entries import GENESIS, book_id_of
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
)
from timebank.reports import renderings
from timebank.reports.pdf.content import render_pdf
from timebank.reports.proof import evidence
from timebank.reports.proof import manifest as words
from timebank.reports.proof.archive import Writer
from timebank.reports.proof.signing import Signer
from timebank.reports.queries import Scope
from timebank.reports.service import Report

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Order:
    """What to put into a package. `seed` draws the auditor's sample: else the chain's head, which nobody chooses.
    `number` is that of a closed period's report."""

    organisation_id: int
    report: Report
    language: str
    issuer: str
    auditor: bool = False
    seed: str = ""
    stories: Sequence[uuid.UUID] = ()
    number: int | None = None


def write(
    out: IO[bytes], session: Session, order: Order, signer: Signer, progress: Progress | None = None
) -> None:
    """Write a package. The same order on the same ledger, signed with the same key, gives the same bytes."""
    report = order.report
    scope = Scope(order.organisation_id, report.from_date, report.until_date)
    archive = Writer(out)
    chain = _chain(session, scope, report)
    members = [
        *_renderings(session, order),
        (words.CHAIN, lambda: _chain_lines(session, order.organisation_id, chain)),
    ]
    content: dict[str, Any] = {
        "format": words.FORMAT,
        "issuer": order.issuer,
        "report": {
            "company": report.company,
            "enterprise_number": report.enterprise_number,
            "from": report.from_date.isoformat(),
            "until": report.until_date.isoformat(),
            "made_at": report.made_at.isoformat(),
            "language": order.language,
            "number": order.number,
        },
        "chain": chain,
    }
    if order.auditor:
        content["sample"] = {"seed": order.seed or report.head, "size": words.SAMPLE_SIZE}
        members += _auditor_members(session, scope, order, content["sample"]["seed"])
    for done, (name, chunks) in enumerate(members):
        if progress:
            progress(done, len(members))
        archive.add(name, chunks())
    content["files"] = {name: asdict(sums) for name, sums in archive.sums.items()}
    manifest = words.encode(content)
    signed = words.signature(signer.key_id, signer.public_key, signer.sign(manifest))
    # Not packed, so that each of their bits counts.
    archive.add(words.MANIFEST, [manifest], packed=False)
    archive.add(words.SIGNATURE, [words.encode(signed)], packed=False)
    archive.close()
    if progress:
        progress(len(members), len(members))


Member = tuple[str, Callable[[], Iterable[bytes]]]


def _renderings(session: Session, order: Order) -> list[Member]:
    report = order.report

    def render(kind: str) -> Callable[[], Iterable[bytes]]:
        return lambda: [renderings.FORMATS[kind].render(report)]

    def printed() -> list[bytes]:
        return [render_pdf(session, report, order.stories, order.issuer, order.number)]

    return [
        ("read-me.txt", lambda: [_read_me()]),
        ("report.pdf", printed),
        *((f"report.{kind}", render(kind)) for kind in renderings.FORMATS),
    ]


def _read_me() -> bytes:
    lines = (
        _("This package holds a report and the proof of its figures."),
        _(
            "Anybody can check it, without access to the system: on the page /verify of the address that"
            " manifest.json names as issuer, or with the command: timebank report verify FILE"
        ),
        _(
            "manifest.json holds the SHA-256 of each file; signature.json signs manifest.json with the Ed25519 key"
            " that the issuer publishes at /.well-known/timebank-keys.json."
        ),
        _(
            "chain.csv is the ledger without its content. Each hash is SHA-256(hash of the line before, payload hash),"
            " and manifest.json says where it begins and ends."
        ),
        _(
            "In the auditor's package, proof.jsonl gives salt and payload of each booking of the period: SHA-256(salt,"
            " payload) is the payload hash in chain.csv. evidence.csv shows the same bookings as rows."
        ),
    )
    return "\r\n\r\n".join(lines).encode() + b"\r\n"


# --- the chain ------------------------------------------------------------------------------------------------------


def _chain(session: Session, scope: Scope, report: Report) -> dict[str, Any]:
    """Which stretch of the chain the period rests on: from its first booking to the last when the report was made."""
    t = LedgerTransaction
    first = session.scalar(
        select(func.min(t.number))
        .join(LedgerFact, LedgerFact.transaction_id == t.id)
        .where(scope.where(), t.number <= report.last_number)
    )
    first = first or max(report.last_number, 1)
    previous = session.scalar(
        select(t.previous_hash).where(t.book_id == _book(scope.organisation_id), t.number == first)
    )
    return {
        "book": str(book_id_of(scope.organisation_id)),
        "first": first,
        "previous": (previous or GENESIS).hex(),
        "last": report.last_number,
        "head": report.head,
    }


def _book(organisation_id: int) -> Any:
    return select(LedgerBook.id).where(LedgerBook.organisation_id == organisation_id).scalar_subquery()


def _chain_lines(session: Session, organisation_id: int, chain: dict[str, Any]) -> Iterator[bytes]:
    t = LedgerTransaction
    statement = (
        select(t.number, t.payload_hash, t.hash)
        .where(t.book_id == _book(organisation_id), t.number.between(chain["first"], chain["last"]))
        .order_by(t.number)
        .execution_options(yield_per=evidence.FETCH)
    )
    rows = ([number, payload.hex(), own.hex()] for number, payload, own in session.execute(statement))
    return evidence.csv_lines(rows, words.CHAIN_COLUMNS)


# --- the auditor's part ---------------------------------------------------------------------------------------------


def _auditor_members(session: Session, scope: Scope, order: Order, seed: str) -> list[Member]:
    report = order.report
    beside = evidence.Beside(
        report.enterprise_number or "",
        evidence.approvers(session, order.organisation_id),
        report.rates,
    )

    def rows() -> Iterator[list[Any]]:
        return evidence.evidence_rows(session, scope, report.last_number, beside)

    def workbook() -> Iterator[bytes]:
        import tempfile

        with tempfile.TemporaryFile() as file:
            evidence.write_workbook(file, rows(), _("Evidence"))
            file.seek(0)
            while chunk := file.read(1 << 16):
                yield chunk

    def sample() -> Iterator[bytes]:
        chosen = set(words.sample_of(_numbers(session, scope, report.last_number), seed, words.SAMPLE_SIZE))
        return evidence.evidence_csv(row for row in rows() if row[0] in chosen)

    return [
        (words.EVIDENCE, lambda: evidence.evidence_csv(rows())),
        ("evidence.xlsx", workbook),
        (
            words.PROOF,
            lambda: evidence.proof_lines(
                evidence.bookings(session, scope, report.last_number, confirmed_only=False)
            ),
        ),
        (words.SAMPLE, sample),
        ("rights.csv", lambda: evidence.csv_lines(_rights(session, order.organisation_id), RIGHTS_COLUMNS)),
        (
            words.TIE_OUT,
            lambda: evidence.csv_lines(_tie_out(session, scope, report), words.TIE_OUT_COLUMNS),
        ),
    ]


def _numbers(session: Session, scope: Scope, last_number: int) -> Iterator[int]:
    t = LedgerTransaction
    statement = (
        select(t.number)
        .join(LedgerFact, LedgerFact.transaction_id == t.id)
        .where(scope.where(), LedgerFact.measure == "confirmed", t.number <= last_number)
        .execution_options(yield_per=evidence.FETCH)
    )
    yield from session.scalars(statement)


RIGHTS_COLUMNS = ("role", "person", "granted_at", "granted_by", "ended_at", "actions")


def _rights(session: Session, organisation_id: int) -> Iterator[list[Any]]:
    """Who had which role in the company, or the platform's, by the id of the login; what each role may do."""
    grantor = aliased(User)
    statement = (
        select(RoleGrant.role, User.public_id, RoleGrant.granted_at, grantor.public_id, RoleGrant.ended_at)
        .join(User, User.id == RoleGrant.user_id)
        .outerjoin(grantor, grantor.id == RoleGrant.granted_by_id)
        .where(or_(RoleGrant.organisation_id == organisation_id, RoleGrant.role == Role.OPERATOR))
        .order_by(RoleGrant.role, RoleGrant.granted_at, RoleGrant.id)
    )
    for role, person, granted_at, by, ended_at in session.execute(statement):
        actions = " ".join(sorted(action for action, roles in RULES.items() if role in roles))
        yield [
            str(role),
            str(person),
            granted_at.isoformat(),
            str(by or ""),
            ended_at.isoformat() if ended_at else "",
            actions,
        ]


# The figures of a report, the facts and the accounts that each is summed from.
TOTALS = {
    "pledged": ("granted", None, AccountKind.GRANTED, -1),
    "reserved": ("reserved", None, AccountKind.RESERVED, 1),
    "delivered": ("confirmed", Category.DELIVERY, AccountKind.RECEIVED, 1),
    "lapsed": ("lapsed", None, AccountKind.LAPSED, 1),
    **{
        str(category): ("confirmed", category, AccountKind(category), 1)
        for category in Category
        if category != Category.DELIVERY
    },
}


def _tie_out(session: Session, scope: Scope, report: Report) -> Iterator[list[Any]]:
    """Each total as the report says it, as its facts sum, and as the ledger's own lines do."""
    facts = {
        (measure, category): minutes
        for measure, category, minutes in session.execute(
            select(LedgerFact.measure, LedgerFact.category, func.sum(LedgerFact.minutes))
            .where(scope.where())
            .group_by(LedgerFact.measure, LedgerFact.category)
        )
    }
    lines: dict[AccountKind, int] = {}
    statement = (
        select(LedgerAccount.kind, func.sum(LedgerLine.minutes))
        .join(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
        .join(LedgerFact, LedgerFact.transaction_id == LedgerLine.transaction_id)
        # A reserved minute that is received leaves its account, though it was agreed all the same.
        .where(
            scope.where(), or_(LedgerAccount.kind != AccountKind.RESERVED, LedgerFact.measure == "reserved")
        )
        .group_by(LedgerAccount.kind)
    )
    for kind, minutes in session.execute(statement):
        lines[kind] = minutes
    said = {figure.indicator.key: int(figure.numerator or 0) for figure in report.figures}
    for name, (measure, category, kind, sign) in TOTALS.items():
        in_facts, in_lines = facts.get((measure, category), 0), sign * lines.get(kind, 0)
        reported = said.get(name, in_facts)
        yield [name, reported, in_facts, in_lines, max(abs(reported - in_facts), abs(in_facts - in_lines))]
