"""The privacy notice for people whose pledge came on paper: who sees what, in their own language."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.imports.kinds import put
from timebank.notifications.models import OutboxMessage
from timebank.notifications.service import in_language, link
from timebank.web.format import hours


class Told(NamedTuple):
    pledge: uuid.UUID
    email: str
    user_id: int | None
    language: str
    minutes: int
    from_date: date
    until_date: date


def queue_many(
    session: Session, people: Sequence[Told], *, company: str, by_name: bool, now: datetime
) -> None:
    """Put one message for each new pledge into the outbox: it stands or falls with the pledge. `by_name` says whether
    the company's report may list hours per person."""
    if not people:
        return
    texts = _Texts(company, by_name=by_name)
    messages = [
        {
            "key": f"pledge:{told.pledge}:notice",
            "kind": "pledge.notice",
            "email": told.email,
            "user_id": told.user_id,
            "language": told.language,
            "subject": texts.subject(told.language),
            "body": texts.body(told.language, told.minutes, told.from_date, told.until_date),
            "created_at": now,
            "send_after": now,
            "attempts": 0,
        }
        for told in people
    ]
    put(session, OutboxMessage, messages)


class _Texts:
    """Subjects and bodies; most pledges of a file share hours and period, so few texts are composed."""

    def __init__(self, company: str, *, by_name: bool) -> None:
        self.company, self.by_name = company, by_name
        self.subject = lru_cache(maxsize=None)(self._subject)
        self.body = lru_cache(maxsize=1000)(self._body)

    def _subject(self, language: str) -> str:
        with in_language(language):
            return str(_("Your pledge is registered, and who sees what"))

    def _body(self, language: str, minutes: int, from_date: date, until_date: date) -> str:
        with in_language(language):
            reports = _("Reports count hours under a pseudonym.")
            if self.by_name:
                reports = _("The company's report may list your hours by name, never with the initiative.")
            return str(
                _(
                    "%(company)s registered the pledge that you signed on paper: %(hours)s of paid time, "
                    "from %(start)s until %(end)s.\n\n"
                    "Who sees what:\n"
                    "- HR and your manager see your hours, the period and your skills; never which causes you "
                    "choose.\n"
                    "- HR sees which initiative you coach only if the company allows it and you share it.\n"
                    "- An initiative sees your name and how to reach you only after both of you said yes.\n"
                    "- %(reports)s\n\n"
                    "Is something wrong, or did you sign nothing? Tell HR, or sign in once HR has invited you: "
                    "%(address)s",
                    company=self.company,
                    hours=hours(minutes),
                    start=format_date(from_date, "d MMMM y"),
                    end=format_date(until_date, "d MMMM y"),
                    address=link("/sign-in"),
                    reports=reports,
                )
            )
