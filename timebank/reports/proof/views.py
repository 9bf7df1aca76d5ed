"""What anybody may see: the keys that reports are signed with, and a page that checks a report."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask_babel import lazy_gettext as _l

from timebank import db
from timebank.auth.web import public
from timebank.reports.proof import signing
from timebank.reports.proof.forms import VerifyForm
from timebank.reports.proof.verification import Unreadable, verify

bp = Blueprint("proof", __name__, template_folder="templates")

# A page keeps a worker busy while it reads; what is larger, the command reads.
MOST_UNPACKED = 256 * 1024**2


@bp.get("/.well-known/timebank-keys.json")
@public
def keys() -> Any:
    """The public keys of this installation, for whoever verifies a report elsewhere."""
    return jsonify(signing.key_set(db.request_session(), current_app.config["SETTINGS"].base_url))


@bp.get("/verify")
@public
def verify_page() -> str:
    """Where anybody can have a report checked."""
    return render_template("proof/verify.html", form=VerifyForm(formdata=None), result=None)


@bp.post("/verify")
@public
def verify_file() -> Any:
    """Check the file that was sent; nothing of it is kept."""
    form = VerifyForm()
    result = None
    if form.validate():
        known = {key.public_key for key in signing.published(db.request_session())}
        try:
            result = verify(form.file.data.stream, keys=known, most_bytes=MOST_UNPACKED)
        except Unreadable:
            form.file.errors = [
                _l(
                    "This is not a report of Timebank, or not a whole one. Choose the .zip as you received it."
                )
            ]
    return render_template("proof/verify.html", form=form, result=result), 200 if result else 422
