"""Mails about pledges, each in its receiver's language. They never name a cause."""

from __future__ import annotations

from datetime import datetime

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth.models import Role, RoleGrant, User
from timebank.notifications.service import in_language, link, queue
from timebank.pledges.models import Pledge
from timebank.web.format import hours


def waits(session: Session, pledge: Pledge, user: User, now: datetime) -> None:
    """To whoever may approve."""
    language = user.language or pledge.employment.organisation.language
    with in_language(language):
        subject = _("A pledge waits for your approval")
        body = _(
            "%(name)s offers %(hours)s, from %(start)s until %(end)s.\n\nApprove or refuse: %(address)s",
            name=pledge.employment.name,
            **_offer(pledge),
            address=link(_desk(session, user, pledge)),
        )
    queue(
        session,
        key=f"pledge:{pledge.public_id}:waits:{user.public_id}",
        kind="pledge.waits",
        email=user.email,
        user_id=user.id,
        language=language,
        subject=subject,
        body=body,
        now=now,
    )


def _offer(pledge: Pledge) -> dict[str, str]:
    return {
        "hours": hours(pledge.minutes),
        "start": format_date(pledge.from_date, "d MMMM y"),
        "end": format_date(pledge.until_date, "d MMMM y"),
    }


def _desk(session: Session, user: User, pledge: Pledge) -> str:
    roles = set(
        session.scalars(
            select(RoleGrant.role).where(
                RoleGrant.user_id == user.id,
                RoleGrant.ended_at.is_(None),
                RoleGrant.organisation_id == pledge.employment.organisation_id,
            )
        )
    )
    if Role.HR in roles:
        return "/hr/approvals"
    return "/team/approvals" if Role.MANAGER in roles else "/operator/approvals"


def approved(session: Session, pledge: Pledge, now: datetime) -> None:
    with in_language(pledge.employment.language):
        subject = _("Your pledge is approved")
        body = _(
            "Your company approved your %(hours)s, from %(start)s until %(end)s. They can be matched from the "
            "next night on; you hear from us when an initiative fits.\n\n%(address)s",
            **_offer(pledge),
            address=link(f"/pledges/{pledge.public_id}"),
        )
    _to_employee(session, pledge, "approved", subject, body, now)


def changed(session: Session, pledge: Pledge, before: int, now: datetime) -> None:
    with in_language(pledge.employment.language):
        subject = _("Your pledge has %(hours)s now", hours=hours(pledge.minutes))
        body = _(
            "Your company changed your pledge, from %(start)s until %(end)s: %(hours)s instead of %(before)s."
            "\n\n%(address)s",
            **_offer(pledge),
            before=hours(before),
            address=link(f"/pledges/{pledge.public_id}"),
        )
    _to_employee(session, pledge, f"changed:{now:%Y%m%d%H%M%S%f}", subject, body, now)


def refused(session: Session, pledge: Pledge, now: datetime) -> None:
    with in_language(pledge.employment.language):
        subject = _("Your pledge is not approved")
        body = _(
            "Your company did not approve your %(hours)s, from %(start)s until %(end)s. "
            "The reason:\n\n%(reason)s\n\n"
            "You can make another pledge: %(address)s",
            **_offer(pledge),
            reason=pledge.refused_reason,
            address=link("/pledges/new"),
        )
    _to_employee(session, pledge, "refused", subject, body, now)


def taken_back(session: Session, pledge: Pledge, now: datetime) -> None:
    with in_language(pledge.employment.language):
        subject = _("Your pledge has ended")
        body = _(
            "Your company took back its approval of your %(hours)s, from %(start)s until %(end)s. "
            "The reason:\n\n%(reason)s\n\n"
            "Hours that were agreed with an initiative stay.\n\n%(address)s",
            **_offer(pledge),
            reason=pledge.end_note,
            address=link(f"/pledges/{pledge.public_id}"),
        )
    _to_employee(session, pledge, "taken-back", subject, body, now)


def _to_employee(session: Session, pledge: Pledge, what: str, subject: str, body: str, now: datetime) -> None:
    employment = pledge.employment
    queue(
        session,
        key=f"pledge:{pledge.public_id}:{what}",
        kind=f"pledge.{what.split(':')[0]}",
        email=employment.email,
        user_id=employment.user_id,
        language=employment.language,
        subject=subject,
        body=body,
        now=now,
    )
