"""`timebank ledger`: prove that the hours ledger holds."""

from __future__ import annotations

import sys
from datetime import datetime, time
from typing import NoReturn

import click
from sqlalchemy import column, literal, or_, select, table
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.commands import WrongUse

# The ledger knows no organisations; this command only says their names.
_organisations = table(
    "organisations", column("id"), column("slug"), column("name"), column("enterprise_number")
)


@click.group("ledger")
def group() -> None:
    """Check the hours ledger."""


@group.command("verify")
@click.option("--company", metavar="NUMBER|SLUG", help="Only the book of this company.")
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Read the chain from what was booked on this day on.",
)
@click.option(
    "--head",
    metavar="HASH",
    help="A chain head that was kept: fails unless it is in the chain, with nothing before it changed.",
)
def verify_command(company: str | None, since: datetime | None, head: str | None) -> None:
    """Recompute every hash, sum and balance from the lines. Exits 1 at the first break and names it."""
    import config

    db.init_engine(config.load().database_url)
    begin = None if since is None else clock.local_moment(since.date(), time())
    try:
        with db.read_session() as session:
            chosen = None if company is None else _find(session, company)
            _verify(session, chosen, begin)
            if head is not None:
                _look_for(session, chosen, head)
    except DatabaseError as error:
        reason = str(error.orig or error).strip().splitlines()[0]
        raise WrongUse(f"the database cannot be read: {reason}") from None


def _verify(session: Session, organisation_id: int | None, since: datetime | None) -> None:
    from timebank.ledger.verify import Result, verify_books

    result, names = Result(), _names(session)
    for book in verify_books(session, organisation_id=organisation_id, since=since, progress=_progress()):
        result.books.append(book)
        if book.organisation_id is None:
            _fail(str(book.first_break))
        name = names.get(book.organisation_id, str(book.organisation_id))
        if book.first_break:
            _fail(f"{name}: {book.first_break}")
        click.echo(
            f"{name}: {book.transactions} transactions, {book.lines} lines,"
            f" {_hours(book.confirmed)} hours confirmed, head {book.head.hex()}"
        )
    books = len(result.books)
    counted = f"{books} {'book' if books == 1 else 'books'}, {result.transactions} transactions"
    click.echo(f"{counted}, {result.lines} lines: everything holds")


def _look_for(session: Session, organisation_id: int | None, head: str) -> None:
    """Say of which transaction the head is; it is proved with the chain that it closes."""
    from timebank.ledger.models import LedgerBook, LedgerTransaction

    try:
        kept = bytes.fromhex(head)
    except ValueError:
        raise WrongUse("a chain head is 64 hexadecimal digits") from None
    found = session.execute(
        select(LedgerTransaction.number, LedgerTransaction.booked_at, LedgerBook.organisation_id)
        .join(LedgerBook, LedgerBook.id == LedgerTransaction.book_id)
        .where(
            LedgerTransaction.hash == kept,
            or_(literal(organisation_id is None), LedgerBook.organisation_id == organisation_id),
        )
    ).first()
    if found is None:
        _fail(f"no booking has the head {head}: what it closed was changed or removed")
    name, day = _names(session).get(found.organisation_id), clock.local_date(found.booked_at)
    click.echo(f"{name}: this was the head after transaction {found.number}, booked on {day}")


def _fail(message: str) -> NoReturn:
    click.echo(f"timebank: {message}", err=True)
    sys.exit(1)


def _find(session: Session, company: str) -> int:
    digits = company.upper().removeprefix("BE").replace(".", "").replace(" ", "")
    c = _organisations.c
    found = session.scalar(
        select(c.id).where(or_(c.slug == company, c.enterprise_number == digits.rjust(10, "0")))
    )
    if found is None:
        raise WrongUse(f"there is no company {company}")
    return int(found)


def _names(session: Session) -> dict[int, str]:
    c = _organisations.c
    rows = session.execute(select(c.id, c.name, c.enterprise_number))
    return {
        row.id: f"{row.enterprise_number} {row.name}" if row.enterprise_number else row.name for row in rows
    }


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.2f}".rstrip("0").rstrip(".")


class _Bar:
    """How far a book was read, on one line of a terminal."""

    def __call__(self, done: int, of: int) -> None:
        click.echo(f"\r{done} of {of} transactions", nl=False, err=True)
        if done >= of:
            click.echo("\r\033[K", nl=False, err=True)


def _progress() -> _Bar | None:
    return _Bar() if sys.stderr.isatty() else None
