"""Reads of matches, sessions and hours; what is free."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload, selectinload

from timebank import clock
from timebank.auth.actor import Actor
from timebank.auth.models import Role, RoleGrant, User
from timebank.coaching.holds import Hold
from timebank.coaching.models import CoachingRequest, RequestSkill, RequestState, Seat
from timebank.errors import NotFound
from timebank.ledger import service as ledger
from timebank.ledger.models import Category
from timebank.matches.models import (
    LIVE_STATES,
    OPEN_STATES,
    CoachingSession,
    HourEntry,
    HoursState,
    Match,
    MatchState,
    Reservation,
    SessionState,
)
from timebank.organisations.models import (
    Employment,
    EmploymentTerms,
    Initiative,
    InitiativeCause,
    Organisation,
)
from timebank.pledges.models import Pledge, PledgeSkill, Tranche

CHUNK = 2_000

SHOWN_STATES = (*LIVE_STATES, MatchState.COMPLETED)
LIVE_HOURS = (HoursState.LOGGED, HoursState.CONFIRMED, HoursState.DISPUTED)
UNDECIDED_HOURS = (HoursState.LOGGED, HoursState.DISPUTED)


def chunks(values: Sequence[int], size: int = CHUNK) -> Iterator[list[int]]:
    """Lists of at most `size`, so that no statement has more parameters than a database takes."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


# --- what is free -------------------------------------------------------------------------------------------


def held_by_open(session: Session, tranche_ids: Sequence[int]) -> dict[int, int]:
    """Minutes that open proposals hold, by tranche id."""
    held: dict[int, int] = {}
    for part in chunks(tranche_ids):
        rows = session.execute(
            select(Reservation.tranche_id, func.sum(Reservation.minutes))
            .join(Match)
            .where(Reservation.tranche_id.in_(part), Match.state.in_(OPEN_STATES))
            .group_by(Reservation.tranche_id)
        )
        held.update({tranche_id: int(minutes) for tranche_id, minutes in rows})
    return held


def free_by_tranche(session: Session, pledge_ids: Sequence[int]) -> dict[int, list[tuple[Tranche, int]]]:
    """For each pledge its tranches, earliest first, each with the ledger's available less what open proposals hold.

    A cut pledge may leave less than nothing for a moment; that counts as nothing.
    """
    tranches: list[Tranche] = []
    for part in chunks(pledge_ids):
        tranches += session.scalars(
            select(Tranche).where(Tranche.pledge_id.in_(part)).order_by(Tranche.pledge_id, Tranche.from_date)
        ).all()
    held = held_by_open(session, [t.id for t in tranches])
    available: dict[UUID, int] = {}
    for begin in range(0, len(tranches), CHUNK):
        balances = ledger.balances(session, tranches=[t.public_id for t in tranches[begin : begin + CHUNK]])
        available.update({tranche: balance.available for tranche, balance in balances.items()})
    free: dict[int, list[tuple[Tranche, int]]] = {}
    for t in tranches:
        left = max(0, available.get(t.public_id, 0) - held.get(t.id, 0))
        free.setdefault(t.pledge_id, []).append((t, left))
    return free


def free_minutes(session: Session, pledge_ids: Sequence[int]) -> dict[int, int]:
    """Minutes of each pledge that may still be proposed: the ledger's available less what open proposals hold."""
    free = dict.fromkeys(pledge_ids, 0)
    for pledge_id, parts in free_by_tranche(session, pledge_ids).items():
        free[pledge_id] = sum(left for _tranche, left in parts)
    return free


def separated_pairs(session: Session) -> set[tuple[int, int]]:
    """Pairs (employment id, request id) that are live, or of which a side said no: never proposed again."""
    rows = session.execute(
        select(Match.employment_id, Match.request_id).where(
            or_(Match.state.in_(LIVE_STATES), Match.state == MatchState.DECLINED)
        )
    )
    return {(employment_id, request_id) for employment_id, request_id in rows}


def taken_seats(session: Session, request_ids: Sequence[int]) -> set[int]:
    """Ids of the seats of these requests in which a match lives or was completed."""
    taken: set[int] = set()
    for part in chunks(request_ids):
        taken.update(
            session.scalars(
                select(Match.seat_id).where(Match.request_id.in_(part), Match.state.in_(SHOWN_STATES))
            )
        )
    return taken


def has_confirmed(session: Session, pledge_id: int, user_id: int) -> bool:
    """Whether the user ever confirmed hours of the pledge, also those that were corrected since."""
    statement = (
        select(HourEntry.id)
        .join(Match, Match.id == HourEntry.match_id)
        .where(Match.pledge_id == pledge_id, HourEntry.confirmed_by_id == user_id)
        .limit(1)
    )
    return session.scalar(statement) is not None


def seat_holds(session: Session, request_ids: Sequence[int]) -> dict[int, Hold]:
    """How each seat of these requests is held; free ones are left out."""
    holds: dict[int, Hold] = {}
    for part in chunks(request_ids):
        rows = session.execute(
            select(Match.seat_id, Match.state).where(
                Match.request_id.in_(part), Match.state.in_(SHOWN_STATES)
            )
        )
        for seat_id, state in rows:
            if state not in OPEN_STATES:
                holds[seat_id] = Hold.TAKEN
            else:
                holds.setdefault(seat_id, Hold.PROPOSED)
    return holds


# --- who may see what ---------------------------------------------------------------------------------------


def own_as_coach(actor: Actor) -> ColumnElement[bool]:
    """Matches of the actor's own employments."""
    return Match.employment_id.in_(select(Employment.id).where(Employment.user_id == actor.user_id))


def own_as_initiative(actor: Actor) -> ColumnElement[bool]:
    """Matches of the initiatives that the actor co-ordinates."""
    return Match.request_id.in_(
        select(CoachingRequest.id).where(CoachingRequest.initiative_id.in_(actor.initiatives()))
    )


def _whole() -> list[object]:
    """What a card or a page of a match shows, loaded with a fixed number of statements."""
    request = joinedload(Match.request)
    initiative = request.joinedload(CoachingRequest.initiative)
    employment = joinedload(Match.employment)
    return [
        request.joinedload(CoachingRequest.place),
        request.selectinload(CoachingRequest.texts),
        request.selectinload(CoachingRequest.skills).joinedload(RequestSkill.skill),
        request.selectinload(CoachingRequest.slots),
        initiative.joinedload(Initiative.place),
        initiative.selectinload(Initiative.texts),
        initiative.selectinload(Initiative.causes).joinedload(InitiativeCause.cause),
        employment.joinedload(Employment.organisation).joinedload(Organisation.policy),
        employment.selectinload(Employment.terms).joinedload(EmploymentTerms.site),
        joinedload(Match.pledge).joinedload(Pledge.place),
        joinedload(Match.pledge).selectinload(Pledge.skills).joinedload(PledgeSkill.skill),
        joinedload(Match.seat),
        selectinload(Match.sessions),
        selectinload(Match.hours),
    ]


def match_for(session: Session, public_id: UUID, *, actor: Actor) -> Match:
    """One match that the actor is a side of.

    Raises NotFound.
    """
    statement = (
        select(Match)
        .where(Match.public_id == public_id, or_(own_as_coach(actor), own_as_initiative(actor)))
        .options(*_whole())  # type: ignore[arg-type]
    )
    found = session.scalar(statement)
    if found is None:
        raise NotFound("match")
    return found


def matches_of_coach(session: Session, actor: Actor, *, states: Sequence[MatchState]) -> Sequence[Match]:
    """The actor's own matches in `states`, the first to expire first."""
    return session.scalars(
        select(Match)
        .where(own_as_coach(actor), Match.state.in_(states))
        .options(*_whole())  # type: ignore[arg-type]
        .order_by(Match.expires_at, Match.id)
    ).all()


def matches_of_initiative(
    session: Session, initiative_id: int, *, states: Sequence[MatchState], limit: int = 200
) -> Sequence[Match]:
    """An initiative's matches in `states`, the first to expire first."""
    return session.scalars(
        select(Match)
        .join(Match.request)
        .where(CoachingRequest.initiative_id == initiative_id, Match.state.in_(states))
        .options(*_whole())  # type: ignore[arg-type]
        .order_by(Match.expires_at, Match.id)
        .limit(limit)
    ).all()


# --- sessions -----------------------------------------------------------------------------------------------


def sessions_of(
    session: Session,
    who: ColumnElement[bool],
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int = 50,
) -> Sequence[CoachingSession]:
    """Sessions of the matches `who` that end after `since` (soonest first) or by `until` (latest first).

    Moved ones are left out, since the new one stands there.
    """
    statement = (
        select(CoachingSession)
        .join(CoachingSession.match)
        .where(who, CoachingSession.state != SessionState.MOVED)
        .options(
            contains_eager(CoachingSession.match).joinedload(Match.employment),
            contains_eager(CoachingSession.match)
            .joinedload(Match.request)
            .joinedload(CoachingRequest.initiative),
            contains_eager(CoachingSession.match)
            .joinedload(Match.request)
            .selectinload(CoachingRequest.texts),
        )
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(CoachingSession.ends_at > since)
    if until is not None:
        statement = statement.where(CoachingSession.ends_at <= until)
    order = (
        (CoachingSession.starts_at, CoachingSession.id)
        if since is not None
        else (CoachingSession.starts_at.desc(), CoachingSession.id.desc())
    )
    return session.scalars(statement.order_by(*order)).all()


def sessions_to_log(session: Session, actor: Actor, *, now: datetime) -> Sequence[CoachingSession]:
    """The actor's sessions that are over, and of which no hours were logged, in matches where that is possible."""
    logged = exists().where(HourEntry.session_id == CoachingSession.id, HourEntry.state.in_(LIVE_HOURS))
    return session.scalars(
        select(CoachingSession)
        .join(CoachingSession.match)
        .where(
            own_as_coach(actor),
            Match.state == MatchState.ACTIVE,
            CoachingSession.state == SessionState.PLANNED,
            CoachingSession.ends_at <= now,
            ~logged,
        )
        .options(
            contains_eager(CoachingSession.match)
            .joinedload(Match.request)
            .joinedload(CoachingRequest.initiative)
        )
        .order_by(CoachingSession.starts_at)
        .limit(20)
    ).all()


# --- hours --------------------------------------------------------------------------------------------------


def hours_of(
    session: Session,
    who: ColumnElement[bool],
    *,
    states: Sequence[HoursState],
    from_date: date | None = None,
    until_date: date | None = None,
    limit: int = 200,
) -> Sequence[HourEntry]:
    """Entries of the matches `who` in `states`, oldest waiting first, else newest first."""
    statement = (
        select(HourEntry)
        .join(HourEntry.match)
        .where(who, HourEntry.state.in_(states))
        .options(
            contains_eager(HourEntry.match).joinedload(Match.employment),
            contains_eager(HourEntry.match).joinedload(Match.request).joinedload(CoachingRequest.initiative),
            contains_eager(HourEntry.match).joinedload(Match.request).selectinload(CoachingRequest.texts),
            joinedload(HourEntry.session),
        )
        .limit(limit)
    )
    if from_date is not None:
        statement = statement.where(HourEntry.activity_date >= from_date)
    if until_date is not None:
        statement = statement.where(HourEntry.activity_date <= until_date)
    if set(states) <= set(UNDECIDED_HOURS):
        return session.scalars(statement.order_by(HourEntry.logged_at, HourEntry.id)).all()
    return session.scalars(statement.order_by(HourEntry.activity_date.desc(), HourEntry.id.desc())).all()


def of_initiative(initiative_id: int) -> ColumnElement[bool]:
    """Matches of one initiative."""
    return Match.request_id.in_(
        select(CoachingRequest.id).where(CoachingRequest.initiative_id == initiative_id)
    )


def minutes_by_state(session: Session, match_ids: Sequence[int]) -> dict[int, dict[HoursState, int]]:
    """Delivered minutes of each match by state. One statement."""
    totals: dict[int, dict[HoursState, int]] = {}
    rows = session.execute(
        select(HourEntry.match_id, HourEntry.state, func.sum(HourEntry.minutes))
        .where(HourEntry.match_id.in_(match_ids), HourEntry.category == Category.DELIVERY)
        .group_by(HourEntry.match_id, HourEntry.state)
    )
    for match_id, state, minutes in rows:
        totals.setdefault(match_id, {})[state] = int(minutes)
    return totals


# --- the desk of an employee --------------------------------------------------------------------------------


def year_tranches(session: Session, actor: Actor, year: int) -> Sequence[Tranche]:
    """Tranches of the actor's own pledges that run in `year`."""
    return session.scalars(
        select(Tranche)
        .join(Tranche.pledge)
        .join(Pledge.employment)
        .where(
            Employment.user_id == actor.user_id,
            Tranche.from_date <= date(year, 12, 31),
            Tranche.until_date >= date(year, 1, 1),
        )
        .options(contains_eager(Tranche.pledge))
        .order_by(Tranche.until_date)
    ).all()


def given_minutes(session: Session, actor: Actor, year: int) -> int:
    """The actor's own coaching minutes that were confirmed, by the day of the work in `year`."""
    statement = (
        select(func.coalesce(func.sum(HourEntry.minutes), 0))
        .join(HourEntry.match)
        .where(
            own_as_coach(actor),
            HourEntry.state == HoursState.CONFIRMED,
            HourEntry.category == Category.DELIVERY,
            HourEntry.activity_date.between(date(year, 1, 1), date(year, 12, 31)),
        )
    )
    return session.scalars(statement).one()


# --- seats of a request -------------------------------------------------------------------------------------


def seats_with_matches(session: Session, request_id: int) -> list[tuple[Seat, Match | None]]:
    """The request's seats in order, each with the match that lives in it or was completed in it. Two statements."""
    seats = session.scalars(
        select(Seat).where(Seat.request_id == request_id, Seat.withdrawn.is_(False)).order_by(Seat.position)
    ).all()
    matches = session.scalars(
        select(Match)
        .where(Match.request_id == request_id, Match.state.in_(SHOWN_STATES))
        .options(joinedload(Match.employment), joinedload(Match.pledge).joinedload(Pledge.place))
        .order_by(Match.id)
    ).all()
    held = {m.seat_id: m for m in matches}
    return [(seat, held.get(seat.id)) for seat in seats]


@dataclass(frozen=True)
class RequestSeats:
    """How many seats of a request are filled, proposed and free."""

    request: CoachingRequest
    seats: int
    taken: int
    proposed: int

    @property
    def free(self) -> int:
        return self.seats - self.taken - self.proposed

    def waited(self, today: date) -> int:
        """Days since it opened."""
        return (today - clock.local_date(self.request.opened_at)).days if self.request.opened_at else 0


def requests_with_seats(session: Session, initiative_id: int) -> list[RequestSeats]:
    """An initiative's requests that are open or paused, longest waiting first, with their seats."""
    requests = session.scalars(
        select(CoachingRequest)
        .where(
            CoachingRequest.initiative_id == initiative_id,
            CoachingRequest.state.in_((RequestState.OPEN, RequestState.PAUSED, RequestState.SUBMITTED)),
        )
        .options(selectinload(CoachingRequest.texts), joinedload(CoachingRequest.initiative))
        .order_by(CoachingRequest.opened_at, CoachingRequest.id)
        .limit(100)
    ).all()
    ids = [r.id for r in requests]
    holds = seat_holds(session, ids)
    seats: dict[int, list[int]] = {}
    for seat_id, request_id in session.execute(
        select(Seat.id, Seat.request_id).where(Seat.request_id.in_(ids), Seat.withdrawn.is_(False))
    ):
        seats.setdefault(request_id, []).append(seat_id)
    return [
        RequestSeats(
            request=r,
            seats=len(seats.get(r.id, [])),
            taken=sum(holds.get(s) is Hold.TAKEN for s in seats.get(r.id, [])),
            proposed=sum(holds.get(s) is Hold.PROPOSED for s in seats.get(r.id, [])),
        )
        for r in requests
    ]


# --- people -------------------------------------------------------------------------------------------------


def coordinators_of(session: Session, initiative_ids: Collection[int]) -> dict[int, list[User]]:
    """People who co-ordinate each of these initiatives now."""
    people: dict[int, list[User]] = {}
    for part in chunks(sorted(initiative_ids)):
        rows = session.execute(
            select(RoleGrant.initiative_id, User)
            .join(User, User.id == RoleGrant.user_id)
            .where(
                RoleGrant.role == Role.COORDINATOR,
                RoleGrant.ended_at.is_(None),
                RoleGrant.initiative_id.in_(part),
                User.disabled_at.is_(None),
            )
            .order_by(User.id)
        )
        for initiative_id, user in rows:
            if initiative_id is not None:
                people.setdefault(initiative_id, []).append(user)
    return people


def for_proposal_mails(session: Session, matches: Sequence[Match]) -> list[object]:
    """Texts, initiatives and logins that mails about these matches speak of, for the caller to hold."""
    held: list[object] = []
    for part in chunks(sorted({m.request_id for m in matches})):
        held += session.scalars(
            select(CoachingRequest)
            .where(CoachingRequest.id.in_(part))
            .options(selectinload(CoachingRequest.texts), joinedload(CoachingRequest.initiative))
        ).all()
    users = {m.employment.user_id for m in matches if m.employment.user_id is not None}
    for part in chunks(sorted(users)):
        held += session.scalars(select(User).where(User.id.in_(part))).all()
    return held


def coordinators(session: Session, initiative_id: int) -> Sequence[User]:
    """People who co-ordinate an initiative now."""
    grant = aliased(RoleGrant)
    return session.scalars(
        select(User)
        .join(grant, and_(grant.user_id == User.id, grant.ended_at.is_(None)))
        .where(
            grant.role == Role.COORDINATOR,
            grant.initiative_id == initiative_id,
            User.disabled_at.is_(None),
        )
        .order_by(User.id)
    ).all()


def hr_people(session: Session, organisation_id: int) -> Sequence[User]:
    """People who act as HR of a company now."""
    grant = aliased(RoleGrant)
    return session.scalars(
        select(User)
        .join(grant, and_(grant.user_id == User.id, grant.ended_at.is_(None)))
        .where(grant.role == Role.HR, grant.organisation_id == organisation_id, User.disabled_at.is_(None))
        .order_by(User.id)
    ).all()
