"""`timebank ledger`: prove that the hours ledger holds."""

from __future__ import annotations

import sys

import click
from sqlalchemy import column, or_, select, table
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from timebank import db
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
def verify_command(company: str | None) -> None:
    """Recompute every hash, sum and balance from the lines. Exits 1 at the first break and names it."""
    import config
    from timebank.ledger.verify import Result, verify_books

    db.init_engine(config.load().database_url)
    result = Result()
    try:
        with db.read_session() as session:
            names = _names(session)
            chosen = None if company is None else _find(session, company)
            for book in verify_books(session, organisation_id=chosen, progress=_progress()):
                result.books.append(book)
                if book.organisation_id is None:
                    click.echo(f"timebank: {book.first_break}", err=True)
                    sys.exit(1)
                name = names.get(book.organisation_id, str(book.organisation_id))
                if book.first_break:
                    click.echo(f"timebank: {name}: {book.first_break}", err=True)
                    sys.exit(1)
                click.echo(
                    f"{name}: {book.transactions} transactions, {book.lines} lines,"
                    f" {_hours(book.confirmed)} hours confirmed, head {book.head.hex()}"
                )
    except DatabaseError as error:
        reason = str(error.orig or error).strip().splitlines()[0]
        raise WrongUse(f"the database cannot be read: {reason}") from None
    books = len(result.books)
    counted = f"{books} {'book' if books == 1 else 'books'}, {result.transactions} transactions"
    click.echo(f"{counted}, {result.lines} lines: everything holds")


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
