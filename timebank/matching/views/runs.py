"""The operator's pages about runs: ask for one, look at it, send it or not, take it back."""

from __future__ import annotations

import io
from uuid import UUID

from flask import abort, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from timebank import clock, db, paging
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Conflict, Invalid
from timebank.matches.words import MATCH_STATES
from timebank.matching import queries, runs
from timebank.matching.forms import ReasonForm, RunForm, WeightsForm
from timebank.matching.models import Mode, Outcome, RunState, RunTrigger
from timebank.matching.views import bp
from timebank.matching.words import MODES, RULES, STATES, TRIGGERS


@bp.app_context_processor
def words() -> dict[str, object]:
    return {
        "run_states": STATES,
        "run_triggers": TRIGGERS,
        "run_modes": MODES,
        "RunState": RunState,
        "match_states": MATCH_STATES,
    }


@bp.get("/operator/runs")
@role_required(Role.OPERATOR)
def list_runs() -> ResponseReturnValue:
    return _list_page(RunForm(formdata=None))


def _list_page(form: RunForm, status: int = 200) -> ResponseReturnValue:
    page = queries.runs(db.request_session(), before=paging.row_id(request.args.get("before")))
    return render_template("matching/runs.html", page=page, form=form), status


@bp.post("/operator/runs")
@role_required(Role.OPERATOR)
def request_run() -> ResponseReturnValue:
    """Ask for a run now; the scheduler's process carries it out."""
    form = RunForm()
    if not form.validate():
        return _list_page(form, 422)
    try:
        with db.unit_of_work() as session:
            run = runs.request_run(
                session,
                actor=current_actor(),
                now=clock.now(),
                trigger=RunTrigger.OPERATOR,
                mode=Mode(form.mode.data),
                time_limit=form.time_limit.data,
                preview=form.preview.data,
            )
    except Invalid as refusal:
        form.add_errors(refusal)
        return _list_page(form, 422)
    return _to_run(run.public_id)


def _to_run(public_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show_run", public_id=public_id), 303)


@bp.get("/operator/runs/<uuid:public_id>")
@role_required(Role.OPERATOR)
def show_run(public_id: UUID) -> ResponseReturnValue:
    return _run_page(public_id, ReasonForm(MultiDict()))


def _run_page(public_id: UUID, reason: ReasonForm, status: int = 200) -> ResponseReturnValue:
    session = db.request_session()
    run = queries.run(session, public_id)
    proposals, more = queries.proposals(session, run, after=paging.row_id(request.args.get("after")) or 0)
    return (
        render_template(
            "matching/run.html",
            run=run,
            requester=queries.requester(session, run),
            outcomes=queries.outcomes(session, run),
            Outcome=Outcome,
            Mode=Mode,
            proposals=proposals,
            more=more,
            unserved=queries.unserved(session, run),
            pinned=queries.pinned(session, run),
            answered=queries.answered(session, run),
            rules=RULES,
            weights=WeightsForm(formdata=None),
            reason_form=reason,
        ),
        status,
    )


@bp.post("/operator/runs/<uuid:public_id>/apply")
@role_required(Role.OPERATOR)
def apply_run(public_id: UUID) -> ResponseReturnValue:
    """Send what a run that was looked at chose."""
    with db.unit_of_work() as session:
        run = runs.apply_run(
            session,
            public_id,
            actor=current_actor(),
            now=clock.now(),
            days=current_app.config["SETTINGS"].proposal_days,
        )
    sent = run.proposals or 0
    flash(ngettext("One proposal is sent.", "%(num)s proposals are sent.", sent))
    return _to_run(public_id)


@bp.post("/operator/runs/<uuid:public_id>/discard")
@role_required(Role.OPERATOR)
def discard_run(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        runs.discard_run(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("The run is thrown away. Nothing of it was proposed."))
    return _to_run(public_id)


@bp.post("/operator/runs/<uuid:public_id>/cancel")
@role_required(Role.OPERATOR)
def cancel_run(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        runs.cancel_run(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("The run is cancelled. Nothing of it was proposed."))
    return _to_run(public_id)


@bp.post("/operator/runs/<uuid:public_id>/withdraw")
@role_required(Role.OPERATOR)
def withdraw_run(public_id: UUID) -> ResponseReturnValue:
    """Take back all proposals of a run, as long as nobody answered."""
    form = ReasonForm()
    if not form.validate():
        return _run_page(public_id, form, 422)
    try:
        with db.unit_of_work() as session:
            runs.withdraw_run(session, public_id, form.reason.data, actor=current_actor(), now=clock.now())
    except Conflict as refusal:
        form.form_errors.append(str(refusal))
        return _run_page(public_id, form, 409)
    flash(_("The run is taken back: its hours and seats are free again."))
    return _to_run(public_id)


@bp.get("/operator/runs/<uuid:public_id>/progress")
@role_required(Role.OPERATOR)
def progress(public_id: UUID) -> ResponseReturnValue:
    """What a page that waits for a run asks every two seconds; when it is over, the page loads anew."""
    run = queries.run(db.request_session(), public_id)
    if run.state in (RunState.QUEUED, RunState.RUNNING):
        return render_template("matching/_progress.html", run=run)
    return "", 200, {"HX-Refresh": "true"}


@bp.get("/operator/runs/<uuid:public_id>/<any('problem.npz', 'solution.npz'):name>")
@role_required(Role.OPERATOR)
def download(public_id: UUID, name: str) -> ResponseReturnValue:
    """A file with which anybody can verify the run."""
    content = runs.run_files(db.request_session(), public_id).get(name)
    if content is None:
        abort(404)
    return send_file(
        io.BytesIO(content),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=f"{public_id}-{name}",
    )
