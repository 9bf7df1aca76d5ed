"""Reads for the pages around signing in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth.models import User, UserSession

DEMO_EMAILS = ("employee@demo.example", "hr@demo.example", "initiative@demo.example", "operator@demo.example")


def demo_people(session: Session) -> Sequence[User]:
    """The people whom a demo's sign-in page offers, in the order of the story."""
    found = {u.email: u for u in session.scalars(select(User).where(User.email.in_(DEMO_EMAILS)))}
    return [found[email] for email in DEMO_EMAILS if email in found]


def live_sessions(session: Session, user_id: int, *, now: datetime) -> Sequence[UserSession]:
    """Where somebody is signed in now, newest first."""
    return session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > now)
        .order_by(UserSession.id.desc())
        .limit(50)
    ).all()
