"""Asking for a report as a file, waiting for it, and having one sent for each period."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, db, events, files
from timebank.auth import permissions
from timebank.auth.actor import Actor, actor_of
from timebank.auth.models import User
from timebank.errors import Invalid, NotFound
from timebank.jobs import service as jobs
from timebank.notifications.service import in_language, link, queue
from timebank.organisations.models import Organisation
from timebank.reports.events import ReportDownloaded, ReportScheduled, ReportScheduleEnded
from timebank.reports.exports import making
from timebank.reports.exports.models import Every, ReportExport, ReportSchedule
from timebank.reports.exports.words import MEDIA_TYPES
from timebank.reports.service import check_period
from timebank.web.format import days

KIND = "report.export"
LANE = "reports"
KEPT = timedelta(days=30)
# After a period's last day, so that initiatives have had time to confirm.
GRACE = timedelta(days=7)
MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


def request(
    session: Session,
    order: making.Order,
    *,
    actor: Actor,
    now: datetime,
    schedule: ReportSchedule | None = None,
) -> ReportExport:
    """Ask for a file. Raises NotFound, NotPermitted, Invalid."""
    right = "report.audit" if order.auditor else "report.see"
    permissions.require(actor, right, organisation_id=order.organisation_id)
    check_period(order.from_date, order.until_date, clock.local_date(now))
    if order.format not in making.FORMATS:
        raise Invalid(_l("Choose a kind of file."), {"format": _l("Choose a kind of file.")})
    public_id = uuid.uuid4()
    job = jobs.enqueue(
        session,
        kind=KIND,
        key=f"{KIND}:{public_id}",
        payload={"export": str(public_id)},
        now=now,
        requested_by_id=actor.user_id,
    )
    session.flush()
    export = ReportExport(
        public_id=public_id,
        organisation_id=order.organisation_id,
        requested_by_id=actor.user_id,
        requested_at=now,
        from_date=order.from_date,
        until_date=order.until_date,
        format=order.format,
        language=order.language,
        auditor=order.auditor,
        stories=[str(i) for i in order.stories],
        schedule_id=schedule.id if schedule else None,
        job_id=job.id,
    )
    session.add(export)
    session.flush()
    return export


def find(session: Session, public_id: uuid.UUID, *, actor: Actor) -> ReportExport:
    """An export of the actor's company; an auditor's package only for auditors. Raises NotFound, NotPermitted."""
    export = session.scalar(select(ReportExport).where(ReportExport.public_id == public_id))
    if export is None:
        raise NotFound(_l("We can't find that."))
    right = "report.audit" if export.auditor else "report.see"
    permissions.require(actor, right, organisation_id=export.organisation_id)
    return export


def cancel(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> ReportExport:
    """Stop making a file. A finished one stays. Raises NotFound, NotPermitted."""
    export = find(session, public_id, actor=actor)
    jobs.cancel(session, export.job.public_id, now=now)
    return export


def download(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> files.StoredFile:
    """The file of an export, for its pieces; the audit log notes who took it. Raises NotFound, NotPermitted."""
    export = find(session, public_id, actor=actor)
    file = export.file
    if file is None or (file.expires_at is not None and file.expires_at <= now):
        raise NotFound(_l("This file is no longer kept. Ask for it again."))
    company = session.get_one(Organisation, export.organisation_id)
    events.record(
        session,
        ReportDownloaded(
            actor=actor,
            at=now,
            subject=company.public_id,
            organisation_id=company.id,
            format=export.format,
            from_date=export.from_date,
            until_date=export.until_date,
            auditor=export.auditor,
        ),
    )
    return file


# --- the job --------------------------------------------------------------------------------------------------------


@jobs.handler(KIND, lane=LANE)
def make_job(job: uuid.UUID, payload: dict[str, Any]) -> dict[str, Any]:
    """Make the file beside the database, then store all of it at once: until then nobody is offered anything."""
    with db.read_session() as session:
        export = session.scalars(
            select(ReportExport).where(ReportExport.public_id == uuid.UUID(payload["export"]))
        ).one()
        actor = actor_of(session.get_one(User, export.requested_by_id))
        order = _order_of(export)
    with tempfile.TemporaryFile() as file:
        making.make(file, order, actor=actor, now=clock.now(), progress=_percent(job))
        jobs.progress(job, 99)
        with db.unit_of_work() as session:
            export = session.scalars(
                select(ReportExport).where(ReportExport.public_id == export.public_id).with_for_update()
            ).one()
            now = clock.now()
            stored = files.store_large(
                session,
                file,
                name=making.file_name(order),
                media_type=MEDIA_TYPES[order.format],
                owner_id=export.requested_by_id,
                now=now,
                expires_at=now + KEPT,
            )
            export.file_id = stored.id
            if export.schedule_id is not None:
                _tell(session, export, now)
            return {"bytes": stored.size}


def _order_of(export: ReportExport) -> making.Order:
    return making.Order(
        organisation_id=export.organisation_id,
        from_date=export.from_date,
        until_date=export.until_date,
        format=export.format,
        language=export.language,
        auditor=export.auditor,
        stories=tuple(uuid.UUID(i) for i in export.stories),
    )


def _percent(job: uuid.UUID) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        jobs.progress(job, 98 * done // max(total, 1))

    return tell


# --- schedules ------------------------------------------------------------------------------------------------------


def schedule(
    session: Session, organisation_id: int, *, every: Every, kind: str, actor: Actor, now: datetime
) -> ReportSchedule:
    """Have a report of each whole period made from now on, and be told by mail. The same again is the same one.

    Raises NotFound, NotPermitted, Invalid.
    """
    permissions.require(actor, "report.see", organisation_id=organisation_id)
    if kind not in making.FORMATS or actor.user_id is None:
        raise Invalid(_l("Choose a kind of file."), {"format": _l("Choose a kind of file.")})
    for each in schedules(session, organisation_id):
        if (each.user_id, each.every, each.format) == (actor.user_id, every, kind):
            return each
    made = ReportSchedule(
        organisation_id=organisation_id,
        user_id=actor.user_id,
        every=every,
        format=kind,
        created_at=now,
        sent_until=last_period(every, clock.local_date(now))[1],
    )
    session.add(made)
    session.flush()
    company = session.get_one(Organisation, organisation_id)
    events.record(
        session,
        ReportScheduled(
            actor=actor,
            at=now,
            subject=company.public_id,
            organisation_id=organisation_id,
            every=every,
            format=kind,
        ),
    )
    return made


def end_schedule(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> None:
    """Send no more of them. Raises NotFound, NotPermitted."""
    found = session.scalar(
        select(ReportSchedule).where(ReportSchedule.public_id == public_id).with_for_update()
    )
    if found is None:
        raise NotFound(_l("We can't find that."))
    permissions.require(actor, "report.see", organisation_id=found.organisation_id)
    if found.ended_at is None:
        found.ended_at = now
        company = session.get_one(Organisation, found.organisation_id)
        events.record(
            session,
            ReportScheduleEnded(
                actor=actor,
                at=now,
                subject=company.public_id,
                organisation_id=company.id,
                every=found.every,
                format=found.format,
            ),
        )


def schedules(session: Session, organisation_id: int) -> list[ReportSchedule]:
    """Those that run in a company."""
    return list(
        session.scalars(
            select(ReportSchedule)
            .where(ReportSchedule.organisation_id == organisation_id, ReportSchedule.ended_at.is_(None))
            .order_by(ReportSchedule.id)
        )
    )


def request_due(session: Session, *, now: datetime) -> int:
    """Ask for the reports whose period ended a week ago; how many. One whose owner has no right any more ends."""
    today = clock.local_date(now)
    asked = 0
    live = select(ReportSchedule).where(ReportSchedule.ended_at.is_(None)).with_for_update(skip_locked=True)
    for each in session.scalars(live).all():
        first, last = last_period(each.every, today - GRACE)
        if last <= each.sent_until:
            continue
        user = session.get_one(User, each.user_id)
        actor = actor_of(user)
        if not permissions.allowed(actor, "report.see", organisation_id=each.organisation_id):
            each.ended_at = now
            continue
        each.sent_until = last
        order = making.Order(each.organisation_id, first, last, each.format, user.language or "nl")
        request(session, order, actor=actor, now=now, schedule=each)
        asked += 1
    return asked


def last_period(every: Every, today: date) -> tuple[date, date]:
    """The last month, quarter or year that was over on a day: its first and last day."""
    months = MONTHS[every]
    this = date(today.year, (today.month - 1) // months * months + 1, 1)
    last = this - timedelta(days=1)
    return date(last.year, last.month - months + 1, 1), last


def _tell(session: Session, export: ReportExport, now: datetime) -> None:
    """A link that asks to sign in; the file itself never travels by mail."""
    user = session.get_one(User, export.requested_by_id)
    with in_language(user.language):
        period = days(export.from_date, export.until_date)
        queue(
            session,
            key=f"{KIND}:{export.public_id}",
            kind=KIND,
            email=user.email,
            user_id=user.id,
            language=user.language or "nl",
            subject=_("Your report on coaching, %(period)s", period=period),
            body=_(
                "The report of %(period)s is ready. Sign in to download it, within 30 days:\n\n%(link)s\n\n"
                "You asked to be sent it for each period. On the same page you can end that.",
                period=period,
                link=link(f"/hr/exports/{export.public_id}"),
            ),
            now=now,
        )
