"""Balances, as accounts keep them beside the lines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Subquery, select
from sqlalchemy.orm import Session

from timebank.ledger.models import AccountKind, LedgerAccount

# Databases limit the values of one statement.
CHUNK = 10_000


@dataclass(frozen=True)
class TrancheBalance:
    """Minutes of a tranche; always granted = available + reserved + received + lapsed."""

    granted: int = 0
    available: int = 0
    reserved: int = 0
    received: int = 0
    lapsed: int = 0


@dataclass(frozen=True)
class MatchBalance:
    """Minutes of one tranche that a match still holds, and those it has had confirmed."""

    reserved: int = 0
    received: int = 0


def balances(session: Session, *, tranches: Sequence[uuid.UUID]) -> dict[uuid.UUID, TrancheBalance]:
    """The balance of each of `tranches`, zero where nothing was booked; one statement for each ten thousand."""
    found: dict[uuid.UUID, dict[str, int]] = {tranche: {} for tranche in tranches}
    wanted = list(found)
    for begin in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(LedgerAccount.tranche, LedgerAccount.kind, LedgerAccount.balance).where(
                LedgerAccount.tranche.in_(wanted[begin : begin + CHUNK])
            )
        )
        for tranche, kind, minutes in rows:
            if tranche is not None:
                of = found[tranche]
                of[kind] = of.get(kind, 0) + (-minutes if kind == AccountKind.GRANTED else minutes)
    return {tranche: TrancheBalance(**of) for tranche, of in found.items()}


def available() -> Subquery:
    """For joins: the `minutes` that each `tranche` has available, of those that have any."""
    return (
        select(LedgerAccount.tranche, LedgerAccount.balance.label("minutes"))
        .where(LedgerAccount.kind == AccountKind.AVAILABLE, LedgerAccount.balance > 0)
        .subquery()
    )


def match_balance(session: Session, match: uuid.UUID) -> dict[uuid.UUID, MatchBalance]:
    """What a match holds of each tranche it ever reserved from."""
    found: dict[uuid.UUID, dict[str, int]] = {}
    rows = session.execute(
        select(LedgerAccount.tranche, LedgerAccount.kind, LedgerAccount.balance)
        .where(LedgerAccount.match == match)
        .order_by(LedgerAccount.id)
    )
    for tranche, kind, minutes in rows:
        if tranche is not None:
            found.setdefault(tranche, {})[kind] = minutes
    return {tranche: MatchBalance(**of) for tranche, of in found.items()}
