"""What the kinds of files have in common, and what their rows leave in the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from timebank.audit.models import AuditEntry
from timebank.imports.columns import Column
from timebank.imports.judge import Note, Values, Verdict
from timebank.imports.registry import Act


class BaseKind:
    """A kind without dependent defaults, warnings or missing rows; features say what is different."""

    name: str
    columns: Sequence[Column]
    uniques: Sequence[tuple[str, ...]]
    whole_list = False
    in_file: Collection[str] = ()

    def begin(self, columns: Collection[str]) -> None:
        self.in_file = columns

    def settle(self, values: Values) -> None:
        return None

    def key(self, columns: tuple[str, ...], values: Values) -> Hashable | None:
        if any(values.get(c) is None for c in columns):
            return None
        return tuple(values[c] for c in columns)

    def likely(self, values: Values) -> Hashable | None:
        return None

    def check(self, values: Values) -> Iterable[Note]:
        return ()

    def hinges(self, values: Values) -> bool:
        return False

    def late(self) -> Iterable[tuple[Hashable, Note]]:
        return ()

    def seen(self, key: Hashable) -> None:
        return None

    def accept(self, values: Values, verdict: Verdict) -> None:
        return None

    def warn(self, values: Values) -> Iterable[Note]:
        return ()

    def missing(self) -> Sequence[Any]:
        return ()


def put(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows without asking for their ids; past the unit of work's bookkeeping, which doubles the time of many."""
    if rows:
        session.connection().execute(insert(model.__table__), rows)


def write_audit(
    session: Session, act: Act, rows: Sequence[tuple[str, uuid.UUID, int | None, int]], **detail: Any
) -> None:
    """One line in the audit log for each (action, subject, organisation, row of the file), with the file's name."""
    lines = [
        {
            "at": act.now,
            "actor_user_id": act.actor.user_id,
            "actor_label": act.actor.label,
            "action": action,
            "subject": subject,
            "organisation_id": organisation_id,
            "detail": {"file": act.file_name, "row": number, **detail},
        }
        for action, subject, organisation_id, number in rows
    ]
    put(session, AuditEntry, lines)


def inserted(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows in one statement a batch and return their ids, in the order of the rows."""
    if not rows:
        return []
    return list(session.scalars(insert(model).returning(model.id, sort_by_parameter_order=True), rows))
