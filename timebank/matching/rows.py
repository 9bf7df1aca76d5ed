"""Free seats and pledges as rows and not as objects: a hundred thousand are read in seconds, a change in no time, and
rows are cheap to compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, String, case, cast, func, select, true
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.audit import queries as audit
from timebank.coaching.events import RequestEvent
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, Seat
from timebank.matches import queries as matches
from timebank.matches.events import MatchEvent
from timebank.matching.columns import PledgeColumns, SeatColumns
from timebank.matching.pins import BLOCK_MINUTES
from timebank.matching.snapshot import causes_excluded_by_companies, seat_is_free, takes_part
from timebank.organisations.events import EmployeeInvited, EmploymentLeft, EmploymentTied
from timebank.organisations.models import Employment, Initiative, InitiativeCause
from timebank.pledges.events import PledgeEvent
from timebank.pledges.models import Pledge, PledgeCause, PledgeSkill, PledgeState, Tranche
from timebank.taxonomy.models import Cause, Postcode

# Acts that change no rows but those of the pledge, the employment and the request that their audit line names,
NAMED: Final = (MatchEvent, PledgeEvent, RequestEvent, EmployeeInvited, EmploymentLeft, EmploymentTied)
# and the features whose acts change none. After any other act everything is read anew.
ELSEWHERE: Final = ("timebank.auth.events", "timebank.agreements.events", "timebank.matching.events")
# An act is seen by its line, which younger ones may overtake: it gets its id before it is committed.
COMMITTED_WITHIN: Final = timedelta(hours=1)
MOST_ACTS: Final = matches.CHUNK


class FreeSeat(NamedTuple):
    """All that decides who fits a seat. `skills` are numbers 8 · skill id + 2 · level + whether it is a must, between
    commas; `causes` are bits."""

    id: int
    request_id: int
    initiative_id: int
    organisation_id: int
    from_date: date
    until_date: date | None
    minutes: int
    languages: int
    week: int
    remote: bool
    opened_at: datetime | None
    x: int
    y: int
    causes: int
    skills: str

    def columns(self) -> SeatColumns:
        skills = [divmod(number, 8) for number in _numbers(self.skills)]
        return SeatColumns(
            must=[(skill, rest // 2) for skill, rest in skills if rest % 2],
            nice=[(skill, rest // 2) for skill, rest in skills if not rest % 2],
            languages=self.languages,
            x=self.x,
            y=self.y,
            remote=self.remote,
            from_date=self.from_date,
            until_date=self.until_date,
            week=self.week,
            minutes=self.minutes,
            request_id=self.request_id,
            organisation_id=self.organisation_id,
            causes=self.causes,
            opened_at=self.opened_at,
        )


class FreePledge(NamedTuple):
    """All that decides what fits a pledge. `skills` are numbers 4 · skill id + level between commas, `causes` 2 ·
    position + whether it is excluded; `monthly` are the minutes of each month, else 0."""

    id: int
    employment_id: int
    organisation_id: int
    user_id: int | None
    from_date: date
    until_date: date
    languages: int
    week: int
    radius_km: int
    remote: bool
    x: int
    y: int
    monthly: int
    free: int
    excluded_by_company: int
    skills: str
    causes: str

    @property
    def blocks(self) -> int:
        return self.free // BLOCK_MINUTES

    def columns(self) -> PledgeColumns:
        bits = [0, self.excluded_by_company]  # of causes that are wanted, and not wanted
        for number in _numbers(self.causes):
            bits[number % 2] |= 1 << number // 2
        return PledgeColumns(
            skills=[divmod(number, 4) for number in _numbers(self.skills)],
            languages=self.languages,
            x=self.x,
            y=self.y,
            radius_km=self.radius_km,
            remote=self.remote,
            from_date=self.from_date,
            until_date=self.until_date,
            week=self.week,
            blocks=self.blocks,
            monthly_blocks=self.monthly // BLOCK_MINUTES,
            organisation_id=self.organisation_id,
            causes=bits[0],
            excluded_causes=bits[1],
        )


def _numbers(joined: str) -> list[int]:
    return [int(number) for number in joined.split(",")] if joined else []


@dataclass(frozen=True)
class Rows:
    """Free seats and pledges by their ids, and what of the audit log was seen: all lines until `line`, and `young` ones
    after it."""

    as_of: date
    seats: Mapping[int, FreeSeat]
    pledges: Mapping[int, FreePledge]
    line: int
    young: frozenset[int]


def read(session: Session, as_of: date, before: Rows | None = None) -> Rows:
    """All that is free on `as_of`; with what was read before, only what changed since is read."""
    line = audit.newest(session, before=clock.now() - COMMITTED_WITHIN)
    young = frozenset(audit.lines_after(session, line))
    touched = _touched(session, before) if before and before.as_of == as_of else None
    if before is None or touched is None:
        pledges = _pledges(session, as_of, true(), matches.all_free_minutes(session))
        return Rows(as_of, _seats(session, as_of, true()), pledges, line, young)
    employments, requests = touched
    seats = {id_: row for id_, row in before.seats.items() if row.request_id not in requests}
    for part in matches.chunks(sorted(requests)):
        seats |= _seats(session, as_of, CoachingRequest.id.in_(part))
    pledges = {id_: row for id_, row in before.pledges.items() if row.employment_id not in employments}
    for part in matches.chunks(sorted(employments)):
        of_these = select(Pledge.id).where(
            Pledge.employment_id.in_(part), Pledge.state == PledgeState.APPROVED
        )
        ids = session.scalars(of_these).all()
        pledges |= _pledges(session, as_of, Pledge.id.in_(ids), matches.free_minutes(session, ids))
    return Rows(as_of, seats, pledges, line, young)


def _touched(session: Session, before: Rows) -> tuple[set[int], set[int]] | None:
    """The employments and requests that acts named which were not seen before; None where it can be anything."""
    unseen = audit.lines_after(session, before.line) - before.young
    if len(unseen) > MOST_ACTS:
        return None
    acts = audit.acts(session, unseen)
    named, elsewhere = _actions()
    if not named.union(elsewhere).issuperset(action for action, _detail in acts):
        return None
    details = [detail for action, detail in acts if action in named]
    employments, pledges, requests = (
        {detail[name] for detail in details if detail.get(name) is not None}
        for name in ("employment_id", "pledge_id", "request_id")
    )
    for part in matches.chunks(sorted(pledges)):
        employments |= set(session.scalars(select(Pledge.employment_id).where(Pledge.id.in_(part))))
    return employments, requests


def _actions() -> tuple[set[str], set[str]]:
    """The names of acts that name what they change, and of those that change no row."""
    kinds, named, elsewhere = [events.Event], set(), set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if issubclass(kind, NAMED):
            named.add(kind.name())
        elif kind.__module__ in ELSEWHERE:
            elsewhere.add(kind.name())
    return named, elsewhere


def _seats(session: Session, as_of: date, some: ColumnElement[bool]) -> dict[int, FreeSeat]:
    """The free seats of some requests, in a fixed order."""
    rows: Iterable[Any] = session.execute(
        select(
            Seat.id,
            Seat.request_id,
            CoachingRequest.initiative_id,
            Initiative.organisation_id,
            CoachingRequest.from_date,
            CoachingRequest.until_date,
            CoachingRequest.minutes_per_coach,
            CoachingRequest.language_bits,
            CoachingRequest.week_bits,
            CoachingRequest.remote,
            CoachingRequest.opened_at,
            CoachingRequest.postcode,
        )
        .join(Seat.request)
        .join(CoachingRequest.initiative)
        .join(Initiative.organisation)
        .where(*seat_is_free(as_of), some)
        .order_by(Seat.id)
    )
    number = RequestSkill.skill_id * 8 + RequestSkill.level * 2 + case((RequestSkill.must, 1), else_=0)
    asked = _lists(
        session,
        select(RequestSkill.request_id, _list(number))
        .join(CoachingRequest, CoachingRequest.id == RequestSkill.request_id)
        .where(CoachingRequest.state == RequestState.OPEN, some),
    )
    causes: dict[int, int] = {}
    for initiative, position in session.execute(
        select(InitiativeCause.initiative_id, Cause.position).join(InitiativeCause.cause)
    ):
        causes[initiative] = causes.get(initiative, 0) | 1 << position
    places = _places(session)
    return {
        row[0]: FreeSeat._make((*row[:-1], *places[row[-1]], causes.get(row[2], 0), asked.get(row[1], "")))
        for row in rows
    }


def _pledges(
    session: Session, as_of: date, some: ColumnElement[bool], free: Mapping[int, int]
) -> dict[int, FreePledge]:
    """Of some employments one pledge each: the one that runs, else the next, where it has a block left."""
    rows: Iterable[Any] = session.execute(
        select(
            Pledge.id,
            Pledge.employment_id,
            Employment.organisation_id,
            Employment.user_id,
            Pledge.from_date,
            Pledge.until_date,
            Pledge.language_bits,
            Pledge.week_bits,
            Pledge.radius_km,
            Pledge.remote,
            Pledge.postcode,
        )
        .join(Pledge.employment)
        .join(Employment.organisation)
        .where(*takes_part(as_of), some)
        .order_by(Pledge.employment_id, Pledge.from_date)
    )
    approved = Pledge.state == PledgeState.APPROVED
    skills = _lists(
        session,
        select(PledgeSkill.pledge_id, _list(PledgeSkill.skill_id * 4 + PledgeSkill.level))
        .join(Pledge, Pledge.id == PledgeSkill.pledge_id)
        .where(approved, some),
    )
    causes = _lists(
        session,
        select(PledgeCause.pledge_id, _list(Cause.position * 2 + case((PledgeCause.excluded, 1), else_=0)))
        .join(PledgeCause.cause)
        .join(Pledge, Pledge.id == PledgeCause.pledge_id)
        .where(approved, some),
    )
    monthly: dict[int, int] = dict(
        session.execute(
            select(Tranche.pledge_id, func.max(Tranche.minutes))
            .join(Tranche.pledge)
            .where(approved, some, Pledge.monthly)
            .group_by(Tranche.pledge_id)
        ).all()
    )
    places = _places(session)
    excluded = causes_excluded_by_companies(session)
    found: dict[int, FreePledge] = {}
    last = None
    for row in rows:
        id_, employment, company = row[:3]
        if employment != last and free.get(id_, 0) >= BLOCK_MINUTES:
            rest = (excluded.get(company, 0), skills.get(id_, ""), causes.get(id_, ""))
            values = (*row[:-1], *places[row[-1]], monthly.get(id_, 0), free[id_], *rest)
            found[id_] = FreePledge._make(values)
        last = employment
    return found


def _lists(session: Session, query: Select[int, str]) -> dict[int, str]:
    """Of each owner, the first column, its list, the second."""
    return dict(session.execute(query.group_by(query.selected_columns[0])).all())


def _list(number: ColumnElement[int]) -> ColumnElement[str]:
    """Numbers between commas."""
    return func.aggregate_strings(cast(number, String), ",")


def _places(session: Session) -> dict[str, tuple[int, int]]:
    return {code: (x, y) for code, x, y in session.execute(select(Postcode.code, Postcode.x, Postcode.y))}
