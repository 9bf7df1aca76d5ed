"""From a proposal to the yes of both sides, and what becomes of one that does not come so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank.auth.models import User
from timebank.matches import queries
from timebank.matches.mails.sending import TAKEN_BACK, Text, title_of, to_coach, to_initiative, to_people
from timebank.matches.models import Match, Side
from timebank.notifications.service import link
from timebank.web.format import hours, moment

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
            _("A proposal for you: %(title)s", title=title_of(match, language)),
            _(
                "%(initiative)s asks for %(hours)s of your knowledge: %(title)s.\n\n"
                "Answer before %(until)s: %(address)s",
                initiative=match.request.initiative.name,
                hours=hours(match.minutes),
                title=title_of(match, language),
                until=moment(match.expires_at),
                address=link("/today"),
            ),
        )

    def initiative(language: str) -> Text:
        return (
            _("A coach for: %(title)s", title=title_of(match, language)),
            _(
                "We found a coach for %(hours)s. You read their name once both of you said yes.\n\n"
                "Answer before %(until)s: %(address)s",
                hours=hours(match.minutes),
                until=moment(match.expires_at),
                address=link("/initiative"),
            ),
        )

    to_coach(session, match, "proposed", coach, now)
    to_people(session, match, "proposed", initiative, people, now)


def accepted(session: Session, match: Match, side: Side, now: datetime) -> None:
    """To the side that has yet to answer."""

    def text(language: str) -> Text:
        return (
            _("The other side said yes: %(title)s", title=title_of(match, language)),
            _(
                "Your yes makes it certain. Answer before %(until)s: %(address)s",
                until=moment(match.expires_at),
                address=link("/initiative" if side is Side.COACH else "/today"),
            ),
        )

    if side is Side.COACH:
        to_initiative(session, match, "accepted", text, now)
    else:
        to_coach(session, match, "accepted", text, now)


def confirmed(session: Session, match: Match, now: datetime) -> None:
    initiative, employment = match.request.initiative, match.employment

    def coach(language: str) -> Text:
        return (
            _("Agreed: %(title)s", title=title_of(match, language)),
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
            _("Agreed: %(title)s", title=title_of(match, language)),
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

    to_coach(session, match, "confirmed", coach, now)
    to_initiative(session, match, "confirmed", other, now)


def declined(session: Session, match: Match, side: Side, now: datetime) -> None:
    """To the other side; who said no, and why, stays with the two of them."""

    def coach(language: str) -> Text:
        return (
            _("The initiative chose otherwise: %(title)s", title=title_of(match, language)),
            _(
                "%(initiative)s said no to this proposal. Your hours are free again; you hear of the next one.\n\n"
                "%(address)s",
                initiative=match.request.initiative.name,
                address=link("/today"),
            ),
        )

    def initiative(language: str) -> Text:
        return (
            _("We look for another coach: %(title)s", title=title_of(match, language)),
            _(
                "The coach said no to this proposal. The place is free again; we look for the next one.\n\n"
                "%(address)s",
                address=link("/initiative"),
            ),
        )

    if side is Side.COACH:
        to_initiative(session, match, "declined", initiative, now)
    else:
        to_coach(session, match, "declined", coach, now)


def freed(session: Session, match: Match, now: datetime, *, cause: str) -> None:
    """To both: a proposal lapsed, or was taken back, of which who did not hear of it before hears nothing. Says why,
    and to the initiative no name."""

    def text(language: str, side: Side) -> Text:
        title = title_of(match, language)
        subject = (
            _("A proposal has expired: %(title)s", title=title)
            if cause == "expired"
            else _("A proposal was taken back: %(title)s", title=title)
        )
        said = [_why_freed(match, cause, side), _("Nothing is held for it any more.")]
        if ENDED_ON.get(cause) is not side:
            said.append(_("We look for the next match."))
        return subject, f"{' '.join(filter(None, said))}\n\n{link('/')}"

    what = "expired" if cause == "expired" else TAKEN_BACK
    to_coach(session, match, what, lambda language: text(language, Side.COACH), now)
    to_initiative(session, match, what, lambda language: text(language, Side.INITIATIVE), now)


def _why_freed(match: Match, cause: str, side: Side) -> str:
    coach = side is Side.COACH
    if cause == "run_withdrawn":
        return match.end_note or ""
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
