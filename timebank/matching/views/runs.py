"""The operator's pages about runs and weights."""

from __future__ import annotations

import io
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db, paging
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.errors import Invalid
from timebank.matches.words import MATCH_STATES
from timebank.matching import preview, queries, runs, service, snapshot
from timebank.matching.forms import WeightsForm
from timebank.matching.models import Outcome, RunState, RunTrigger
from timebank.matching.offers import read_offer
from timebank.matching.words import RULES, STATES, TRIGGERS

bp = Blueprint("matching", __name__, template_folder="templates")

PREVIEWED = 5  # requests named in the preview beside a pledge form


@bp.app_context_processor
def words() -> dict[str, object]:
    return {
        "run_states": STATES,
        "run_triggers": TRIGGERS,
        "RunState": RunState,
        "match_states": MATCH_STATES,
    }


@bp.get("/operator/runs")
@role_required(Role.OPERATOR)
def list_runs() -> ResponseReturnValue:
    page = queries.runs(db.request_session(), before=paging.row_id(request.args.get("before")))
    return render_template("matching/runs.html", page=page)


@bp.post("/operator/runs")
@role_required(Role.OPERATOR)
def request_run() -> ResponseReturnValue:
    """Ask for a run now; the scheduler's process carries it out."""
    with db.unit_of_work() as session:
        run = runs.request_run(session, actor=current_actor(), now=clock.now(), trigger=RunTrigger.OPERATOR)
    return redirect(url_for(".show_run", public_id=run.public_id), 303)


@bp.get("/operator/runs/<uuid:public_id>")
@role_required(Role.OPERATOR)
def show_run(public_id: UUID) -> ResponseReturnValue:
    session = db.request_session()
    run = queries.run(session, public_id)
    matches, older = queries.proposals(session, run, after=paging.row_id(request.args.get("after")) or 0)
    return render_template(
        "matching/run.html",
        run=run,
        requester=queries.requester(session, run),
        outcomes=queries.outcomes(session, run),
        Outcome=Outcome,
        matches=matches,
        more=older,
        unserved=queries.unserved(session, run),
        rules=RULES,
        weights=WeightsForm(formdata=None),
    )


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


@bp.route("/operator/weights", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def weights() -> ResponseReturnValue:
    """What makes one match better than another."""
    form = WeightsForm(data=snapshot.weights_in_force(db.request_session()))
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as session:
                values = {name: form[name].data for name in snapshot.DEFAULT_WEIGHTS}
                service.change_weights(session, values, actor=current_actor(), now=clock.now())
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("These weights hold from the next run on."))
            return redirect(url_for(".list_runs"), 303)
    return render_template("matching/weights.html", form=form), 422 if form.is_submitted() else 200


@bp.get("/matching/preview")
@role_required(Role.EMPLOYEE)
def show_preview() -> ResponseReturnValue:
    """How many open requests the pledge in the form would fit; a sentence while it says too little."""
    session = db.request_session()
    offer = read_offer(session, request.args, current_company_id())
    fit = preview.fitting_requests(session, offer, clock.today()) if offer else None
    return render_template("matching/_preview.html", fit=fit, shown=PREVIEWED)
