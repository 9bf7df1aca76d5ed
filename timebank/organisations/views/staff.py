"""HR's staff list: who can sign in, who is invited, who left."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.errors import Invalid
from timebank.organisations import queries, service
from timebank.organisations.forms import EndForm, PersonForm
from timebank.organisations.views.blueprint import asked, asked_id, bp
from timebank.web.locale import language

ACCESS = ("signs_in", "invited", "not_invited", "left")


@bp.get("/hr/staff")
@role_required(Role.HR)
def staff() -> ResponseReturnValue:
    read, company_id, now = db.request_session(), current_company_id(), clock.now()
    access = asked("access") if asked("access") in ACCESS else ""
    rows = queries.staff(
        read, company_id, day=clock.today(), now=now, search=asked("q"), access=access, after=asked_id()
    )
    page = rows[: queries.PAGE]
    return render_template(
        "organisations/staff.html",
        company=queries.company(read, company_id),
        rows=page,
        after=page[-1].public_id if len(rows) > queries.PAGE else None,
        counts=queries.staff_counts(read, company_id, now=now),
        search=asked("q"),
        access=access,
        most=service.MOST_AT_ONCE,
    )


@bp.post("/hr/staff/invite-all")
@role_required(Role.HR)
def invite_all() -> ResponseReturnValue:
    with db.unit_of_work() as unit:
        invited = service.invite_all(unit, current_company_id(), actor=current_actor(), now=clock.now())
    if invited:
        flash(ngettext("%(num)s person is invited.", "%(num)s people are invited.", invited))
    else:
        flash(_("Everybody is invited already."))
    return redirect(url_for("organisations.staff"), 303)


@bp.route("/hr/staff/invite-hr", methods=["GET", "POST"])
@role_required(Role.HR)
def invite_hr() -> ResponseReturnValue:
    form = PersonForm(data={"language": language()})
    company_id = current_company_id()
    if form.validate_on_submit():
        with db.unit_of_work() as unit:
            service.invite_hr(
                unit,
                company_id,
                form.name.data,
                str(form.email.data),
                form.language.data,
                actor=current_actor(),
                now=clock.now(),
            )
        flash(_("%(name)s is invited.", name=form.name.data))
        return redirect(url_for("organisations.invite_hr"), 303)
    contacts = queries.contacts(db.request_session(), Role.HR, organisation_id=company_id)
    page = render_template("organisations/invite_hr.html", form=form, contacts=contacts)
    return page, 422 if form.is_submitted() else 200


@bp.get("/hr/staff/<uuid:public_id>")
@role_required(Role.HR)
def staff_member(public_id: UUID) -> ResponseReturnValue:
    return _member(public_id, EndForm(formdata=None))


def _member(public_id: UUID, form: EndForm, status: int = 200) -> ResponseReturnValue:
    member = queries.staff_member(db.request_session(), current_company_id(), public_id)
    return (
        render_template(
            "organisations/staff_member.html", member=member, terms=member.terms_on(clock.today()), form=form
        ),
        status,
    )


@bp.post("/hr/staff/<uuid:public_id>/invite")
@role_required(Role.HR)
def invite_employee(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as unit:
        invitation = service.invite_employee(unit, public_id, actor=current_actor(), now=clock.now())
    flash(_("%(name)s is invited.", name=f"{invitation.first_name} {invitation.last_name}".strip()))
    return redirect(url_for("organisations.staff_member", public_id=public_id), 303)


@bp.post("/hr/staff/<uuid:public_id>/end")
@role_required(Role.HR)
def end_employment(public_id: UUID) -> ResponseReturnValue:
    form = EndForm()
    if not form.validate() or form.end_date.data is None:
        return _member(public_id, form, 422)
    try:
        with db.unit_of_work() as unit:
            service.end_employment(
                unit, public_id, form.end_date.data, actor=current_actor(), now=clock.now()
            )
    except Invalid as refusal:
        form.add_errors(refusal)
        return _member(public_id, form, 422)
    flash(_("The last day is kept."))
    return redirect(url_for("organisations.staff_member", public_id=public_id), 303)
