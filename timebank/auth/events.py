"""What happened to logins, roles and invitations. Subjects are users, or the invitation."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.auth.models import Role
from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class UserCreated(Event):
    user_id: int


@dataclass(frozen=True, kw_only=True)
class RoleGranted(Event):
    user_id: int
    role: Role
    initiative_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RoleEnded(Event):
    user_id: int
    role: Role
    initiative_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class InvitationSent(Event):
    invitation_id: int
    role: Role
    employment_id: int | None = None
    initiative_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class InvitationAccepted(Event):
    invitation_id: int
    user_id: int
    role: Role
    employment_id: int | None = None
    initiative_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    user_id: int
    by_link: bool


@dataclass(frozen=True, kw_only=True)
class SessionsEnded(Event):
    user_id: int
    sessions: int
