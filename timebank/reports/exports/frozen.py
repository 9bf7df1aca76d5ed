"""A closed period's report stays as it was at closing: its figures are kept as data, and each rendering reads them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.auth.actor import SYSTEM
from timebank.ledger.models import LedgerBook, LedgerPeriod
from timebank.reports import indicators, models, queries, rows, service
from timebank.reports.exports.models import FrozenReport
from timebank.reports.indicators import BY_KEY, UNCONFIRMED, Indicator
from timebank.reports.service import Report
from timebank.web.locale import LANGUAGES


@dataclass(frozen=True)
class Frozen:
    """A report that will not change, and its number."""

    report: Report
    number: int


def find(
    session: Session, organisation_id: int, from_date: date, until_date: date, language: str
) -> Frozen | None:
    """The report of exactly this period if it was closed and frozen."""
    row = session.scalar(
        select(FrozenReport)
        .join(LedgerPeriod, LedgerPeriod.id == FrozenReport.period_id)
        .where(
            FrozenReport.organisation_id == organisation_id,
            FrozenReport.language == language,
            LedgerPeriod.from_date == from_date,
            LedgerPeriod.until_date == until_date,
        )
    )
    return Frozen(decode(row.content), row.number) if row else None


def freeze_closed(session: Session, *, now: datetime, organisation_id: int | None = None) -> int:
    """Freeze the report of each closed period that has none yet; how many there were.

    Whoever comes second finds it done: the period's row is locked before it is looked at.
    """
    closed = (
        select(LedgerPeriod, LedgerBook.organisation_id)
        .join(LedgerBook, LedgerBook.id == LedgerPeriod.book_id)
        .where(
            LedgerPeriod.id.not_in(select(FrozenReport.period_id)),
        )
        .order_by(LedgerPeriod.closed_at, LedgerPeriod.id)
        .with_for_update(of=LedgerBook)
    )
    if organisation_id is not None:
        closed = closed.where(LedgerBook.organisation_id == organisation_id)
    frozen = 0
    for period, company in session.execute(closed).all():
        if session.scalar(select(FrozenReport.id).where(FrozenReport.period_id == period.id)) is None:
            _freeze(session, period, company, now)
            frozen += 1
    return frozen


def _freeze(session: Session, period: LedgerPeriod, organisation_id: int, now: datetime) -> None:
    number = session.scalar(
        select(func.max(FrozenReport.number)).where(FrozenReport.organisation_id == organisation_id)
    )
    for language in LANGUAGES:
        with force_locale(language):
            report = service.build_report(
                session,
                organisation_id,
                period.from_date,
                period.until_date,
                actor=SYSTEM,
                now=period.closed_at,
            )
        session.add(
            FrozenReport(
                organisation_id=organisation_id,
                period_id=period.id,
                number=(number or 0) + 1,
                language=language,
                content=encode(_as_closed(report, period)),
                frozen_at=now,
            )
        )
    session.flush()


def _as_closed(report: Report, period: LedgerPeriod) -> Report:
    """With the chain's head of the closing: what was booked since belongs to other periods."""
    return replace(report, last_number=period.last_number, head=period.head.hex())


# --- a report as data -----------------------------------------------------------------------------------------------

# The kinds of rows and codes that a report is made of, by their names.
KINDS: dict[str, Any] = {
    name: kind
    for module in (indicators, models, queries, rows, service)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum))
}
PLAIN: dict[type, Callable[[str], Any]] = {
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
    uuid.UUID: uuid.UUID,
}
BY_NAME = {kind.__name__: read for kind, read in PLAIN.items()}
INDICATORS = {**BY_KEY, UNCONFIRMED.key: UNCONFIRMED}


def encode(value: Any) -> Any:
    """A report as JSON holds it: what JSON has no form for says its kind. An indicator is its key, since its texts
    are those of the registry."""
    if isinstance(value, Indicator):
        return {"kind": "Indicator", "value": value.key}
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: encode(getattr(value, f.name)) for f in fields(value)}
        return {"kind": type(value).__name__, "value": content}
    if isinstance(value, Enum):
        return {"kind": type(value).__name__, "value": value.value}
    if type(value) in PLAIN:
        return {
            "kind": type(value).__name__,
            "value": value.isoformat() if isinstance(value, date) else str(value),
        }
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Sequence):
        return [encode(each) for each in value]
    raise TypeError(f"a report cannot hold {type(value).__name__}")


def decode(content: Any) -> Any:
    """What `encode` made. Fields that a row no longer has are left out, new ones have their default."""
    if isinstance(content, list):
        return [decode(each) for each in content]
    if not isinstance(content, dict):
        return content
    name, value = content["kind"], content["value"]
    if name == "Indicator":
        return INDICATORS[value]
    if name in BY_NAME:
        return BY_NAME[name](value)
    kind = KINDS[name]
    if issubclass(kind, Enum):
        return kind(value)
    known = {f.name for f in fields(kind)}
    return kind(**{key: decode(each) for key, each in value.items() if key in known})
