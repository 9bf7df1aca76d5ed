"""Reading and accepting coaching agreements."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from timebank import clock, db
from timebank.agreements import queries, service
from timebank.agreements.forms import AcceptForm
from timebank.agreements.models import Agreement, AgreementState
from timebank.auth import permissions
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, current_initiative_id, role_required
from timebank.errors import WrongState

bp = Blueprint("agreements", __name__, template_folder="templates")

# Kind of shape (see the component `state`) and words.
STATES = {
    AgreementState.DRAFTED: ("", _l("Waits for both sides")),
    AgreementState.HALF: ("held", _l("Accepted by one side")),
    AgreementState.IN_FORCE: ("given", _l("In force")),
    AgreementState.ENDED: ("gone", _l("Ended")),
}
READERS = (Role.HR, Role.AUDITOR, Role.COORDINATOR, Role.EMPLOYEE)


@bp.get("/hr/agreements")
@role_required(Role.HR)
def of_company() -> str:
    agreements = queries.of_company(db.request_session(), current_company_id())
    return render_template("agreements/list.html", agreements=agreements, states=STATES, desk="hr")


@bp.get("/initiative/agreements")
@role_required(Role.COORDINATOR)
def of_initiative() -> str:
    agreements = queries.of_initiative(db.request_session(), current_initiative_id())
    return render_template("agreements/list.html", agreements=agreements, states=STATES, desk="initiative")


@bp.get("/agreements/<uuid:public_id>")
@role_required(*READERS)
def detail(public_id: UUID) -> str:
    agreement = queries.agreement(db.request_session(), public_id, actor=current_actor())
    return render_template(
        "agreements/detail.html",
        agreement=agreement,
        stands=STATES[agreement.state],
        side=_side(agreement),
        may_accept=_may_accept(agreement),
        paragraphs=_paragraphs(agreement.body),
        form=AcceptForm(),
    )


@bp.post("/agreements/<uuid:public_id>/accept")
@role_required(Role.HR, Role.COORDINATOR)
def accept(public_id: UUID) -> ResponseReturnValue:
    actor, form = current_actor(), AcceptForm()
    side = _side(queries.agreement(db.request_session(), public_id, actor=actor))
    db.close_read_session()
    try:
        with db.unit_of_work() as session:
            if side == "company":
                agreement = service.accept_as_company(
                    session, public_id, standing=bool(form.standing.data), actor=actor, now=clock.now()
                )
            else:
                agreement = service.accept_as_initiative(session, public_id, actor=actor, now=clock.now())
            in_force, accepted_id = agreement.state is AgreementState.IN_FORCE, agreement.public_id
    except WrongState as refusal:
        flash(str(refusal), "due")
        return redirect(url_for(".detail", public_id=public_id), 303)
    if in_force:
        flash(_("The agreement is in force. Hours can be logged from now on."))
    else:
        flash(_("Accepted. The other side hears it."))
    return redirect(url_for(".detail", public_id=accepted_id), 303)


@bp.post("/agreements/<uuid:public_id>/end")
@role_required(Role.HR, Role.COORDINATOR)
def end(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    side = _side(queries.agreement(db.request_session(), public_id, actor=actor))
    db.close_read_session()
    with db.unit_of_work() as session:
        service.end(session, public_id, actor=actor, now=clock.now())
    flash(
        _(
            "The agreement has ended, and so have the coachings that rest on it. Hours that were given can still "
            "be confirmed."
        )
    )
    return redirect(url_for(".of_company" if side == "company" else ".of_initiative"), 303)


def _side(agreement: Agreement) -> str | None:
    """On which side the reader can accept; None for who only reads."""
    actor = current_actor()
    if permissions.allowed(actor, "agreement.accept_as_company", organisation_id=agreement.organisation_id):
        return "company"
    if permissions.allowed(actor, "agreement.accept_as_initiative", initiative_id=agreement.initiative_id):
        return "initiative"
    return None


def _may_accept(agreement: Agreement) -> bool:
    side = _side(agreement)
    if side is None or agreement.state not in (AgreementState.DRAFTED, AgreementState.HALF):
        return False
    if side == "company":
        return agreement.company_accepted_at is None
    return agreement.initiative_accepted_at is None


def _paragraphs(body: str) -> list[tuple[str | None, list[str]]]:
    """The text as articles: a heading (none for the opening) and its lines."""
    articles: list[tuple[str | None, list[str]]] = []
    for block in body.strip().split("\n\n"):
        first, *rest = block.split("\n")
        number = first.split(". ", 1)[0]
        articles.append((first, rest) if number.isdigit() else (None, [first, *rest]))
    return articles
