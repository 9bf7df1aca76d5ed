"""The desk of an initiative: hours to confirm first, proposals, seats, sessions."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from timebank import clock, db
from timebank.agreements import queries as agreement_queries
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_initiative_id, role_required
from timebank.coaching.models import CoachingRequest
from timebank.errors import NotFound
from timebank.matches import queries, words
from timebank.matches.models import OPEN_STATES, HoursState, MatchState, Side
from timebank.matches.views import bp
from timebank.organisations.models import Initiative
from timebank.web.forms import day_of
from timebank.web.locale import language


@bp.get("/initiative")
@role_required(Role.COORDINATOR)
def initiative_desk() -> str:
    session, now = db.request_session(), clock.now()
    initiative_id = current_initiative_id()
    own = queries.of_initiative(initiative_id)
    open_matches = queries.matches_of_initiative(session, initiative_id, states=OPEN_STATES)
    proposals = [m for m in open_matches if m.initiative_accepted_at is None and m.expires_at > now]
    return render_template(
        "matches/initiative.html",
        initiative=session.get_one(Initiative, initiative_id),
        to_confirm=queries.hours_of(session, own, states=queries.HOURS_TO_CONFIRM),
        proposals=proposals,
        reasons={m.id: words.why(m, language(), side=Side.INITIATIVE) for m in proposals},
        otherwise={m.id: words.otherwise(m, language(), side=Side.INITIATIVE) for m in proposals},
        described={m.id: words.described(m, language()) for m in open_matches},
        answered=[m for m in open_matches if m.initiative_accepted_at is not None],
        agreements=agreement_queries.waiting_for_initiative(session, initiative_id),
        requests=queries.requests_with_seats(session, initiative_id),
        coming=queries.sessions_of(session, own, since=now, until=None, limit=6),
        language=language(),
        now=now,
    )


@bp.get("/coaches")
@role_required(Role.COORDINATOR)
def coaches() -> str:
    session = db.request_session()
    initiative_id = current_initiative_id()
    matches = queries.matches_of_initiative(
        session, initiative_id, states=(MatchState.CONFIRMED, MatchState.ACTIVE, MatchState.COMPLETED)
    )
    return render_template(
        "matches/coaches.html",
        running=[m for m in matches if m.state is not MatchState.COMPLETED],
        completed=[m for m in matches if m.state is MatchState.COMPLETED],
        proposed=queries.matches_of_initiative(session, initiative_id, states=OPEN_STATES),
        minutes=queries.minutes_by_state(session, [m.id for m in matches]),
        given=HoursState.CONFIRMED,
        states=words.MATCH_STATES,
        described=lambda m: words.described(m, language()),
        language=language(),
    )


@bp.get("/initiative/hours")
@role_required(Role.COORDINATOR)
def initiative_hours() -> str:
    session = db.request_session()
    wanted = request.args.get("state", "")
    states = [s for s in HoursState if s.value == wanted] or list(HoursState)
    own = queries.of_initiative(current_initiative_id())
    return render_template(
        "matches/initiative_hours.html",
        to_confirm=queries.hours_of(session, own, states=queries.HOURS_TO_CONFIRM),
        entries=queries.hours_of(
            session,
            own,
            states=states,
            from_date=_day(request.args.get("from")),
            until_date=_day(request.args.get("until")),
        ),
        states=words.HOURS_STATES,
        chosen={
            "state": wanted,
            "from": request.args.get("from", ""),
            "until": request.args.get("until", ""),
        },
        categories=words.CATEGORIES,
        language=language(),
    )


@bp.get("/matches/seats/<uuid:request_public_id>")
@role_required(Role.COORDINATOR)
def seats(request_public_id: UUID) -> str:
    """A fragment for the page of a request: its seats, and who is in them."""
    session = db.request_session()
    asked = session.scalar(
        select(CoachingRequest).where(
            CoachingRequest.public_id == request_public_id,
            CoachingRequest.initiative_id.in_(current_actor().initiatives()),
        )
    )
    if asked is None:
        raise NotFound(_("We can't find that."))
    rows = queries.seats_with_matches(session, asked.id)
    return render_template(
        "matches/_seats.html",
        asked=asked,
        rows=rows,
        minutes=queries.minutes_by_state(session, [m.id for _seat, m in rows if m is not None]),
        given=HoursState.CONFIRMED,
        states=words.MATCH_STATES,
        language=language(),
    )


def _day(text: str | None) -> date | None:
    """A date of a filter; one that cannot be read filters nothing."""
    if not text:
        return None
    try:
        return day_of(text)
    except ValueError:
        return None
