"""A company's staff list, read as the whole list: new people, changed terms, and those it lacks."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from timebank import clock
from timebank.auth.models import Invitation
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import BaseKind, inserted, put, write_audit
from timebank.imports.registry import Act, Scope, Spec
from timebank.organisations import service
from timebank.organisations.imports.columns import staff_columns
from timebank.organisations.imports.words import Words, load_words
from timebank.organisations.models import Employment, EmploymentTerms, Organisation, Site, new_pseudonym

PERSON = ("email", "first_name", "last_name", "language", "start_date", "end_date")
BATCH = 2_000
TERMS = ("department", "site_postcode", "fte", "manager_email")


class Terms(NamedTuple):
    """Terms as the file writes them."""

    department: str | None
    site_postcode: str | None
    fte: Decimal
    manager_email: str | None


NO_TERMS = Terms(None, None, Decimal(1), None)


@dataclass(slots=True)
class HeldPerson:
    """An employment, with the terms that hold on the day of the import."""

    id: int
    public_id: uuid.UUID
    active: bool
    email: str
    first_name: str
    last_name: str
    language: str
    start_date: date | None
    end_date: date | None
    terms: Terms = NO_TERMS
    terms_since: date | None = None


class Staff(BaseKind):
    name = "staff"
    uniques = (("employee_number",), ("email",))

    whole_list = True

    def __init__(self, session: Session, scope: Scope, rows: Sequence[Judged] | None = None) -> None:
        self.words = load_words(session)
        self.columns = staff_columns(self.words)
        self.scope = scope
        self.today = clock.today()
        self.held = _load(session, scope)
        # Who holds which address before the file; and what its rows do to that: who takes the address of somebody
        # else, and who no longer has the own one.
        self.holders = {p.email: number for number, p in self.held.items() if p.active}
        self.takers: dict[str, str] = {}
        self.leavers: set[str] = set()
        self.accepted: set[str] = set()
        self.numbers: set[str] = set()
        self.addresses: set[str] = set()

    def seen(self, key: Hashable) -> None:
        self.numbers.add(cast("tuple[str]", key)[0])

    def likely(self, values: Values) -> Hashable | None:
        # Whose number cannot be read is still known by the address: a typing error closes nobody's employment.
        number = self.holders.get(values.get("email", ""))
        return None if number is None else (number,)

    def check(self, values: Values) -> Iterable[Note]:
        held = self.held.get(values.get("employee_number", ""))
        end = values.get("end_date")
        start = values.get("start_date", held.start_date if held else None)
        if end and start and end < start:
            yield Note("end_date", "order")
        if self.hinges(values) and values["employee_number"] not in self.accepted:
            self.takers[values["employee_number"]] = values["email"]

    def active(self, values: Values) -> bool:
        """Whether the person works here today, as the row says: a last day to come closes nobody now, and a day of
        import in the past lets nobody come back."""
        end = values.get("end_date")
        return end is None or end >= self.today

    def hinges(self, values: Values) -> bool:
        """Whether the row takes the address that somebody else has: it stands if that person's row gives it up."""
        number = values.get("employee_number")
        holder = self.holders.get(values.get("email", ""))
        return number is not None and holder not in (None, number) and self.active(values)

    def late(self) -> Iterable[tuple[Hashable, Note]]:
        refused: set[str] = set()
        # A row that is refused keeps the address that it would have given up, which may refuse another.
        while more := {
            number
            for number, email in self.takers.items()
            if number not in refused and not self.free(self.holders[email], refused)
        }:
            refused |= more
        return [((number,), Note("email", "conflict")) for number in refused]

    def free(self, holder: str, refused: set[str]) -> bool:
        """Whether the address that somebody had before the file is free after it."""
        if holder in self.numbers:
            return holder in self.leavers and holder not in refused
        return self.closes_missing

    @property
    def closes_missing(self) -> bool:
        """Whether people whom the file lacks are closed now; with a day to come they only get a last day."""
        return self.scope.close_missing and self.scope.as_of <= self.today

    def compare(self, values: Values) -> Verdict:
        held = self.held.get(values["employee_number"])
        if held is None:
            return Verdict.NEW
        same = (
            held.active == self.active(values)
            and all(getattr(held, name) == values[name] for name in PERSON if name in values)
            and all(getattr(held.terms, name) == values[name] for name in TERMS if name in values)
        )
        return Verdict.SAME if same else Verdict.CHANGED

    def accept(self, values: Values, verdict: Verdict) -> None:
        number = values["employee_number"]
        held = self.held.get(number)
        if held is not None and not (self.active(values) and held.email == values["email"]):
            self.leavers.add(number)
        self.accepted.add(number)
        self.addresses.add(values["email"])

    def warn(self, values: Values) -> Iterable[Note]:
        manager = values.get("manager_email")
        if manager is None or manager in self.addresses:
            return
        if manager not in self.holders or self.holders[manager] in self.leavers:
            yield Note("manager_email", "unknown")

    def missing(self) -> Sequence[HeldPerson]:
        return [p for number, p in self.held.items() if p.active and number not in self.numbers]


def _load(session: Session, scope: Scope) -> dict[str, HeldPerson]:
    held: dict[str, HeldPerson] = {}
    by_id: dict[int, HeldPerson] = {}
    e = Employment
    for number, id_, public_id, state, *rest in session.execute(
        select(
            e.employee_number, e.id, e.public_id, e.state, e.email, e.first_name, e.last_name, e.language,
            e.start_date, e.end_date,
        ).where(e.organisation_id == scope.organisation_id)
    ):  # fmt: skip
        held[number] = by_id[id_] = HeldPerson(id_, public_id, state == "active", *rest)
    t = EmploymentTerms
    for id_, since, department, fte, manager_email, postcode in session.execute(
        select(t.employment_id, t.valid_from, t.department, t.fte, t.manager_email, Site.postcode)
        .join(Employment, Employment.id == t.employment_id)
        .outerjoin(Site, Site.id == t.site_id)
        .where(Employment.organisation_id == scope.organisation_id)
        .order_by(t.employment_id, t.valid_from)
    ):
        person = by_id[id_]
        # The last that began by that day, else the first.
        if person.terms_since is None or since <= scope.as_of:
            person.terms, person.terms_since = Terms(department, postcode, fte, manager_email), since
    return held


def apply(session: Session, kind: Staff, rows: Sequence[Judged], scope: Scope, act: Act) -> None:
    organisation = session.get_one(Organisation, scope.organisation_id)
    sites = _sites(session, organisation, kind.words, rows)
    if scope.close_missing:
        for person in kind.missing():
            last = max(scope.as_of, person.start_date or scope.as_of)
            if kind.closes_missing:
                _close(session, person, last, act)
            elif person.end_date is None or person.end_date > last:
                session.get_one(Employment, person.id, with_for_update=True).end_date = last
        session.flush()
    changed = [r for r in rows if r.verdict is Verdict.CHANGED]
    _free_addresses(session, kind, changed, act)
    new = [r for r in rows if r.verdict is Verdict.NEW]
    # In batches, since a row about to be written takes many times the memory of one in a file. What changes comes
    # first: it may give an address free that a new person has.
    for write, some in ((_change, changed), (_add, new)):
        for start in range(0, len(some), BATCH):
            audit = write(session, kind, some[start : start + BATCH], sites, scope, act)
            write_audit(session, act, audit)
    service.grant_managers(session, organisation.id, actor=act.actor, now=act.now)


def _sites(
    session: Session, organisation: Organisation, words: Words, rows: Sequence[Judged]
) -> dict[str, int]:
    """The company's sites by postcode, with those that the file brings."""
    held = select(Site.postcode, Site.id).where(Site.organisation_id == organisation.id)
    known = dict(session.execute(held).all())
    wanted = {r.values.get("site_postcode") for r in rows if r.values} - {None, *known}
    codes = sorted(str(code) for code in wanted)
    names = {code: words.places[code].name(organisation.language) for code in codes}
    ids = inserted(
        session,
        Site,
        [
            {
                "organisation_id": organisation.id,
                "name": names[code],
                "postcode": code,
                "nis": words.places[code].nis,
                "municipality": names[code],
            }
            for code in codes
        ],
    )
    return known | dict(zip(codes, ids, strict=True))


def _close(session: Session, person: HeldPerson, end_date: date, act: Act) -> None:
    employment = session.get_one(Employment, person.id, with_for_update=True)
    service.close_employment(session, employment, end_date, actor=act.actor, now=act.now)


def _free_addresses(session: Session, kind: Staff, rows: Sequence[Judged], act: Act) -> None:
    """Take their address from those to whom the file gives another, so that two may exchange theirs; a link that went
    to the old one works no longer."""
    moving = [
        kind.held[values["employee_number"]]
        for values in (row.values or {} for row in rows)
        if values["email"] != kind.held[values["employee_number"]].email
    ]
    connection = session.connection()
    if not moving:
        return
    connection.execute(
        update(Employment).where(Employment.id == bindparam("b_id")),
        [{"b_id": person.id, "email": f"{person.public_id}@moving.invalid"} for person in moving],
    )
    connection.execute(
        update(Invitation)
        .where(
            Invitation.employment_id == bindparam("b_id"),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=act.now),
        [{"b_id": person.id} for person in moving],
    )


def _terms_row(employment_id: int, since: date, terms: Terms, sites: dict[str, int]) -> dict[str, Any]:
    return {
        "employment_id": employment_id,
        "valid_from": since,
        "department": terms.department,
        "site_id": sites[terms.site_postcode] if terms.site_postcode else None,
        "fte": terms.fte,
        "manager_email": terms.manager_email,
    }


def _add(
    session: Session, kind: Staff, rows: Sequence[Judged], sites: dict[str, int], scope: Scope, act: Act
) -> list[tuple[str, uuid.UUID, int | None, int]]:
    people = []
    for row in rows:
        values = row.values or {}
        people.append(
            {
                "public_id": uuid.uuid4(),
                "organisation_id": scope.organisation_id,
                "employee_number": values["employee_number"],
                "language": "nl",
                "state": "active" if kind.active(values) else "left",
                "pseudonym": new_pseudonym(),
                "created_at": act.now,
                "start_date": None,
                "end_date": None,
                **{name: values[name] for name in PERSON if name in values},
            }
        )
    ids = inserted(session, Employment, people)
    terms = []
    for row, id_ in zip(rows, ids, strict=True):
        values = row.values or {}
        begin = values.get("start_date")
        since = begin if begin and begin < scope.as_of else scope.as_of
        known = NO_TERMS._replace(**{n: values[n] for n in TERMS if n in values})
        terms.append(_terms_row(id_, since, known, sites))
    put(session, EmploymentTerms, terms)
    return [
        ("employment_added", person["public_id"], scope.organisation_id, row.row.number)
        for row, person in zip(rows, people, strict=True)
    ]


def _change(
    session: Session, kind: Staff, rows: Sequence[Judged], sites: dict[str, int], scope: Scope, act: Act
) -> list[tuple[str, uuid.UUID, int | None, int]]:
    people: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    amended: list[dict[str, Any]] = []
    since_today: list[dict[str, Any]] = []
    reopened: list[int] = []
    audit: list[tuple[str, uuid.UUID, int | None, int]] = []
    for row in rows:
        values = row.values or {}
        held = kind.held[values["employee_number"]]
        facts = {name: values.get(name, getattr(held, name)) for name in PERSON}
        if held.active and not kind.active(values):
            # Leaving is an act of its own, which ends pledges: it sets state and end below.
            _close(session, held, facts.pop("end_date"), act)
            people.append({"b_id": held.id, **facts})
        else:
            if not held.active and kind.active(values):
                facts["end_date"] = values.get("end_date")
                reopened.append(held.id)
            again.append({"b_id": held.id, "state": "active" if kind.active(values) else "left", **facts})
        terms = held.terms._replace(**{n: values[n] for n in TERMS if n in values})
        if terms != held.terms:
            new = _terms_row(held.id, scope.as_of, terms, sites)
            (since_today if held.terms_since == scope.as_of else amended).append(new)
        audit.append(("employment_changed", held.public_id, scope.organisation_id, row.row.number))
    session.flush()
    by_id = update(Employment).where(Employment.id == bindparam("b_id"))
    connection = session.connection()
    for batch in (people, again):
        if batch:
            connection.execute(by_id, batch)
    put(session, EmploymentTerms, amended)
    if since_today:
        _amend_today(session, since_today)
    service.grant_employees(session, reopened, actor=act.actor, now=act.now)
    return audit


def _amend_today(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Terms that began on this very day are corrected, since two cannot begin on one day."""
    t = EmploymentTerms
    session.connection().execute(
        update(t).where(t.employment_id == bindparam("b_employment"), t.valid_from == bindparam("b_since")),
        [
            {"b_employment": r["employment_id"], "b_since": r["valid_from"]}
            | {k: v for k, v in r.items() if k not in ("employment_id", "valid_from")}
            for r in rows
        ],
    )


SPEC = Spec("staff", of_company=True, action="staff.import", load=Staff, apply=apply)
