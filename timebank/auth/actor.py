"""Who acts: what services, permissions and the audit log need to know of a person or a rule."""

from __future__ import annotations

from dataclasses import dataclass, field

from timebank.auth.models import Role, User


@dataclass(frozen=True)
class Grant:
    """A role, and the organisation or initiative in which it holds (neither: the platform)."""

    role: Role
    organisation_id: int | None = None
    initiative_id: int | None = None


@dataclass(frozen=True)
class Actor:
    """A signed-in person (`user_id`), or the system itself without one. Services take it as an argument."""

    user_id: int | None
    label: str
    language: str = "nl"
    grants: frozenset[Grant] = field(default_factory=frozenset)

    @property
    def is_system(self) -> bool:
        return self.user_id is None

    def organisations(self, *roles: Role) -> frozenset[int]:
        """Ids of the organisations in which the actor has one of `roles`."""
        return frozenset(
            g.organisation_id for g in self.grants if g.role in roles and g.organisation_id is not None
        )

    def initiatives(self) -> frozenset[int]:
        """Ids of the initiatives that the actor co-ordinates."""
        return frozenset(g.initiative_id for g in self.grants if g.initiative_id is not None)

    def has(self, role: Role) -> bool:
        return any(g.role == role for g in self.grants)


SYSTEM = Actor(user_id=None, label="system")
COMMAND_LINE = Actor(user_id=None, label="system:cli")


def actor_of(user: User) -> Actor:
    """The actor that a user is, with the roles that have not ended."""
    return Actor(
        user_id=user.id,
        label=f"user:{user.public_id}",
        language=user.language or "nl",
        grants=frozenset(
            Grant(g.role, g.organisation_id, g.initiative_id) for g in user.grants if g.ended_at is None
        ),
    )
