"""What hours may be logged: on which days, how many, and never the same work twice."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.errors import Conflict, Invalid, NotFound, WrongState
from timebank.ledger.models import Category
from timebank.matches import queries
from timebank.matches.holidays import holiday_on
from timebank.matches.models import CoachingSession, HourEntry, Match, SessionState
from timebank.organisations.models import Employment
from timebank.web.format import day_short, hours

# Nobody works longer on one day; what is above it is a slip of the finger.
MOST_MINUTES_A_DAY = 12 * 60
# A session may run over by so many minutes without anybody wondering.
LONGER_THAN_PLANNED = 60
# Where the company has no rule of its own.
LATE_AFTER_DAYS = 30
LOGGED_CATEGORIES = (Category.DELIVERY, Category.PREPARATION, Category.TRAVEL)


def meeting_of(match: Match, public_id: UUID | None) -> CoachingSession | None:
    """The session of the match that hours are logged from.

    Raises NotFound, WrongState.
    """
    if public_id is None:
        return None
    for meeting in match.sessions:
        if meeting.public_id == public_id:
            if meeting.state not in (SessionState.PLANNED, SessionState.HELD):
                raise WrongState(_l("This session did not take place: it was moved or cancelled."))
            return meeting
    raise NotFound(_l("We can't find that."))


def check_entry(match: Match, day: date, minutes: int, category: Category, now: datetime) -> None:
    """Raises Invalid when the day is outside pledge and coaching, or the minutes are no day's work."""
    fields: dict[str, object] = {}
    begun = clock.local_date(match.activated_at or match.confirmed_at or now)
    if day > clock.local_date(now):
        fields["date"] = _l("This day has yet to come. Log hours once they are given.")
    elif day < begun:
        fields["date"] = _l(
            "Hours count from %(date)s on, when the agreement came into force.", date=day_short(begun)
        )
    elif not match.pledge.from_date <= day <= match.pledge.until_date:
        fields["date"] = _l(
            "Your hour budget runs from %(start)s until %(end)s. Choose a day in it.",
            start=day_short(match.pledge.from_date),
            end=day_short(match.pledge.until_date),
        )
    if not 1 <= minutes <= MOST_MINUTES_A_DAY:
        fields["hours"] = _l("Log between 1 minute and 12 hours for one day.")
    if category not in LOGGED_CATEGORIES:
        fields["category"] = _l("Choose what the time was for.")
    if fields:
        raise Invalid(_l("These hours cannot be logged like that."), fields)


def check_likely(
    match: Match,
    meeting: CoachingSession | None,
    day: date,
    minutes: int,
    category: Category,
    language: str,
) -> None:
    """Raises Invalid with the field certain for work on a public holiday or on a day on which the company asks that
    nobody coaches, or longer than the session was planned: that can be, and the coach says so."""
    doubts = []
    holiday = holiday_on(day, language)
    if holiday is not None:
        doubts.append(_l("That day is a public holiday (%(name)s).", name=holiday))
    if is_blackout(match, day):
        doubts.append(_l("Your company asks that nobody coaches on that day."))
    if (
        meeting is not None
        and category is Category.DELIVERY
        and minutes > meeting.minutes + LONGER_THAN_PLANNED
    ):
        doubts.append(_l("The session was planned for %(hours)s.", hours=hours(meeting.minutes)))
    if doubts:
        said = " ".join(str(doubt) for doubt in doubts)
        raise Invalid(
            _l("These hours are unlikely: say that they are right."),
            {"certain": _l("%(doubts)s If it was so, tick this.", doubts=said)},
        )


def is_blackout(match: Match, day: date) -> bool:
    """Whether the coach's company asks that nobody coaches on that day."""
    policy = match.employment.organisation.policy
    return policy is not None and policy.is_blackout(day)


def is_late(match: Match, day: date, now: datetime) -> bool:
    """Whether hours of that day come later than the company's rule, or without one the product's, allows."""
    policy = match.employment.organisation.policy
    allowed = (policy.late_after_days if policy else None) or LATE_AFTER_DAYS
    return (clock.local_date(now) - day).days > allowed


def check_late_reason(reason: str) -> None:
    """Raises Invalid when the company is not told why hours come late."""
    if not reason.strip():
        message = _l("These hours come late. Say why: your company reads it and decides first.")
        raise Invalid(message, {"late_reason": message})


def check_once(
    match: Match,
    meeting: CoachingSession | None,
    day: date,
    minutes: int,
    category: Category,
    note: str,
    *,
    corrected: HourEntry | None,
) -> None:
    """Raises Conflict for the same work: a session twice, a session and by hand, by hand twice in the same words."""
    live = [
        e
        for e in match.hours
        if e.state in queries.LIVE_HOURS and e.category is category and e is not corrected
    ]
    if meeting is not None:
        if any(e.session_id == meeting.id for e in live):
            raise Conflict(_l("You already logged the hours of this session."))
        if any(e.session_id is None and e.activity_date == day and e.minutes == minutes for e in live):
            raise Conflict(_l("You already logged these hours by hand on that day. Withdraw those first."))
        return
    logged = {e.session_id for e in live}
    if category is Category.DELIVERY and any(
        m.state in (SessionState.PLANNED, SessionState.HELD)
        and m.id not in logged
        and clock.local_date(m.starts_at) == day
        for m in match.sessions
    ):
        raise Conflict(_l("A session is planned on that day. Log its hours from that session."))
    if any(e.activity_date == day and e.minutes == minutes and e.note == note for e in live):
        raise Conflict(
            _l("You already logged the same on that day. If this was other work, say so in the note.")
        )


def check_day(
    session: Session, match: Match, day: date, minutes: int, *, corrected: HourEntry | None
) -> None:
    """Raises Invalid when the person's day, in all coachings together, would be longer than a day's work."""
    own = Employment.id == match.employment_id
    if match.employment.user_id is not None:
        own = or_(own, Employment.user_id == match.employment.user_id)
    statement = (
        select(func.coalesce(func.sum(HourEntry.minutes), 0))
        .join(Match, Match.id == HourEntry.match_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(own, HourEntry.activity_date == day, HourEntry.state.in_(queries.LIVE_HOURS))
    )
    if corrected is not None:
        statement = statement.where(HourEntry.id != corrected.id)
    total = session.scalars(statement).one() + minutes
    if total > MOST_MINUTES_A_DAY:
        raise Invalid(
            _l("These hours cannot be logged like that."),
            {
                "hours": _l(
                    "With what you logged before, that day would have %(hours)s. Twelve is the most.",
                    hours=hours(total),
                )
            },
        )
