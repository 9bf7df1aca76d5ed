"""A ledger alone: a migrated database with one company, and short ways to book."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session

from timebank import db
from timebank.ledger import service as ledger
from timebank.ledger.models import LedgerTransaction
from timebank.ledger.service import Facts
from timebank.organisations.models import Admission, Organisation

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DAY = date(2026, 3, 10)
INITIATIVE = uuid.UUID("00000000-0000-4000-8000-000000000001")
PLEDGED = Facts(employee="E-1", site="Gent", department="Productie")
COACHED = Facts(
    employee="E-1",
    site="Gent",
    department="Productie",
    skill="bookkeeping",
    initiative=INITIATIVE,
    initiative_name="Repaircafé De Schroef",
    nuts2="BE23",
    nis="44021",
    phase="development",
    cause="circular",
    sdg="12",
)


def add_company(session: Session, name: str = "Delta Staal", number: str | None = None) -> int:
    company = Organisation(
        slug=name.lower().replace(" ", "-"),
        name=name,
        enterprise_number=number,
        is_company=True,
        admission=Admission.ADMITTED,
        applied_at=NOW,
        decided_at=NOW,
    )
    session.add(company)
    session.flush()
    return company.id


@dataclass
class Booker:
    """Books acts in one company's book, in the session that it is given."""

    session: Session
    company: int
    keys: Iterator[int] = field(default_factory=lambda: count(1))

    def _rest(self, over: dict[str, Any], facts: Facts) -> dict[str, Any]:
        return {
            "organisation_id": self.company,
            "activity_date": DAY,
            "facts": facts,
            "actor_label": "user:1",
            "now": NOW,
            "key": f"key:{self.company}:{uuid.uuid4()}",
            **over,
        }

    def grant(self, tranche: uuid.UUID, minutes: int, **over: Any) -> LedgerTransaction:
        return ledger.grant(self.session, tranche=tranche, minutes=minutes, **self._rest(over, PLEDGED))

    def lapse(self, tranche: uuid.UUID, minutes: int, **over: Any) -> LedgerTransaction:
        return ledger.lapse(self.session, tranche=tranche, minutes=minutes, **self._rest(over, PLEDGED))

    def reserve(self, match: uuid.UUID, *parts: tuple[uuid.UUID, int], **over: Any) -> LedgerTransaction:
        return ledger.reserve(self.session, match=match, parts=parts, **self._rest(over, COACHED))

    def release(self, match: uuid.UUID, *parts: tuple[uuid.UUID, int], **over: Any) -> LedgerTransaction:
        return ledger.release(self.session, match=match, parts=parts, **self._rest(over, COACHED))

    def confirm(self, match: uuid.UUID, *parts: tuple[uuid.UUID, int], **over: Any) -> LedgerTransaction:
        return ledger.confirm(self.session, match=match, parts=parts, **self._rest(over, COACHED))

    def support(self, match: uuid.UUID, minutes: int, **over: Any) -> LedgerTransaction:
        return ledger.support(self.session, match=match, minutes=minutes, **self._rest(over, COACHED))

    def reverse(self, original: LedgerTransaction, **over: Any) -> LedgerTransaction:
        values = {
            "key_of_original": original.idempotency_key,
            "key": f"{original.idempotency_key}:reversed",
            "reason": "wrong_minutes",
            "activity_date": DAY,
            "actor_label": "user:1",
            "now": NOW,
            **over,
        }
        return ledger.reverse(self.session, **values)


@pytest.fixture
def database(database_url: str) -> Iterator[str]:
    """The process's engine on a fresh database."""
    db.init_engine(database_url)
    yield database_url
    db.engine().dispose()


@pytest.fixture
def company(database: str) -> int:
    with db.unit_of_work() as session:
        return add_company(session)


@contextmanager
def booking(company: int) -> Iterator[Booker]:
    """A unit of work that books for `company`."""
    with db.unit_of_work() as session:
        yield Booker(session, company)


def a_story(company: int) -> dict[str, uuid.UUID]:
    """Ten hours pledged, six reserved, two confirmed (one of these taken back), one released, two lapsed."""
    tranche, match = uuid.uuid4(), uuid.uuid4()
    with booking(company) as book:
        book.grant(tranche, 600)
        book.reserve(match, (tranche, 360))
        book.confirm(match, (tranche, 60))
        wrong = book.confirm(match, (tranche, 60))
        book.support(match, 30, category="travel")
        book.reverse(wrong)
        book.release(match, (tranche, 60))
        book.lapse(tranche, 120)
    return {"tranche": tranche, "match": match}
