"""Double-entry hours: books, accounts, transactions, lines. It knows nothing of the features that post to it.

A book is one company's. Every figure of a report comes from `LedgerFact`, the readable twin of a transaction's frozen
payload; `timebank ledger verify` proves that the two agree.
"""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column


class AccountKind(enum.StrEnum):
    """Where minutes can be. The first two are sources and may be below zero; nothing else may."""

    GRANTED = "granted"
    SUPPORT = "support"
    AVAILABLE = "available"
    LAPSED = "lapsed"
    RESERVED = "reserved"
    RECEIVED = "received"
    TRAVEL = "travel"
    PREPARATION = "preparation"
    MANAGEMENT = "management"


class TransactionKind(enum.StrEnum):
    GRANT = "grant"
    LAPSE = "lapse"
    RESERVE = "reserve"
    RELEASE = "release"
    CONFIRM = "confirm"
    SUPPORT = "support"
    REVERSAL = "reversal"


class Category(enum.StrEnum):
    """What confirmed time was spent on."""

    DELIVERY = "delivery"
    PREPARATION = "preparation"
    TRAVEL = "travel"
    MANAGEMENT = "management"


class LedgerBook(PublicId, Base):
    """One company's book; `head` is the hash of its last transaction, 32 zero bytes before the first."""

    __tablename__ = "ledger_books"
    __table_args__ = (
        CheckConstraint("last_number >= 0", name="last_number_not_negative"),
        CheckConstraint("length(head) = 32", name="head_is_sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), unique=True)
    last_number: Mapped[int] = mapped_column(default=0)
    head: Mapped[bytes] = mapped_column(LargeBinary(32), default=bytes(32))


class LedgerAccount(Base):
    """Minutes of one kind. `granted`, `available` and `lapsed` hang on a tranche, `reserved` and `received` on a match
    and a tranche, so that for each tranche granted = available + reserved + received + lapsed; the others on a match or
    on the book alone."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("book_id", "name"),
        CheckConstraint("balance >= 0 OR kind IN ('granted', 'support')", name="only_sources_below_zero"),
        CheckConstraint(
            "(kind IN ('granted', 'available', 'lapsed', 'reserved', 'received')) = (tranche IS NOT NULL)",
            name="tranche_iff_pledged",
        ),
        CheckConstraint(
            "(kind IN ('reserved', 'received', 'travel', 'preparation')) = (match IS NOT NULL)",
            name="match_iff_of_a_match",
        ),
        Index(None, "tranche"),
        Index(None, "match"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_books.id"))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[AccountKind] = mapped_column(enum_column(AccountKind, "kind_known"))
    tranche: Mapped[uuid.UUID | None]
    match: Mapped[uuid.UUID | None]
    balance: Mapped[int] = mapped_column(default=0)


class LedgerTransaction(PublicId, Base):
    """One act, chained to the one before it in the book. `payload` is frozen canonical JSON, covered by the hash."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        UniqueConstraint("book_id", "number"),
        CheckConstraint("number >= 1", name="number_positive"),
        CheckConstraint("length(hash) = 32", name="hash_is_sha256"),
        CheckConstraint("length(previous_hash) = 32", name="previous_hash_is_sha256"),
        CheckConstraint("length(payload_hash) = 32", name="payload_hash_is_sha256"),
        CheckConstraint("length(salt) = 16", name="salt_is_16_bytes"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reverses_iff_reversal"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_books.id"))
    number: Mapped[int]
    kind: Mapped[TransactionKind] = mapped_column(enum_column(TransactionKind, "kind_known"))
    activity_date: Mapped[date]
    booked_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(String(200), unique=True)
    # Nothing is reversed twice.
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transactions.id"), unique=True)
    payload: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    payload_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))

    lines: Mapped[list[LedgerLine]] = relationship(back_populates="transaction", order_by="LedgerLine.id")


class LedgerLine(Base):
    """Signed minutes on one account; the lines of a transaction sum to zero."""

    __tablename__ = "ledger_lines"
    __table_args__ = (
        UniqueConstraint("transaction_id", "account_id"),
        CheckConstraint("minutes <> 0", name="minutes_not_zero"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transactions.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"), index=True)
    minutes: Mapped[int]

    transaction: Mapped[LedgerTransaction] = relationship(back_populates="lines")
    account: Mapped[LedgerAccount] = relationship()


RESTATES = text("restates IS NOT NULL")


class LedgerFact(Base):
    """What the figures of a transaction rest on, as it was: the columns by which reports group and filter.

    `minutes` carries the sign of the act in its own measure: granted minutes of a grant, lapsed ones of a lapse,
    reserved ones of a reserve (negative for a release), confirmed ones of a confirm or support, and the opposite of
    the reversed transaction's for a reversal, with the reversed one's kind in `measure`.

    It counts on `activity_date`. Where the activity lies in a period that was closed before, that is the day of the
    booking, and `restates` is the day of the activity.
    """

    __tablename__ = "ledger_facts"
    __table_args__ = (
        Index("ix_ledger_facts_report", "book_id", "measure", "activity_date"),
        CheckConstraint("measure IN ('granted', 'lapsed', 'reserved', 'confirmed')", name="measure_known"),
        CheckConstraint("(measure = 'confirmed') = (category IS NOT NULL)", name="category_iff_confirmed"),
        CheckConstraint("measure <> 'confirmed' OR initiative IS NOT NULL", name="initiative_if_confirmed"),
        Index(
            "ix_ledger_facts_restated",
            "book_id",
            "activity_date",
            postgresql_where=RESTATES,
            sqlite_where=RESTATES,
        ),
    )

    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transactions.id"), primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_books.id"))
    measure: Mapped[str] = mapped_column(String(20))
    activity_date: Mapped[date]
    minutes: Mapped[int]
    employee: Mapped[str | None] = mapped_column(String(40))
    site: Mapped[str | None] = mapped_column(String(200))
    department: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[Category | None] = mapped_column(enum_column(Category, "category_known"))
    skill: Mapped[str | None] = mapped_column(String(60))
    initiative: Mapped[uuid.UUID | None]
    initiative_name: Mapped[str | None] = mapped_column(String(200))
    initiative_number: Mapped[str | None] = mapped_column(String(10))
    nuts2: Mapped[str | None] = mapped_column(String(4))
    nis: Mapped[str | None] = mapped_column(String(5))
    phase: Mapped[str | None] = mapped_column(String(20))
    work_form: Mapped[str | None] = mapped_column(String(60))
    cause: Mapped[str | None] = mapped_column(String(60))
    sdg: Mapped[str | None] = mapped_column(String(10))
    paid_time: Mapped[bool] = mapped_column(default=True)
    restates: Mapped[date | None]


class LedgerPeriod(PublicId, Base):
    """A month or year of a book that was closed; `last_number` and `head` are those of its chain at that moment.

    Append-only: no period is opened again.
    """

    __tablename__ = "ledger_periods"
    __table_args__ = (
        UniqueConstraint("book_id", "number"),
        UniqueConstraint("book_id", "from_date", "until_date"),
        CheckConstraint("from_date <= until_date", name="from_before_until"),
        CheckConstraint("length(head) = 32", name="head_is_sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_books.id"))
    number: Mapped[int]
    from_date: Mapped[date]
    until_date: Mapped[date]
    closed_at: Mapped[datetime]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    last_number: Mapped[int]
    head: Mapped[bytes] = mapped_column(LargeBinary(32))
