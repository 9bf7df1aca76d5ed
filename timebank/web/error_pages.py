"""What people see when something can't be done: a clear page with a reference number that the log has, too."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from flask import Flask, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from timebank.errors import DomainError, Invalid
from timebank.web.logging import request_id
from timebank.web.respond import is_htmx

log = structlog.get_logger("timebank.web")

# status: what happened, what to do
TEXTS: dict[int, tuple[Any, Any]] = {
    400: (_l("We could not read that"), _l("Go back, reload the page and try again.")),
    403: (_l("This is not yours to do"), _l("Another role in your organisation may do it.")),
    404: (_l("We can't find that page"), _l("The address may be wrong, or the page is not for you.")),
    405: (_l("That can't be done this way"), _l("Go back and use the buttons of the page.")),
    409: (
        _l("Something changed in the meantime"),
        _l("Go back and reload the page to see how it stands now."),
    ),
    413: (_l("That is too large"), _l("Send a smaller file or a shorter text.")),
    422: (_l("Something in the form is not right"), _l("Go back and look at what you filled in.")),
    429: (_l("Too many attempts"), _l("Wait a few minutes and try again.")),
    500: (
        _l("Something went wrong on our side"),
        _l("Nothing was changed. Try again; if it stays, write to us with the number below."),
    ),
    503: (
        _l("We can't reach our data right now"),
        _l("Nothing is lost. Wait a moment and try again."),
    ),
}
# htmx shows what went wrong above the page, so that nothing that was filled in is lost. The part of an answer that a
# button asked for is not in this one.
ABOVE = {"HX-Retarget": "#told", "HX-Reselect": ".tb-notice", "HX-Reswap": "innerHTML"}
LOST_CONNECTION = (OperationalError, InterfaceError, PoolTimeout)
# A serialization failure, a deadlock, a lock that was not free: two acts met, and the other one went on.
MET_ANOTHER = ("40001", "40P01", "55P03")


class Draft(NamedTuple):
    """What a form held, packed, and the page it can be shown on again."""

    packed: str
    page: str


def init_app(app: Flask) -> None:
    """Map every refusal and every failure to its page, once."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(CSRFError, refuse_token)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(Exception, _unknown)


def _domain(error: DomainError) -> ResponseReturnValue:
    log.info("refused", kind=type(error).__name__, status=error.status)
    return _answer(error.status, str(error.message), error.fields if isinstance(error, Invalid) else None)


def refuse_token(_error: CSRFError, draft: Draft | None = None) -> ResponseReturnValue:
    """Say that the page was out of date; with `draft`, what was filled in can come back."""
    log.info("refused", kind="csrf", status=400)
    if draft:
        return _answer(
            400,
            _("You signed in again after you opened this page. What you filled in is still there."),
            draft=draft,
        )
    said = _("This page was open for too long, or your browser blocks cookies. Reload it and try again.")
    return _answer(400, said)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error
    response = make_response(_answer(status))
    # What an answer of this kind must say: which methods there are, when to try again, where to sign in.
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        for value in error.get_response().headers.getlist(name):
            response.headers[name] = value
    return response


def _database(error: Exception) -> ResponseReturnValue:
    if _met_another(error):
        log.warning("acts_met", kind=type(getattr(error, "orig", error)).__name__)
        return _answer(409, _("Somebody else was at it at the same moment. Nothing was changed: try again."))
    lost = isinstance(error, LOST_CONNECTION) or getattr(error, "connection_invalidated", False)
    if not lost:
        return _unknown(error)
    log.error("database_unreachable", kind=type(error).__name__)
    return _answer(503)


def _met_another(error: Exception) -> bool:
    cause = getattr(error, "orig", None)
    if getattr(cause, "sqlstate", None) in MET_ANOTHER:
        return True
    # The low byte is the kind: busy (another process writes) or locked (within this one).
    code: int = getattr(cause, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _unknown(error: Exception) -> ResponseReturnValue:
    log.error("unexpected_error", kind=type(error).__name__, exc_info=error)
    return _answer(500)


def _answer(
    status: int,
    message: str | None = None,
    fields: Mapping[str, object] | None = None,
    draft: Draft | None = None,
) -> tuple[Any, ...]:
    """A page, a fragment for htmx, or JSON, as the request asked."""
    title, advice = TEXTS.get(status, TEXTS[500] if status >= 500 else TEXTS[400])
    if draft:
        title = _("Nothing was sent yet")
    reference = request_id()
    # Whatever the page could not be read for must not stop the page that says so.
    g.loading_user = status >= 500
    if _wants_json():
        body = {"type": "about:blank", "status": status, "title": str(title), "reference": reference}
        body["detail"] = message or str(advice)
        if fields:
            body["errors"] = {name: str(said) for name, said in fields.items()}
        return json.dumps(body), status, {"Content-Type": "application/problem+json"}
    shown = {"status": status, "title": title, "advice": advice, "message": message, "reference": reference}
    shown["draft"] = draft
    if is_htmx():
        return render_template("errors/fragment.html", **shown), status, ABOVE
    return render_template("errors/page.html", back=_referring_page(), **shown), status


def _referring_page() -> str | None:
    """The page of this site that led here, where what was filled in may still stand."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or parts.path == request.path or parts.path.startswith("//"):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _wants_json() -> bool:
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"
