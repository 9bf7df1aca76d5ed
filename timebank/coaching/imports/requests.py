"""A file of coaching requests: open at once, since the operator imports what was decided."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.coaching.holds import held_seats
from timebank.coaching.imports.apply import apply
from timebank.coaching.imports.columns import request_columns, said
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, RequestText, Seat, Shape
from timebank.imports.errors import BadValue
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import BaseKind
from timebank.imports.registry import Scope, Spec
from timebank.imports.values import Parser, enterprise_digits, text
from timebank.organisations.imports.words import load_words
from timebank.organisations.models import Admission, Initiative, Organisation
from timebank.taxonomy.models import Skill

# Ids that one statement may carry on either database.
BATCH = 10_000


class Asking(NamedTuple):
    """An admitted initiative, with what a request takes over from it."""

    id: int
    organisation_id: int
    language: str
    postcode: str


@dataclass(slots=True)
class HeldRequest:
    """A request as a file would write it; `texts` are (title, description) by language."""

    id: int
    public_id: uuid.UUID
    state: RequestState
    facts: dict[str, Any]
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    must: dict[str, int] = field(default_factory=dict)
    nice: dict[str, int] = field(default_factory=dict)
    held: int = 0  # seats
    slots: bool = False


class Requests(BaseKind):
    name = "requests"
    uniques = (("initiative", "title", "from"),)

    def __init__(self, session: Session) -> None:
        self.words = load_words(session)
        self.initiatives: dict[int, Asking] = {}
        self.by_name: dict[str, list[int]] = defaultdict(list)
        self.by_number: dict[str, list[int]] = defaultdict(list)
        i = Initiative
        for id_, organisation_id, language, postcode, name, number in session.execute(
            select(i.id, i.organisation_id, i.language, i.postcode, i.name, Organisation.enterprise_number)
            .join(Organisation, Organisation.id == i.organisation_id)
            .where(i.admission == Admission.ADMITTED, Organisation.admission == Admission.ADMITTED)
        ):
            self.initiatives[id_] = Asking(id_, organisation_id, language, postcode)
            self.by_name[name].append(id_)
            if number:
                self.by_number[number].append(id_)
        self.columns = request_columns(self.words, _initiative(self.by_name, self.by_number))
        self.held = _load(session)

    def settle(self, values: Values) -> None:
        # A skill that is needed is not merely welcome, too.
        if values.get("must_skills") and values.get("nice_skills"):
            needed = dict(values["must_skills"])
            values["nice_skills"] = tuple(s for s in values["nice_skills"] if s[0] not in needed)

    def of(self, values: Values) -> HeldRequest | None:
        """The request that a row means, if we hold it."""
        key: Hashable = (values.get("initiative"), values.get("title"), values.get("from"))
        return self.held.get(key)

    def check(self, values: Values) -> Iterable[Note]:
        if "initiative" in values and values["initiative"] not in self.initiatives:
            yield Note("initiative", "unknown")
        begin, end = values.get("from"), values.get("until")
        if begin and end and end < begin:
            yield Note("until", "order")
        held = self.of(values)
        if held is None:
            return
        if held.state == RequestState.CLOSED:
            if not self.same(held, values):
                yield Note("initiative", "conflict")
            return
        if values.get("seats", held.held) < held.held:
            yield Note("seats", "conflict")
        for name in self.fixed(held, values):
            if name in values and self.differs(held, values, name):
                yield Note(name, "conflict")

    def fixed(self, held: HeldRequest, values: Values) -> Iterable[str]:
        """The columns that cannot change: coaches said yes, or may say yes, to what stands there; or the days and
        hours follow from moments that no file names."""
        if held.held:
            yield from ("hours_per_coach", "must_skills", "languages", "postcode", "remote")
        now, end = held.facts["until"], values.get("until")
        # A later last day is more of the same.
        if held.slots or (held.held and not (now and end and end > now)):
            yield "until"
        if held.slots:
            yield "hours_per_coach"

    def default_postcode(self, held: HeldRequest | None, values: Values) -> str | None:
        """What an empty postcode means: the initiative's; nothing where it can change no more."""
        if held is not None and (held.held or held.state == RequestState.CLOSED):
            return None
        initiative = self.initiatives.get(values.get("initiative", 0))
        return initiative.postcode if initiative else None

    def compare(self, values: Values) -> Verdict:
        held = self.of(values)
        if held is None:
            return Verdict.NEW
        # What waits for the operator's look, or to be sent, is decided by the operator's file.
        waits = held.state in (RequestState.SUBMITTED, RequestState.DRAFT)
        return Verdict.CHANGED if waits or not self.same(held, values) else Verdict.SAME

    def same(self, held: HeldRequest, values: Values) -> bool:
        """Whether the row says nothing else than we hold. Faulty cells are absent, and say nothing."""
        return not any(self.differs(held, values, name) for name in values)

    def differs(self, held: HeldRequest, values: Values, name: str) -> bool:
        """Whether a column of the row says something else than we hold."""
        if name in ("must_skills", "nice_skills"):
            return dict(values[name]) != (held.must if name == "must_skills" else held.nice)
        if name == "description":
            return values[name] not in [d for title, d in held.texts.values() if title == values.get("title")]
        facts = said({name: values[name]}, self.default_postcode(held, values))
        return any(held.facts[fact] != value for fact, value in facts.items())


def _initiative(by_name: Mapping[str, list[int]], by_number: Mapping[str, list[int]]) -> Parser:
    def parse(cell: str) -> int:
        """The initiative of that name, or the only one of the host with that number."""
        name = text()(cell)
        found = by_name.get(name) or by_number.get(enterprise_digits(name) or "") or []
        if len(found) != 1:
            raise BadValue("ambiguous" if found else "unknown")
        return found[0]

    return parse


def _load(session: Session) -> dict[Hashable, HeldRequest]:
    by_id: dict[int, HeldRequest] = {}
    keys: dict[int, tuple[int, date]] = {}
    r = CoachingRequest
    asked = select(Seat.request_id, func.count()).where(Seat.withdrawn.is_(False)).group_by(Seat.request_id)
    seats = dict(session.execute(asked).all())
    for id_, public_id, initiative_id, state, shape, begin, until, minutes, languages, *place in session.execute(
        select(
            r.id, r.public_id, r.initiative_id, r.state, r.shape, r.from_date, r.until_date, r.minutes_per_coach,
            r.language_bits, r.postcode, r.remote,
        ).order_by(r.id)
    ):  # fmt: skip
        facts = {
            "seats": seats.get(id_, 0),
            "hours_per_coach": minutes,
            "until": until,
            "language_bits": languages,
            **dict(zip(("postcode", "remote"), place, strict=True)),
        }
        by_id[id_] = HeldRequest(id_, public_id, state, facts, slots=shape == Shape.SLOTS)
        keys[id_] = (initiative_id, begin)
    for request_id, code, level, must in session.execute(
        select(RequestSkill.request_id, Skill.code, RequestSkill.level, RequestSkill.must).join(
            Skill, Skill.id == RequestSkill.skill_id
        )
    ):
        held = by_id.get(request_id)
        if held is None:
            continue  # asked since the requests were read
        (held.must if must else held.nice)[code] = level
    ids = list(by_id)
    asked_seats = select(Seat.id, Seat.request_id).where(Seat.withdrawn.is_(False))
    seat_of = dict(session.execute(asked_seats).all())
    for start in range(0, len(ids), BATCH):
        for seat_id in held_seats(session, ids[start : start + BATCH]):
            if seat_id in seat_of:
                by_id[seat_of[seat_id]].held += 1
    result: dict[Hashable, HeldRequest] = {}
    for request_id, language, title, description in session.execute(
        select(
            RequestText.request_id, RequestText.language, RequestText.title, RequestText.description
        ).order_by(RequestText.request_id)
    ):
        held = by_id.get(request_id)
        if held is None:
            continue
        held.texts[language] = (title, description)
        initiative_id, begin = keys[request_id]
        key = (initiative_id, title, begin)
        # Of several that a row could mean, the one that is not closed.
        if key not in result or result[key].state == RequestState.CLOSED:
            result[key] = held
    return result


def _kind(session: Session, scope: Scope, rows: Sequence[Judged] | None) -> Requests:
    return Requests(session)


SPEC = Spec("requests", of_company=False, action="organisation.import", load=_kind, apply=apply)
