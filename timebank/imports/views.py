"""Pages on which HR and the operator send files: upload, preview, headings by hand, apply, result."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from timebank import clock, db, paging
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.errors import NotFound, WrongState
from timebank.imports import batches, messages, registry, service
from timebank.imports.decode import MAX_BYTES
from timebank.imports.errors import FileRefused
from timebank.imports.forms import UploadForm
from timebank.imports.models import BatchState
from timebank.jobs.models import JobState
from timebank.web.locale import language

bp = Blueprint("imports", __name__, template_folder="templates")

PAGE = 100
BUSY = (JobState.QUEUED, JobState.RUNNING)
# What a list of rows can be narrowed to.
FILTERS = ("refused", "new", "changed", "same", "warnings")


@bp.route("/hr/<any(staff, pledges):kind>/import", methods=["GET", "POST"])
@role_required(Role.HR)
def hr_upload(kind: str) -> ResponseReturnValue:
    """HR sends the company's own staff list, or pledges that were signed on paper."""
    return _upload(kind, UploadForm(), current_company_id(Role.HR))


@bp.get("/operator/import")
@role_required(Role.OPERATOR)
def operator_kinds() -> ResponseReturnValue:
    """The kinds of files, in the order in which they build on each other."""
    return render_template("imports/kinds.html", kinds=messages.KINDS)


@bp.route("/operator/import/<kind>", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def operator_upload(kind: str) -> ResponseReturnValue:
    """The operator sends any kind of file, a company's on its behalf."""
    if kind not in registry.SPECS:
        raise NotFound(_l("We can't find that."))
    if not registry.spec(kind).of_company:
        return _upload(kind, UploadForm(), None)
    form = UploadForm(service.companies(db.request_session()))
    return _upload(kind, form, form.company.data)


def _upload(kind: str, form: UploadForm, organisation_id: int | None) -> ResponseReturnValue:
    spec = registry.spec(kind)
    status = 200
    if form.validate_on_submit():
        data = form.file.data.stream.read(MAX_BYTES + 1)
        try:
            public_id = _receive(spec, data, form.file.data.filename or "file", organisation_id)
            return redirect(url_for(".batch", batch_id=public_id), 303)
        except FileRefused as refused:
            form.file.errors = [str(refused)]
    if form.is_submitted():
        status = 422
    columns = [
        (column.heading(language()), column.name, column.required)
        for column in _columns_of(spec, organisation_id)
    ]
    page = render_template(
        "imports/upload.html", form=form, kind=kind, words=messages.KINDS[kind], columns=columns
    )
    return page, status


def _receive(spec: registry.Spec, data: bytes, name: str, organisation_id: int | None) -> UUID:
    actor, now = current_actor(), clock.now()
    if len(data) > MAX_BYTES:
        raise FileRefused("too_large", megabytes=MAX_BYTES // (1024 * 1024))
    with db.unit_of_work() as session:
        public_id: UUID = batches.upload(
            session, spec, data, name, organisation_id, actor=actor, now=now
        ).public_id
    batches.start_preview(public_id, actor=actor, now=now)
    return public_id


def _columns_of(spec: registry.Spec, organisation_id: int | None) -> Any:
    scope = registry.Scope(organisation_id, clock.today())
    return spec.load(db.request_session(), scope, []).columns


@bp.get("/imports/<uuid:batch_id>")
@role_required(Role.HR, Role.OPERATOR)
def batch(batch_id: UUID) -> ResponseReturnValue:
    """A file: how far it is, each row's verdict, headings to settle, and what became of it."""
    session = db.request_session()
    found = batches.own(session, batch_id, current_actor())
    job = batches.job_of(session, found)
    shown = batches.shown(session, found)
    busy = job is not None and job.state in BUSY
    wanted = request.args.get("show", "")
    rows = shown.rows if shown else []
    if wanted == "warnings":
        rows = [r for r in rows if r.warnings]
    elif wanted in FILTERS:
        rows = [r for r in rows if r.verdict == wanted]
    else:
        wanted = ""
    after = paging.row_id(request.args.get("after")) or 0
    page = [r for r in rows if r.number > after]
    columns = _columns_of(registry.spec(found.kind), found.organisation_id)
    named = {c.name: c.heading(language()) for c in columns}
    return render_template(
        "imports/batch.html",
        batch=found,
        words=messages.KINDS[found.kind],
        job=job,
        busy=busy,
        failed=job is not None and job.state == JobState.FAILED,
        stopped=job is not None and job.state == JobState.CANCELLED,
        applied=found.state == BatchState.APPLIED,
        shown=shown,
        refusal=_sentence(shown.refusal, named) if shown else None,
        not_applied=_sentence((job.result or {}).get("refusal"), named) if job else None,
        rows=page[:PAGE],
        next=url_for(".batch", batch_id=batch_id, show=wanted or None, after=page[PAGE - 1].number)
        if len(page) > PAGE
        else None,
        first=url_for(".batch", batch_id=batch_id, show=wanted or None) if after else None,
        show=wanted,
        columns=[(c.name, c.heading(language()), c.required) for c in columns],
        headings=named,
        verdicts=messages.VERDICTS,
        filters=messages.FILTERS,
        reason=messages.reason,
        warning=messages.warning,
    )


def _sentence(refusal: Any, headings: dict[str, str]) -> str | None:
    """The sentence of a refusal as a batch or its job keeps it: code and parameters."""
    return messages.refusal(FileRefused(refusal[0], **refusal[1]), headings) if refusal else None


@bp.post("/imports/<uuid:batch_id>/headings")
@role_required(Role.HR, Role.OPERATOR)
def headings(batch_id: UUID) -> ResponseReturnValue:
    """Settle by hand which heading means which column, and judge the file again."""
    actor = current_actor()
    mapping: dict[str, int | None] = {}
    for name, value in request.form.items():
        if name.startswith("column-"):
            mapping[name.removeprefix("column-")] = (
                int(value) if value.isdecimal() and len(value) < 6 else None
            )
    with db.unit_of_work() as session:
        batches.map_headings(session, batch_id, mapping, actor=actor)
    try:
        batches.start_preview(batch_id, actor=actor, now=clock.now())
    except FileRefused as refused:
        flash(str(refused), "error")
    return redirect(url_for(".batch", batch_id=batch_id), 303)


@bp.post("/imports/<uuid:batch_id>/apply")
@role_required(Role.HR, Role.OPERATOR)
def apply(batch_id: UUID) -> ResponseReturnValue:
    """Apply the good rows."""
    close_missing = request.form.get("close_missing") == "y"
    try:
        batches.start_apply(batch_id, close_missing=close_missing, actor=current_actor(), now=clock.now())
    except (WrongState, FileRefused) as wrong:
        flash(str(wrong), "error")
    return redirect(url_for(".batch", batch_id=batch_id), 303)


@bp.route("/imports/<uuid:batch_id>/stop", methods=["GET", "POST"])
@role_required(Role.HR, Role.OPERATOR)
def stop(batch_id: UUID) -> ResponseReturnValue:
    """Stop the work on a file, once the person has read what that means."""
    if request.method == "POST":
        with db.unit_of_work() as session:
            stopped = batches.stop(session, batch_id, actor=current_actor(), now=clock.now())
        if not stopped:
            flash(_("The work on this file was done before."))
        return redirect(url_for(".batch", batch_id=batch_id), 303)
    session = db.request_session()
    found = batches.own(session, batch_id, current_actor())
    job = batches.job_of(session, found)
    if job is None or job.state not in BUSY:
        return redirect(url_for(".batch", batch_id=batch_id), 303)
    return render_template("imports/stop.html", batch=found, applying=job.kind == "import.apply")


@bp.get("/imports/<uuid:batch_id>/refused.csv")
@role_required(Role.HR, Role.OPERATOR)
def refused(batch_id: UUID) -> ResponseReturnValue:
    """The refused rows with their reasons, to be mended and sent again."""
    file = batches.refused_file(db.request_session(), batch_id, actor=current_actor())
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    return Response(file.content, mimetype="text/csv", headers=headers)
