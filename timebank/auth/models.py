"""Logins, roles and the links that make them. A user is not an employment."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column
from timebank.marks import InstanceMark as InstanceMark


class Role(enum.StrEnum):
    EMPLOYEE = "employee"
    MANAGER = "manager"
    HR = "hr"
    AUDITOR = "auditor"
    COORDINATOR = "coordinator"
    OPERATOR = "operator"


# Whose a role is: an operator's is the platform's, a co-ordinator's an initiative's, any other an organisation's.
ROLE_SCOPE = (
    "(role = 'operator' AND organisation_id IS NULL AND initiative_id IS NULL)"
    " OR (role = 'coordinator' AND organisation_id IS NULL AND initiative_id IS NOT NULL)"
    " OR (role IN ('employee', 'manager', 'hr', 'auditor') AND organisation_id IS NOT NULL AND initiative_id IS NULL)"
)


class User(PublicId, Base):
    """A login. `email` is stored in lower case; without `password_hash` nobody can sign in with it yet."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint("language IN ('nl', 'fr', 'en')", name="language_known"),
        CheckConstraint("theme IN ('light', 'dark')", name="theme_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    first_name: Mapped[str] = mapped_column(String(200))
    last_name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(2))
    theme: Mapped[str | None] = mapped_column(String(5))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    grants: Mapped[list[RoleGrant]] = relationship(back_populates="user", foreign_keys="RoleGrant.user_id")

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class RoleGrant(Base):
    """That a user may act in a role, for the platform, an organisation or an initiative, until it ends."""

    __tablename__ = "role_grants"
    __table_args__ = (
        CheckConstraint(ROLE_SCOPE, name="scope_of_role"),
        *(
            Index(
                f"uq_role_grants_live_{scope}",
                "user_id",
                "role",
                *([column] if column else []),
                unique=True,
                postgresql_where=text(where),
                sqlite_where=text(where),
            )
            for scope, column, where in (
                ("platform", None, "ended_at IS NULL AND organisation_id IS NULL AND initiative_id IS NULL"),
                ("organisation", "organisation_id", "ended_at IS NULL AND organisation_id IS NOT NULL"),
                ("initiative", "initiative_id", "ended_at IS NULL AND initiative_id IS NOT NULL"),
            )
        ),
        Index(None, "organisation_id"),
        Index(None, "initiative_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_column(Role, "role_known"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"))
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="grants", foreign_keys=[user_id])


class UserSession(PublicId, Base):
    """A browser that is signed in; ending the row signs it out wherever it is."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PasswordReset(Base):
    """A one-time link that sets a new password."""

    __tablename__ = "password_resets"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invitation(PublicId, Base):
    """A one-time link that gives its receiver a role; an employee's also ties the employment to the user."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint(ROLE_SCOPE, name="scope_of_role"),
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint("(accepted_at IS NULL) = (accepted_by_id IS NULL)", name="accepted_by_iff_accepted"),
        CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name="accepted_or_withdrawn"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    first_name: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[str] = mapped_column(String(2))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role_known"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"), index=True)
    employment_id: Mapped[int | None] = mapped_column(ForeignKey("employments.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A failed attempt, counted per account and per address by all workers together."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index(None, "key", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]
