"""What a reading of a book's chain does not meet: rows that hang on nothing, and balances in between. All in SQL, so
that memory does not grow with the book."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from timebank.ledger.entries import SOURCES
from timebank.ledger.models import LedgerAccount, LedgerBook, LedgerFact, LedgerLine, LedgerTransaction

# The number of the transaction, if it is one of the book, and what is wrong.
Stray = tuple[int | None, str]


def in_no_book(session: Session) -> str | None:
    """The first row that hangs on a book, or on a transaction and an account, that do not exist."""
    for what, table in (("transaction", LedgerTransaction), ("account", LedgerAccount)):
        found = session.scalar(
            select(table.id)
            .outerjoin(LedgerBook, LedgerBook.id == table.book_id)
            .where(LedgerBook.id.is_(None))
            .limit(1)
        )
        if found is not None:
            return f"{what} row {found} is in no book"
    fact = session.scalar(
        select(LedgerFact.transaction_id)
        .outerjoin(LedgerBook, LedgerBook.id == LedgerFact.book_id)
        .where(LedgerBook.id.is_(None))
        .limit(1)
    )
    if fact is not None:
        return f"facts of transaction row {fact} are in no book"
    line = session.scalar(
        select(LedgerLine.id)
        .outerjoin(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
        .outerjoin(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .where(LedgerTransaction.id.is_(None), LedgerAccount.id.is_(None))
        .limit(1)
    )
    return None if line is None else f"line row {line} has no transaction and no account"


def of_no_transaction(session: Session, book_id: int) -> Stray | None:
    """Facts that say they are of the book, or a line on one of its accounts, without a transaction of the book."""
    elsewhere = or_(LedgerTransaction.id.is_(None), LedgerTransaction.book_id != book_id)
    fact = session.scalar(
        select(LedgerFact.transaction_id)
        .outerjoin(LedgerTransaction, LedgerTransaction.id == LedgerFact.transaction_id)
        .where(LedgerFact.book_id == book_id, elsewhere)
        .limit(1)
    )
    if fact is not None:
        return None, f"it has facts of no transaction of it (row {fact})"
    line = session.execute(
        select(LedgerLine.id, LedgerAccount.name)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .outerjoin(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
        .where(LedgerAccount.book_id == book_id, elsewhere)
        .limit(1)
    ).one_or_none()
    if line is not None:
        return None, f"account {line.name} has a line of no transaction of the book (row {line.id})"
    return None


def below_zero(session: Session, book_id: int) -> Stray | None:
    """The first transaction, in the order of the chain, after which an account other than a source is below zero."""
    after = (
        select(
            LedgerTransaction.number,
            LedgerAccount.name,
            func.sum(LedgerLine.minutes)
            .over(partition_by=LedgerLine.account_id, order_by=LedgerTransaction.number)
            .label("minutes"),
        )
        .select_from(LedgerLine)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .where(
            LedgerTransaction.book_id == book_id,
            LedgerAccount.kind.not_in([str(kind) for kind in SOURCES]),
        )
        .subquery()
    )
    below = session.execute(
        select(after).where(after.c.minutes < 0).order_by(after.c.number).limit(1)
    ).one_or_none()
    if below is None:
        return None
    return below.number, f"it takes account {below.name} below zero: {below.minutes} minutes"
