"""The head of each company's chain, by mail to HR once a month."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, time

from flask_babel import gettext as _
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth.models import Role, RoleGrant, User
from timebank.books.bookings import Head, head
from timebank.ledger.models import LedgerBook, LedgerTransaction
from timebank.notifications import service as notifications
from timebank.notifications.service import in_language, link
from timebank.organisations.models import Admission, Organisation
from timebank.web.format import moment, month

CHUNK = 500


def mail_heads(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Queue the heads of this month that HR was not sent yet, for books that were begun before it; how many mails."""
    today = clock.local_date(now)
    due = _not_sent(
        session,
        _receivers(session, clock.local_moment(today.replace(day=1), time())),
        today.strftime("%Y-%m"),
    )
    heads: dict[int, Head | None] = {}
    for key, company, user in due[:limit]:
        found = heads.setdefault(company.id, head(session, company.id))
        if found is not None:
            _queue(session, key, company, user, found, now)
    return len(due[:limit])


def _receivers(session: Session, begin: datetime) -> list[tuple[uuid.UUID, Organisation, User]]:
    """HR of the admitted companies whose book had its first booking before `begin`."""
    rows = session.execute(
        select(LedgerBook.public_id, Organisation, User)
        .join(Organisation, Organisation.id == LedgerBook.organisation_id)
        .join(
            LedgerTransaction,
            and_(LedgerTransaction.book_id == LedgerBook.id, LedgerTransaction.number == 1),
        )
        .join(RoleGrant, RoleGrant.organisation_id == Organisation.id)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            Organisation.admission == Admission.ADMITTED,
            LedgerTransaction.booked_at < begin,
            RoleGrant.role == Role.HR,
            RoleGrant.ended_at.is_(None),
            User.disabled_at.is_(None),
        )
        .order_by(Organisation.id, User.id)
    )
    return [(book, company, user) for book, company, user in rows]


def _not_sent(
    session: Session, receivers: Sequence[tuple[uuid.UUID, Organisation, User]], month_name: str
) -> list[tuple[str, Organisation, User]]:
    wanted = {
        f"head:{book}:{month_name}:{user.public_id}": (company, user) for book, company, user in receivers
    }
    keys = list(wanted)
    for begin in range(0, len(keys), CHUNK):
        for key in notifications.queued(session, keys[begin : begin + CHUNK]):
            del wanted[key]
    return [(key, company, user) for key, (company, user) in wanted.items()]


def _queue(session: Session, key: str, company: Organisation, user: User, found: Head, now: datetime) -> None:
    language = user.language or company.language
    with in_language(language):
        subject = _("Chain head of %(company)s, %(month)s", company=company.name, month=month(now))
        body = _(
            "The ledger of %(company)s has %(number)s bookings, the last one of %(moment)s.\n"
            "Chain head: %(head)s\n\n"
            "Keep this mail: with the chain head you can prove later that nothing before it was changed.\n\n"
            "%(address)s",
            company=company.name,
            number=found.bookings,
            moment=moment(found.last_booked_at),
            head=found.head,
            address=link("/hr/ledger"),
        )
    notifications.queue(
        session,
        key=key,
        kind="ledger.head",
        email=user.email,
        user_id=user.id,
        language=language,
        subject=subject,
        body=body,
        now=now,
    )
