"""What a form held when its sender turned out to be signed out: it comes back into the form after signing in.

Nothing is done for somebody who is signed out, and nothing is stored. The sign-in page that answers carries what was
typed along, signed, and leads on to the form's page, which shows it again for the same person to look over and to
send. Whoever else signs in there gets an ordinary page. Files and passwords are never carried.
"""

from __future__ import annotations

from typing import Final

from flask import Request, current_app, flash, g, request, session
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from timebank import db
from timebank.auth import service

FIELD: Final = "draft"
# Fields that a draft leaves out, whatever the form.
SECRETS: Final = frozenset({"csrf_token", "password", "current", "new", "again", FIELD})
LONGEST: Final = 100_000  # characters of names and values
LIFE: Final = 24 * 60 * 60  # seconds


def pack(path: str) -> str:
    """What was posted just now, for the page at `path` and whoever was signed in; empty when it can't come back."""
    owner = service.holder_of(db.request_session(), session.get("_user_id", ""))
    fields = [pair for pair in request.form.items(multi=True) if pair[0] not in SECRETS]
    length = sum(len(name) + len(value) for name, value in fields)
    if owner is None or not fields or length > LONGEST or not _is_page(path):
        return ""
    return str(_signer().dumps([str(owner), path, fields]))


def unpack(draft: str, path: str) -> MultiDict[str, str] | None:
    """The fields of `draft`, if it is of whoever is signed in and for `path`."""
    try:
        owner, made_for, fields = _signer().loads(draft, max_age=LIFE)
    except BadSignature:
        return None
    mine = current_user.is_authenticated and owner == str(current_user.public_id)
    return MultiDict((name, value) for name, value in fields) if mine and made_for == path else None


def show_again() -> None:
    """Make of a POST with a draft for this very page a look at the page: its forms find the fields in `g.draft`.

    It goes before all else, the check of the form's token too, since nothing is left of the POST by then.
    """
    if request.method != "POST" or not request.form.get(FIELD):
        return
    fields = unpack(request.form[FIELD], path_of(request))
    if fields is None:
        return
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None  # noqa: S101 - there is a request
    request.url_rule, arguments = adapter.match(method="GET", return_rule=True)
    request.view_args = dict(arguments)
    request.routing_exception = None
    request.method = "GET"
    g.draft = fields
    flash(
        _("You were signed out, so nothing was sent. Look over what you filled in and send it again."), "due"
    )


def path_of(asked: Request) -> str:
    """The path that was asked for, with its query."""
    return asked.full_path if asked.query_string else asked.path


def _is_page(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None  # noqa: S101 - there is a request
    try:
        adapter.match(path.partition("?")[0], method="GET")
    except HTTPException:
        return False
    return True


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="timebank-draft")
