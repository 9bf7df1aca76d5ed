"""HR sets the company's rules."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.errors import Invalid
from timebank.organisations import queries, service
from timebank.organisations.forms import PolicyForm, spans_text
from timebank.organisations.models import CompanyPolicy
from timebank.organisations.views.blueprint import bp
from timebank.taxonomy import queries as taxonomy
from timebank.web.locale import language


@bp.route("/hr/policy", methods=["GET", "POST"])
@role_required(Role.HR)
def policy() -> ResponseReturnValue:
    read = db.request_session()
    company = queries.company(read, current_company_id())
    held = company.policy
    form = PolicyForm(data=_values(held))
    # A department that nobody is in any more stays on the list as long as the policy names it.
    known = set(queries.departments(read, company.id)) | set(held.eligible_departments if held else ())
    form.offer(sorted(known, key=str.casefold), list(taxonomy.causes(read)), language())
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as unit:
                service.change_policy(unit, company.id, form.change(), actor=current_actor(), now=clock.now())
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("The rules are kept. They hold for what is pledged from now on."))
            return redirect(url_for("organisations.policy"), 303)
    status = 422 if form.is_submitted() else 200
    return render_template("organisations/policy.html", form=form, company=company), status


def _values(policy: CompanyPolicy | None) -> dict[str, object]:
    if policy is None:
        return {"approval": "hr", "min_months": 0}
    return {
        "minutes_per_year": policy.minutes_per_year,
        "approval": policy.approval.value,
        "eligible_departments": policy.eligible_departments,
        "min_months": policy.min_months,
        "excluded_causes": [c.id for c in policy.excluded_causes],
        "late_after_days": policy.late_after_days,
        "blackouts": spans_text(policy.blackouts),
        "names_visible": policy.names_visible,
        "hours_by_name": policy.hours_by_name_since is not None,
    }
