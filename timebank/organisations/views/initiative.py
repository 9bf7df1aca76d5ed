"""A co-ordinator keeps the initiative's profile."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_initiative_id, role_required
from timebank.errors import Invalid
from timebank.organisations import queries, service
from timebank.organisations.forms import NONE, PersonForm, PhaseForm, ProfileForm, texts_of
from timebank.organisations.models import Initiative
from timebank.organisations.views.blueprint import bp
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.models import Phase, TermKind
from timebank.web.locale import language


@bp.route("/initiative/profile", methods=["GET", "POST"])
@role_required(Role.COORDINATOR)
def profile() -> ResponseReturnValue:
    initiative = queries.initiative_by_id(db.request_session(), current_initiative_id())
    form = _profile_form(initiative)
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as unit:
                service.change_initiative(
                    unit, initiative.id, form.profile(), actor=current_actor(), now=clock.now()
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("What you changed is kept."))
            return redirect(url_for("organisations.profile"), 303)
    return _page(initiative, form, _phase_form(initiative), 422 if form.is_submitted() else 200)


@bp.post("/initiative/profile/phase")
@role_required(Role.COORDINATOR)
def change_phase() -> ResponseReturnValue:
    initiative_id = current_initiative_id()
    form = PhaseForm()
    if form.validate() and form.valid_from.data is not None:
        try:
            with db.unit_of_work() as unit:
                service.change_phase(
                    unit,
                    initiative_id,
                    Phase(form.phase.data),
                    form.valid_from.data,
                    actor=current_actor(),
                    now=clock.now(),
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("The phase is kept."))
            return redirect(url_for("organisations.profile"), 303)
    initiative = queries.initiative_by_id(db.request_session(), initiative_id)
    return _page(initiative, _profile_form(initiative, typed=False), form, 422)


@bp.route("/initiative/people", methods=["GET", "POST"])
@role_required(Role.COORDINATOR)
def people() -> ResponseReturnValue:
    initiative_id = current_initiative_id()
    form = PersonForm(data={"language": language()})
    if form.validate_on_submit():
        with db.unit_of_work() as unit:
            service.invite_coordinator(
                unit,
                initiative_id,
                form.name.data,
                form.email.data,
                form.language.data,
                actor=current_actor(),
                now=clock.now(),
            )
        flash(_("%(name)s is invited.", name=form.name.data))
        return redirect(url_for("organisations.people"), 303)
    contacts = queries.contacts(db.request_session(), Role.COORDINATOR, initiative_id=initiative_id)
    page = render_template("organisations/people.html", form=form, contacts=contacts)
    return page, 422 if form.is_submitted() else 200


def _page(
    initiative: Initiative, form: ProfileForm, phase_form: PhaseForm, status: int
) -> ResponseReturnValue:
    return (
        render_template(
            "organisations/profile.html", initiative=initiative, form=form, phase_form=phase_form
        ),
        status,
    )


def _phase_form(initiative: Initiative) -> PhaseForm:
    return PhaseForm(formdata=None, data={"phase": initiative.phase.value, "valid_from": clock.today()})


def _profile_form(initiative: Initiative, *, typed: bool = True) -> ProfileForm:
    causes = [c.cause_id for c in initiative.causes] + [NONE] * 3
    values = {
        **texts_of(initiative.texts),
        "website": initiative.website or "",
        "contact_name": initiative.contact_name,
        "silent_consent": initiative.silent_consent,
        "primary_cause": causes[0],
        "second_cause": causes[1],
        "third_cause": causes[2],
        "work_form": initiative.work_form_id or NONE,
        "functions": [t.id for t in initiative.terms if t.kind == TermKind.FUNCTION],
        "roles": [t.id for t in initiative.terms if t.kind == TermKind.ROLE],
    }
    form = ProfileForm(data=values) if typed else ProfileForm(formdata=None, data=values)
    read = db.request_session()
    form.offer(list(taxonomy.causes(read)), queries.terms_by_kind(read), language())
    return form
