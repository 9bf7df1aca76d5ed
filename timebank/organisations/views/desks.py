"""Choosing for whom one acts, for people with several companies or initiatives."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from timebank import db
from timebank.auth.web import current_actor, signed_in
from timebank.errors import NotFound
from timebank.organisations import queries
from timebank.organisations.views.blueprint import bp


@bp.get("/acting-for")
@signed_in
def acting_for() -> ResponseReturnValue:
    companies, initiatives = queries.places_of_actor(db.request_session(), current_actor())
    return render_template("organisations/acting_for.html", companies=companies, initiatives=initiatives)


@bp.post("/acting-for/<uuid:public_id>")
@signed_in
def act_for(public_id: UUID) -> ResponseReturnValue:
    companies, initiatives = queries.places_of_actor(db.request_session(), current_actor())
    for what, places in (("company", companies), ("initiative", initiatives)):
        for place in places:
            if place.public_id == public_id:
                session[what] = place.id
                return redirect(url_for("organisations.acting_for"), 303)
    raise NotFound(_l("We can't find that."))
