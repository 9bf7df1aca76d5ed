"""What is handed to the ledger, the names of its accounts, and the canonical payload that its hashes cover."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

from timebank.ledger.models import AccountKind, Category, TransactionKind

SOURCES = frozenset({AccountKind.GRANTED, AccountKind.SUPPORT})
GENESIS = bytes(32)
_BOOKS = uuid.UUID("6f2d3a5e-6f0a-4a5c-9d1b-0c6a7e4f1b52")


def book_id_of(organisation_id: int) -> uuid.UUID:
    """The id of an organisation's book, which each payload of it names: it follows from whose book it is, so that no
    book can pass for another organisation's."""
    return uuid.uuid5(_BOOKS, str(organisation_id))


@dataclass(frozen=True)
class Facts:
    """What the figures of a transaction rest on, as it was on the activity date. `employee` is a pseudonym.

    `reference` and `reason` (a code, never free text) are in the payload only. `restates` is set by the booking: the
    day of the activity, where it lies in a period that was closed before.
    """

    employee: str | None = None
    site: str | None = None
    department: str | None = None
    category: Category | None = None
    skill: str | None = None
    initiative: uuid.UUID | None = None
    initiative_name: str | None = None
    initiative_number: str | None = None
    nuts2: str | None = None
    nis: str | None = None
    phase: str | None = None
    work_form: str | None = None
    cause: str | None = None
    sdg: str | None = None
    paid_time: bool = True
    restates: date | None = None
    reference: str | None = None
    reason: str | None = None


PAYLOAD_ONLY = ("reference", "reason")
# Payloads that were frozen before there were such facts, and all that have none, do not name them.
NAMED_IF_SET = ("restates",)
COLUMNS = tuple(f.name for f in fields(Facts) if f.name not in PAYLOAD_ONLY)


@dataclass(frozen=True)
class AccountRef:
    """An account by what it is; its name follows from that."""

    kind: AccountKind
    tranche: uuid.UUID | None = None
    match: uuid.UUID | None = None

    @property
    def name(self) -> str:
        return account_name(self.kind, self.tranche, self.match)


def account_name(kind: AccountKind, tranche: uuid.UUID | None, match: uuid.UUID | None) -> str:
    """The one name of an account, as payloads hold it. Raises ValueError when a part is missing or too many."""
    match kind:
        case AccountKind.GRANTED if tranche and not match:
            return f"company:granted:{tranche}"
        case AccountKind.AVAILABLE | AccountKind.LAPSED if tranche and not match:
            return f"tranche:{tranche}:{kind}"
        case AccountKind.RESERVED | AccountKind.RECEIVED if tranche and match:
            return f"match:{match}:{kind}:{tranche}"
        case AccountKind.TRAVEL | AccountKind.PREPARATION if match and not tranche:
            return f"match:{match}:{kind}"
        case AccountKind.SUPPORT | AccountKind.MANAGEMENT if not tranche and not match:
            return f"company:{kind}"
    raise ValueError(f"no account of kind {kind} with tranche {tranche} and match {match}")


@dataclass(frozen=True)
class Line:
    """Signed minutes on one account."""

    account: AccountRef
    minutes: int


@dataclass(frozen=True)
class Entry:
    """One act to book. `minutes` is its figure in `measure` (granted, lapsed, reserved, confirmed), with its sign;
    `key` makes it idempotent; `actor_label` is a pseudonym."""

    organisation_id: int
    kind: TransactionKind
    key: str
    activity_date: date
    lines: Sequence[Line]
    facts: Facts
    measure: str
    minutes: int
    actor_label: str
    booked_at: datetime


@dataclass(frozen=True)
class Figure:
    """What a transaction adds to the figures: minutes with their sign, in one measure."""

    measure: str
    category: Category | None
    minutes: int


def figure_of(kind: TransactionKind, lines: Sequence[tuple[AccountKind, int]]) -> Figure:
    """The figure of a transaction, from its kind and the minutes that its lines move between kinds of accounts.

    Two kinds of accounts say what happened; a reversal moves the minutes between the same two, the other way. Raises
    ValueError when no transaction of that kind has such lines.
    """
    target, measure, category = _MOVES.get(frozenset(k for k, _ in lines), (None, "", None))
    minutes = sum(m for k, m in lines if k == target)
    if measure == "granted":
        minutes = -minutes
    allowed = kind == TransactionKind.REVERSAL or (
        measure == _MEASURES[kind]
        and (category in (None, Category.DELIVERY)) == (kind != TransactionKind.SUPPORT)
        and (minutes < 0) == (kind == TransactionKind.RELEASE)
    )
    if target is None or minutes == 0 or not allowed:
        raise ValueError(f"no {kind} moves minutes so")
    return Figure(measure, category, minutes)


# Between which kinds of accounts minutes move: the one whose minutes count, and as what.
_MOVES: dict[frozenset[AccountKind], tuple[AccountKind, str, Category | None]] = {
    frozenset({AccountKind.GRANTED, AccountKind.AVAILABLE}): (AccountKind.GRANTED, "granted", None),
    frozenset({AccountKind.AVAILABLE, AccountKind.LAPSED}): (AccountKind.LAPSED, "lapsed", None),
    frozenset({AccountKind.AVAILABLE, AccountKind.RESERVED}): (AccountKind.RESERVED, "reserved", None),
    frozenset({AccountKind.RESERVED, AccountKind.RECEIVED}): (
        AccountKind.RECEIVED,
        "confirmed",
        Category.DELIVERY,
    ),
    **{
        frozenset({AccountKind.SUPPORT, AccountKind(category)}): (
            AccountKind(category),
            "confirmed",
            category,
        )
        for category in Category
        if category != Category.DELIVERY
    },
}
_MEASURES = {
    TransactionKind.GRANT: "granted",
    TransactionKind.LAPSE: "lapsed",
    TransactionKind.RESERVE: "reserved",
    TransactionKind.RELEASE: "reserved",
    TransactionKind.CONFIRM: "confirmed",
    TransactionKind.SUPPORT: "confirmed",
}


def check(entry: Entry) -> None:
    """That an entry can be booked at all: its lines sum to zero, also within each tranche, name each account once, and
    give the figure that the entry says.

    Raises ValueError, since only a mistake in the calling code can break this.
    """
    names = [line.account.name for line in entry.lines]
    if len(names) < 2 or len(set(names)) != len(names):
        raise ValueError(f"{entry.key}: a transaction has two lines or more, each on an account of its own")
    sums: dict[uuid.UUID | None, int] = {}
    for line in entry.lines:
        if line.minutes == 0:
            raise ValueError(f"{entry.key}: a line of zero minutes")
        sums[line.account.tranche] = sums.get(line.account.tranche, 0) + line.minutes
    if any(sums.values()):
        raise ValueError(f"{entry.key}: the lines do not sum to zero")
    figure = figure_of(entry.kind, [(line.account.kind, line.minutes) for line in entry.lines])
    if figure != Figure(entry.measure, entry.facts.category, entry.minutes):
        raise ValueError(f"{entry.key}: its lines give {figure}, not {entry.measure} {entry.minutes}")


def plain(value: Any) -> Any:
    """A value as JSON holds it; text in NFC, so that the same words always give the same bytes."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", str(value))
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value


def payload_of(
    *,
    book: uuid.UUID,
    number: int,
    kind: str,
    key: str,
    activity_date: date,
    booked_at: datetime,
    actor: str,
    lines: Sequence[tuple[str, int]],
    facts: Mapping[str, Any],
    measure: str,
    minutes: int,
    reverses: int | None,
) -> str:
    """The canonical JSON of a transaction: sorted keys, no spaces, lines in their order. `reverses` is the number, in
    the same book, of the transaction that this one takes back."""
    content = {
        "activity_date": plain(activity_date),
        "actor": plain(actor),
        "book": plain(book),
        "booked_at": plain(booked_at),
        "facts": {
            name: plain(value)
            for name, value in facts.items()
            if value is not None or name not in NAMED_IF_SET
        },
        "key": plain(key),
        "kind": plain(kind),
        "lines": [{"account": name, "minutes": minutes} for name, minutes in lines],
        "measure": measure,
        "minutes": minutes,
        "number": number,
        "reverses": reverses,
    }
    return canonical(content)


def canonical(content: Any) -> str:
    """JSON with sorted keys and no spaces, as the hashes take it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hash_payload(salt: bytes, payload: str) -> bytes:
    """SHA-256(salt ‖ payload): without the salt nobody can find the content by guessing."""
    return hashlib.sha256(salt + payload.encode()).digest()


def link(previous: bytes, payload_hash: bytes) -> bytes:
    """SHA-256(previous ‖ payload hash): one link of a book's chain."""
    return hashlib.sha256(previous + payload_hash).digest()
