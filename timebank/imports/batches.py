"""An uploaded file on its way: stored, judged for a preview, mapped by hand where needed, applied, perhaps as a job."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, db, files
from timebank.auth import permissions
from timebank.auth.actor import Actor, actor_of
from timebank.auth.models import User
from timebank.errors import NotFound, WrongState
from timebank.files import StoredFile
from timebank.imports import service
from timebank.imports.columns import Headings
from timebank.imports.decode import decode
from timebank.imports.errors import FileRefused
from timebank.imports.judge import Judgement
from timebank.imports.models import BatchState, ImportBatch
from timebank.imports.registry import Act, Scope, Spec, spec
from timebank.imports.rejects import rejects_csv
from timebank.imports.workbook import unpacked_size
from timebank.jobs import service as jobs
from timebank.jobs.models import Job, JobState

KEPT = timedelta(days=7)
# From here on a browser should not wait for the answer: the scheduler's process does the work.
BYTES_AT_ONCE = 1_000_000
UNPACKED_AT_ONCE = 10_000_000
ROWS_AT_ONCE = 2_000
# How many headings' worth of cells a preview shows of each row.
SHOWN = 3


@dataclass(frozen=True)
class PreviewRow:
    """A row as the page shows it: number, verdict, faulty column, reason, warnings (column, reason), its first cells,
    and the faulty cell."""

    number: int
    verdict: str
    column: str | None
    reason: str | None
    warnings: list[tuple[str, str]]
    cells: list[str]
    cell: str


@dataclass(frozen=True)
class Shown:
    """What the page of a batch shows. `refusal` is the sentence why the file cannot be judged as its headings stand."""

    header: list[str]
    places: dict[str, int]
    unknown: list[str]
    refusal: tuple[str, dict[str, Any]] | None
    summary: dict[str, Any]
    rows: list[PreviewRow]


def upload(
    session: Session,
    kind: Spec,
    data: bytes,
    name: str,
    organisation_id: int | None,
    *,
    actor: Actor,
    now: datetime,
) -> ImportBatch:
    """Keep a file that is a table, to be judged. Raises NotPermitted, NotFound."""
    permissions.require(actor, kind.action, organisation_id=organisation_id)
    if actor.user_id is None:
        raise NotFound(_l("We can't find that."))
    file = files.store(
        session,
        data,
        name=name,
        media_type="application/octet-stream",
        owner_id=actor.user_id,
        now=now,
        expires_at=now + KEPT,
    )
    batch = ImportBatch(
        kind=kind.name,
        organisation_id=organisation_id,
        owner_id=actor.user_id,
        file_id=file.id,
        file_name=file.name,
        as_of=clock.local_date(now),
        created_at=now,
    )
    session.add(batch)
    session.flush()  # gives it its ids
    return batch


def own(session: Session, public_id: uuid.UUID, actor: Actor, *, lock: bool = False) -> ImportBatch:
    """The actor's own batch, while the actor still may import such files. Raises NotFound."""
    query = select(ImportBatch).where(
        ImportBatch.public_id == public_id, ImportBatch.owner_id == actor.user_id
    )
    batch = session.scalar(query.with_for_update() if lock else query)
    if batch is None or actor.user_id is None:
        raise NotFound(_l("We can't find that."))
    permissions.require(actor, spec(batch.kind).action, organisation_id=batch.organisation_id)
    return batch


def job_of(session: Session, batch: ImportBatch) -> Job | None:
    """The job that works, or worked last, on the batch."""
    return session.get(Job, batch.job_id) if batch.job_id else None


def _busy(session: Session, batch: ImportBatch) -> bool:
    job = job_of(session, batch)
    return job is not None and job.state in (JobState.QUEUED, JobState.RUNNING)


# --- judging --------------------------------------------------------------------------------------------------------


def start_preview(public_id: uuid.UUID, *, actor: Actor, now: datetime) -> None:
    """Judge a batch, at once where the file is small, else as a job. Raises FileRefused for what is no table."""
    with db.unit_of_work() as session:
        batch = own(session, public_id, actor, lock=True)
        _require_open(session, batch)
        batch.preview_file_id, batch.summary = None, None
        if _large(session, batch):
            _enqueue(session, batch, "import.preview", now)
            return
    make_preview(public_id, now=now)


def _large(session: Session, batch: ImportBatch) -> bool:
    """Whether reading the file takes long: a workbook of a few kB may unpack to hundreds of MB."""
    size = session.scalar(select(StoredFile.size).where(StoredFile.id == batch.file_id)) or 0
    if size > BYTES_AT_ONCE:
        return True
    content = session.scalar(select(StoredFile.content).where(StoredFile.id == batch.file_id))
    return content is not None and unpacked_size(content) > UNPACKED_AT_ONCE


def make_preview(
    public_id: uuid.UUID, *, now: datetime, progress: Any = None, waited_for: bool = True
) -> dict[str, Any]:
    """Judge the file and keep what the page shows. Headings that cannot be settled are shown for mapping by hand.

    Raises FileRefused for what is no table; where nobody waits for the answer, the page says why.
    """
    with db.read_session() as session:
        data, scope, kind, mapping, owner_id = _work(session, public_id)
    refusal, summary, rows, header, places, unknown = None, {}, [], [], {}, []
    try:
        found = service.preview(kind, data, scope, by_hand=mapping, progress=progress)
        header = list(found.judgement.header)
        summary = found.judgement.summary(found.missing)
        rows = _rows(found.judgement, [c.name for c in _columns(kind, scope)])
        places, unknown = dict(found.judgement.mapped.places), list(found.judgement.mapped.unknown)
    except FileRefused as refused:
        refusal = [refused.code, refused.params]
        if refused.code in ("no_column", "twin_columns"):
            headings = Headings(_columns(kind, scope))
            header = list(decode(data, headings.recognised).header)
            places = headings.guess(header)
            places |= {name: place for name, place in (mapping or {}).items() if place is not None}
        elif waited_for:
            raise
    content = json.dumps([header, places, unknown, refusal, summary, rows], ensure_ascii=False).encode()
    with db.unit_of_work() as session:
        file = files.store(
            session,
            zlib.compress(content, 1),
            name="preview.json.z",
            media_type="application/octet-stream",
            owner_id=owner_id,
            now=now,
            expires_at=now + KEPT,
        )
        batch = session.scalars(
            select(ImportBatch).where(ImportBatch.public_id == public_id).with_for_update()
        ).one()
        if batch.state == BatchState.PREVIEWED:
            batch.preview_file_id = file.id
            batch.summary = None if refusal else _figures(summary)
    return {"rows": len(rows)}


def _columns(kind: Spec, scope: Scope) -> Any:
    with db.read_session() as session:
        return kind.load(session, scope, []).columns


def _rows(judgement: Judgement, names: list[str]) -> list[list[Any]]:
    places = judgement.mapped.places
    first = [places[name] for name in names if name in places][:SHOWN]

    def cell(cells: tuple[str, ...], place: int | None) -> str:
        return cells[place].strip()[:200] if place is not None and place < len(cells) else ""

    return [
        [
            r.row.number,
            r.verdict.value,
            r.note.column if r.note else None,
            r.note.reason if r.note else None,
            [[w.column, w.reason] for w in r.warnings],
            [cell(r.row.cells, place) for place in first],
            cell(r.row.cells, places.get(r.note.column)) if r.note else "",
        ]
        for r in judgement.rows
    ]


def shown(session: Session, batch: ImportBatch) -> Shown | None:
    """The preview, or None while it is being made, or once it has expired."""
    file = session.get(StoredFile, batch.preview_file_id) if batch.preview_file_id else None
    if file is None:
        return None
    header, places, unknown, refusal, summary, rows = json.loads(zlib.decompress(file.content))
    found = [
        PreviewRow(number, verdict, column, reason, [(c, r) for c, r in warnings], cells, cell)
        for number, verdict, column, reason, warnings, cells, cell in rows
    ]
    return Shown(header, places, unknown, tuple(refusal) if refusal else None, summary, found)


def map_headings(
    session: Session, public_id: uuid.UUID, mapping: Mapping[str, int | None], *, actor: Actor
) -> None:
    """Settle by hand which heading means which column (None: none does). Raises NotFound, WrongState."""
    batch = own(session, public_id, actor, lock=True)
    _require_open(session, batch)
    batch.mapping = dict(mapping)
    session.flush()


# --- applying -------------------------------------------------------------------------------------------------------


def start_apply(public_id: uuid.UUID, *, close_missing: bool, actor: Actor, now: datetime) -> None:
    """Apply the good rows, at once where they are few, else as a job. Twice the same click applies once.

    Raises NotFound, WrongState.
    """
    with db.unit_of_work() as session:
        batch = own(session, public_id, actor, lock=True)
        if batch.state == BatchState.APPLIED:
            return
        _require_open(session, batch)
        if batch.summary is None:
            raise WrongState(_l("This file is not ready to be applied. Settle its headings first."))
        batch.close_missing = close_missing and batch.kind == "staff"
        if batch.summary["new"] + batch.summary["changed"] > ROWS_AT_ONCE or _large(session, batch):
            _enqueue(session, batch, "import.apply", now)
            return
    apply(public_id, now=now)


def apply(public_id: uuid.UUID, *, now: datetime, progress: Any = None) -> dict[str, Any]:
    """Judge the file once more and apply its good rows, as the person who uploaded it; keep the refused ones."""
    with db.read_session() as session:
        data, scope, kind, mapping, owner_id = _work(session, public_id)
        actor = actor_of(session.get_one(User, owner_id))
        name = session.scalars(select(ImportBatch.file_name).where(ImportBatch.public_id == public_id)).one()
    judging, applying = _halves(progress) if progress else (None, None)
    found = service.preview(kind, data, scope, by_hand=mapping, progress=judging, keep_cells=False)
    summary = service.apply(kind, found, scope, Act(actor, now, name), progress=applying)
    with db.unit_of_work() as session:
        batch = session.scalars(
            select(ImportBatch).where(ImportBatch.public_id == public_id).with_for_update()
        ).one()
        if batch.state == BatchState.APPLIED and batch.summary is not None:
            return batch.summary  # a second click came in between, and found all of it done
        if summary["refused"]:
            batch.rejects_file_id = files.store(
                session,
                rejects_csv(found.judgement),
                name=f"refused-{batch.kind}.csv",
                media_type="text/csv",
                owner_id=owner_id,
                now=now,
                expires_at=now + KEPT,
            ).id
        batch.state, batch.applied_at = BatchState.APPLIED, now
        batch.summary = _figures(summary)
    return _figures(summary)


def _halves(progress: Any) -> tuple[Any, Any]:
    """Signs of progress for judging, which is the first half of applying a file, and for writing, the second.

    Where somebody asked to stop, a sign raises Cancelled: before the first write, and between the chunks of a kind
    that is written in several. None follows the last one, since all is applied then.
    """

    def judging(done: int, total: int) -> None:
        progress(done, 2 * total)

    def applying(done: int, total: int) -> None:
        if done < total:
            progress(total + done, 2 * total)

    return judging, applying


def stop(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> bool:
    """Ask the work on a file to stop: at once where it waits, else at its next step. Rows that were written stay.

    False when no work is under way any more. Raises NotFound.
    """
    batch = own(session, public_id, actor)
    job = job_of(session, batch)
    if job is None or job.state not in (JobState.QUEUED, JobState.RUNNING):
        return False
    jobs.cancel(session, job.public_id, now=now, requested_by_id=actor.user_id)
    return True


def _figures(summary: Mapping[str, Any]) -> dict[str, int]:
    """The counts of a summary; of its lists how long they are."""
    return {name: len(value) if isinstance(value, list) else int(value) for name, value in summary.items()}


def refused_file(session: Session, public_id: uuid.UUID, *, actor: Actor) -> StoredFile:
    """The refused rows of an applied file. Raises NotFound."""
    batch = own(session, public_id, actor)
    file = session.get(StoredFile, batch.rejects_file_id) if batch.rejects_file_id else None
    if file is None:
        raise NotFound(_l("We can't find that."))
    return file


# --- shared ---------------------------------------------------------------------------------------------------------


def _work(
    session: Session, public_id: uuid.UUID
) -> tuple[bytes, Scope, Spec, dict[str, int | None] | None, int]:
    batch = session.scalars(select(ImportBatch).where(ImportBatch.public_id == public_id)).one()
    file = session.get(StoredFile, batch.file_id) if batch.file_id else None
    if file is None:
        raise WrongState(_l("The file is no longer kept. Upload it again."))
    scope = Scope(batch.organisation_id, batch.as_of, batch.close_missing, batch.owner_id)
    return file.content, scope, spec(batch.kind), batch.mapping or None, batch.owner_id


def _require_open(session: Session, batch: ImportBatch) -> None:
    if batch.state != BatchState.PREVIEWED:
        raise WrongState(_l("This file was applied already."))
    if _busy(session, batch):
        raise WrongState(_l("This file is being worked on. Wait until that is done."))


def _enqueue(session: Session, batch: ImportBatch, what: str, now: datetime) -> None:
    job = jobs.enqueue(
        session,
        kind=what,
        key=f"import:{batch.public_id}",
        payload={"batch": str(batch.public_id)},
        now=now,
        requested_by_id=batch.owner_id,
    )
    session.flush()
    batch.job_id = job.id


@jobs.handler("import.preview")
def preview_job(job: uuid.UUID, payload: dict[str, Any]) -> dict[str, Any]:
    """Judge a large file."""
    return make_preview(
        uuid.UUID(payload["batch"]), now=clock.now(), progress=_percent(job), waited_for=False
    )


@jobs.handler("import.apply")
def apply_job(job: uuid.UUID, payload: dict[str, Any]) -> dict[str, Any]:
    """Apply a large file. Where it turns out to be refused as a whole, the result says why, for the page."""
    try:
        return apply(uuid.UUID(payload["batch"]), now=clock.now(), progress=_percent(job))
    except FileRefused as refused:
        return {"refusal": [refused.code, refused.params]}


def _percent(job: uuid.UUID) -> Any:
    last = -1

    def tell(done: int, total: int) -> None:
        nonlocal last
        percent = done * 100 // max(total, 1)
        if percent >= last + 5 or done == total:
            last = percent
            jobs.progress(job, percent)

    return tell
