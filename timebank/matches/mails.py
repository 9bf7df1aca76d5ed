"""What people hear of a match, each in their own language: the mail says what happened and what to do.

Before both sides said yes, neither reads the other's name or address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.agreements.models import Agreement
from timebank.auth.models import User
from timebank.matches import queries
from timebank.matches.calendar import CalendarEntry, calendar_text
from timebank.matches.models import CoachingSession, HourEntry, Match, SessionState, Side
from timebank.notifications.service import in_language, link, queue
from timebank.web.format import day, hours, moment, wall_time

Text = tuple[str, str]
Compose = Callable[[str], Text]

# The side that what ended a proposal concerns: nobody looks for its next one.
ENDED_ON = {
    "pledge_ended": Side.COACH,
    "company_stopped": Side.COACH,
    "request_closed": Side.INITIATIVE,
    "initiative_stopped": Side.INITIATIVE,
}


def proposed_many(session: Session, matches: Sequence[Match], now: datetime) -> None:
    """To both sides of each proposal. A run makes many at once: people and texts are read for all of them together."""
    people = queries.coordinators_of(session, {m.request.initiative_id for m in matches})
    # Held until the end, since the session forgets what nobody holds.
    held = queries.for_proposal_mails(session, matches)
    with session.no_autoflush:
        for match in matches:
            proposed(session, match, people.get(match.request.initiative_id, []), now)
    del held


def proposed(session: Session, match: Match, people: Sequence[User], now: datetime) -> None:
    def coach(language: str) -> Text:
        return (
            _("A proposal for you: %(title)s", title=_title(match, language)),
            _(
                "%(initiative)s asks for %(hours)s of your knowledge: %(title)s.\n\n"
                "Answer before %(until)s: %(address)s",
                initiative=match.request.initiative.name,
                hours=hours(match.minutes),
                title=_title(match, language),
                until=moment(match.expires_at),
                address=link("/today"),
            ),
        )

    def initiative(language: str) -> Text:
        return (
            _("A coach for: %(title)s", title=_title(match, language)),
            _(
                "We found a coach for %(hours)s. You read their name once both of you said yes.\n\n"
                "Answer before %(until)s: %(address)s",
                hours=hours(match.minutes),
                until=moment(match.expires_at),
                address=link("/initiative"),
            ),
        )

    _to_coach(session, match, "proposed", coach, now)
    _to_people(session, match, "proposed", initiative, people, now)


def accepted(session: Session, match: Match, side: Side, now: datetime) -> None:
    """To the side that has yet to answer."""

    def text(language: str) -> Text:
        return (
            _("The other side said yes: %(title)s", title=_title(match, language)),
            _(
                "Your yes makes it certain. Answer before %(until)s: %(address)s",
                until=moment(match.expires_at),
                address=link("/initiative" if side is Side.COACH else "/today"),
            ),
        )

    if side is Side.COACH:
        _to_initiative(session, match, "accepted", text, now)
    else:
        _to_coach(session, match, "accepted", text, now)


def confirmed(session: Session, match: Match, now: datetime) -> None:
    initiative, employment = match.request.initiative, match.employment

    def coach(language: str) -> Text:
        return (
            _("Agreed: %(title)s", title=_title(match, language)),
            _(
                "You coach %(initiative)s, %(hours)s. Your contact is %(name)s, %(email)s.\n\n"
                "Plan a first session together. Hours can be logged as soon as your company and %(initiative)s "
                "have accepted the coaching agreement: %(address)s",
                initiative=initiative.name,
                hours=hours(match.minutes),
                name=initiative.contact_name,
                email=initiative.contact_email,
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    def other(language: str) -> Text:
        return (
            _("Agreed: %(title)s", title=_title(match, language)),
            _(
                "%(name)s of %(company)s coaches you, %(hours)s. Write to %(email)s.\n\n"
                "Accept the coaching agreement, so that the hours can count: %(address)s",
                name=employment.name,
                company=employment.organisation.name,
                hours=hours(match.minutes),
                email=employment.email,
                address=link("/initiative/agreements"),
            ),
        )

    _to_coach(session, match, "confirmed", coach, now)
    _to_initiative(session, match, "confirmed", other, now)


def activated(session: Session, match: Match, now: datetime) -> None:
    def text(language: str) -> Text:
        return (
            _("You can start: %(title)s", title=_title(match, language)),
            _(
                "The coaching agreement is in force. Plan your sessions and log your hours: %(address)s",
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    _to_coach(session, match, "activated", text, now)


def declined(session: Session, match: Match, side: Side, now: datetime) -> None:
    """To the other side; who said no, and why, stays with the two of them."""

    def coach(language: str) -> Text:
        return (
            _("The initiative chose otherwise: %(title)s", title=_title(match, language)),
            _(
                "%(initiative)s said no to this proposal. Your hours are free again; you hear of the next one.\n\n"
                "%(address)s",
                initiative=match.request.initiative.name,
                address=link("/today"),
            ),
        )

    def initiative(language: str) -> Text:
        return (
            _("We look for another coach: %(title)s", title=_title(match, language)),
            _(
                "The coach said no to this proposal. The place is free again; we look for the next one.\n\n"
                "%(address)s",
                address=link("/initiative"),
            ),
        )

    if side is Side.COACH:
        _to_initiative(session, match, "declined", initiative, now)
    else:
        _to_coach(session, match, "declined", coach, now)


def freed(session: Session, match: Match, now: datetime, *, cause: str) -> None:
    """To both: a proposal lapsed, or what it rested on is no longer there. Says why, and to the initiative no name."""

    def text(language: str, side: Side) -> Text:
        title = _title(match, language)
        subject = (
            _("A proposal has expired: %(title)s", title=title)
            if cause == "expired"
            else _("A proposal was taken back: %(title)s", title=title)
        )
        said = [_why_freed(match, cause, side), _("Nothing is held for it any more.")]
        if ENDED_ON.get(cause) is not side:
            said.append(_("We look for the next match."))
        return subject, f"{' '.join(filter(None, said))}\n\n{link('/')}"

    _to_coach(session, match, "freed", lambda language: text(language, Side.COACH), now)
    _to_initiative(session, match, "freed", lambda language: text(language, Side.INITIATIVE), now)


def _why_freed(match: Match, cause: str, side: Side) -> str:
    coach = side is Side.COACH
    if cause == "pledge_ended":
        return _("Your hour budget has ended.") if coach else _("The hour budget of the coach has ended.")
    if cause == "request_closed":
        return _("This coaching request is closed.")
    if cause == "initiative_stopped":
        return _("%(name)s does not take part in Timebank at the moment.", name=match.request.initiative.name)
    if cause == "company_stopped":
        return (
            _(
                "%(name)s does not take part in Timebank at the moment.",
                name=match.employment.organisation.name,
            )
            if coach
            else _("The coach's company does not take part in Timebank at the moment.")
        )
    return ""


def ended(session: Session, match: Match, now: datetime, *, completed: bool) -> None:
    """To both: a coaching stopped, or is completed."""

    def text(language: str) -> Text:
        title = _title(match, language)
        if completed:
            return (
                _("Completed: %(title)s", title=title),
                _(
                    "This coaching is completed. Hours that were not used went back to the coach's hour budget.\n\n"
                    "%(address)s",
                    address=link(f"/matches/{match.public_id}"),
                ),
            )
        return (
            _("Stopped: %(title)s", title=title),
            _(
                "This coaching was stopped. Confirmed hours stay; the others are free again.\n\n%(address)s",
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    _to_coach(session, match, "ended", text, now)
    _to_initiative(session, match, "ended", text, now)


def session_fixed(session: Session, match: Match, meeting: CoachingSession, now: datetime) -> None:
    """To both, with the appointment for their calendars."""

    def text(language: str) -> Text:
        return (
            _("Session on %(day)s: %(title)s", day=day(meeting.starts_at), title=_title(match, language)),
            _(
                "%(when)s until %(end)s, %(place)s.\n\n%(address)s",
                when=moment(meeting.starts_at),
                end=wall_time(meeting.ends_at),
                place=where(meeting),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    key = f"session:{meeting.public_id}"
    _to_coach(session, match, key, text, now, meeting)
    _to_initiative(session, match, key, text, now, meeting)


def session_dropped(session: Session, match: Match, meeting: CoachingSession, now: datetime) -> None:
    """To both: it does not take place; says which one, with the entry that takes it out of calendars."""

    def text(language: str) -> Text:
        return (
            _("Cancelled: session on %(day)s", day=day(meeting.starts_at)),
            _(
                "The session of %(when)s, %(place)s, for %(title)s does not take place.\n\n%(address)s",
                when=moment(meeting.starts_at),
                place=where(meeting),
                title=_title(match, language),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    key = f"session:{meeting.public_id}:dropped"
    _to_coach(session, match, key, text, now, meeting)
    _to_initiative(session, match, key, text, now, meeting)


def hours_logged(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    """To the initiative: something waits for it."""

    def text(_language: str) -> Text:
        return (
            _("%(hours)s to confirm", hours=hours(entry.minutes)),
            _(
                "%(name)s logged %(hours)s on %(day)s. Confirm them or say what is wrong: %(address)s",
                name=match.employment.name,
                hours=hours(entry.minutes),
                day=day(entry.activity_date),
                address=link("/initiative"),
            ),
        )

    _to_initiative(session, match, f"hours:{entry.public_id}:logged", text, now)


def hours_confirmed(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    def text(_language: str) -> Text:
        return (
            _("%(hours)s confirmed", hours=hours(entry.minutes)),
            _(
                "%(initiative)s confirmed your %(hours)s of %(day)s.\n\n%(address)s",
                initiative=match.request.initiative.name,
                hours=hours(entry.minutes),
                day=day(entry.activity_date),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    _to_coach(session, match, f"hours:{entry.public_id}:confirmed", text, now)


def hours_disputed(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    def text(_language: str) -> Text:
        return (
            _("A question about %(hours)s", hours=hours(entry.minutes)),
            _(
                "%(initiative)s does not agree with your %(hours)s of %(day)s:\n\n%(reason)s\n\n"
                "Answer, or withdraw them and log what is right: %(address)s",
                initiative=match.request.initiative.name,
                hours=hours(entry.minutes),
                day=day(entry.activity_date),
                reason=entry.dispute_reason,
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    _to_coach(session, match, f"hours:{entry.public_id}:disputed", text, now)


def dispute_answered(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    def text(_language: str) -> Text:
        return (
            _("An answer about %(hours)s", hours=hours(entry.minutes)),
            _(
                "%(name)s answers your question about %(day)s:\n\n%(answer)s\n\n"
                "Confirm the hours, or talk it over: %(address)s",
                name=match.employment.name,
                day=day(entry.activity_date),
                answer=entry.dispute_answer,
                address=link("/initiative"),
            ),
        )

    _to_initiative(session, match, f"hours:{entry.public_id}:answered:{now:%Y%m%d%H%M%S}", text, now)


def agreement_waits(session: Session, agreement: Agreement, now: datetime, *, side: str) -> None:
    """To HR (`company`) or the co-ordinators (`initiative`): a text lies ready. It names nobody."""
    initiative, company = agreement.initiative, agreement.organisation
    if side == "company":
        receivers = [(u, u.language or company.language) for u in queries.hr_people(session, company.id)]
        other = initiative.name
    else:
        receivers = [
            (u, u.language or initiative.language) for u in queries.coordinators(session, initiative.id)
        ]
        other = company.name
    for user, language in receivers:
        with in_language(language):
            subject = _("Coaching agreement with %(name)s", name=other)
            body = _(
                "Read and accept it, so that the hours can count: %(address)s",
                address=link(f"/agreements/{agreement.public_id}"),
            )
        queue(
            session,
            key=f"agreement:{agreement.public_id}:waits:{user.public_id}",
            kind="agreement.waits",
            email=user.email,
            user_id=user.id,
            language=language,
            subject=subject,
            body=body,
            now=now,
        )


def where(meeting: CoachingSession) -> str:
    """The place of a session in words."""
    if not meeting.remote:
        return meeting.place
    return _("remote (%(place)s)", place=meeting.place) if meeting.place else _("remote")


def calendar_entry(match: Match, meeting: CoachingSession, language: str) -> CalendarEntry:
    """A session as both sides may see it, once both said yes."""
    return CalendarEntry(
        uid=meeting.public_id,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        summary=_(
            "%(initiative)s: %(title)s",
            initiative=match.request.initiative.name,
            title=_title(match, language),
        ),
        location=where(meeting),
        description=link(f"/matches/{match.public_id}"),
        cancelled=meeting.state not in (SessionState.PLANNED, SessionState.HELD),
    )


# --- inside -----------------------------------------------------------------------------------------------------------


def _title(match: Match, language: str) -> str:
    return match.request.text(language).title


def _to_coach(
    session: Session,
    match: Match,
    what: str,
    compose: Compose,
    now: datetime,
    meeting: CoachingSession | None = None,
) -> None:
    employment = match.employment
    user = session.get(User, employment.user_id) if employment.user_id is not None else None
    email = user.email if user else employment.email
    language = (user.language if user else None) or employment.language
    _queue(session, match, what, email, employment.user_id, language, compose, now, meeting)


def _to_initiative(
    session: Session,
    match: Match,
    what: str,
    compose: Compose,
    now: datetime,
    meeting: CoachingSession | None = None,
) -> None:
    people = queries.coordinators(session, match.request.initiative_id)
    _to_people(session, match, what, compose, people, now, meeting)


def _to_people(
    session: Session,
    match: Match,
    what: str,
    compose: Compose,
    people: Sequence[User],
    now: datetime,
    meeting: CoachingSession | None = None,
) -> None:
    initiative = match.request.initiative
    for user in people:
        language = user.language or initiative.language
        _queue(session, match, what, user.email, user.id, language, compose, now, meeting)
    if not people:
        _queue(
            session,
            match,
            what,
            initiative.contact_email,
            None,
            initiative.language,
            compose,
            now,
            meeting,
        )


def _queue(
    session: Session,
    match: Match,
    what: str,
    email: str,
    user_id: int | None,
    language: str,
    compose: Compose,
    now: datetime,
    meeting: CoachingSession | None,
) -> None:
    with in_language(language):
        subject, body = compose(language)
        entries = [calendar_entry(match, meeting, language)] if meeting else []
    queue(
        session,
        key=f"match:{match.public_id}:{what}:{email}"[:200],
        kind=f"match.{what.split(':')[0]}",
        email=email,
        user_id=user_id,
        language=language,
        subject=subject,
        body=body,
        now=now,
        calendar=calendar_text(entries, now=now) if entries else None,
    )
