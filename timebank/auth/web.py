"""Who is signed in, and what a page asks of them. Deny by default: a view that is not `public` wants a sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

from flask import Flask, current_app, flash, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError

from timebank import clock, db, marks
from timebank.auth import drafts, queries, service
from timebank.auth.actor import Actor
from timebank.auth.forms import SignInForm
from timebank.auth.models import Role
from timebank.auth.service.sessions import SignedIn
from timebank.errors import NotFound
from timebank.web import error_pages
from timebank.web.access import is_public, public

__all__ = [
    "current_actor",
    "current_company_id",
    "current_initiative_id",
    "init_app",
    "public",
    "role_required",
    "signed_in",
]

View = TypeVar("View", bound=Callable[..., Any])

# Roles in the order in which people are offered their desks, and the desk of each.
DESK_OF_ROLE = {
    Role.EMPLOYEE: "employee",
    Role.MANAGER: "manager",
    Role.HR: "hr",
    Role.AUDITOR: "auditor",
    Role.COORDINATOR: "initiative",
    Role.OPERATOR: "operator",
}
DEMO_PASSWORD = "demo-timebank"  # noqa: S105 - known to all, and only in a demo database
COMPANY_ROLES = (Role.HR, Role.MANAGER, Role.AUDITOR, Role.EMPLOYEE)


class CurrentUser(UserMixin):
    """What pages know of who is signed in."""

    def __init__(self, token: str, person: SignedIn) -> None:
        self._token = token
        self.id: int = person.id
        self.public_id: UUID = person.public_id
        self.name = person.name
        self.email = person.email
        self.language = person.language
        self.theme = person.theme
        self.session_id = person.session_id
        self.actor = person.actor
        self.desks = [desk for role, desk in DESK_OF_ROLE.items() if person.actor.has(role)]

    def get_id(self) -> str:
        return self._token


class Stranger(AnonymousUserMixin):
    """Nobody we know."""

    id = None
    name = email = ""
    language = theme = None
    desks: tuple[str, ...] = ()


def init_app(app: Flask) -> None:
    """Protect every page, and know who asks for it."""
    # The least that OWASP advises for argon2id; tests make it cheap, since they sign in a thousand times.
    cheap = app.config["SETTINGS"].env == "test"
    app.config.setdefault("ARGON2_TIME_COST", 1 if cheap else 2)
    app.config.setdefault("ARGON2_MEMORY_COST", 8 if cheap else 19 * 1024)
    app.config.setdefault("ARGON2_PARALLELISM", 1)
    manager = LoginManager()
    # Ending a session is done by its row; a browser that changes its name after an update stays signed in.
    manager.session_protection = None
    manager.anonymous_user = Stranger
    manager.user_loader(load_user)
    manager.init_app(app)
    app.register_error_handler(CSRFError, refuse_token)
    app.before_request_funcs[None].insert(0, drafts.show_again)
    app.before_request(require_sign_in)


def load_user(token: str) -> CurrentUser | None:
    """Who holds this token now."""
    if g.get("loading_user"):
        # The page that says that the data can't be reached must not ask for it again.
        return None
    # Whoever asks for the language meanwhile must not ask for the user again.
    g.loading_user = True
    try:
        person = service.signed_in_by(db.request_session(), token, now=clock.now())
    finally:
        g.loading_user = False
    return CurrentUser(token, person) if person else None


def require_sign_in() -> ResponseReturnValue | None:
    """Send strangers to the sign-in page, unless the view is marked as public."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or is_public(view) or current_user.is_authenticated:
        return None
    return to_sign_in()


def to_sign_in() -> ResponseReturnValue:
    """Lead to the sign-in page and from there back to where the person was, with what was filled in there."""
    here, draft = drafts.path_of(request), ""
    if request.method not in ("GET", "HEAD") or request.headers.get("HX-Request"):
        # The page with the form, not the address it is sent to.
        came_from = _referring_path()
        here, draft = came_from or "/", drafts.pack(came_from) if came_from else ""
        flash(
            _("You were signed out. Sign in again: what you filled in comes back then.")
            if draft
            else _("You were signed out. Sign in again."),
            "error",
        )
    if draft:
        # Shown at once, since a redirect would lose it. htmx puts it in the place of what the page holds.
        page = sign_in_page(SignInForm(formdata=None), here, draft)
        return page, 200, {"HX-Retarget": "#content", "HX-Reselect": "#content", "HX-Reswap": "outerHTML"}
    target = f"/sign-in?next={quote(here, safe='')}"
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": target}
    return redirect(target, 303)


def refuse_token(error: CSRFError) -> ResponseReturnValue:
    """A form of a session that was ended by signing in anew, in another tab say, gives back what it held."""
    came_from = _referring_path()
    packed = drafts.pack(came_from) if came_from and current_user.is_authenticated else ""
    return error_pages.refuse_token(error, error_pages.Draft(packed, came_from or "/") if packed else None)


def sign_in_page(form: SignInForm, target: str, draft: str = "") -> str:
    """The page to sign in at, which leads on to `target`, with `draft` for the form there."""
    read = db.request_session()
    return render_template(
        "auth/sign_in.html",
        form=form,
        next=target,
        draft=draft,
        demo=queries.demo_people(read) if marks.is_demo(read) else [],
        demo_password=DEMO_PASSWORD,
    )


def _referring_path() -> str | None:
    from urllib.parse import urlsplit

    parts = urlsplit(request.headers.get("Referer", ""))
    same = parts.netloc == request.host and parts.path.startswith("/") and not parts.path.startswith("//")
    return (parts.path + (f"?{parts.query}" if parts.query else "")) if same else None


# --- for views ------------------------------------------------------------------------------------------------------


def role_required(*roles: Role) -> Callable[[View], View]:
    """Let only people with one of `roles` see the view; to others it does not exist."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return to_sign_in()
            if not any(current_user.actor.has(role) for role in roles):
                raise NotFound(_l("We can't find that."))
            g.required_roles = roles
            return view(*args, **kwargs)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def signed_in(view: View) -> View:
    """Say that everybody who is signed in may see the view; the app sees to the sign-in."""
    view.roles = tuple(Role)  # type: ignore[attr-defined]
    return view


def current_actor() -> Actor:
    """Who acts, for services.

    Raises NotFound when nobody is signed in, which only a public view can meet.
    """
    if not current_user.is_authenticated:
        raise NotFound(_l("We can't find that."))
    actor: Actor = current_user.actor
    return actor


def current_company_id(*roles: Role) -> int:
    """The company that the person acts for now, in one of `roles` (those of the view's `role_required` by default).

    With several, the one that was chosen, else the first. Raises NotFound when there is none.
    """
    wanted = roles or tuple(r for r in g.get("required_roles", ()) if r in COMPANY_ROLES) or COMPANY_ROLES
    return _chosen("company", current_actor().organisations(*wanted))


def current_initiative_id() -> int:
    """The initiative that the co-ordinator acts for now: the one that was chosen, else the first.

    Raises NotFound when there is none.
    """
    return _chosen("initiative", current_actor().initiatives())


def _chosen(what: str, ids: frozenset[int]) -> int:
    if not ids:
        raise NotFound(_l("We can't find that."))
    chosen = session.get(what)
    return chosen if chosen in ids else min(ids)
