"""Reads for the page of exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from timebank.audit.models import AuditEntry
from timebank.auth.models import User
from timebank.reports.exports.models import ReportExport

ACTS = ("report_exported", "report_downloaded")


@dataclass(frozen=True)
class Taken:
    """One line of the history: who took which report out, when. Nobody for what a command did."""

    at: datetime
    who: str | None
    act: str
    format: str
    from_date: date
    until_date: date
    auditor: bool


def history(session: Session, organisation_id: int, limit: int) -> list[Taken]:
    """What the audit log has of a company's reports, newest first."""
    rows = session.execute(
        select(AuditEntry, User)
        .outerjoin(User, User.id == AuditEntry.actor_user_id)
        .where(AuditEntry.organisation_id == organisation_id, AuditEntry.action.in_(ACTS))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return [
        Taken(
            at=entry.at,
            who=user.name if user else None,
            act=entry.action,
            format=entry.detail["format"],
            from_date=date.fromisoformat(entry.detail["from_date"]),
            until_date=date.fromisoformat(entry.detail["until_date"]),
            auditor=entry.detail["auditor"],
        )
        for entry, user in rows
    ]


def latest(session: Session, organisation_id: int, *, auditor: bool, limit: int) -> Sequence[ReportExport]:
    """The newest exports of a company, with their jobs; auditors' packages only for who may have them."""
    found = (
        select(ReportExport)
        .options(joinedload(ReportExport.job), joinedload(ReportExport.file))
        .where(ReportExport.organisation_id == organisation_id)
        .order_by(ReportExport.id.desc())
        .limit(limit)
    )
    return session.scalars(found if auditor else found.where(ReportExport.auditor.is_(False))).all()
