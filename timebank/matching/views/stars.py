"""Stars: an employee's on open requests, an initiative's on profiles of pledges without a name."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.matching import stars
from timebank.matching.views import bp
from timebank.taxonomy.picking import level_names
from timebank.web.locale import language
from timebank.web.respond import is_htmx


def _wanted() -> bool:
    return request.form.get("star") == "1"


@bp.post("/open-requests/<uuid:public_id>/star")
@role_required(Role.EMPLOYEE)
def star_request(public_id: UUID) -> ResponseReturnValue:
    """Say that one would gladly coach there, or no longer."""
    with db.unit_of_work() as session:
        starred = stars.star_request(session, public_id, _wanted(), actor=current_actor(), now=clock.now())
    if is_htmx():
        # In the preview it is a button alone: that stands within another form.
        button = "button" in request.args
        part = "matching/_star_preview.html" if button else "matching/_star_request.html"
        return render_template(part, public_id=public_id, starred=starred, title=None)
    return redirect(url_for("hub.open_request", public_id=public_id), 303)


@bp.get("/requests/<uuid:public_id>/profiles")
@role_required(Role.COORDINATOR)
def profiles(public_id: UUID) -> ResponseReturnValue:
    """Who could help with a request, without names."""
    session = db.request_session()
    asked = stars.own_request(session, public_id, actor=current_actor())
    return render_template(
        "matching/profiles.html",
        asked=asked,
        text=asked.text(language()),
        profiles=stars.profiles(session, asked, clock.today()),
        most=stars.MOST_PROFILES,
        fewest=stars.FEWEST_NAMED,
        levels=dict(level_names()),
        language=language(),
    )


@bp.post("/requests/<uuid:public_id>/profiles/<uuid:pledge_id>/star")
@role_required(Role.COORDINATOR)
def star_coach(public_id: UUID, pledge_id: UUID) -> ResponseReturnValue:
    """Say that one would gladly have this coach, or no longer."""
    with db.unit_of_work() as session:
        starred = stars.star_coach(
            session,
            public_id,
            pledge_id,
            _wanted(),
            actor=current_actor(),
            now=clock.now(),
            as_of=clock.today(),
        )
    if is_htmx():
        return render_template(
            "matching/_star_coach.html", public_id=public_id, pledge_id=pledge_id, starred=starred
        )
    return redirect(url_for(".profiles", public_id=public_id), 303)
