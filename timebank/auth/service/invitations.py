"""Inviting people into a role by a mailed one-time link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import hashing
from timebank.auth.actor import Actor, actor_of
from timebank.auth.events import InvitationAccepted, InvitationSent
from timebank.auth.models import Invitation, Role, User
from timebank.auth.service.users import create_user, grant_role, user_by_email
from timebank.errors import Expired, Invalid, NotPermitted
from timebank.notifications import service as notifications

INVITATION_LIFE: Final = timedelta(days=30)


def invite(
    session: Session,
    *,
    email: str,
    role: Role,
    organisation_id: int | None = None,
    initiative_id: int | None = None,
    employment_id: int | None = None,
    first_name: str,
    last_name: str,
    language: str,
    actor: Actor,
    now: datetime,
    inviter: str = "",
) -> Invitation:
    """Mail somebody a link that gives a role; an earlier open link for the same stops working.

    `inviter` is the name of the company or initiative, for the mail. The caller has checked that `actor` may invite.
    """
    email = email.strip().lower()
    withdraw_invitations(
        session,
        email=email,
        role=role,
        organisation_id=organisation_id,
        initiative_id=initiative_id,
        employment_id=employment_id,
        now=now,
    )
    token = hashing.new_token()
    invitation = Invitation(
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        role=role,
        organisation_id=organisation_id,
        initiative_id=initiative_id,
        employment_id=employment_id,
        token_hash=hashing.token_hash(token),
        invited_by_id=actor.user_id,
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    session.add(invitation)
    session.flush()  # gives it its ids
    with notifications.in_language(language):
        subject, body = _letter(role, first_name, inviter, notifications.link(f"/invitations/{token}"))
    notifications.queue(
        session,
        key=f"invitation:{invitation.public_id}",
        kind="invitation",
        email=email,
        user_id=None,
        language=language,
        subject=subject,
        body=body,
        now=now,
        secret=token,
    )
    events.record(
        session,
        InvitationSent(
            actor=actor,
            at=now,
            subject=invitation.public_id,
            organisation_id=organisation_id,
            invitation_id=invitation.id,
            role=role,
            employment_id=employment_id,
            initiative_id=initiative_id,
        ),
    )
    return invitation


def _letter(role: Role, first_name: str, inviter: str, link: str) -> tuple[str, str]:
    words = {"name": first_name, "inviter": inviter or "Timebank", "link": link}
    if role == Role.EMPLOYEE:
        return (
            _("%(inviter)s invites you to Timebank", **words),
            _(
                "Hello %(name)s,\n\n"
                "%(inviter)s lets you use a part of your paid working time to coach an initiative: your skills, for "
                "people who need them. You decide whether you take part, and how many hours you pledge.\n\n"
                "Open your account here, within 30 days:\n%(link)s",
                **words,
            ),
        )
    if role == Role.HR:
        return (
            _("Manage Timebank for %(inviter)s", **words),
            _(
                "Hello %(name)s,\n\n"
                "You manage Timebank for %(inviter)s: the rules, the staff list, the pledges to approve and the report."
                "\n\nOpen your account here, within 30 days:\n%(link)s",
                **words,
            ),
        )
    if role == Role.COORDINATOR:
        return (
            _("%(inviter)s is welcome in Timebank", **words),
            _(
                "Hello %(name)s,\n\n"
                "%(inviter)s can now ask for coaches from companies.\n\n"
                "Open your account here, within 30 days:\n%(link)s",
                **words,
            ),
        )
    return (
        _("You are invited to Timebank", **words),
        _(
            "Hello %(name)s,\n\n%(inviter)s gives you access to Timebank.\n\n"
            "Open your account here, within 30 days:\n%(link)s",
            **words,
        ),
    )


def withdraw_invitations(
    session: Session,
    *,
    email: str,
    role: Role,
    organisation_id: int | None,
    initiative_id: int | None,
    employment_id: int | None,
    now: datetime,
) -> None:
    """Let open links for the same role in the same place stop working."""
    for invitation in session.scalars(
        select(Invitation).where(
            Invitation.email == email,
            Invitation.role == role,
            Invitation.organisation_id == organisation_id,
            Invitation.initiative_id == initiative_id,
            Invitation.employment_id == employment_id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
    ):
        invitation.withdrawn_at = now
    session.flush()


def open_invitation(session: Session, token: str, *, now: datetime, lock: bool = True) -> Invitation:
    """The invitation that a link stands for.

    Raises Expired when it was accepted or withdrawn, is over, or never was.
    """
    query = select(Invitation).where(Invitation.token_hash == hashing.token_hash(token))
    invitation = session.scalar(query.with_for_update() if lock else query)
    if invitation is None or invitation.withdrawn_at is not None or invitation.expires_at <= now:
        raise Expired(_l("This invitation no longer works. Ask whoever invited you for a new one."))
    if invitation.accepted_at is not None:
        raise Expired(_l("This invitation was accepted before. Sign in with your account."))
    return invitation


@dataclass(frozen=True)
class Inviter:
    """Who invites: the person, and the name of the company or initiative in which the role is given."""

    person: str | None
    place: str | None


def inviter_of(session: Session, invitation: Invitation) -> Inviter:
    """Who sent an invitation; no person where it came from the command line, no place for an operator."""
    # This room knows organisations and initiatives by their tables alone.
    places = table(
        "organisations" if invitation.organisation_id else "initiatives", *map(column, ("id", "name"))
    )
    place = invitation.organisation_id or invitation.initiative_id
    name = session.scalar(select(places.c.name).where(places.c.id == place)) if place else None
    person = session.get(User, invitation.invited_by_id) if invitation.invited_by_id else None
    return Inviter(person.name if person else None, name)


def accept_invitation(
    session: Session,
    token: str,
    *,
    now: datetime,
    password: str | None = None,
    user_id: int | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    language: str | None = None,
) -> User:
    """Accept with the account `user_id`, or with a new one that gets `password`.

    Names and language are those of the invitation where they are not given. Raises Expired; Invalid for a weak
    password; NotPermitted when the address already has an account, which then has to sign in.
    """
    invitation = open_invitation(session, token, now=now)
    if user_id is not None:
        user = session.get_one(User, user_id)
    elif user_by_email(session, invitation.email) is not None:
        raise NotPermitted(_l("You already have an account. Sign in with it, then accept."))
    elif password is None:
        raise Invalid(_("Choose a password."), {"password": _("Choose a password.")})
    else:
        user = create_user(
            session,
            email=invitation.email,
            password=password,
            first_name=first_name or invitation.first_name,
            last_name=last_name if last_name is not None else invitation.last_name,
            language=language or invitation.language,
            now=now,
        )
    invitation.accepted_at, invitation.accepted_by_id = now, user.id
    session.flush()
    grant_role(
        session,
        user,
        invitation.role,
        organisation_id=invitation.organisation_id,
        initiative_id=invitation.initiative_id,
        actor=actor_of(user),
        now=now,
    )
    events.record(
        session,
        InvitationAccepted(
            actor=actor_of(user),
            at=now,
            subject=invitation.public_id,
            organisation_id=invitation.organisation_id,
            invitation_id=invitation.id,
            user_id=user.id,
            role=invitation.role,
            employment_id=invitation.employment_id,
            initiative_id=invitation.initiative_id,
        ),
    )
    return user
