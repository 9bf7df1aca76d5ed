"""Giving a coach a certificate, and letting anybody check it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth.actor import Actor
from timebank.errors import NotFound, WrongState
from timebank.ledger.models import Category
from timebank.ledger.service import match_balance
from timebank.matches.models import HourEntry, HoursState, Match, MatchState
from timebank.organisations.models import Employment
from timebank.reports.certificates.models import Certificate
from timebank.reports.events import CertificateIssued, CertificateWithdrawn
from timebank.reports.pdf import drawings
from timebank.reports.pdf.setting import set_pdf
from timebank.web import format as words
from timebank.web.discs import discs

# Without letters and digits that look alike; 16 of them are 79 bits, more than anybody can try.
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS: Final = 4


@dataclass(frozen=True)
class Given:
    """What a coaching's initiative confirmed, as the ledger has it."""

    minutes: int
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Shares:
    """What of a certificate others may see besides hours and dates."""

    name: bool = False
    company: bool = False
    initiative: bool = False


def own_match(session: Session, public_id: uuid.UUID, *, actor: Actor) -> Match:
    """The actor's own coaching. Raises NotFound."""
    match = session.scalar(
        select(Match)
        .join(Employment, Employment.id == Match.employment_id)
        .where(Match.public_id == public_id, Employment.user_id == actor.user_id)
    )
    if match is None or actor.user_id is None:
        raise NotFound(_l("We can't find that."))
    return match


def given(session: Session, match: Match) -> Given | None:
    """What was confirmed of a coaching; none where nothing was."""
    minutes = sum(each.received for each in match_balance(session, match.public_id).values())
    first, last = session.execute(
        select(func.min(HourEntry.activity_date), func.max(HourEntry.activity_date)).where(
            HourEntry.match_id == match.id,
            HourEntry.state == HoursState.CONFIRMED,
            HourEntry.category == Category.DELIVERY,
        )
    ).one()
    return Given(minutes, first, last) if minutes > 0 and first else None


def of_match(session: Session, match: Match) -> Certificate | None:
    return session.scalar(select(Certificate).where(Certificate.match_id == match.id))


def issue(
    session: Session, public_id: uuid.UUID, *, shares: Shares, actor: Actor, now: datetime
) -> Certificate:
    """Give the coach the certificate of a completed coaching, or change what of it others may see.

    Issued again, it says what is confirmed by now, under the same code. Raises NotFound, WrongState.
    """
    match = own_match(session, public_id, actor=actor)
    session.refresh(match, with_for_update=True)
    if match.state is not MatchState.COMPLETED:
        raise WrongState(_l("A certificate is given once the coaching is completed."))
    confirmed = given(session, match)
    if confirmed is None:
        raise WrongState(_l("No hours of this coaching were confirmed, so there is nothing to certify."))
    certificate = of_match(session, match)
    if certificate is None:
        certificate = Certificate(match_id=match.id, code=_new_code())
        session.add(certificate)
    certificate.issued_at, certificate.withdrawn_at = now, None
    certificate.minutes = confirmed.minutes
    certificate.first_day, certificate.last_day = confirmed.first_day, confirmed.last_day
    certificate.show_name, certificate.show_company = shares.name, shares.company
    certificate.show_initiative = shares.initiative
    session.flush()
    events.record(session, CertificateIssued(actor=actor, at=now, subject=match.public_id))
    return certificate


def withdraw(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> None:
    """Let nobody check it any more. Raises NotFound."""
    certificate = of_match(session, own_match(session, public_id, actor=actor))
    if certificate is None:
        raise NotFound(_l("We can't find that."))
    if certificate.withdrawn_at is None:
        certificate.withdrawn_at = now
        events.record(session, CertificateWithdrawn(actor=actor, at=now, subject=certificate.match.public_id))


def by_code(session: Session, code: str) -> Certificate | None:
    """The certificate with a code, however it was typed; none where there is none or it was withdrawn."""
    plain = "".join(c for c in code.lower() if c in ALPHABET)
    written = "-".join(plain[i : i + 4] for i in range(0, len(plain), 4))
    return session.scalar(
        select(Certificate).where(Certificate.code == written, Certificate.withdrawn_at.is_(None))
    )


def _new_code() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _each in range(4)) for _group in range(GROUPS))


# --- the document ---------------------------------------------------------------------------------------------------


def render(certificate: Certificate, language: str, issuer: str) -> bytes:
    """The certificate as a PDF in a language."""
    with force_locale(language):
        return set_pdf("certificate.typ", _data(certificate, language, issuer))


def _data(certificate: Certificate, language: str, issuer: str) -> dict[str, Any]:
    match = certificate.match
    day = certificate.issued_at
    drawn = discs(given=certificate.minutes)
    return {
        "language": language,
        "date": [day.year, day.month, day.day],
        "title": _("Certificate of participation"),
        "name": match.employment.name,
        "lines": [
            _(
                "coached %(initiative)s for %(hours)s during working time, as an employee of %(company)s.",
                initiative=match.request.initiative.name,
                hours=words.hours(certificate.minutes),
                company=match.employment.organisation.name,
            ),
            _(
                "Period: %(period)s. The initiative confirmed these hours.",
                period=words.days(certificate.first_day, certificate.last_day),
            ),
        ],
        "about": match.request.text(language).title,
        "discs": {"svg": drawings.discs(drawn), "alt": drawn.sentence},
        "foot": _("Issued on %(day)s.", day=words.day_short(certificate.issued_at)),
        "check": _(
            "Anybody can check this certificate at %(address)s. That page shows hours and dates, and besides only what"
            " the coach chose to share.",
            address=f"{issuer}/certificates/{certificate.code}",
        ),
    }
