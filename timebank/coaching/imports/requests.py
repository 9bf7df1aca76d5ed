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

from timebank.coaching.holds import Hold, held_seats
from timebank.coaching.imports.apply import apply
from timebank.coaching.imports.columns import request_columns
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, RequestText, Seat
from timebank.imports.errors import BadValue
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import BaseKind
from timebank.imports.registry import Scope, Spec
from timebank.imports.values import Parser, enterprise_digits, text
from timebank.organisations.imports.words import load_words
from timebank.organisations.models import Admission, Initiative, Organisation
from timebank.taxonomy.bits import language_bits
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
    confirmed: int = 0


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
            .where(i.admission == Admission.ADMITTED)
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
        if held.state == RequestState.CLOSED and not self.same(held, values):
            yield Note("initiative", "conflict")
        if values.get("seats", held.confirmed) < held.confirmed:
            yield Note("seats", "conflict")

    def compare(self, values: Values) -> Verdict:
        held = self.of(values)
        if held is None:
            return Verdict.NEW
        # What waits for the operator's look is decided by the operator's file.
        waits = held.state == RequestState.SUBMITTED
        return Verdict.CHANGED if waits or not self.same(held, values) else Verdict.SAME

    def same(self, held: HeldRequest, values: Values) -> bool:
        """Whether the row says nothing else than we hold. Faulty cells are absent, and say nothing."""
        descriptions = [d for title, d in held.texts.values() if title == values.get("title")]
        return (
            all(held.facts[name] == value for name, value in said(values).items())
            and ("description" not in values or values["description"] in descriptions)
            and dict(values.get("must_skills", held.must.items())) == held.must
            and dict(values.get("nice_skills", held.nice.items())) == held.nice
        )


def _initiative(by_name: Mapping[str, list[int]], by_number: Mapping[str, list[int]]) -> Parser:
    def parse(cell: str) -> int:
        """The initiative of that name, or the only one of the host with that number."""
        name = text()(cell)
        found = by_name.get(name) or by_number.get(enterprise_digits(name) or "") or []
        if len(found) != 1:
            raise BadValue("ambiguous" if found else "unknown")
        return found[0]

    return parse


def said(values: Values) -> dict[str, Any]:
    """What a row says of a request, as its table holds it. An empty postcode says nothing: the initiative's own was
    taken when the request was made."""
    facts: dict[str, Any] = {
        name: values[name] for name in ("seats", "hours_per_coach", "until", "remote") if name in values
    }
    if values.get("postcode"):
        facts["postcode"] = values["postcode"]
    if "languages" in values:
        facts["language_bits"] = language_bits(values["languages"])
    return facts


def _load(session: Session) -> dict[Hashable, HeldRequest]:
    by_id: dict[int, HeldRequest] = {}
    keys: dict[int, tuple[int, date]] = {}
    r = CoachingRequest
    asked = select(Seat.request_id, func.count()).where(Seat.withdrawn.is_(False)).group_by(Seat.request_id)
    seats = dict(session.execute(asked).all())
    for id_, public_id, initiative_id, state, begin, until, minutes, languages, postcode, remote in session.execute(
        select(
            r.id, r.public_id, r.initiative_id, r.state, r.from_date, r.until_date, r.minutes_per_coach,
            r.language_bits, r.postcode, r.remote,
        ).order_by(r.id)
    ):  # fmt: skip
        facts = {
            "seats": seats.get(id_, 0),
            "hours_per_coach": minutes,
            "until": until,
            "remote": remote,
            "postcode": postcode,
            "language_bits": languages,
        }
        by_id[id_] = HeldRequest(id_, public_id, state, facts)
        keys[id_] = (initiative_id, begin)
    for request_id, code, level, must in session.execute(
        select(RequestSkill.request_id, Skill.code, RequestSkill.level, RequestSkill.must).join(
            Skill, Skill.id == RequestSkill.skill_id
        )
    ):
        held = by_id[request_id]
        (held.must if must else held.nice)[code] = level
    ids = list(by_id)
    seat_of = dict(session.execute(select(Seat.id, Seat.request_id)).all())
    for start in range(0, len(ids), BATCH):
        for seat_id, hold in held_seats(session, ids[start : start + BATCH]).items():
            by_id[seat_of[seat_id]].confirmed += hold == Hold.TAKEN
    result: dict[Hashable, HeldRequest] = {}
    for request_id, language, title, description in session.execute(
        select(
            RequestText.request_id, RequestText.language, RequestText.title, RequestText.description
        ).order_by(RequestText.request_id)
    ):
        held = by_id[request_id]
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
