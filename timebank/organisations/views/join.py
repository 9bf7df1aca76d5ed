"""How companies and initiatives come in."""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from timebank import clock, db
from timebank.auth import service as auth
from timebank.auth.web import public
from timebank.errors import Invalid, TooMany
from timebank.organisations import queries, service
from timebank.organisations.forms import ApplicationForm
from timebank.organisations.views.blueprint import bp
from timebank.taxonomy import queries as taxonomy
from timebank.web.locale import language


@bp.get("/join")
@public
def join() -> ResponseReturnValue:
    return render_template("organisations/join.html")


@bp.route("/join/initiative", methods=["GET", "POST"])
@public
def join_initiative() -> ResponseReturnValue:
    read = db.request_session()
    form = ApplicationForm(data={"language": language()} if request.method == "GET" else None)
    form.offer(list(taxonomy.causes(read)), queries.terms_by_kind(read), language())
    status = 200
    if form.is_submitted():
        status = 422
        if form.is_from_a_program:
            # It learns nothing from the answer, and nobody has to read what it sent.
            return redirect(url_for("organisations.joined"), 303)
        if form.validate():
            try:
                _apply(form)
            except Invalid as refusal:
                form.add_errors(refusal)
            except TooMany as refusal:
                form.form_errors.append(str(refusal))
                status = refusal.status
            else:
                return redirect(url_for("organisations.joined"), 303)
    place = taxonomy.postcode(db.request_session(), str(form.postcode.data)) if form.postcode.data else None
    return render_template("organisations/join_initiative.html", form=form, place=place), status


def _apply(form: ApplicationForm) -> None:
    now = clock.now()
    with db.unit_of_work() as unit:
        auth.throttle(
            unit, "join", request.remote_addr or "unknown", most=10, within=timedelta(hours=1), now=now
        )
        service.apply_for_initiative(unit, form.application(), now=now)


@bp.get("/join/initiative/place")
@public
def place_of_postcode() -> ResponseReturnValue:
    """The municipality of a postcode, shown while somebody types it."""
    code = request.args.get("postcode", "")[:10].strip()
    place = taxonomy.postcode(db.request_session(), code) if len(code) == 4 else None
    return render_template("organisations/_place.html", place=place, typed=len(code) >= 4)


@bp.get("/join/thanks")
@public
def joined() -> ResponseReturnValue:
    return render_template("organisations/joined.html")
