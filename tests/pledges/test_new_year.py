"""What is not given lapses in the year for which it was promised."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock
from timebank.ledger.models import LedgerFact
from timebank.pledges import service


@pytest.mark.both
def test_hours_until_new_year_lapse_in_the_old_year(
    session: Session, held_clock: Any, database_kind: str
) -> None:
    make.make_pledge(session, minutes=600, until_date=date(2026, 12, 31))
    session.commit()
    held_clock.set(datetime(2027, 1, 1, 3, 0, tzinfo=UTC))
    assert service.expire_pledges(session, now=clock.now()) == 1
    facts = session.execute(
        select(LedgerFact.measure, LedgerFact.activity_date, LedgerFact.minutes).order_by(
            LedgerFact.transaction_id
        )
    ).all()
    assert [tuple(f) for f in facts] == [
        ("granted", date(2026, 3, 10), 600),
        ("lapsed", date(2026, 12, 31), 600),
    ]
