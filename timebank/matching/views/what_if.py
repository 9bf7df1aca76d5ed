"""The operator's pages about what a run would do with other weights, or with one more coach or seat."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Invalid
from timebank.jobs.models import JobState
from timebank.matching import queries, snapshot, whatif
from timebank.matching.forms import WeightsForm
from timebank.matching.views import bp
from timebank.matching.whatif.forms import WhatIfForm
from timebank.matching.words import PHASES
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.places import REGION_NAMES, region_name
from timebank.web.locale import language


@bp.route("/operator/runs/what-if", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def what_if() -> ResponseReturnValue:
    """Try other weights, or wish for one more coach or seat."""
    read = db.request_session()
    form = WhatIfForm(data=snapshot.weights_in_force(read))
    form.offer_skills([(skill.id, skill.name(language())) for skill in taxonomy.skills(read)])
    if form.validate_on_submit() and form.check_places(read):
        try:
            with db.unit_of_work() as session:
                asked = whatif.ask(session, form.question(), actor=current_actor(), now=clock.now())
                public_id = asked.public_id
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            return redirect(url_for(".show_what_if", public_id=public_id), 303)
    # Asked for anew: what was read before a refused act is closed.
    recent = whatif.recent(db.request_session())
    page = render_template("matching/what_if.html", form=form, recent=recent, JobState=JobState)
    return page, 422 if form.is_submitted() else 200


@bp.get("/operator/runs/what-if/<uuid:public_id>")
@role_required(Role.OPERATOR)
def show_what_if(public_id: UUID) -> ResponseReturnValue:
    session = db.request_session()
    job = whatif.find(session, public_id, actor=current_actor())
    in_force = snapshot.weights_in_force(session)
    result = job.result or {}
    named = [row["request"] for key in ("gain", "lose") for row in result.get(key, [])]
    if result.get("wished_coach"):
        named.append(result["wished_coach"]["request"])
    return render_template(
        "matching/what_if_answer.html",
        job=job,
        JobState=JobState,
        weights={
            name: (in_force[name], tried)
            for name, tried in job.payload["weights"].items()
            if in_force[name] != tried
        },
        labels=WeightsForm(formdata=None),
        requests=queries.requests_named(session, named),
        regions={code: region_name(code, language()) for code in REGION_NAMES},
        phases=PHASES,
    )


@bp.get("/operator/runs/what-if/<uuid:public_id>/progress")
@role_required(Role.OPERATOR)
def what_if_progress(public_id: UUID) -> ResponseReturnValue:
    """What the page that waits asks every two seconds; when it is over, the page loads anew."""
    job = whatif.find(db.request_session(), public_id, actor=current_actor())
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return render_template("matching/_what_if_progress.html", job=job, JobState=JobState)
    return "", 200, {"HX-Refresh": "true"}


@bp.post("/operator/runs/what-if/<uuid:public_id>/stop")
@role_required(Role.OPERATOR)
def stop_what_if(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        whatif.stop(session, public_id, actor=current_actor(), now=clock.now())
    return redirect(url_for(".show_what_if", public_id=public_id), 303)


@bp.post("/operator/runs/what-if/<uuid:public_id>/discard")
@role_required(Role.OPERATOR)
def discard_what_if(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        whatif.discard(session, public_id, actor=current_actor())
    flash(_("Thrown away: everything stays as it is."))
    return redirect(url_for(".what_if"), 303)


@bp.post("/operator/runs/what-if/<uuid:public_id>/keep")
@role_required(Role.OPERATOR)
def keep_what_if(public_id: UUID) -> ResponseReturnValue:
    """Let the weights that were tried hold."""
    with db.unit_of_work() as session:
        whatif.keep_weights(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("These weights hold from the next run on."))
    return redirect(url_for(".show_what_if", public_id=public_id), 303)
