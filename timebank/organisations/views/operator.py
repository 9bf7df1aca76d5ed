"""The operator lets organisations and initiatives in, and out."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Invalid
from timebank.organisations import queries, service
from timebank.organisations.forms import CompanyForm, ReasonForm
from timebank.organisations.models import Admission, Initiative
from timebank.organisations.views.blueprint import asked, asked_id, bp

KINDS = ("company", "host", "initiative")


@bp.get("/operator")
@role_required(Role.OPERATOR)
def operator_desk() -> ResponseReturnValue:
    return render_template("organisations/operator.html", waiting=queries.waiting(db.request_session()))


# --- admissions -----------------------------------------------------------------------------------------------------


@bp.get("/operator/admissions")
@role_required(Role.OPERATOR)
def admissions() -> ResponseReturnValue:
    rows = queries.applications(db.request_session(), asked_id())
    page = rows[: queries.PAGE]
    return render_template(
        "organisations/admissions.html",
        initiatives=page,
        after=page[-1].public_id if len(rows) > queries.PAGE else None,
        form=ReasonForm(formdata=None),
    )


@bp.post("/operator/admissions/<uuid:public_id>/admit")
@role_required(Role.OPERATOR)
def admit(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as unit:
        subject = service.admit(unit, public_id, actor=current_actor(), now=clock.now())
    flash(_("%(name)s is admitted.", name=subject.name))
    return _back(public_id)


@bp.post("/operator/admissions/<uuid:public_id>/refuse")
@role_required(Role.OPERATOR)
def refuse(public_id: UUID) -> ResponseReturnValue:
    return _with_reason(public_id, service.refuse, "refuse")


@bp.post("/operator/admissions/<uuid:public_id>/suspend")
@role_required(Role.OPERATOR)
def suspend(public_id: UUID) -> ResponseReturnValue:
    return _with_reason(public_id, service.suspend, "suspend")


@bp.post("/operator/admissions/<uuid:public_id>/close")
@role_required(Role.OPERATOR)
def close(public_id: UUID) -> ResponseReturnValue:
    return _with_reason(public_id, service.close, "close")


def _with_reason(public_id: UUID, act: Callable[..., service.Subject], name: str) -> ResponseReturnValue:
    form = ReasonForm()
    if form.validate():
        try:
            with db.unit_of_work() as unit:
                subject = act(unit, public_id, form.reason.data, actor=current_actor(), now=clock.now())
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            told = {
                "refuse": _("%(name)s is refused; the reason is mailed.", name=subject.name),
                "suspend": _("%(name)s is suspended.", name=subject.name),
                "close": _("%(name)s is closed.", name=subject.name),
            }
            flash(told[name])
            return _back(public_id)
    # A page of its own, so that a long reason that was refused is not lost.
    return render_template("organisations/reason.html", form=form, act=name), 422


def _back(public_id: UUID) -> ResponseReturnValue:
    if request.form.get("from") == "list":
        return redirect(url_for("organisations.admissions"), 303)
    return redirect(url_for("organisations.organisation", public_id=public_id), 303)


# --- organisations --------------------------------------------------------------------------------------------------


@bp.get("/operator/organisations")
@role_required(Role.OPERATOR)
def organisation_list() -> ResponseReturnValue:
    kind = asked("kind") if asked("kind") in KINDS else ""
    state = Admission(asked("state")) if asked("state") in list(Admission) else None
    search, read = asked("q"), db.request_session()
    if kind == "initiative":
        rows = list(queries.initiatives(read, search=search, state=state, after=asked_id()))
    else:
        rows = list(queries.organisations(read, search=search, kind=kind, state=state, after=asked_id()))  # type: ignore[arg-type]
    page = rows[: queries.PAGE]
    return render_template(
        "organisations/organisations.html",
        rows=page,
        after=page[-1].public_id if len(rows) > queries.PAGE else None,
        kind=kind,
        state=state,
        search=search,
        states=list(Admission),
    )


@bp.get("/operator/organisations/<uuid:public_id>")
@role_required(Role.OPERATOR)
def organisation(public_id: UUID) -> ResponseReturnValue:
    read = db.request_session()
    found = queries.organisation_or_initiative(read, public_id)
    if isinstance(found, Initiative):
        contacts = queries.contacts(read, Role.COORDINATOR, initiative_id=found.id)
        return render_template("organisations/initiative.html", initiative=found, contacts=contacts)
    return render_template(
        "organisations/organisation.html",
        organisation=found,
        initiatives=queries.initiatives_of(read, found.id),
        contacts=queries.contacts(read, Role.HR, organisation_id=found.id) if found.is_company else [],
        staff=queries.staff_counts(read, found.id, now=clock.now()) if found.is_company else None,
    )


@bp.route("/operator/organisations/invite", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def invite_company() -> ResponseReturnValue:
    form = CompanyForm()
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as unit:
                company = service.invite_company(
                    unit,
                    form.name.data,
                    form.enterprise_number.data,
                    form.hr_name.data,
                    str(form.hr_email.data),
                    form.language.data,
                    actor=current_actor(),
                    now=clock.now(),
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("%(name)s takes part now; %(hr)s is invited.", name=company.name, hr=form.hr_name.data))
            return redirect(url_for("organisations.organisation", public_id=company.public_id), 303)
    return render_template(
        "organisations/invite_company.html", form=form
    ), 422 if form.is_submitted() else 200


@bp.post("/operator/invitations/<uuid:public_id>/again")
@role_required(Role.OPERATOR)
def invite_again(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as unit:
        invitation = service.invite_again(unit, public_id, actor=current_actor(), now=clock.now())
        place = queries.place_of_invitation(unit, invitation)
    flash(_("A new link is on its way to %(email)s.", email=invitation.email))
    return redirect(url_for("organisations.organisation", public_id=place), 303)
