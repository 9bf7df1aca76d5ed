"""The public pages as a test reads them."""

from __future__ import annotations

import re
import uuid
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from tests.support.client import TimebankClient
from timebank import clock
from timebank.coaching.models import CoachingRequest
from timebank.ledger import service as ledger
from timebank.ledger.entries import Facts
from timebank.organisations.models import Initiative, Organisation

PAGES = (
    "/",
    "/open-requests",
    "/initiatives",
    "/how-it-works",
    "/who-sees-what",
    "/privacy",
    "/accessibility",
    "/help",
)


def read(client: TimebankClient, path: str, language: str = "en") -> str:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, f"{path}: {answer.status}"
    return answer.text


def page_of(request: CoachingRequest) -> str:
    return f"/open-requests/{request.public_id}"


def page_of_initiative(initiative: Initiative) -> str:
    return f"/initiatives/{initiative.slug}"


def titles(page: str) -> list[str]:
    """The rows of a list, by their heads."""
    return re.findall(r'<h3><a href="[^"]*"[^>]*>([^<]*)</a></h3>', page)


def give(session: Session, company: Organisation, initiative: Initiative, minutes: int, day: date) -> str:
    """Hours that the ledger holds as confirmed, after as many were granted and reserved; gives the key."""
    tranche, match = uuid.uuid4(), uuid.uuid4()
    common: dict[str, Any] = {
        "organisation_id": company.id,
        "activity_date": day,
        "actor_label": "test",
        "now": clock.now(),
        "facts": Facts(initiative=initiative.public_id, nis=initiative.nis, employee="E-test"),
    }
    ledger.grant(session, tranche=tranche, minutes=minutes, key=f"{tranche}:granted", **common)
    parts = [(tranche, minutes)]
    ledger.reserve(session, match=match, parts=parts, key=f"{match}:reserved", **common)
    key = f"{match}:confirmed"
    ledger.confirm(session, match=match, parts=parts, key=key, **common)
    return key
