"""From the agreement to the end: what both sides hear of a coaching, its sessions and its hours."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.agreements.models import Agreement
from timebank.matches import queries
from timebank.matches.mails.sending import Text, title_of, to_coach, to_initiative, where
from timebank.matches.models import CoachingSession, HourEntry, Match
from timebank.notifications.service import in_language, link, queue
from timebank.web.format import day, day_short, hours, moment, wall_time


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


def activated(session: Session, match: Match, now: datetime) -> None:
    def text(language: str) -> Text:
        return (
            _("You can start: %(title)s", title=title_of(match, language)),
            _(
                "The coaching agreement is in force. Plan your sessions and log your hours: %(address)s",
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    to_coach(session, match, "activated", text, now)


def ended(session: Session, match: Match, now: datetime, *, completed: bool) -> None:
    """To both: a coaching stopped, or is completed."""

    def text(language: str) -> Text:
        title = title_of(match, language)
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

    to_coach(session, match, "ended", text, now)
    to_initiative(session, match, "ended", text, now)


def session_fixed(session: Session, match: Match, meeting: CoachingSession, now: datetime) -> None:
    """To both, with the appointment for their calendars."""

    def text(language: str) -> Text:
        return (
            _("Session on %(day)s: %(title)s", day=day(meeting.starts_at), title=title_of(match, language)),
            _(
                "%(when)s until %(end)s, %(place)s.\n\n%(address)s",
                when=moment(meeting.starts_at),
                end=wall_time(meeting.ends_at),
                place=where(meeting),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    key = f"session:{meeting.public_id}"
    to_coach(session, match, key, text, now, meeting)
    to_initiative(session, match, key, text, now, meeting)


def session_dropped(session: Session, match: Match, meeting: CoachingSession, now: datetime) -> None:
    """To both: it does not take place; says which one, with the entry that takes it out of calendars."""

    def text(language: str) -> Text:
        return (
            _("Cancelled: session on %(day)s", day=day(meeting.starts_at)),
            _(
                "The session of %(when)s, %(place)s, for %(title)s does not take place.\n\n%(address)s",
                when=moment(meeting.starts_at),
                place=where(meeting),
                title=title_of(match, language),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    key = f"session:{meeting.public_id}:dropped"
    to_coach(session, match, key, text, now, meeting)
    to_initiative(session, match, key, text, now, meeting)


def hours_logged(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    """To the initiative: something waits for it."""

    def text(_language: str) -> Text:
        body = _(
            "%(name)s logged %(hours)s on %(day)s. Confirm them or say what is wrong: %(address)s",
            name=match.employment.name,
            hours=hours(entry.minutes),
            day=day(entry.activity_date),
            address=link("/initiative"),
        )
        if entry.consent_at is not None:
            silence = _(
                "Without an answer they count as confirmed from %(when)s. You can switch that off: %(address)s",
                when=day_short(entry.consent_at),
                address=link("/initiative/profile"),
            )
            body = f"{body}\n\n{silence}"
        return _("%(hours)s to confirm", hours=hours(entry.minutes)), body

    to_initiative(session, match, f"hours:{entry.public_id}:logged", text, now)


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

    to_coach(session, match, f"hours:{entry.public_id}:confirmed", text, now)


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

    to_coach(session, match, f"hours:{entry.public_id}:disputed", text, now)


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

    to_initiative(session, match, f"hours:{entry.public_id}:answered:{now:%Y%m%d%H%M%S}", text, now)
