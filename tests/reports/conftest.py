"""A company with two departments whose hours are booked by hand, so that each figure can be counted on paper."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories
from timebank import clock
from timebank.auth.models import User
from timebank.ledger import service as ledger
from timebank.ledger.models import Category
from timebank.ledger.service import Facts
from timebank.organisations.models import Employment, Organisation

SCHROEF = uuid.UUID("00000000-0000-4000-8000-00000000000a")
BABBEL = uuid.UUID("00000000-0000-4000-8000-00000000000b")
TO = {
    SCHROEF: {"initiative_name": "Repaircafé De Schroef", "nuts2": "BE23", "cause": "circular", "sdg": "12"},
    BABBEL: {"initiative_name": "=cmd|' /C calc'!A0", "nuts2": "BE10", "cause": "food", "sdg": "2"},
}
JANUARY, MARCH = date(2026, 1, 20), date(2026, 3, 2)


@dataclass
class Books:
    """Books hours of people of one company."""

    session: Session
    company: Organisation

    def _rest(self, facts: Facts, day: date) -> dict[str, Any]:
        return {
            "organisation_id": self.company.id,
            "activity_date": day,
            "facts": facts,
            "actor_label": "system",
            "now": clock.now(),
            "key": str(uuid.uuid4()),
        }

    def pledge(self, who: Employment, minutes: int, day: date = JANUARY) -> uuid.UUID:
        tranche = uuid.uuid4()
        ledger.grant(self.session, tranche=tranche, minutes=minutes, **self._rest(self.facts(who, day), day))
        return tranche

    def lapse(self, who: Employment, tranche: uuid.UUID, minutes: int, day: date) -> None:
        ledger.lapse(self.session, tranche=tranche, minutes=minutes, **self._rest(self.facts(who, day), day))

    def facts(self, who: Employment, day: date, initiative: uuid.UUID | None = None) -> Facts:
        terms = who.terms_on(day)
        facts = Facts(employee=who.pseudonym, department=terms.department if terms else None)
        return facts if initiative is None else replace(facts, initiative=initiative, **TO[initiative])

    def give(
        self, who: Employment, tranche: uuid.UUID, minutes: int, to: uuid.UUID, day: date, *, agreed: int = 0
    ) -> str:
        """Agree on `agreed` (or exactly these) minutes, have `minutes` confirmed, and answer the booking's key."""
        match = uuid.uuid4()
        rest = self._rest(self.facts(who, day, to), day)
        ledger.reserve(
            self.session, match=match, parts=[(tranche, agreed or minutes)], **{**rest, "key": f"r{match}"}
        )
        ledger.confirm(self.session, match=match, parts=[(tranche, minutes)], **rest)
        return str(rest["key"])

    def travel(self, who: Employment, minutes: int, to: uuid.UUID, day: date) -> None:
        ledger.support(
            self.session,
            match=uuid.uuid4(),
            category=Category.TRAVEL,
            minutes=minutes,
            **self._rest(self.facts(who, day, to), day),
        )

    def correct(self, key: str, day: date) -> None:
        ledger.reverse(
            self.session,
            key_of_original=key,
            key=f"{key}:reversed",
            reason="correction",
            activity_date=day,
            actor_label="system",
            now=clock.now(),
        )


@dataclass
class Told:
    """The company after a quarter, and who looks at it."""

    company: Organisation
    hr: User
    people: dict[str, list[Employment]]
    books: Books


@pytest.fixture
def told(session: Session, held_clock: Any) -> Told:
    """Production has 6 people, IT 5, Legal 2, the board 1; four of them give 8 hours 10 to two initiatives."""
    company = factories.make_company(session, name="Delta Staal", enterprise_number="0566988259")
    people = {
        department: [
            factories.make_employment(session, company, with_user=False, department=department)
            for _ in range(count)
        ]
        for department, count in (("Production", 6), ("IT", 5), ("Legal", 2), ("Board", 1))
    }
    books = Books(session, company)
    a, b = people["Production"][:2]
    it, legal = people["IT"][0], people["Legal"][0]
    of_a, of_b, of_it, of_legal = (books.pledge(p, 600) for p in (a, b, it, legal))
    books.give(a, of_a, 125, SCHROEF, JANUARY)
    books.give(a, of_a, 60, BABBEL, MARCH)
    books.give(b, of_b, 180, SCHROEF, MARCH, agreed=300)
    books.give(it, of_it, 65, SCHROEF, MARCH)
    books.give(legal, of_legal, 60, BABBEL, MARCH)
    wrong = books.give(it, of_it, 90, BABBEL, MARCH)
    books.correct(wrong, MARCH)
    books.travel(b, 45, SCHROEF, MARCH)
    books.lapse(b, of_b, 300, MARCH)
    # Outside the period that the tests look at.
    last_year = books.pledge(a, 600, date(2025, 12, 1))
    books.give(a, last_year, 240, SCHROEF, date(2025, 12, 31))
    hr = factories.make_hr(session, company, language="en")
    session.commit()
    return Told(company, hr, people, books)
