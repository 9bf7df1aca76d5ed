"""Files of one kind, written in a test, previewed and applied as the import does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from timebank import clock
from timebank.auth.actor import COMMAND_LINE, Actor
from timebank.auth.models import Invitation
from timebank.imports import service
from timebank.imports.registry import Act, Scope, spec
from timebank.organisations.models import Organisation


def send(
    session: Any,
    kind: str,
    text: str,
    *,
    company: Organisation | None = None,
    actor: Actor = COMMAND_LINE,
    **scope: Any,
) -> dict[str, Any]:
    """Preview and apply; figures as numbers, refusals as (row, column, reason)."""
    organisation_id = company.id if company else None
    # The arranging session must not hold the database while the import writes.
    session.commit()
    where = Scope(organisation_id, scope.pop("as_of", clock.today()), importer_id=actor.user_id, **scope)
    found = service.preview(spec(kind), text.encode(), where)
    summary = service.apply(spec(kind), found, where, Act(actor, clock.now(), f"{kind}.csv"))
    session.expire_all()
    return summary | {
        name: [(r["row"], r["column"], r["reason"]) for r in summary[name]]
        for name in ("refused", "warnings")
    }


def figures(summary: dict[str, Any]) -> tuple[int, int, int]:
    return summary["new"], summary["changed"], summary["same"]


def open_invitations(session) -> list[str]:
    return sorted(session.scalars(select(Invitation.email).where(Invitation.withdrawn_at.is_(None))))
