"""Signing in and out, forgotten passwords, invitations, one's own account."""

from __future__ import annotations

from uuid import UUID

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from timebank import clock, db
from timebank.auth import drafts, hashing, queries, service
from timebank.auth.forms import (
    NewAccountForm,
    NewPasswordForm,
    PasswordForm,
    ProfileForm,
    ResetRequestForm,
    SignInForm,
)
from timebank.auth.models import Role, User
from timebank.auth.web import CurrentUser, current_actor, public, sign_in_page, signed_in
from timebank.errors import Expired, Invalid, TooMany
from timebank.web.navigation import HOME
from timebank.web.views import LANGUAGE_CHOSEN, THEME_COOKIE, YEAR, safe_path

bp = Blueprint("auth", __name__, template_folder="templates")

# --- in and out -----------------------------------------------------------------------------------------------------


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm()
    target = safe_path(request.values.get("next"))
    if current_user.is_authenticated and request.method == "GET":
        return redirect(_start(target), 303)
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                user = _checked(form.email.data, form.password.data)
            except TooMany as refusal:
                form.form_errors.append(str(refusal))
                status = refusal.status
            else:
                if user is not None:
                    return _enter(user, target)
                form.form_errors.append(
                    _(
                        "This e-mail address and password do not belong together. Try again, or ask for a new password."
                    )
                )
    return sign_in_page(form, target, request.form.get(drafts.FIELD, "")), status


def _checked(email: str, password: str) -> User | None:
    with db.unit_of_work() as unit:
        service.count_attempt(unit, email, _address(), now=clock.now())
    # Outside any transaction that writes: this takes long on purpose.
    return service.verified_user(db.request_session(), email, password)


def _enter(user: User, target: str) -> ResponseReturnValue:
    now = clock.now()
    fresh = hashing.refreshed(request.form["password"], user.password_hash)
    with db.unit_of_work() as unit:
        token = service.open_session(
            unit,
            user,
            user_agent=request.user_agent.string,
            address=_address(),
            now=now,
            new_hash=fresh,
        )
    _remember(token)
    start = _start(target)
    draft = drafts.unpack(request.form.get(drafts.FIELD, ""), start)
    # The other kind of redirect takes the draft along.
    response = make_response(redirect(start, 303 if draft is None else 307))
    if user.theme:
        _set_theme(response, user.theme)
    return response


def _remember(token: str) -> None:
    """Put the token into the browser's session; what that held before was a stranger's."""
    session.clear()
    session.permanent = True
    person = service.signed_in_by(db.request_session(), token, now=clock.now())
    assert person is not None  # noqa: S101 - it was made a moment ago
    login_user(CurrentUser(token, person))


def _start(target: str) -> str:
    """Where to go: the page that was asked for, else the first desk."""
    if target != "/":
        return target
    return HOME[current_user.desks[0]] if current_user.is_authenticated and current_user.desks else "/"


def _address() -> str:
    return request.remote_addr or "unknown"


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    if current_user.is_authenticated:
        with db.unit_of_work() as unit:
            service.end_session(
                unit,
                user_id=current_user.id,
                public_id=None,
                session_id=current_user.session_id,
                now=clock.now(),
            )
        logout_user()
    session.clear()
    flash(_("You are signed out."))
    return redirect("/", 303)


# --- forgotten passwords --------------------------------------------------------------------------------------------


@bp.route("/reset", methods=["GET", "POST"])
@public
def reset() -> ResponseReturnValue:
    form = ResetRequestForm()
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as unit:
                service.request_reset(unit, form.email.data, _address(), now=clock.now())
        except TooMany as refusal:
            form.form_errors.append(str(refusal))
            return render_template("auth/reset.html", form=form), refusal.status
        return render_template("auth/reset_sent.html", email=form.email.data)
    return render_template("auth/reset.html", form=form), 422 if form.is_submitted() else 200


@bp.route("/reset/<token>", methods=["GET", "POST"])
@public
def reset_with(token: str) -> ResponseReturnValue:
    form = NewPasswordForm()
    try:
        if form.validate_on_submit():
            with db.unit_of_work() as unit:
                service.reset_password(unit, token, form.password.data, now=clock.now())
            logout_user()
            session.clear()
            flash(_("Your new password is set. Sign in with it."))
            return redirect(url_for("auth.sign_in"), 303)
        service.reset_of(db.request_session(), token, now=clock.now(), lock=False)
    except Invalid as refusal:
        form.add_errors(refusal)
    except Expired as refusal:
        return render_template("auth/link_over.html", message=refusal, again=url_for("auth.reset")), 410
    return render_template("auth/new_password.html", form=form), 422 if form.is_submitted() else 200


# --- invitations ----------------------------------------------------------------------------------------------------


@bp.route("/invitations/<token>", methods=["GET", "POST"])
@public
def invitation(token: str) -> ResponseReturnValue:
    read = db.request_session()
    try:
        found = service.open_invitation(read, token, now=clock.now(), lock=False)
    except Expired as refusal:
        return render_template("auth/link_over.html", message=refusal, again=None), 410
    inviter = service.inviter_of(read, found)
    if current_user.is_authenticated:
        return _accept_signed_in(token, found.role, inviter)
    if service.user_by_email(read, found.email) is not None:
        return render_template(
            "auth/invitation_sign_in.html", invitation=found, inviter=inviter, here=request.path
        )
    form = NewAccountForm(
        data={"first_name": found.first_name, "last_name": found.last_name, "language": found.language}
    )
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as unit:
                user = service.accept_invitation(
                    unit,
                    token,
                    password=form.password.data,
                    first_name=form.first_name.data,
                    last_name=form.last_name.data,
                    language=form.language.data,
                    now=clock.now(),
                )
                key = service.open_session(
                    unit, user, user_agent=request.user_agent.string, address=_address(), now=clock.now()
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            _remember(key)
            flash(_("Welcome, %(name)s.", name=user.first_name))
            return redirect(_start("/"), 303)
    return render_template(
        "auth/invitation.html", form=form, invitation=found, inviter=inviter
    ), 422 if form.is_submitted() else 200


def _accept_signed_in(token: str, role: Role, inviter: service.Inviter) -> ResponseReturnValue:
    if request.method == "POST":
        with db.unit_of_work() as unit:
            service.accept_invitation(unit, token, user_id=current_user.id, now=clock.now())
        flash(_("You accepted the invitation."))
        return redirect(_start("/"), 303)
    return render_template("auth/invitation_accept.html", role=role, inviter=inviter)


# --- one's own account ----------------------------------------------------------------------------------------------


@bp.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    return _account()


def _account(
    profile: ProfileForm | None = None, password: PasswordForm | None = None, status: int = 200
) -> ResponseReturnValue:
    read = db.request_session()
    user = read.get_one(User, current_user.id)
    profile = profile or ProfileForm(
        formdata=None,
        data={
            "first_name": user.first_name,
            "last_name": user.last_name,
            "language": user.language or "nl",
            "theme": user.theme or "system",
        },
    )
    page = render_template(
        "auth/account.html",
        profile=profile,
        password=password or PasswordForm(formdata=None),
        user=user,
        sessions=queries.live_sessions(read, user.id, now=clock.now()),
        browser_name=browser_name,
    )
    return page, status


def browser_name(user_agent: str) -> str:
    """What a browser calls itself, in two words that people know."""
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrom": "Chrome", "Safari": "Safari"}
    systems = {
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Android": "Android",
        "Windows": "Windows",
        "Mac OS": "macOS",
        "Linux": "Linux",
    }
    browser = next((name for sign, name in browsers.items() if sign in user_agent), None)
    system = next((name for sign, name in systems.items() if sign in user_agent), None)
    return " · ".join(name for name in (browser, system) if name) or _("A browser")


@bp.post("/account/profile")
@signed_in
def change_profile() -> ResponseReturnValue:
    form = ProfileForm()
    if not form.validate():
        return _account(profile=form, status=422)
    with db.unit_of_work() as unit:
        service.change_profile(
            unit,
            current_user.id,
            first_name=form.first_name.data,
            last_name=form.last_name.data,
            language=form.language.data,
            theme=form.theme.data,
        )
    flash(_("Your details are kept."))
    response = make_response(redirect(url_for("auth.account"), 303))
    _set_theme(response, form.theme.data)
    return response


def _set_theme(response: Response, theme: str) -> None:
    if theme == "system":
        response.delete_cookie(THEME_COOKIE)
    else:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure
        )


@bp.post("/account/password")
@signed_in
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    status = 422
    if form.validate():
        try:
            with db.unit_of_work() as unit:
                service.count_attempt(unit, current_user.email, _address(), now=clock.now())
            with db.unit_of_work() as unit:
                service.change_password(
                    unit,
                    current_user.id,
                    current=form.current.data,
                    new=form.new.data,
                    session_id=current_user.session_id,
                    actor=current_actor(),
                    now=clock.now(),
                )
        except (Invalid, TooMany) as refusal:
            if isinstance(refusal, Invalid):
                form.add_errors(refusal)
            else:
                form.form_errors.append(str(refusal))
                status = refusal.status
        else:
            flash(_("Your password is changed. Elsewhere you are signed out."))
            return redirect(url_for("auth.account"), 303)
    return _account(password=form, status=status)


@bp.post("/account/sessions/<uuid:public_id>/end")
@signed_in
def end_session(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as unit:
        service.end_session(
            unit, user_id=current_user.id, public_id=public_id, session_id=None, now=clock.now()
        )
    flash(_("That device is signed out."))
    return redirect(url_for("auth.account"), 303)


@bp.post("/account/sessions/end-others")
@signed_in
def end_other_sessions() -> ResponseReturnValue:
    with db.unit_of_work() as unit:
        user = unit.get_one(User, current_user.id)
        service.end_other_sessions(
            unit, user, keep=current_user.session_id, actor=current_actor(), now=clock.now()
        )
    flash(_("You are signed out on all other devices."))
    return redirect(url_for("auth.account"), 303)


def keep_language(code: str) -> None:
    """A signed-in person's account remembers the language that was picked."""
    if current_user.is_authenticated:
        with db.unit_of_work() as unit:
            service.remember_language(unit, current_user.id, code)


if keep_language not in LANGUAGE_CHOSEN:
    LANGUAGE_CHOSEN.append(keep_language)
