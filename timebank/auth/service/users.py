"""Users and their roles."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import hashing
from timebank.auth.actor import SYSTEM, Actor, actor_of
from timebank.auth.events import RoleEnded, RoleGranted, UserCreated
from timebank.auth.models import Role, RoleGrant, User
from timebank.errors import Invalid

LANGUAGES = ("nl", "fr", "en")
THEMES = ("light", "dark")


def user_by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def create_user(
    session: Session,
    *,
    email: str,
    password: str | None,
    first_name: str,
    last_name: str,
    language: str | None,
    now: datetime,
    actor: Actor = SYSTEM,
) -> User:
    """Make a login; without a password it can sign in only after a reset.

    Raises Invalid when the address is taken or the password is weak.
    """
    email = email.strip().lower()
    if user_by_email(session, email) is not None:
        message = _("Somebody already uses this e-mail address.")
        raise Invalid(message, {"email": message})
    if password is not None:
        hashing.check_strength(password, email)
    user = User(
        email=email,
        password_hash=None if password is None else hashing.hash_password(password),
        first_name=first_name,
        last_name=last_name,
        language=language,
        created_at=now,
    )
    session.add(user)
    session.flush()  # gives it its ids
    events.record(session, UserCreated(actor=actor, at=now, subject=user.public_id, user_id=user.id))
    return user


def grant_role(
    session: Session,
    user: User,
    role: Role,
    *,
    organisation_id: int | None = None,
    initiative_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> RoleGrant:
    """Let a user act in a role, for the platform, an organisation or an initiative. One that holds already stays.

    The caller has checked that `actor` may give it.
    """
    found = session.scalar(_live_grant(user.id, role, organisation_id, initiative_id))
    if found is not None:
        return found
    grant = RoleGrant(
        user_id=user.id,
        role=role,
        organisation_id=organisation_id,
        initiative_id=initiative_id,
        granted_at=now,
        granted_by_id=actor.user_id,
    )
    session.add(grant)
    session.flush()  # a second grant in this transaction must find it
    session.expire(user, ["grants"])
    events.record(
        session,
        RoleGranted(
            actor=actor,
            at=now,
            subject=user.public_id,
            organisation_id=organisation_id,
            user_id=user.id,
            role=role,
            initiative_id=initiative_id,
        ),
    )
    return grant


def end_role(
    session: Session,
    user: User,
    role: Role,
    *,
    organisation_id: int | None = None,
    initiative_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """End a role; nothing happens when it does not hold. The caller has checked that `actor` may."""
    grant = session.scalar(_live_grant(user.id, role, organisation_id, initiative_id))
    if grant is None:
        return
    grant.ended_at = now
    session.flush()
    session.expire(user, ["grants"])
    events.record(
        session,
        RoleEnded(
            actor=actor,
            at=now,
            subject=user.public_id,
            organisation_id=organisation_id,
            user_id=user.id,
            role=role,
            initiative_id=initiative_id,
        ),
    )


def _live_grant(
    user_id: int, role: Role, organisation_id: int | None, initiative_id: int | None
) -> Select[RoleGrant]:
    return select(RoleGrant).where(
        RoleGrant.user_id == user_id,
        RoleGrant.role == role,
        RoleGrant.organisation_id == organisation_id,
        RoleGrant.initiative_id == initiative_id,
        RoleGrant.ended_at.is_(None),
    )


def change_profile(
    session: Session,
    user_id: int,
    *,
    first_name: str,
    last_name: str,
    language: str | None,
    theme: str | None,
) -> User:
    """Change one's own name, language and theme."""
    user = session.get_one(User, user_id, with_for_update=True)
    user.first_name, user.last_name = first_name, last_name
    user.language = language if language in LANGUAGES else None
    user.theme = theme if theme in THEMES else None
    session.flush()
    return user


def remember_language(session: Session, user_id: int, language: str) -> None:
    """Keep the language that a signed-in person picked."""
    if language in LANGUAGES:
        session.get_one(User, user_id, with_for_update=True).language = language
        session.flush()


def actor_by_email(session: Session, email: str) -> Actor:
    """Who acts, for commands that carry ``--as EMAIL``.

    Raises Invalid when nobody has that address.
    """
    user = user_by_email(session, email)
    if user is None or user.disabled_at is not None:
        raise Invalid(_("Nobody signs in with %(email)s.", email=email))
    return actor_of(user)
