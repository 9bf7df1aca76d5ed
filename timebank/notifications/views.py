"""Where mail can be read in the browser while no mail server is set: development, tests and a demo."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from config import Settings
from timebank import db, marks, paging
from timebank.notifications import queries

bp = Blueprint("notifications", __name__, template_folder="templates")


def _only_where_mail_is_kept() -> None:
    """Mail holds links that let people in, so real mail is shown to nobody."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.production and (settings.smtp_url is not None or not marks.is_demo(db.request_session())):
        abort(404)
    if settings.smtp_url is not None and settings.env != "test" and not marks.is_demo(db.request_session()):
        abort(404)


@bp.get("/dev/mail")
def mail() -> ResponseReturnValue:
    _only_where_mail_is_kept()
    to = request.args.get("to", "")[:254].replace("\0", "").strip()
    rows = queries.messages(db.request_session(), to=to, before=paging.row_id(request.args.get("before")))
    older = rows[queries.PAGE - 1].id if len(rows) > queries.PAGE else None
    return render_template("notifications/mail.html", messages=rows[: queries.PAGE], older=older, to=to)


@bp.get("/dev/mail/<uuid:public_id>")
def one_mail(public_id: UUID) -> ResponseReturnValue:
    _only_where_mail_is_kept()
    message = queries.message(db.request_session(), public_id)
    return render_template("notifications/one_mail.html", message=message)


# Marked by hand: this room stands below the one with the decorator.
for _view in (mail, one_mail):
    vars(_view)["is_public"] = True
