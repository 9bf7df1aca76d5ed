"""Pledges that were collected on paper: approved as signed, their hours booked, their people told."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from timebank.imports.errors import BadValue
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import BaseKind
from timebank.imports.registry import Scope, Spec
from timebank.imports.values import Parser
from timebank.ledger.models import AccountKind, LedgerAccount, LedgerBook
from timebank.organisations.imports.words import load_words
from timebank.organisations.models import CompanyPolicy, Employment, EmploymentTerms, Site
from timebank.pledges.imports.apply import apply
from timebank.pledges.imports.columns import pledge_columns, said
from timebank.pledges.models import Pledge, PledgeSkill, PledgeState, Tranche
from timebank.pledges.rules import overlap
from timebank.taxonomy.models import Skill

LIVE = (PledgeState.SUBMITTED, PledgeState.APPROVED)
CHUNK = 5_000


class Person(NamedTuple):
    """An active employment of the company, with what a pledge takes over from it."""

    id: int
    user_id: int | None
    email: str
    language: str
    pseudonym: str
    # Of the terms, by the day from which they hold: department, site's name and postcode.
    terms: tuple[tuple[date, str | None, str | None, str | None], ...]

    def on(self, day: date) -> tuple[str | None, str | None, str | None]:
        """Department, site and its postcode on `day`: of the last terms that began by then, else of the first."""
        held = [t for t in self.terms if t[0] <= day] or list(self.terms[:1])
        return held[-1][1:] if held else (None, None, None)


@dataclass(slots=True)
class HeldPledge:
    id: int
    public_id: uuid.UUID
    state: PledgeState
    from_date: date
    until_date: date
    monthly: bool
    facts: dict[str, Any]
    tranches: list[tuple[uuid.UUID, int]] = field(default_factory=list)
    skills: dict[str, int] = field(default_factory=dict)
    given: int = 0  # minutes reserved and received

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def minutes(self) -> int:
        return sum(minutes for _, minutes in self.tranches)

    def counted(self) -> int:
        """Minutes that count against the cap of its year, as `queries.counted_minutes` says."""
        if self.live:
            return self.minutes
        return self.given if self.state == PledgeState.ENDED else 0


class Pledges(BaseKind):
    name = "pledges"
    uniques = (("email", "from", "until"),)

    def __init__(self, session: Session, scope: Scope, rows: Sequence[Judged] | None = None) -> None:
        """With `rows`, only what is held of their people: one transaction's worth of a large file."""
        whose = Employment.organisation_id == scope.organisation_id
        if rows is not None:
            whose &= Employment.id.in_({row.values["email"] for row in rows if row.values})
            if rows:
                _lock(session, whose)
        self.words = load_words(session)
        self.importer_id = scope.importer_id
        self.people = _people(session, whose)
        self.by_id = {p.id: p for p in self.people.values()}
        self.columns = pledge_columns(self.words, _employee(self.people))
        self.cap = session.scalar(
            select(CompanyPolicy.minutes_per_year).where(
                CompanyPolicy.organisation_id == scope.organisation_id
            )
        )
        self.held: dict[int, list[HeldPledge]] = _load(session, scope, whose)
        # What rows of this file add: periods, and minutes by year.
        self.periods: dict[int, list[tuple[date, date]]] = defaultdict(list)
        self.counted: dict[tuple[int, int], int] = defaultdict(int)
        for employment_id, pledges in self.held.items():
            for pledge in pledges:
                self.counted[employment_id, pledge.from_date.year] += pledge.counted()

    def own(self, person: Person) -> bool:
        """Whether this is the very person who imports the file: nobody approves their own pledge."""
        return self.importer_id is not None and person.user_id == self.importer_id

    def of(self, values: Values) -> HeldPledge | None:
        """The pledge that a row means; of several with its days, the live one."""
        same = [
            p
            for p in self.held.get(values["email"], ())
            if (p.from_date, p.until_date) == (values["from"], values["until"])
        ]
        return max(same, key=lambda p: (p.live, p.id), default=None)

    def check(self, values: Values) -> Iterable[Note]:
        person = self.by_id.get(values.get("email", 0))
        begin, end, minutes = values.get("from"), values.get("until"), values.get("hours")
        if "email" in values and person is None:
            yield Note("email", "unknown")
        if begin and end and end < begin:
            yield Note("until", "order")
            return
        if person is None or begin is None or end is None:
            return
        held = self.of(values)
        if held is not None and not held.live:
            if not self.same(held, values):
                yield Note("hours", "conflict")
            return
        if any(overlap(begin, end, *period) for period in self.live_periods(person.id, held)):
            yield Note("from", "overlap")
        nowhere = "postcode" not in self.in_file or ("postcode" in values and values["postcode"] is None)
        if held is None and nowhere and person.on(begin)[2] is None:
            # Neither the row nor the person's site says where.
            yield Note("postcode", "missing")
        if minutes is None:
            return
        if held is not None and (minutes < held.given or (held.monthly and minutes != held.minutes)):
            yield Note("hours", "conflict")
        others = self.counted[person.id, begin.year] - (held.counted() if held else 0)
        more = held is None or minutes > held.minutes
        if self.cap is not None and more and others + minutes > self.cap:
            yield Note("hours", "cap")

    def live_periods(self, employment_id: int, but: HeldPledge | None) -> Iterable[tuple[date, date]]:
        for pledge in self.held.get(employment_id, ()):
            if pledge.live and pledge is not but:
                yield pledge.from_date, pledge.until_date
        for period in self.periods[employment_id]:
            if but is None or period != (but.from_date, but.until_date):
                yield period

    def compare(self, values: Values) -> Verdict:
        held = self.of(values)
        if held is None:
            return Verdict.NEW
        if held.state == PledgeState.SUBMITTED and not self.own(self.by_id[values["email"]]):
            # It waited for an approval; the signed paper is one.
            return Verdict.CHANGED
        return Verdict.SAME if self.same(held, values) else Verdict.CHANGED

    def same(self, held: HeldPledge, values: Values) -> bool:
        """Whether the row says nothing else than we hold. Faulty cells are absent, and say nothing."""
        facts = self.said(values, held)
        return (
            values.get("hours", held.minutes) == held.minutes
            and dict(values.get("skills", held.skills.items())) == held.skills
            and all(held.facts[name] == value for name, value in facts.items())
        )

    def said(self, values: Values, held: HeldPledge | None) -> dict[str, Any]:
        """What a row says of a pledge; of one that has ended an empty cell says nothing."""
        person = self.by_id[values["email"]]
        if held is not None and not held.live:
            return said(values, None, None)
        return said(values, person.language, person.on(values["from"])[2])

    def accept(self, values: Values, verdict: Verdict) -> None:
        if verdict is Verdict.SAME:
            return
        held = self.of(values)
        employment_id, begin = values["email"], values["from"]
        self.periods[employment_id].append((begin, values["until"]))
        self.counted[employment_id, begin.year] += values["hours"] - (held.counted() if held else 0)


def _employee(people: Mapping[str, Person]) -> Parser:
    def parse(email: str) -> int:
        """The employment of somebody who works for the company."""
        try:
            return people[email].id
        except KeyError:
            raise BadValue("unknown") from None

    return parse


def _lock(session: Session, whose: ColumnElement[bool]) -> None:
    """Hold the employments, as every act on pledges does, before reading what its people hold."""
    session.execute(
        select(Employment.id).where(whose).order_by(Employment.id).with_for_update(key_share=True)
    ).all()


def _people(session: Session, whose: ColumnElement[bool]) -> Mapping[str, Person]:
    terms: dict[int, list[tuple[date, str | None, str | None, str | None]]] = defaultdict(list)
    t = EmploymentTerms
    of_company = (whose, Employment.state == "active")
    for id_, since, department, site, postcode in session.execute(
        select(t.employment_id, t.valid_from, t.department, Site.name, Site.postcode)
        .join(Employment, Employment.id == t.employment_id)
        .outerjoin(Site, Site.id == t.site_id)
        .where(*of_company)
        .order_by(t.employment_id, t.valid_from)
    ):
        terms[id_].append((since, department, site, postcode))
    e = Employment
    return {
        email: Person(id_, user_id, email, language, pseudonym, tuple(terms.get(id_, ())))
        for id_, user_id, email, language, pseudonym in session.execute(
            select(e.id, e.user_id, e.email, e.language, e.pseudonym).where(*of_company)
        )
    }


def _load(session: Session, scope: Scope, of_company: ColumnElement[bool]) -> dict[int, list[HeldPledge]]:
    held: dict[int, list[HeldPledge]] = defaultdict(list)
    by_id: dict[int, HeldPledge] = {}
    alike: dict[Hashable, dict[str, Any]] = {}
    p = Pledge
    for employment_id, id_, public_id, state, begin, end, monthly, languages, week, *rest in session.execute(
        select(
            p.employment_id, p.id, p.public_id, p.state, p.from_date, p.until_date, p.monthly, p.language_bits,
            p.week_bits, p.postcode, p.radius_km, p.remote,
        )
        .join(Employment, Employment.id == p.employment_id)
        .where(of_company, p.state != PledgeState.DRAFT)
    ):  # fmt: skip
        facts = {"language_bits": languages, "week_bits": week}
        facts |= dict(zip(("postcode", "radius_km", "remote"), rest, strict=True))
        # Most pledges of a large company say one of few things: they share it, which saves a tenth of the memory.
        facts = alike.setdefault(tuple(facts.values()), facts)
        by_id[id_] = HeldPledge(id_, public_id, state, begin, end, monthly, facts)
        held[employment_id].append(by_id[id_])
    given: dict[Hashable, int] = {
        tranche: int(minutes)
        for tranche, minutes in session.execute(
            select(LedgerAccount.tranche, func.sum(LedgerAccount.balance))
            .join(LedgerBook, LedgerBook.id == LedgerAccount.book_id)
            .where(
                LedgerBook.organisation_id == scope.organisation_id,
                LedgerAccount.kind.in_((AccountKind.RESERVED, AccountKind.RECEIVED)),
            )
            .group_by(LedgerAccount.tranche)
        )
    }
    for pledge_id, public_id, minutes in session.execute(
        select(Tranche.pledge_id, Tranche.public_id, Tranche.minutes)
        .join(Pledge, Pledge.id == Tranche.pledge_id)
        .join(Employment, Employment.id == Pledge.employment_id)
        .where(of_company)
        .order_by(Tranche.from_date)
    ):
        if pledge_id in by_id:
            by_id[pledge_id].tranches.append((public_id, minutes))
            by_id[pledge_id].given += given.get(public_id, 0)
    for pledge_id, code, level in session.execute(
        select(PledgeSkill.pledge_id, Skill.code, PledgeSkill.level)
        .join(Skill, Skill.id == PledgeSkill.skill_id)
        .join(Pledge, Pledge.id == PledgeSkill.pledge_id)
        .join(Employment, Employment.id == Pledge.employment_id)
        .where(of_company)
    ):
        if pledge_id in by_id:
            by_id[pledge_id].skills[code] = level
    named: dict[Hashable, dict[str, int]] = {}
    for pledge in by_id.values():
        pledge.skills = named.setdefault(frozenset(pledge.skills.items()), pledge.skills)
    return dict(held)


SPEC = Spec("pledges", of_company=True, action="pledges.import", load=Pledges, apply=apply, chunk=CHUNK)
