"""Making the file of a report, whoever asks for it: a page, a job, a command."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config import Settings
from timebank import db, events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.organisations.models import Organisation
from timebank.reports import renderings, service
from timebank.reports.events import ReportExported
from timebank.reports.exports import frozen
from timebank.reports.pdf.content import render_pdf
from timebank.reports.proof import package, signing
from timebank.reports.service import Report

FORMATS = (*renderings.FORMATS, "pdf", "zip")


@dataclass(frozen=True)
class Order:
    """Which report is wanted, and as what."""

    organisation_id: int
    from_date: date
    until_date: date
    format: str
    language: str
    auditor: bool = False
    seed: str = ""
    stories: tuple[uuid.UUID, ...] = ()


def make(
    file: IO[bytes], order: Order, *, actor: Actor, now: datetime, progress: package.Progress | None = None
) -> None:
    """Write the file, and note in the audit log that it was made.

    Raises NotFound, NotPermitted, Invalid.
    """
    settings: Settings = current_app.config["SETTINGS"]
    right = "report.audit" if order.auditor else "report.see"
    permissions.require(actor, right, organisation_id=order.organisation_id)
    with db.unit_of_work() as session:
        signer = signing.current_signer(session, settings, now=now)
        frozen.freeze_closed(session, now=now, organisation_id=order.organisation_id)
    with db.read_session() as session, force_locale(order.language):
        report, number = _report(session, order, actor, now)
        if order.format == "zip":
            content = package.Order(
                organisation_id=order.organisation_id,
                report=report,
                language=order.language,
                issuer=settings.base_url,
                auditor=order.auditor,
                seed=order.seed,
                stories=order.stories,
                number=number,
            )
            package.write(file, session, content, signer, progress)
        elif order.format == "pdf":
            file.write(render_pdf(session, report, order.stories, settings.base_url, number))
        else:
            file.write(renderings.FORMATS[order.format].render(report))
    with db.unit_of_work() as session:
        note(session, order, actor=actor, now=now)


def _report(session: Session, order: Order, actor: Actor, now: datetime) -> tuple[Report, int | None]:
    """The report, and its number if the period is closed: then it is the one of the closing."""
    kept = frozen.find(session, order.organisation_id, order.from_date, order.until_date, order.language)
    if kept:
        return kept.report, kept.number
    report = service.build_report(
        session, order.organisation_id, order.from_date, order.until_date, actor=actor, now=now
    )
    return report, None


def file_name(order: Order) -> str:
    """What the file is called when it is downloaded."""
    with force_locale(order.language):
        name = _("report")
    return f"{name}-{order.from_date}-{order.until_date}{'-audit' if order.auditor else ''}.{order.format}"


def note(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Leave a line in the audit log that a report was taken out."""
    company = session.get_one(Organisation, order.organisation_id)
    events.record(
        session,
        ReportExported(
            actor=actor,
            at=now,
            subject=company.public_id,
            organisation_id=company.id,
            format=order.format,
            from_date=order.from_date,
            until_date=order.until_date,
            auditor=order.auditor,
        ),
    )
