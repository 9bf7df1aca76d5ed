"""Signing in and staying signed in. Attempts are counted in the database, by all workers together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import format_time, ngettext
from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import hashing
from timebank.auth.actor import Actor, Grant
from timebank.auth.events import SessionsEnded
from timebank.auth.models import LoginAttempt, RoleGrant, User, UserSession
from timebank.auth.service.users import user_by_email
from timebank.errors import NotFound, TooMany

SESSION_LIFE: Final = timedelta(days=30)
WINDOW: Final = timedelta(minutes=15)
MOST_PER_ACCOUNT: Final = 8
MOST_PER_ADDRESS: Final = 30


def throttle(session: Session, what: str, who: str, *, most: int, within: timedelta, now: datetime) -> None:
    """Count one more `what` by `who`, an address or an account.

    Raises TooMany, saying until when, for one more than `most` in the last `within`; that one is not counted.
    """
    key = _attempt_key(what, who)
    if session.get_bind().dialect.name == "postgresql":
        # Without it, attempts at the same moment would all count the same few. SQLite has one writer at a time anyway.
        session.execute(select(func.pg_advisory_xact_lock(int(key[-15:], 16))))
    recent = session.scalars(
        select(LoginAttempt.at)
        .where(LoginAttempt.key == key, LoginAttempt.at > now - within)
        .order_by(LoginAttempt.at.desc())
        .limit(most)
    ).all()
    if len(recent) >= most:
        until = recent[-1] + within
        minutes = -(-int((until - now).total_seconds()) // 60)
        raise TooMany(
            ngettext(
                "That was too often. Try again in %(num)s minute, at %(time)s.",
                "That was too often. Try again in %(num)s minutes, at %(time)s.",
                minutes,
                # The minute that has begun by then.
                time=format_time(
                    (until + timedelta(seconds=59)).astimezone(clock.BRUSSELS), "HH:mm", rebase=False
                ),
            )
        )
    session.add(LoginAttempt(key=key, at=now))
    session.flush()


def _attempt_key(what: str, who: str) -> str:
    # Hashed: failed attempts often hold a password that slipped into the wrong field.
    return f"{what}:{hashlib.sha256(who.encode()).hexdigest()}"


def count_attempt(session: Session, email: str, address: str, *, now: datetime) -> None:
    """Count an attempt to sign in before the password is looked at, per account and per address.

    Raises TooMany.
    """
    throttle(session, "account", email.lower(), most=MOST_PER_ACCOUNT, within=WINDOW, now=now)
    throttle(session, "address", address, most=MOST_PER_ADDRESS, within=WINDOW, now=now)


def verified_user(session: Session, email: str, password: str) -> User | None:
    """The user whose address and password these are, or None; both take the same time. Not inside a unit of work:
    checking a password is slow on purpose."""
    user = user_by_email(session, email)
    usable = user is not None and user.disabled_at is None
    right = hashing.matches(password, user.password_hash if user is not None and usable else None)
    return user if right else None


def open_session(
    session: Session, user: User, *, user_agent: str, address: str, now: datetime, new_hash: str | None = None
) -> str:
    """Sign a browser in; returns the token for its cookie, of which only the hash is stored."""
    if new_hash is not None:
        # Made just now with today's settings, from the password that was right.
        session.execute(update(User).where(User.id == user.id).values(password_hash=new_hash))
    token = hashing.new_token()
    session.add(
        UserSession(
            user_id=user.id,
            token_hash=hashing.token_hash(token),
            user_agent=user_agent[:300],
            created_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    # Right at last: what went before were slips. The address keeps its count but for this one, else whoever has an
    # account could clear it between attempts on others.
    session.execute(delete(LoginAttempt).where(LoginAttempt.key == _attempt_key("account", user.email)))
    last = (
        select(func.max(LoginAttempt.id))
        .where(LoginAttempt.key == _attempt_key("address", address))
        .scalar_subquery()
    )
    session.execute(delete(LoginAttempt).where(LoginAttempt.id == last))
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - timedelta(days=1)))
    session.flush()
    return token


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, as a request needs it; read with one statement."""

    id: int
    public_id: UUID
    name: str
    email: str
    language: str | None
    theme: str | None
    session_id: int
    actor: Actor


def signed_in_by(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Who holds this token, unless the session ended, expired, or the user was disabled. One statement."""
    rows = session.execute(
        select(UserSession.id, User, RoleGrant.role, RoleGrant.organisation_id, RoleGrant.initiative_id)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(RoleGrant, (RoleGrant.user_id == User.id) & RoleGrant.ended_at.is_(None))
        .where(
            UserSession.token_hash == hashing.token_hash(token),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
            User.disabled_at.is_(None),
        )
    ).all()
    if not rows:
        return None
    user = rows[0][1]
    return SignedIn(
        id=user.id,
        public_id=user.public_id,
        name=user.name,
        email=user.email,
        language=user.language,
        theme=user.theme,
        session_id=rows[0][0],
        actor=Actor(
            user_id=user.id,
            label=f"user:{user.public_id}",
            language=user.language or "nl",
            grants=frozenset(
                Grant(role, organisation, initiative)
                for _id, _user, role, organisation, initiative in rows
                if role is not None
            ),
        ),
    )


def holder_of(session: Session, token: str) -> UUID | None:
    """The public id of whose session this token is, or was when it has ended."""
    return session.scalar(
        select(User.public_id)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == hashing.token_hash(token))
    )


def end_session(
    session: Session, *, user_id: int, public_id: UUID | None, session_id: int | None, now: datetime
) -> None:
    """End one of a user's own sessions, by either id. One that ended before stays as it is.

    Raises NotFound for somebody else's.
    """
    found = session.scalar(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.public_id == public_id if public_id else UserSession.id == session_id,
        )
        .with_for_update()
    )
    if found is None:
        raise NotFound(_("We can't find that."))
    found.ended_at = found.ended_at or now
    session.flush()


def end_other_sessions(session: Session, user: User, *, keep: int | None, actor: Actor, now: datetime) -> int:
    """End all sessions of a user but `keep`; returns how many."""
    ended = session.execute(
        update(UserSession)
        .where(UserSession.user_id == user.id, UserSession.ended_at.is_(None), UserSession.id != (keep or 0))
        .values(ended_at=now)
        .returning(UserSession.id)
    ).all()
    if ended:
        events.record(
            session,
            SessionsEnded(actor=actor, at=now, subject=user.public_id, user_id=user.id, sessions=len(ended)),
        )
    return len(ended)
