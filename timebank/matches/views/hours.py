"""What happens to logged hours: confirmed, disputed, answered, withdrawn, corrected."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import or_, select
from sqlalchemy.orm import contains_eager, joinedload

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.coaching.models import CoachingRequest
from timebank.errors import DomainError, Invalid, NotFound
from timebank.matches import queries, service
from timebank.matches.forms import AnswerForm, CorrectForm, DisputeForm
from timebank.matches.models import HourEntry, Match
from timebank.matches.views import bp
from timebank.matches.views.answering import act, lead_on, page
from timebank.web.format import hours
from timebank.web.locale import language
from timebank.web.respond import is_htmx


def _entry(public_id: UUID) -> HourEntry:
    """Hours of a match of which the person is a side."""
    actor = current_actor()
    entry = db.request_session().scalar(
        select(HourEntry)
        .join(HourEntry.match)
        .where(
            HourEntry.public_id == public_id,
            or_(queries.own_as_coach(actor), queries.own_as_initiative(actor)),
        )
        .options(
            contains_eager(HourEntry.match).joinedload(Match.employment),
            contains_eager(HourEntry.match).joinedload(Match.request).joinedload(CoachingRequest.initiative),
            contains_eager(HourEntry.match).joinedload(Match.request).selectinload(CoachingRequest.texts),
            joinedload(HourEntry.session),
        )
    )
    if entry is None:
        raise NotFound(_("We can't find that."))
    return entry


@bp.post("/hours/<uuid:public_id>/confirm")
@role_required(Role.COORDINATOR)
def confirm(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    home = url_for("matches.initiative_desk")
    try:
        with db.unit_of_work() as session:
            entry = service.confirm_hours(session, public_id, actor=actor, now=clock.now())
            message = _(
                "You confirmed %(hours)s of %(name)s.",
                hours=hours(entry.minutes),
                name=entry.match.employment.name,
            )
            minutes = entry.minutes
    except DomainError as refusal:
        if refusal.status != 409:
            raise
        flash(str(refusal), "due")
        return lead_on(home)
    if is_htmx():
        return render_template(
            "matches/_hours_done.html", public_id=public_id, message=message, minutes=minutes
        )
    flash(message)
    return lead_on(_back(home))


@bp.post("/initiative/hours/confirm")
@role_required(Role.COORDINATOR)
def confirm_chosen() -> ResponseReturnValue:
    """Confirm the rows that were chosen, all or none."""
    actor = current_actor()
    try:
        chosen = [UUID(value) for value in request.form.getlist("chosen")]
    except ValueError:
        raise NotFound(_("We can't find that.")) from None
    if not chosen:
        flash(_("Choose the hours to confirm first."), "due")
        return lead_on(url_for("matches.initiative_hours"))
    return act(
        lambda session: service.confirm_many(session, chosen, actor=actor, now=clock.now()),
        done=lambda entries: ngettext(
            "%(num)d entry confirmed, %(hours)s together.",
            "%(num)d entries confirmed, %(hours)s together.",
            len(entries),
            hours=hours(sum(e.minutes for e in entries)),
        ),
        to=url_for("matches.initiative_hours"),
    )


@bp.route("/hours/<uuid:public_id>/dispute", methods=["GET", "POST"])
@role_required(Role.COORDINATOR)
def dispute(public_id: UUID) -> ResponseReturnValue:
    actor, form = current_actor(), DisputeForm()
    entry = _entry(public_id)
    if form.validate_on_submit():
        db.close_read_session()
        return act(
            lambda session: service.dispute_hours(
                session, public_id, reason=form.reason.data, actor=actor, now=clock.now()
            ),
            done=_("The coach reads what is wrong, and answers or withdraws the hours."),
            to=url_for("matches.initiative_desk"),
        )
    return page("matches/dispute.html", form, entry=entry, language=language())


@bp.route("/hours/<uuid:public_id>/answer", methods=["GET", "POST"])
@role_required(Role.EMPLOYEE)
def answer(public_id: UUID) -> ResponseReturnValue:
    actor, form = current_actor(), AnswerForm()
    entry = _entry(public_id)
    back = url_for("matches.detail", public_id=entry.match.public_id)
    if form.validate_on_submit():
        db.close_read_session()
        return act(
            lambda session: service.answer_dispute(
                session, public_id, answer=form.answer.data, actor=actor, now=clock.now()
            ),
            done=_("The initiative reads your answer."),
            to=back,
        )
    return page("matches/answer.html", form, entry=entry, back=back, language=language())


@bp.post("/hours/<uuid:public_id>/withdraw")
@role_required(Role.EMPLOYEE)
def withdraw(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    return act(
        lambda session: service.withdraw_hours(session, public_id, actor=actor, now=clock.now()),
        done=_("These hours are withdrawn."),
        to=lambda entry: url_for("matches.detail", public_id=entry.match.public_id),
    )


@bp.route("/hours/<uuid:public_id>/correct", methods=["GET", "POST"])
@role_required(Role.EMPLOYEE)
def correct(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    entry = _entry(public_id)
    form = CorrectForm(data={"date": entry.activity_date, "hours": entry.minutes})
    back = url_for("matches.detail", public_id=entry.match.public_id)
    if form.validate_on_submit():
        db.close_read_session()
        try:
            return act(
                lambda session: service.correct_hours(
                    session,
                    public_id,
                    minutes=form.hours.data,
                    activity_date=form.date.data,
                    reason=form.reason.data,
                    actor=actor,
                    now=clock.now(),
                ),
                done=_("The booking is reversed. The initiative confirms the new hours."),
                to=back,
            )
        except Invalid as refusal:
            form.add_errors(refusal)
            entry = _entry(public_id)
    return page("matches/correct.html", form, entry=entry, back=back, language=language())


def _back(home: str) -> str:
    # From the list of all hours back to that list.
    referrer = request.referrer or ""
    listed = url_for("matches.initiative_hours")
    return listed if referrer.partition("?")[0].endswith(listed) else home
