"""Reading a file, judging it outside any write transaction, and applying its good rows."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from timebank import db, events
from timebank.auth import permissions
from timebank.errors import NotFound
from timebank.imports.columns import Headings
from timebank.imports.decode import MAX_BYTES, decode
from timebank.imports.errors import FileRefused
from timebank.imports.events import FileImported
from timebank.imports.judge import Judged, Judgement, Note, Progress, Verdict, judge
from timebank.imports.registry import Act, Held, Scope, Spec
from timebank.imports.values import enterprise_digits

ByHand = Mapping[str, int | None]


@dataclass
class Preview:
    """A judged file; `missing` counts what a whole list lacks."""

    judgement: Judgement
    missing: int


def preview(
    spec: Spec,
    data: bytes,
    scope: Scope,
    *,
    by_hand: ByHand | None = None,
    progress: Progress | None = None,
    keep_cells: bool = True,
) -> Preview:
    """Judge every row against what the database holds now. Changes nothing, holds no write lock.

    Raises FileRefused.
    """
    with db.read_session() as session:
        kind = spec.load(session, scope, None)
    headings = Headings(kind.columns)
    table = decode(data, headings.recognised)
    judgement = judge(table, headings.map(table.header, by_hand), kind, progress, keep_cells=keep_cells)
    return Preview(judgement, len(kind.missing()))


def require_whole(found: Preview, scope: Scope) -> None:
    """Close nobody on the word of a list with rows of which nobody can tell whom they mean. Raises FileRefused."""
    if scope.close_missing and found.missing and found.judgement.nameless is not None:
        raise FileRefused("nameless_row", row=found.judgement.nameless)


def apply(
    spec: Spec, found: Preview, scope: Scope, act: Act, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Apply the good rows of a preview and return the summary.

    One transaction, or one a chunk where the kind says so: after a failure the same file again goes on where it
    stopped, since what was applied is then the same. Each transaction first compares its rows once more with what the
    database holds by then; a row that no longer fits is refused, the others are applied.
    Raises NotPermitted, NotFound, FileRefused as `require_whole`.
    """
    permissions.require(act.actor, spec.action, organisation_id=scope.organisation_id)
    require_whole(found, scope)
    rows = found.judgement.of(Verdict.NEW, Verdict.CHANGED)
    size = spec.chunk or max(len(rows), 1)
    # A whole list may have nothing to add and still something to close.
    starts = (
        range(0, len(rows), size) if rows else (range(1) if scope.close_missing and found.missing else ())
    )
    for start in starts:
        with db.unit_of_work() as session:
            _wait_for_others(session, scope)
            chunk = rows[start : start + size]
            kind = spec.load(session, scope, chunk)
            _begin(kind, found.judgement)
            spec.apply(session, kind, _still_good(kind, chunk), scope, act)
            _record(session, spec, found, chunk, scope, act)
        for row in chunk:
            row.values = None  # written; a large file need not be held twice
        if progress:
            progress(min(start + size, len(rows)), len(rows))
    return found.judgement.summary(found.missing)


def read_file(path: Path) -> bytes:
    """The bytes of a file, or just enough of a huge one to refuse it."""
    with path.open("rb") as handle:
        return handle.read(MAX_BYTES + 1)


def companies(session: Session) -> list[tuple[int, str]]:
    """Ids and names of the companies for which a file can be read, by name."""
    organisations = table(
        "organisations", *(column(name) for name in ("id", "name", "is_company", "admission"))
    )
    found = session.execute(
        select(organisations.c.id, organisations.c.name)
        .where(organisations.c.is_company, organisations.c.admission == "admitted")
        .order_by(organisations.c.name)
    )
    return [(id_, name) for id_, name in found]


def company_id(session: Session, name: str) -> int:
    """The company with that enterprise number or slug. Raises NotFound."""
    # Organisations stand above this room: of theirs it needs to know this one name alone.
    organisations = table(
        "organisations", column("id"), column("enterprise_number"), column("slug"), column("is_company")
    )
    number = enterprise_digits(name)
    found: int | None = session.scalar(
        select(organisations.c.id).where(
            organisations.c.is_company,
            organisations.c.enterprise_number == number if number else organisations.c.slug == name,
        )
    )
    if found is None:
        raise NotFound(_l("There is no company %(name)s.", name=name))
    return found


def _wait_for_others(session: Session, scope: Scope) -> None:
    """Files of one company, and those of no company, are applied one after another: of two at once the second finds
    what the first brought. On SQLite there is one writer anyway."""
    if db.engine().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock(_IMPORTS, scope.organisation_id or 0)
        session.execute(select(lock))


# Sets these locks apart from those of other acts; the second half is the company's id.
_IMPORTS = -7_001


def _begin(kind: Held, judgement: Judgement) -> None:
    kind.begin(judgement.mapped.places)
    # A whole list also names those whose rows change nothing or are refused: none of them is missing.
    for key in judgement.keys:
        kind.seen(key)


def _still_good(kind: Held, rows: Sequence[Judged]) -> list[Judged]:
    good = []
    hinging: dict[Hashable, Judged] = {}
    for row in rows:
        values = row.values
        if values is None:
            continue
        if kind.hinges(values):
            hinging[kind.key(kind.uniques[0], values)] = row
        note: Note | None = min(
            kind.check(values), key=lambda n: [c.name for c in kind.columns].index(n.column), default=None
        )
        if note is not None:
            row.verdict, row.note, row.values = Verdict.REFUSED, note, None
            continue
        row.verdict = kind.compare(values)
        kind.accept(values, row.verdict)
        if row.verdict is not Verdict.SAME:
            good.append(row)
    for key, note in kind.late():
        row = hinging[key]
        row.verdict, row.note, row.values = Verdict.REFUSED, row.note or note, None
    return [row for row in good if row.note is None]


def _record(
    session: Session, spec: Spec, found: Preview, rows: Sequence[Judged], scope: Scope, act: Act
) -> None:
    events.record(
        session,
        FileImported(
            actor=act.actor,
            at=act.now,
            subject=uuid.uuid4(),
            organisation_id=scope.organisation_id,
            kind=spec.name,
            file=act.file_name,
            new=sum(r.verdict is Verdict.NEW for r in rows),
            changed=sum(r.verdict is Verdict.CHANGED for r in rows),
            missing=found.missing,
            closed_missing=scope.close_missing,
        ),
    )
