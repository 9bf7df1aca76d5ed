"""Planning sessions: day, place and time before it."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID, uuid4

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.errors import Invalid, NotFound
from timebank.ledger.models import Category
from timebank.matches import queries, service, words
from timebank.matches.forms import SessionForm
from timebank.matches.models import CoachingSession, Match
from timebank.matches.views import bp
from timebank.matches.views.answering import act, lead_on, page
from timebank.matches.views.match import BOTH
from timebank.web.format import day
from timebank.web.locale import language


def _times(form: SessionForm) -> tuple[datetime, datetime]:
    def moment(at: time | None) -> datetime:
        return clock.local_moment(form.date.data, at or time())

    return moment(form.starts.data), moment(form.ends.data)


def _own_session(public_id: UUID) -> CoachingSession:
    meeting = db.request_session().scalar(
        select(CoachingSession)
        .join(CoachingSession.match)
        .where(CoachingSession.public_id == public_id, queries.own_as_coach(current_actor()))
        .options(contains_eager(CoachingSession.match))
    )
    if meeting is None:
        raise NotFound(_("We can't find that."))
    return meeting


@bp.route("/matches/<uuid:public_id>/sessions/new", methods=["GET", "POST"])
@role_required(Role.EMPLOYEE)
def plan(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    match = queries.match_for(db.request_session(), public_id, actor=actor)
    form = SessionForm(
        data={"place": "" if match.request.remote else _place(match), "remote": match.request.remote}
    )
    if form.validate_on_submit():
        starts_at, ends_at = _times(form)
        db.close_read_session()
        try:
            return act(
                lambda session: service.plan_session(
                    session,
                    public_id,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    place=form.place.data or "",
                    remote=form.remote.data,
                    actor=actor,
                    now=clock.now(),
                ),
                done=_("Planned on %(day)s. Both of you get it for your calendars.", day=day(starts_at)),
                to=url_for("matches.detail", public_id=public_id),
            )
        except Invalid as refusal:
            form.add_errors(refusal)
            match = queries.match_for(db.request_session(), public_id, actor=actor)
    return page("matches/session.html", form, match=match, moved=None, language=language())


@bp.route("/sessions/<uuid:public_id>/move", methods=["GET", "POST"])
@role_required(Role.EMPLOYEE)
def move(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    meeting = _own_session(public_id)
    match_id = meeting.match.public_id
    starts = meeting.starts_at.astimezone(clock.BRUSSELS)
    form = SessionForm(
        data={
            "date": starts.date(),
            "starts": starts.time(),
            "ends": meeting.ends_at.astimezone(clock.BRUSSELS).time(),
            "place": meeting.place,
            "remote": meeting.remote,
        }
    )
    if form.validate_on_submit():
        starts_at, ends_at = _times(form)
        db.close_read_session()
        try:
            return act(
                lambda session: service.move_session(
                    session,
                    public_id,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    place=form.place.data or "",
                    remote=form.remote.data,
                    actor=actor,
                    now=clock.now(),
                ),
                done=_("Moved to %(day)s. Both of you hear it.", day=day(starts_at)),
                to=url_for("matches.detail", public_id=match_id),
            )
        except Invalid as refusal:
            form.add_errors(refusal)
            meeting = _own_session(public_id)
    match = queries.match_for(db.request_session(), match_id, actor=actor)
    return page("matches/session.html", form, match=match, moved=meeting, language=language())


def _place(match: Match) -> str:
    return match.request.place.municipality.name(language())


@bp.post("/sessions/<uuid:public_id>/cancel")
@role_required(*BOTH)
def cancel_session(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    return act(
        lambda session: service.cancel_session(session, public_id, actor=actor, now=clock.now()),
        done=_("This session is cancelled. Both of you hear it."),
        to=lambda meeting: url_for("matches.detail", public_id=meeting.match.public_id),
    )


@bp.post("/sessions/<uuid:public_id>/missed")
@role_required(*BOTH)
def miss_session(public_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    return act(
        lambda session: service.miss_session(session, public_id, actor=actor, now=clock.now()),
        done=_("Noted: this session did not take place."),
        to=lambda meeting: url_for("matches.detail", public_id=meeting.match.public_id),
    )


@bp.post("/sessions/<uuid:public_id>/log")
@role_required(Role.EMPLOYEE)
def log_session(public_id: UUID) -> ResponseReturnValue:
    """One click: it took as long as it was planned."""
    actor = current_actor()
    meeting = _own_session(public_id)
    match_id, minutes = meeting.match.public_id, meeting.minutes
    db.close_read_session()
    try:
        return act(
            lambda session: service.log_hours(
                session,
                match_id,
                session_public_id=public_id,
                activity_date=clock.today(),
                minutes=minutes,
                category=Category.DELIVERY,
                note="",
                key=f"session:{public_id}:{uuid4().hex}",
                actor=actor,
                now=clock.now(),
            ),
            done=words.logged,
            to=url_for("matches.today"),
        )
    except Invalid as refusal:
        flash(" ".join(str(m) for m in refusal.fields.values()) or str(refusal), "due")
        return lead_on(url_for("matches.detail", public_id=match_id))
