"""One coaching, and the answers to its proposal."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.agreements import queries as agreement_queries
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Conflict, DomainError, Invalid
from timebank.ledger import service as ledger
from timebank.ledger.models import Category
from timebank.matches import mails, queries, service, words
from timebank.matches.calendar import calendar_text
from timebank.matches.forms import CancelForm, DeclineForm, FeedbackForm, HoursForm
from timebank.matches.models import (
    OPEN_STATES,
    CoachingFeedback,
    DeclineReason,
    Match,
    MatchState,
    Reached,
    SessionState,
    Side,
)
from timebank.matches.service import loading
from timebank.matches.views import bp
from timebank.matches.views.answering import act, lead_on, page, side_now
from timebank.matches.views.coach import calendar
from timebank.web.format import hours_between
from timebank.web.locale import language
from timebank.web.respond import is_htmx

BOTH = (Role.EMPLOYEE, Role.COORDINATOR)


@bp.get("/matches/<uuid:public_id>")
@role_required(*BOTH)
def detail(public_id: UUID) -> ResponseReturnValue:
    match = queries.match_for(db.request_session(), public_id, actor=current_actor())
    return detail_page(match, hours_form(match))


def hours_form(match: Match) -> HoursForm:
    """The form to log hours, with the sessions that are over and of whose coaching none were logged yet."""
    now = clock.now()
    logged = {
        e.session_id for e in match.hours if e.state in queries.LIVE_HOURS and e.category is Category.DELIVERY
    }
    open_sessions = [
        (str(s.public_id), hours_between(s.starts_at, s.ends_at))
        for s in match.sessions
        if s.state in (SessionState.PLANNED, SessionState.HELD) and s.ends_at <= now and s.id not in logged
    ]
    return HoursForm(open_sessions, data={"key": uuid4().hex, "date": clock.today(), "category": "delivery"})


def detail_page(match: Match, form: HoursForm) -> ResponseReturnValue:
    """The page of a match, with the form to log hours as it was filled in."""
    session, side = db.request_session(), side_now(match)
    balances = ledger.match_balance(session, match.public_id).values()
    agreement = None
    if match.confirmed_at is not None:
        agreement = agreement_queries.for_match(
            session,
            organisation_id=match.employment.organisation_id,
            initiative_id=match.request.initiative_id,
            match_id=match.id,
        )
    steps, step_now = _steps(match)
    return page(
        "matches/detail.html",
        form,
        match=match,
        side=side,
        agreement=agreement,
        received=sum(b.received for b in balances),
        reserved=sum(b.reserved for b in balances),
        reasons=words.why(match, language(), side=side),
        otherwise=words.otherwise(match, language(), side=side),
        described=words.described(match, language()),
        named=match.confirmed_at is not None,
        is_open=match.state in OPEN_STATES,
        said=session.get(CoachingFeedback, (match.id, side)) is not None,
        steps=steps,
        step_now=step_now,
        coming=[s for s in match.sessions if s.state is SessionState.PLANNED and s.ends_at > clock.now()],
        past=[
            s
            for s in reversed(match.sessions)
            if s.state is not SessionState.MOVED
            and not (s.state is SessionState.PLANNED and s.ends_at > clock.now())
        ],
        entries=sorted(match.hours, key=lambda e: (e.activity_date, e.id), reverse=True),
        undecided=[e for e in match.hours if e.state in queries.UNDECIDED_HOURS],
        match_states=words.MATCH_STATES,
        session_states=words.SESSION_STATES,
        hours_states=words.HOURS_STATES,
        categories=words.CATEGORIES,
        decline_reasons=words.DECLINE_REASONS,
        language=language(),
        now=clock.now(),
    )


def _steps(match: Match) -> tuple[list[tuple[str, None]], int]:
    """The steps of a coaching, and at which of them it stands, counted from 1."""
    if match.state in (MatchState.DECLINED, MatchState.EXPIRED, MatchState.CANCELLED):
        return [], 0
    names = [_("Proposed"), _("Both said yes"), _("Agreement in force"), _("Hours given"), _("Completed")]
    done = {
        MatchState.CONFIRMED: 2,
        MatchState.ACTIVE: 3,
        MatchState.COMPLETED: 5,
    }.get(match.state, 1)
    return [(name, None) for name in names], done + 1


@bp.route("/matches/<uuid:public_id>/feedback", methods=["GET", "POST"])
@role_required(*BOTH)
def feedback(public_id: UUID) -> ResponseReturnValue:
    """How a completed coaching went, in two questions."""
    actor = current_actor()
    match = queries.match_for(db.request_session(), public_id, actor=actor)
    side, here = side_now(match), url_for(".detail", public_id=public_id)
    form = FeedbackForm()
    form.reached.label.text, form.again.label.text = map(str, words.FEEDBACK[side])
    if form.validate_on_submit():
        db.close_read_session()
        return act(
            lambda session: service.give_feedback(
                session,
                public_id,
                reached=Reached(form.reached.data),
                again=form.again.data == "yes",
                actor=actor,
                now=clock.now(),
            ),
            done=_("Thank you. Your answer counts in the totals."),
            to=here,
        )
    return page("matches/feedback.html", form, match=match, language=language(), back=here)


@bp.post("/matches/<uuid:public_id>/accept")
@role_required(*BOTH)
def accept(public_id: UUID) -> ResponseReturnValue:
    actor, now = current_actor(), clock.now()
    match = queries.match_for(db.request_session(), public_id, actor=actor)
    side = side_now(match)
    home = url_for("matches.today" if side is Side.COACH else "matches.initiative_desk")
    accepting = service.accept_as_coach if side is Side.COACH else service.accept_as_initiative
    db.close_read_session()
    try:
        with db.unit_of_work() as session:
            accepted = accepting(session, public_id, actor=actor, now=now)
            confirmed = accepted.confirmed_at is not None
            name = accepted.request.initiative.name
    except DomainError as refusal:
        if refusal.status != 409:
            raise
        flash(str(refusal), "due")
        return lead_on(home)
    if side is Side.INITIATIVE:
        message = (
            _("Agreed. You read now who coaches you.")
            if confirmed
            else _("You said yes. The coach hears it now.")
        )
    elif confirmed:
        message = _("You coach %(initiative)s. Both of you said yes.", initiative=name)
    else:
        message = _("You said yes. %(initiative)s hears it now.", initiative=name)
    if is_htmx():
        return render_template(
            "matches/_answered.html",
            public_id=public_id,
            message=message,
            plans=confirmed and side is Side.COACH,
        )
    flash(message)
    return lead_on(url_for(".detail", public_id=public_id) if confirmed else home)


@bp.route("/matches/<uuid:public_id>/decline", methods=["GET", "POST"])
@role_required(*BOTH)
def decline(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    match = queries.match_for(db.request_session(), public_id, actor=actor)
    side = side_now(match)
    form = DeclineForm()
    if match.state not in OPEN_STATES and not form.is_submitted():
        flash(str(loading.STATE_REFUSALS[match.state]), "due")
        return lead_on(url_for(".detail", public_id=public_id))
    home = url_for("matches.today" if side is Side.COACH else "matches.initiative_desk")
    if form.validate_on_submit():
        db.close_read_session()
        return act(
            lambda session: service.decline(
                session,
                public_id,
                side=side,
                reason=DeclineReason(form.reason.data),
                note=form.note.data or "",
                actor=actor,
                now=clock.now(),
            ),
            done=_("You said no. Nothing is held any more, and you are not proposed to each other again."),
            to=home,
        )
    return page("matches/decline.html", form, match=match, side=side, language=language(), back=home)


@bp.route("/matches/<uuid:public_id>/stop", methods=["GET", "POST"])
@role_required(*BOTH)
def stop(public_id: UUID) -> ResponseReturnValue:
    """Cancel what both agreed to."""
    actor = current_actor()
    match = queries.match_for(db.request_session(), public_id, actor=actor)
    side = side_now(match)
    form = CancelForm()
    here = url_for(".detail", public_id=public_id)
    if form.validate_on_submit():
        db.close_read_session()
        return act(
            lambda session: service.cancel(
                session, public_id, form.reason.data or "", actor=actor, now=clock.now()
            ),
            done=_("This coaching is stopped. Confirmed hours stay; the others are free again."),
            to=here,
        )
    return page("matches/stop.html", form, match=match, side=side, language=language(), back=here)


@bp.post("/matches/<uuid:public_id>/complete")
@role_required(*BOTH)
def complete(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    return act(
        lambda session: service.complete(session, public_id, actor=actor, now=clock.now()),
        done=_("This coaching is completed."),
        to=url_for(".detail", public_id=public_id),
    )


@bp.get("/matches/<uuid:public_id>/sessions.ics")
@role_required(*BOTH)
def match_calendar(public_id: UUID) -> ResponseReturnValue:
    match = queries.match_for(db.request_session(), public_id, actor=current_actor())
    meetings = [m for m in match.sessions if m.state is not SessionState.MOVED]
    entries = [mails.calendar_entry(match, meeting, language()) for meeting in meetings]
    return calendar(calendar_text(entries, now=clock.now()))


@bp.post("/matches/<uuid:public_id>/hours")
@role_required(Role.EMPLOYEE)
def log(public_id: UUID) -> ResponseReturnValue:
    """Log hours, from a session or by hand."""
    actor = current_actor()
    match = queries.match_for(db.request_session(), public_id, actor=actor)
    form = hours_form(match)
    if form.validate_on_submit():
        chosen = UUID(form.session.data) if form.session.data else None
        if chosen is None and form.date.data is None:
            form.add_errors(Invalid("", {"date": _("Give the day, or choose a session.")}))
            return detail_page(match, form)
        db.close_read_session()
        try:
            with db.unit_of_work() as session:
                entry = service.log_hours(
                    session,
                    public_id,
                    session_public_id=chosen,
                    activity_date=form.date.data or clock.today(),
                    minutes=form.hours.data,
                    category=Category(form.category.data),
                    note=form.note.data or "",
                    key=form.key.data or uuid4().hex,
                    certain=form.certain.data,
                    late_reason=form.late_reason.data or "",
                    actor=actor,
                    now=clock.now(),
                )
                logged = words.logged(entry)
        except (Invalid, Conflict) as refusal:
            form.add_errors(refusal if isinstance(refusal, Invalid) else Invalid(refusal.message))
            match = queries.match_for(db.request_session(), public_id, actor=actor)
            return detail_page(match, form)
        flash(logged)
        return lead_on(url_for(".detail", public_id=public_id))
    return detail_page(match, form)
