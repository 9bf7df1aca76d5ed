"""Hours that came late: HR, the manager or the operator says whether they count."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.matches import queries, service, words
from timebank.matches.forms import RefuseForm
from timebank.matches.views import bp
from timebank.matches.views.answering import act, page
from timebank.pledges import queries as pledges


@bp.get("/hr/late-hours")
@role_required(Role.HR)
def hr_late() -> str:
    return _page("hr")


@bp.get("/team/late-hours")
@role_required(Role.MANAGER)
def team_late() -> str:
    return _page("team")


@bp.get("/operator/late-hours")
@role_required(Role.OPERATOR)
def operator_late() -> str:
    return _page("operator")


@bp.post("/late-hours/<uuid:public_id>/approve")
@role_required(Role.HR, Role.MANAGER, Role.OPERATOR)
def approve_late(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    return act(
        lambda session: service.approve_late(session, public_id, actor=actor, now=clock.now()),
        done=_("These hours go to the initiative now, which confirms them."),
        to=_desk(),
    )


@bp.route("/late-hours/<uuid:public_id>/refuse", methods=["GET", "POST"])
@role_required(Role.HR, Role.MANAGER, Role.OPERATOR)
def refuse_late(public_id: UUID) -> ResponseReturnValue:
    form, back = RefuseForm(), _desk()
    entry = queries.late_entry(db.request_session(), public_id, _any_scope())
    if form.validate_on_submit():
        db.close_read_session()
        actor = current_actor()
        return act(
            lambda session: service.refuse_late(
                session, public_id, reason=form.reason.data, actor=actor, now=clock.now()
            ),
            done=_("These hours don't count. The coach reads why."),
            to=back,
        )
    return page("matches/refuse_late.html", form, entry=entry, back=back)


def _page(desk: str) -> str:
    rows = queries.late_hours(db.request_session(), _scope(desk))
    own = current_actor().user_id
    return render_template(
        "matches/late.html",
        rows=rows,
        own=own,
        desk=desk,
        categories=words.CATEGORIES,
    )


def _scope(desk: str) -> ColumnElement[bool]:
    if desk == "hr":
        return pledges.company_scope(current_company_id(Role.HR))
    if desk == "team":
        company, user_id = current_company_id(Role.MANAGER), current_actor().user_id or 0
        return pledges.team_scope(db.request_session(), company, user_id, clock.today())
    return pledges.operator_scope()


def _any_scope() -> ColumnElement[bool]:
    return _scope(_desk_name())


def _desk_name() -> str:
    """The desk that the person comes from, else the first of theirs."""
    actor = current_actor()
    held = [
        name
        for name, role in (("hr", Role.HR), ("team", Role.MANAGER), ("operator", Role.OPERATOR))
        if actor.has(role)
    ]
    asked = request.args.get("desk", "")
    return asked if asked in held else held[0]


def _desk() -> str:
    return url_for(f"matches.{_desk_name()}_late")
