"""What the operator decides once for all runs that follow: the weights, and how the nights go."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Invalid
from timebank.matching import queries, service, snapshot
from timebank.matching.forms import RunPolicyForm, WeightsForm
from timebank.matching.models import Mode
from timebank.matching.views import bp


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


@bp.route("/operator/runs/nights", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def nights() -> ResponseReturnValue:
    """How runs are made without anybody asking for one."""
    read = db.request_session()
    form = RunPolicyForm(obj=queries.policy_in_force(read))
    if form.validate_on_submit():
        with db.unit_of_work() as session:
            service.change_run_policy(
                session,
                nightly_mode=Mode(form.nightly_mode.data),
                time_limit=form.time_limit.data,
                reoffers=form.reoffers.data,
                actor=current_actor(),
                now=clock.now(),
            )
        flash(_("The nights go like this from now on."))
        return redirect(url_for(".list_runs"), 303)
    page = render_template("matching/nights.html", form=form, history=queries.policy_history(read))
    return page, 422 if form.is_submitted() else 200
