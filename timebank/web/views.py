"""What belongs to every page: choosing the language, the theme and the desk."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, abort, has_request_context, redirect, request, session
from flask.typing import ResponseReturnValue

from timebank.web.access import public
from timebank.web.locale import COOKIE, LANGUAGES
from timebank.web.navigation import HOME
from timebank.web.person import person

bp = Blueprint("web", __name__, template_folder="templates")

THEME_COOKIE = "timebank_theme"
YEAR = 365 * 24 * 3600


def safe_path(target: str | None) -> str:
    """`target` if it is a path of this site, else the home page; an address elsewhere would help deceivers."""
    parts = urlsplit(target or "")
    if (
        target
        and not parts.netloc
        and not parts.scheme
        and target.startswith("/")
        and target[1:2] not in ("/", "\\")
    ):
        return target
    return "/"


@bp.post("/language/<code>")
@public
def choose_language(code: str) -> ResponseReturnValue:
    """Speak another language from now on; a person's account remembers it."""
    if code not in LANGUAGES:
        abort(404)
    for remember in LANGUAGE_CHOSEN:
        remember(code)
    response = redirect(safe_path(request.form.get("next")), 303)
    response.set_cookie(COOKIE, code, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


# Called with the chosen language; the auth room keeps it on the account.
LANGUAGE_CHOSEN: list[Callable[[str], None]] = []


@bp.post("/theme/<name>")
@public
def choose_theme(name: str) -> ResponseReturnValue:
    """Light, dark, or what the system says."""
    if name not in ("light", "dark", "system"):
        abort(404)
    response = redirect(safe_path(request.form.get("next")), 303)
    if name == "system":
        response.delete_cookie(THEME_COOKIE)
    else:
        response.set_cookie(
            THEME_COOKIE, name, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response


@bp.post("/desk/<name>")
def choose_desk(name: str) -> ResponseReturnValue:
    """Work at another of one's desks."""
    user = person()
    if user is None or name not in user.desks:
        abort(404)
    session["desk"] = name
    return redirect(HOME[name], 303)


@bp.app_context_processor
def of_the_page() -> dict[str, object]:
    """Who looks, how it is to look, and where we are (to come back after a choice of language or theme)."""
    if not has_request_context():
        return {"person": None, "theme": None, "here": "/"}
    chosen = request.cookies.get(THEME_COOKIE)
    return {
        "person": person(),
        "theme": chosen if chosen in ("light", "dark") else None,
        "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
    }
