"""A coach's page of a certificate, and the page where anybody checks one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, public, role_required
from timebank.errors import NotFound
from timebank.reports.certificates import service
from timebank.reports.certificates.forms import SharesForm
from timebank.web.locale import LANGUAGES, language

bp = Blueprint("certificates", __name__, template_folder="templates")


@bp.get("/matches/<uuid:match_id>/certificate")
@role_required(Role.EMPLOYEE)
def own(match_id: UUID) -> str:
    """The coach chooses what others may see, and takes the document."""
    session = db.request_session()
    match = service.own_match(session, match_id, actor=current_actor())
    certificate = service.of_match(session, match)
    shares = {}
    if certificate:
        shares = {
            "name": certificate.show_name,
            "company": certificate.show_company,
            "initiative": certificate.show_initiative,
        }
    return render_template(
        "certificates/own.html",
        match=match,
        title=match.request.text(language()).title,
        certificate=certificate if certificate and certificate.withdrawn_at is None else None,
        given=service.given(session, match),
        form=SharesForm(formdata=None, data=shares),
        issuer=current_app.config["SETTINGS"].base_url,
    )


@bp.post("/matches/<uuid:match_id>/certificate")
@role_required(Role.EMPLOYEE)
def issue(match_id: UUID) -> Any:
    """Make the certificate, or change what others may see of it."""
    form = SharesForm()
    shares = service.Shares(form.name.data, form.company.data, form.initiative.data)
    with db.unit_of_work() as session:
        service.issue(session, match_id, shares=shares, actor=current_actor(), now=clock.now())
    flash(_("Your certificate is ready."))
    return redirect(url_for(".own", match_id=match_id), 303)


@bp.post("/matches/<uuid:match_id>/certificate/withdraw")
@role_required(Role.EMPLOYEE)
def withdraw(match_id: UUID) -> Any:
    """Let nobody check it any more."""
    with db.unit_of_work() as session:
        service.withdraw(session, match_id, actor=current_actor(), now=clock.now())
    flash(_("Nobody can check this certificate any more."))
    return redirect(url_for(".own", match_id=match_id), 303)


@bp.get("/matches/<uuid:match_id>/certificate-<any(nl, fr, en):code>.pdf")
@role_required(Role.EMPLOYEE)
def document(match_id: UUID, code: str) -> Response:
    """The certificate in one of three languages."""
    session = db.request_session()
    match = service.own_match(session, match_id, actor=current_actor())
    certificate = service.of_match(session, match)
    if certificate is None or certificate.withdrawn_at is not None or code not in LANGUAGES:
        raise NotFound(_("We can't find that."))
    content = service.render(certificate, code, current_app.config["SETTINGS"].base_url)
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="certificate-{code}.pdf"'},
    )


@bp.get("/certificates")
@public
def check() -> Any:
    """Where a code is typed in, or the whole address that stands on the certificate."""
    if code := request.args.get("code", "").strip(" /").rpartition("/")[2]:
        return redirect(url_for(".checked", code=code[:60]), 303)
    return render_template("certificates/check.html", asked=None, certificate=None, now_given=None)


@bp.get("/certificates/<code>")
@public
def checked(code: str) -> Any:
    """Whether a certificate is genuine, and what its coach lets others see."""
    session = db.request_session()
    found = service.by_code(session, code)
    page = render_template(
        "certificates/check.html",
        asked=code[:60],
        certificate=found,
        now_given=service.given(session, found.match) if found else None,
    )
    # It is for those who were given the code, not for search engines.
    return page, 200 if found else 404, {"X-Robots-Tag": "noindex"}
