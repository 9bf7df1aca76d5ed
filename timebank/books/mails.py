"""What HR hears of the company's book."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.books.events import PeriodClosed
from timebank.matches.queries import hr_people
from timebank.notifications.service import in_language, link, queue
from timebank.organisations.models import Organisation
from timebank.web.format import days


def period_closed(session: Session, event: PeriodClosed, now: datetime) -> None:
    """To all of HR: which period was closed, with the head to keep."""
    company = session.get_one(Organisation, event.organisation_id)
    for user in hr_people(session, company.id):
        language = user.language or company.language
        with in_language(language):
            period = days(event.from_date, event.until_date)
            subject = _("Closed: %(period)s", period=period)
            body = _(
                "The ledger of %(company)s is closed for %(period)s, with booking %(number)s as the last one.\n"
                "Chain head: %(head)s\n\n"
                "Keep this mail: with the chain head you can prove later that nothing before it was changed.\n\n"
                "%(address)s",
                company=company.name,
                period=period,
                number=event.last_number,
                head=event.head,
                address=link("/hr/ledger/periods"),
            )
        queue(
            session,
            key=f"period:{event.subject}:closed:{user.public_id}",
            kind="ledger.closed",
            email=user.email,
            user_id=user.id,
            language=language,
            subject=subject,
            body=body,
            now=now,
        )
