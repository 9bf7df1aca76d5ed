"""Changing a password, with the old one or with a mailed link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import hashing
from timebank.auth.actor import Actor, actor_of
from timebank.auth.events import PasswordChanged
from timebank.auth.models import PasswordReset, User
from timebank.auth.service.sessions import end_other_sessions, throttle
from timebank.auth.service.users import user_by_email
from timebank.errors import Expired, Invalid
from timebank.notifications import service as notifications

RESET_LIFE: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


def change_password(
    session: Session,
    user_id: int,
    *,
    current: str,
    new: str,
    session_id: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Change one's own password; everywhere else this person is signed out.

    Raises Invalid when the current one is wrong or the new one weak, TooMany after many wrong ones.
    """
    user = session.get_one(User, user_id)
    if not hashing.matches(current, user.password_hash):
        message = _("This is not your current password.")
        raise Invalid(message, {"current": message})
    hashing.check_strength(new, user.email, "new")
    user.password_hash = hashing.hash_password(new)
    session.flush()
    _note_change(session, user, by_link=False, keep=session_id, actor=actor, now=now)


def request_reset(session: Session, email: str, address: str, *, now: datetime) -> None:
    """Mail a one-time link to whoever has this address, if anybody; the asker is not told.

    Raises TooMany.
    """
    throttle(session, "reset-address", address, most=10, within=HOUR, now=now)
    throttle(session, "reset-account", email.lower(), most=5, within=DAY, now=now)
    user = user_by_email(session, email)
    if user is None or user.disabled_at is not None:
        return
    token = hashing.new_token()
    session.add(
        PasswordReset(
            user_id=user.id, token_hash=hashing.token_hash(token), created_at=now, expires_at=now + RESET_LIFE
        )
    )
    with notifications.in_language(user.language):
        subject = _("A new password for Timebank")
        body = _(
            "Hello %(name)s,\n\n"
            "Choose a new password here, within an hour:\n%(link)s\n\n"
            "Did you not ask for this? Then you need do nothing: your password stays as it is.",
            name=user.first_name,
            link=notifications.link(f"/reset/{token}"),
        )
    notifications.queue(
        session,
        key=f"reset:{hashing.token_hash(token)}",
        kind="password_reset",
        email=user.email,
        user_id=user.id,
        language=user.language or "nl",
        subject=subject,
        body=body,
        now=now,
        secret=token,
    )


def reset_of(session: Session, token: str, *, now: datetime, lock: bool = True) -> PasswordReset:
    """The reset that a link stands for.

    Raises Expired when it was used, is over, or never was.
    """
    query = select(PasswordReset).where(PasswordReset.token_hash == hashing.token_hash(token))
    reset = session.scalar(query.with_for_update() if lock else query)
    if reset is None or reset.used_at is not None or reset.expires_at <= now:
        raise Expired(_l("This link no longer works. Ask for a new one."))
    return reset


def reset_password(session: Session, token: str, new: str, *, now: datetime) -> User:
    """Set a new password with a mailed link, once; the person is signed out everywhere.

    Raises Expired, and Invalid for a weak password.
    """
    reset = reset_of(session, token, now=now)
    user = session.get_one(User, reset.user_id)
    hashing.check_strength(new, user.email)
    user.password_hash = hashing.hash_password(new)
    # The other links that were asked for end too.
    session.execute(
        update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
    )
    session.flush()
    _note_change(session, user, by_link=True, keep=None, actor=actor_of(user), now=now)
    return user


def _note_change(
    session: Session, user: User, *, by_link: bool, keep: int | None, actor: Actor, now: datetime
) -> None:
    end_other_sessions(session, user, keep=keep, actor=actor, now=now)
    events.record(
        session,
        PasswordChanged(actor=actor, at=now, subject=user.public_id, user_id=user.id, by_link=by_link),
    )
    with notifications.in_language(user.language):
        subject = _("Your password was changed")
        body = _(
            "Hello %(name)s,\n\n"
            "Your password for Timebank was just changed, and you were signed out on your other devices.\n\n"
            "Was that not you? Choose a new one at once: %(link)s",
            name=user.first_name,
            link=notifications.link("/reset"),
        )
    notifications.queue(
        session,
        key=f"password-changed:{user.public_id}:{now.isoformat()}",
        kind="password_changed",
        email=user.email,
        user_id=user.id,
        language=user.language or "nl",
        subject=subject,
        body=body,
        now=now,
    )
