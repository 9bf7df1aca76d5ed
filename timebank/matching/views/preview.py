"""How many open requests a pledge would fit, beside its form."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.matching import preview, stars
from timebank.matching.offers import read_offer
from timebank.matching.views import bp

PREVIEWED = 5  # requests named in the preview beside a pledge form


@bp.get("/matching/preview")
@role_required(Role.EMPLOYEE)
def show_preview() -> ResponseReturnValue:
    """How many open requests the pledge in the form would fit; a sentence while it says too little."""
    session = db.request_session()
    offer = read_offer(session, request.args, current_company_id())
    fit = preview.fitting_requests(session, offer, clock.today()) if offer else None
    named = [each.id for each in fit.requests[:PREVIEWED]] if fit else []
    return render_template(
        "matching/_preview.html",
        fit=fit,
        shown=PREVIEWED,
        starred=stars.starred_requests(session, current_actor().user_id, named),
    )
