"""Hours that wait: for the company when they come late, and for the initiative until its silence counts."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth.models import Role, User
from timebank.matches.mails.sending import Text, to_coach, to_initiative
from timebank.matches.models import HourEntry, Match
from timebank.notifications.service import in_language, link, queue
from timebank.pledges import queries as pledges
from timebank.web.format import day, day_short, hours

DESKS = {Role.HR: "/hr/late-hours", Role.MANAGER: "/team/late-hours", Role.OPERATOR: "/operator/late-hours"}


def hours_late(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    """To whoever decides for the company: who, when, how many and why, and nothing of the initiative."""
    employment = match.employment
    for user in pledges.approvers(session, employment, clock.local_date(now)):
        language = user.language or employment.organisation.language
        with in_language(language):
            subject = _("%(hours)s that came late", hours=hours(entry.minutes))
            body = _(
                "%(name)s logged %(hours)s of %(day)s only now:\n\n%(reason)s\n\n"
                "Decide whether they count: %(address)s",
                name=employment.name,
                hours=hours(entry.minutes),
                day=day_short(entry.activity_date),
                reason=entry.late_reason,
                address=link(_desk(user, employment.organisation_id)),
            )
        queue(
            session,
            key=f"hours:{entry.public_id}:late:{user.public_id}",
            kind="hours.late",
            email=user.email,
            user_id=user.id,
            language=language,
            subject=subject,
            body=body,
            now=now,
        )


def _desk(user: User, organisation_id: int) -> str:
    held = {
        g.role for g in user.grants if g.ended_at is None and g.organisation_id in (organisation_id, None)
    }
    return next((path for role, path in DESKS.items() if role in held), DESKS[Role.HR])


def hours_refused(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    def text(_language: str) -> Text:
        return (
            _("Not accepted: %(hours)s that came late", hours=hours(entry.minutes)),
            _(
                "Your company does not accept your %(hours)s of %(day)s, which came late:\n\n%(reason)s\n\n%(address)s",
                hours=hours(entry.minutes),
                day=day_short(entry.activity_date),
                reason=entry.late_refusal,
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    to_coach(session, match, f"hours:{entry.public_id}:refused", text, now)


def hours_reminded(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    """To both: from which day on silence counts as a yes."""
    when = entry.consent_at or now

    def for_initiative(_language: str) -> Text:
        return (
            _("Last days to answer: %(hours)s", hours=hours(entry.minutes)),
            _(
                "The %(hours)s that %(name)s logged on %(day)s count as confirmed from %(when)s, unless you say "
                "what is wrong before: %(address)s",
                hours=hours(entry.minutes),
                name=match.employment.name,
                day=day(entry.activity_date),
                when=day_short(when),
                address=link("/initiative"),
            ),
        )

    def for_coach(_language: str) -> Text:
        return (
            _("No answer yet about %(hours)s", hours=hours(entry.minutes)),
            _(
                "%(initiative)s did not answer yet about your %(hours)s of %(day)s. We reminded them: from %(when)s "
                "the hours count as confirmed, unless they say what is wrong before.\n\n%(address)s",
                initiative=match.request.initiative.name,
                hours=hours(entry.minutes),
                day=day(entry.activity_date),
                when=day_short(when),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    to_initiative(session, match, f"hours:{entry.public_id}:reminded", for_initiative, now)
    to_coach(session, match, f"hours:{entry.public_id}:reminded", for_coach, now)


def hours_consented(session: Session, match: Match, entry: HourEntry, now: datetime) -> None:
    """To both: nobody answered, so they count."""

    def text(_language: str) -> Text:
        return (
            _("%(hours)s count as confirmed", hours=hours(entry.minutes)),
            _(
                "Nobody questioned the %(hours)s of %(day)s in time, so they count as confirmed. "
                "A mistake? The coach can still correct it: %(address)s",
                hours=hours(entry.minutes),
                day=day(entry.activity_date),
                address=link(f"/matches/{match.public_id}"),
            ),
        )

    to_coach(session, match, f"hours:{entry.public_id}:confirmed", text, now)
    to_initiative(session, match, f"hours:{entry.public_id}:confirmed", text, now)
