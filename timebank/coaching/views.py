"""Pages of coaching requests: the initiative's own, and the operator's look at what may be staffing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_initiative_id, role_required
from timebank.coaching import queries, service
from timebank.coaching.forms import ReasonForm, RequestForm, SeatsForm, new_values, values_of
from timebank.coaching.models import CoachingRequest, RequestState, Shape
from timebank.coaching.rules import minutes_a_week, slots_a_week
from timebank.errors import DomainError, Invalid
from timebank.organisations.models import Initiative
from timebank.taxonomy import words
from timebank.taxonomy.picking import Picker, level_names, search, was_pressed
from timebank.web.format import days

bp = Blueprint("coaching", __name__, template_folder="templates")
words.register(bp)


def _language() -> str:
    return str(get_locale())


# --- the initiative's own -------------------------------------------------------------------------------------------


@bp.get("/requests")
@role_required(Role.COORDINATOR)
def index() -> ResponseReturnValue:
    session = db.request_session()
    initiative = session.get_one(Initiative, current_initiative_id())
    requests = queries.of_initiative(session, initiative.id)
    return render_template(
        "coaching/index.html",
        initiative=initiative,
        groups=_by_state(requests),
        counts=queries.seat_counts(session, requests),
        language=_language(),
    )


def _by_state(requests: Sequence[CoachingRequest]) -> list[tuple[str, list[CoachingRequest]]]:
    """Requests under a head for each state, those that need somebody first."""
    heads = (
        (_("Open"), RequestState.OPEN),
        (_("The operator looks first"), RequestState.SUBMITTED),
        (_("Paused"), RequestState.PAUSED),
        (_("Closed"), RequestState.CLOSED),
    )
    groups = [(head, [r for r in requests if r.state == state]) for head, state in heads]
    return [(head, some) for head, some in groups if some]


@bp.route("/requests/new", methods=["GET", "POST"])
@role_required(Role.COORDINATOR)
def new() -> ResponseReturnValue:
    initiative = db.request_session().get_one(Initiative, current_initiative_id())
    form = RequestForm(data=new_values(initiative.language, initiative.postcode))
    if not _shown_again() and form.validate_on_submit():
        try:
            with db.unit_of_work() as session:
                made = service.submit_request(
                    session, initiative.id, form.wish(), actor=current_actor(), now=clock.now()
                )
                public_id, is_open = made.public_id, made.state == RequestState.OPEN
        except Invalid as refusal:
            form.add_errors(refusal)
        except DomainError as refusal:
            form.form_errors.append(str(refusal))
        else:
            flash(
                _("Your request is open. You hear as soon as a coach fits.")
                if is_open
                else _("Your request waits for the operator, who looks at it first.")
            )
            return redirect(url_for(".detail", public_id=public_id), 303)
    return _form_page(form, url_for(".new"), None)


@bp.route("/requests/<uuid:public_id>/edit", methods=["GET", "POST"])
@role_required(Role.COORDINATOR)
def edit(public_id: UUID) -> ResponseReturnValue:
    own = queries.own(db.request_session(), public_id, current_actor())
    form = RequestForm(data=values_of(own, _language()))
    if not _shown_again() and form.validate_on_submit():
        try:
            with db.unit_of_work() as session:
                service.change_request(
                    session, public_id, form.wish(), actor=current_actor(), now=clock.now()
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        except DomainError as refusal:
            form.form_errors.append(str(refusal))
        else:
            flash(_("Your request is changed."))
            return redirect(url_for(".detail", public_id=public_id), 303)
    return _form_page(form, url_for(".edit", public_id=public_id), own)


def _shown_again() -> bool:
    """Whether a button within the form was pressed, which only shows it again."""
    return request.method == "POST" and (was_pressed("must", "nice") or "slots-more" in request.form)


def _form_page(form: RequestForm, url: str, own: CoachingRequest | None) -> ResponseReturnValue:
    page = render_template(
        "coaching/form.html",
        form=form,
        url=url,
        own=own,
        picker=Picker(db.request_session(), _language()),
        levels=level_names(asked=True),
        language=_language(),
    )
    return page, 422 if request.method == "POST" and not _shown_again() else 200


@bp.get("/requests/skills")
@role_required(Role.COORDINATOR)
def skills() -> ResponseReturnValue:
    """What the search of a skill picker finds."""
    text = request.args.get("q", "")
    name = "nice" if request.args.get("name") == "nice" else "must"
    found = search(db.request_session(), text, _language())
    url = url_for(".new")
    asked = request.args.get("url", "")
    if asked.startswith("/requests/") and asked.endswith("/edit"):
        url = asked
    return render_template("coaching/skills_found.html", found=found, text=text.strip(), url=url, name=name)


@bp.get("/requests/<uuid:public_id>")
@role_required(Role.COORDINATOR)
def detail(public_id: UUID) -> ResponseReturnValue:
    return _detail_page(public_id, SeatsForm(MultiDict()), ReasonForm(MultiDict()))


def _detail_page(
    public_id: UUID, seats: SeatsForm, reason: ReasonForm, status: int = 200
) -> ResponseReturnValue:
    session = db.request_session()
    own = queries.own(session, public_id, current_actor())
    count = queries.seat_counts(session, [own])[own.id]
    if not seats.seats.raw_data:
        seats.seats.data = count.asked
    page = render_template(
        "coaching/detail.html",
        request=own,
        text=own.text(_language()),
        count=count,
        seats_form=seats,
        reason_form=reason,
        levels=dict(level_names(asked=True)),
        language=_language(),
    )
    return page, status


@bp.post("/requests/<uuid:public_id>/pause")
@role_required(Role.COORDINATOR)
def pause(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        service.pause_request(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("Nobody new is proposed until you open it again."))
    return redirect(url_for(".detail", public_id=public_id), 303)


@bp.post("/requests/<uuid:public_id>/reopen")
@role_required(Role.COORDINATOR)
def reopen(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        service.reopen_request(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("Your request is open again."))
    return redirect(url_for(".detail", public_id=public_id), 303)


@bp.post("/requests/<uuid:public_id>/cancel")
@role_required(Role.COORDINATOR)
def cancel(public_id: UUID) -> ResponseReturnValue:
    queries.own(db.request_session(), public_id, current_actor())
    form = ReasonForm()
    if form.validate_on_submit():
        with db.unit_of_work() as session:
            service.cancel_request(
                session, public_id, form.reason.data, actor=current_actor(), now=clock.now()
            )
        flash(_("Your request is closed."))
        return redirect(url_for(".detail", public_id=public_id), 303)
    return _detail_page(public_id, SeatsForm(MultiDict()), form, 422)


@bp.post("/requests/<uuid:public_id>/seats")
@role_required(Role.COORDINATOR)
def seats(public_id: UUID) -> ResponseReturnValue:
    queries.own(db.request_session(), public_id, current_actor())
    form = SeatsForm()
    status = 422
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as session:
                service.change_seats(
                    session, public_id, form.seats.data, actor=current_actor(), now=clock.now()
                )
        except DomainError as refusal:
            form.seats.errors = [*form.seats.errors, str(refusal)]
            status = refusal.status
        else:
            flash(_("Your request asks %(count)s coaches now.", count=form.seats.data))
            return redirect(url_for(".detail", public_id=public_id), 303)
    return _detail_page(public_id, form, ReasonForm(MultiDict()), status)


# --- the operator ---------------------------------------------------------------------------------------------------


@bp.get("/operator/requests")
@role_required(Role.OPERATOR)
def review() -> ResponseReturnValue:
    return _review_page(None, ReasonForm(MultiDict()))


def _review_page(refused: UUID | None, form: ReasonForm, status: int = 200) -> ResponseReturnValue:
    """The queue; `refused` is the request whose refusal lacked a reason."""
    page = queries.review_queue(db.request_session(), after=request.args.get("after"))
    loads = {}
    for row in page.rows:
        asked = service.as_input(row, _language())
        loads[row.id] = (minutes_a_week(asked), slots_a_week(asked))
    html = render_template(
        "coaching/review.html",
        page=page,
        loads=loads,
        refused=refused,
        form=form,
        language=_language(),
        levels=dict(level_names(asked=True)),
        paged=bool(request.args.get("after")),
    )
    return html, status


@bp.post("/operator/requests/<uuid:public_id>/release")
@role_required(Role.OPERATOR)
def release(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        service.release_request(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("The request is open. The initiative hears it by mail."))
    return redirect(url_for(".review"), 303)


@bp.post("/operator/requests/<uuid:public_id>/refuse")
@role_required(Role.OPERATOR)
def refuse(public_id: UUID) -> ResponseReturnValue:
    form = ReasonForm()
    if form.validate_on_submit():
        with db.unit_of_work() as session:
            service.refuse_request(
                session, public_id, form.reason.data, actor=current_actor(), now=clock.now()
            )
        flash(_("The request is refused. The initiative gets your reason by mail."))
        return redirect(url_for(".review"), 303)
    return _review_page(public_id, form, 422)


# --- words ----------------------------------------------------------------------------------------------------------


def request_state(asked: CoachingRequest) -> tuple[str, str]:
    """The shape and the word of a request's state."""
    if asked.state == RequestState.CLOSED:
        closed = {
            "filled": ("given", _("All seats are taken")),
            "cancelled": ("less", _("Cancelled")),
            "expired": ("less", _("Over")),
            "refused": ("due", _("Not opened")),
        }
        return closed[asked.closed_reason or "cancelled"]
    return {
        RequestState.DRAFT: ("", _("Draft")),
        RequestState.SUBMITTED: ("held", _("The operator looks first")),
        RequestState.OPEN: ("ok", _("Open")),
        RequestState.PAUSED: ("less", _("Paused")),
    }[asked.state]


def when_in_words(asked: CoachingRequest) -> str:
    """The days of a request, in words."""
    if asked.shape == Shape.OPEN_ENDED:
        return str(_("from %(day)s, without an end", day=days(asked.from_date, asked.from_date)))
    return days(asked.from_date, asked.until_date)


bp.add_app_template_filter(request_state, "request_state")
bp.add_app_template_filter(when_in_words, "request_when")
