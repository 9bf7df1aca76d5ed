"""Writing requests of a file: new ones in bulk, changed ones through the service."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from timebank.auth.actor import SYSTEM
from timebank.coaching import service
from timebank.coaching.imports.columns import said
from timebank.coaching.models import (
    CoachingRequest,
    RequestSkill,
    RequestState,
    RequestText,
    Seat,
    Shape,
)
from timebank.errors import DomainError
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import inserted, put, write_audit
from timebank.imports.registry import Act, Scope
from timebank.taxonomy.bits import ANY_TIME, language_bits

if TYPE_CHECKING:
    from timebank.coaching.imports.requests import HeldRequest, Requests

Audit = list[tuple[str, uuid.UUID, int | None, int]]


def apply(session: Session, kind: Requests, rows: Sequence[Judged], scope: Scope, act: Act) -> None:
    audit = _add(session, kind, [r for r in rows if r.verdict is Verdict.NEW], act)
    for row in rows:
        held = kind.of(row.values or {}) if row.verdict is Verdict.CHANGED else None
        if held is None:
            continue
        try:
            # A seat taken since the row was judged, in this very moment, costs this row alone.
            with session.begin_nested():
                _change(session, kind, held, row.values or {}, act)
        except DomainError:
            row.verdict, row.note, row.values = Verdict.REFUSED, Note("initiative", "conflict"), None
            continue
        initiative = kind.initiatives[(row.values or {})["initiative"]]
        audit.append(("request_changed", held.public_id, initiative.organisation_id, row.row.number))
    write_audit(session, act, audit)


def _add(session: Session, kind: Requests, rows: Sequence[Judged], act: Act) -> Audit:
    records = [_record(kind, row.values or {}, act) for row in rows]
    ids = inserted(session, CoachingRequest, records)
    texts: list[dict[str, Any]] = []
    skills: list[dict[str, Any]] = []
    seats: list[dict[str, Any]] = []
    audit: Audit = []
    for row, record, id_ in zip(rows, records, ids, strict=True):
        values = row.values or {}
        initiative = kind.initiatives[values["initiative"]]
        texts.append(
            {
                "request_id": id_,
                "language": initiative.language,
                "title": values["title"],
                "description": values.get("description", ""),
            }
        )
        for name, must in (("must_skills", True), ("nice_skills", False)):
            skills += [
                {"request_id": id_, "skill_id": kind.words.skill_ids[code], "level": level, "must": must}
                for code, level in values.get(name, ())
            ]
        seats += [{"request_id": id_, "position": i + 1, "withdrawn": False} for i in range(values["seats"])]
        audit.append(("request_opened", record["public_id"], initiative.organisation_id, row.row.number))
    if rows:
        put(session, RequestText, texts)
        put(session, RequestSkill, skills)
        put(session, Seat, seats)
    return audit


def _record(kind: Requests, values: Values, act: Act) -> dict[str, Any]:
    initiative = kind.initiatives[values["initiative"]]
    until = values.get("until")
    return {
        "public_id": uuid.uuid4(),
        "initiative_id": initiative.id,
        "state": RequestState.OPEN,
        "shape": Shape.WINDOW if until else Shape.OPEN_ENDED,
        "from_date": values["from"],
        "until_date": until,
        "minutes_per_coach": values["hours_per_coach"],
        "language_bits": language_bits(values["languages"]),
        "week_bits": ANY_TIME,
        "postcode": values.get("postcode") or initiative.postcode,
        "remote": values.get("remote", False),
        "created_at": act.now,
        "opened_at": act.now,
    }


def _change(session: Session, kind: Requests, held: HeldRequest, values: Values, act: Act) -> None:
    """By the system on the file's word: the audit line beside it names who sent it.

    Raises DomainError for what held seats forbid.
    """
    request = session.get_one(CoachingRequest, held.id)
    language = next((la for la, (title, _) in held.texts.items() if title == values["title"]), "nl")
    before = service.as_input(request, language)
    until = values.get("until", before.until_date)
    ids = kind.words.skill_ids

    def chosen(name: str, now: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(ids[code], level) for code, level in values[name]] if name in values else list(now)

    shape = before.shape if before.shape == Shape.SLOTS else (Shape.WINDOW if until else Shape.OPEN_ENDED)
    must = chosen("must_skills", before.must)
    needed = {skill_id for skill_id, _ in must}
    wish = service.RequestInput(
        title=values["title"],
        description=values.get("description", before.description),
        language=before.language,
        seats=values["seats"],
        minutes_per_coach=values["hours_per_coach"],
        shape=shape,
        from_date=values["from"],
        until_date=until,
        must=must,
        nice=[s for s in chosen("nice_skills", before.nice) if s[0] not in needed],
        slots=before.slots,
        language_bits=language_bits(values["languages"]),
        week_bits=before.week_bits,
        postcode=said(values, kind.default_postcode(held, values)).get("postcode", before.postcode),
        remote=values.get("remote", before.remote),
    )
    service.change_request(session, held.public_id, wish, actor=SYSTEM, now=act.now, decided=True)
