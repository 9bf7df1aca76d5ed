"""The page of exports: ask for a file, wait for it, take it, have one sent; and who did so before."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from timebank import clock, db, files
from timebank.auth import permissions
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.errors import Invalid
from timebank.jobs.service import LIVE
from timebank.reports import service as reports
from timebank.reports.exports import making, queries, service, words
from timebank.reports.exports.forms import ExportForm, ScheduleForm
from timebank.reports.exports.models import Every
from timebank.web.forms import choices, day_of
from timebank.web.locale import language

bp = Blueprint("exports", __name__, template_folder="templates")

MOST_EXPORTS = 20
MOST_LINES = 50
MOST_STORIES = 3


@bp.get("/hr/exports")
@role_required(Role.HR, Role.AUDITOR)
def page() -> Any:
    """Ask for a file; what was asked before; who took what."""
    today = clock.today()
    asked = {"from_date": _day("from") or date(today.year, 1, 1), "until_date": _day("until") or today}
    return _page(ExportForm(formdata=None, data=asked), ScheduleForm(formdata=None))


@bp.post("/hr/exports")
@role_required(Role.HR, Role.AUDITOR)
def ask() -> Any:
    """Have a file made."""
    form = ExportForm()
    form.stories.choices = choices((i, i) for i in request.form.getlist("stories"))
    if not form.validate():
        return _page(form, ScheduleForm(formdata=None)), 422
    try:
        order = making.Order(
            organisation_id=current_company_id(),
            from_date=form.from_date.data,
            until_date=form.until_date.data,
            format="zip" if form.auditor.data else form.format.data,
            language=language(),
            auditor=bool(form.auditor.data),
            stories=tuple(UUID(i) for i in form.stories.data or ()),
        )
        with db.unit_of_work() as session:
            export = service.request(session, order, actor=current_actor(), now=clock.now())
    except ValueError:
        form.stories.errors = [_("Choose from the list.")]
        return _page(form, ScheduleForm(formdata=None)), 422
    except Invalid as refusal:
        form.add_errors(refusal)
        return _page(form, ScheduleForm(formdata=None)), 422
    return redirect(url_for(".export", export_id=export.public_id), 303)


@bp.get("/hr/exports/<uuid:export_id>")
@role_required(Role.HR, Role.AUDITOR)
def export(export_id: UUID) -> Any:
    """How far a file is, and the file once it is there."""
    found = service.find(db.request_session(), export_id, actor=current_actor())
    return render_template(
        "exports/export.html",
        export=found,
        job=found.job,
        busy=found.job.state in LIVE,
        formats=words.FORMATS,
        name=making.file_name,
    )


@bp.post("/hr/exports/<uuid:export_id>/cancel")
@role_required(Role.HR, Role.AUDITOR)
def cancel(export_id: UUID) -> Any:
    """Stop making a file."""
    with db.unit_of_work() as session:
        service.cancel(session, export_id, actor=current_actor(), now=clock.now())
    return redirect(url_for(".export", export_id=export_id), 303)


@bp.get("/hr/exports/<uuid:export_id>/file")
@role_required(Role.HR, Role.AUDITOR)
def file(export_id: UUID) -> Response:
    """The file itself, piece by piece."""
    with db.unit_of_work() as session:
        stored = service.download(session, export_id, actor=current_actor(), now=clock.now())
    return Response(
        files.pieces(stored),
        mimetype=stored.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{stored.name}"',
            "Content-Length": str(stored.size),
        },
    )


@bp.post("/hr/exports/schedules")
@role_required(Role.HR, Role.AUDITOR)
def add_schedule() -> Any:
    """Have a report made of each period."""
    form = ScheduleForm()
    if not form.validate():
        return _page(ExportForm(formdata=None), form), 422
    with db.unit_of_work() as session:
        service.schedule(
            session,
            current_company_id(),
            every=Every(form.every.data),
            kind=form.format.data,
            actor=current_actor(),
            now=clock.now(),
        )
    flash(_("A week after each period you get a link to its report by mail."))
    return redirect(url_for(".page"), 303)


@bp.post("/hr/exports/schedules/<uuid:schedule_id>/end")
@role_required(Role.HR, Role.AUDITOR)
def end_schedule(schedule_id: UUID) -> Any:
    """Send no more of them."""
    with db.unit_of_work() as session:
        service.end_schedule(session, schedule_id, actor=current_actor(), now=clock.now())
    flash(_("This report is no longer sent."))
    return redirect(url_for(".page"), 303)


def _page(form: ExportForm, schedule_form: ScheduleForm) -> str:
    session, company, actor = db.request_session(), current_company_id(), current_actor()
    may_audit = permissions.allowed(actor, "report.audit", organisation_id=company)
    form.stories.choices = choices(_initiatives(form, company))
    if not may_audit:
        del form.auditor
    return render_template(
        "exports/exports.html",
        form=form,
        schedule_form=schedule_form,
        most_stories=MOST_STORIES,
        exports=queries.latest(session, company, auditor=may_audit, limit=MOST_EXPORTS),
        schedules=service.schedules(session, company),
        history=queries.history(session, company, MOST_LINES),
        formats=words.FORMATS,
        every=words.EVERY,
        acts=words.ACTS,
        live=LIVE,
    )


def _initiatives(form: ExportForm, company: int) -> list[tuple[str, str]]:
    """Whom a story can be told of: the initiatives that the report of the form's period names."""
    if not (form.from_date.data and form.until_date.data):
        return []
    try:
        report = reports.build_report(
            db.request_session(),
            company,
            form.from_date.data,
            form.until_date.data,
            actor=current_actor(),
            now=clock.now(),
        )
    except Invalid:
        return []
    return [(str(row.public_id), row.name) for row in report.initiatives if row.minutes > 0 and row.public_id]


def _day(name: str) -> date | None:
    try:
        return day_of(request.args.get(name, ""))
    except ValueError:
        return None
