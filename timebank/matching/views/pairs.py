"""The operator's page about pairs that must or must not be."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Conflict, Invalid
from timebank.matching import pairs, queries
from timebank.matching.forms import PairForm
from timebank.matching.models import PairKind
from timebank.matching.views import bp
from timebank.matching.words import PAIR_KINDS
from timebank.web.forms import choices
from timebank.web.locale import language
from timebank.web.respond import flash_with_act


@bp.route("/operator/runs/pairs", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def list_pairs() -> ResponseReturnValue:
    """Put two together, or keep them apart, before a run."""
    form = PairForm(
        kind=request.args.get("kind"),
        request=request.args.get("request"),
        pseudonym=request.args.get("coach"),
    )
    form.request.choices = choices(
        [
            ("", _("Choose a request")),
            *((str(key), title) for key, title in queries.open_requests(db.request_session(), language())),
        ]
    )
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as session:
                rule = pairs.rule_pair(
                    session,
                    kind=PairKind(form.kind.data),
                    pseudonym=form.pseudonym.data,
                    request_id=UUID(form.request.data),
                    reason=form.reason.data,
                    actor=current_actor(),
                    now=clock.now(),
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        except Conflict as refusal:
            form.form_errors.append(str(refusal))
        else:
            flash_with_act(
                _("This holds from the next run on."),
                _("Undo"),
                url_for(".undo_pair", public_id=rule.public_id),
            )
            return redirect(url_for(".list_pairs"), 303)
    # Asked for anew: what was read before a refused act is closed.
    rules = pairs.rules(db.request_session())
    page = render_template("matching/pairs.html", form=form, rules=rules, kinds=PAIR_KINDS)
    return page, 422 if form.is_submitted() else 200


@bp.post("/operator/runs/pairs/<uuid:public_id>/undo")
@role_required(Role.OPERATOR)
def undo_pair(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        pairs.undo_rule(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("This pair is like any other again. What was proposed stays."))
    return redirect(url_for(".list_pairs"), 303)
