"""What becomes of proposals in the demo: answers, agreements, sessions, hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from timebank import clock, db
from timebank.agreements import service as agreements
from timebank.agreements.models import Agreement, AgreementState
from timebank.auth.actor import Actor
from timebank.coaching.models import CoachingRequest
from timebank.demo.people import People, do
from timebank.ledger.models import Category
from timebank.matches import service as matches
from timebank.matches.models import (
    OPEN_STATES,
    CoachingSession,
    DeclineReason,
    HourEntry,
    HoursState,
    Match,
    MatchState,
    Reached,
    SessionState,
    Side,
)

WORK_TIMES = (time(9), time(13, 30), time(14))
SESSION_MINUTES = 180


class Coachings:
    """How both sides go about what is proposed to them."""

    def __init__(self, random: Random, people: People) -> None:
        self._random = random
        self._people = people

    def answer(self) -> None:
        for match in self._matches(OPEN_STATES):
            coordinator = self._people.coordinators[match.request.initiative_id]
            luck = self._random.random()
            if luck < 0.10:
                self._decline(match)
            elif luck < 0.93:
                self._accept(match, coordinator, both=luck < 0.88)

    def _accept(self, match: Match, coordinator: Actor, *, both: bool) -> None:
        do(matches.accept_as_coach, match.public_id, actor=self._people.coach(match.employment))
        if both:
            do(matches.accept_as_initiative, match.public_id, actor=coordinator)

    def _decline(self, match: Match) -> None:
        reason = self._random.choice([DeclineReason.TIME, DeclineReason.DISTANCE, DeclineReason.SKILLS])
        do(
            matches.decline,
            match.public_id,
            side=Side.COACH,
            reason=reason,
            note="",
            actor=self._people.coach(match.employment),
        )

    def agree(self) -> None:
        with db.read_session() as session:
            drafted = session.scalars(
                select(Agreement)
                .where(Agreement.state.in_([AgreementState.DRAFTED, AgreementState.HALF]))
                .order_by(Agreement.id)
            ).all()
        for agreement in drafted:
            hr = self._people.hr[agreement.organisation_id]
            standing = self._random.random() < 0.3
            do(agreements.accept_as_company, agreement.public_id, standing=standing, actor=hr)
        with db.read_session() as session:
            half = session.scalars(select(Agreement).where(Agreement.state == AgreementState.HALF)).all()
        for agreement in half:
            coordinator = self._people.coordinators[agreement.initiative_id]
            do(agreements.accept_as_initiative, agreement.public_id, actor=coordinator)

    def plan(self) -> None:
        for match in self._matches((MatchState.ACTIVE,)):
            planned = sum(m.minutes for m in match.sessions)
            first = match.request.from_date
            day = max(clock.today() + timedelta(days=2), first)
            tries = 0
            while planned < match.minutes and tries < 40:
                tries += 1
                if day.weekday() < 5 and self._plan_on(
                    match, day, min(SESSION_MINUTES, match.minutes - planned)
                ):
                    planned += min(SESSION_MINUTES, match.minutes - planned)
                    day += timedelta(days=self._random.choice([6, 7, 8]))
                else:
                    day += timedelta(days=1)

    def _plan_on(self, match: Match, day: date, minutes: int) -> bool:
        begin = clock.local_moment(day, self._random.choice(WORK_TIMES))
        remote = match.request.remote and self._random.random() < 0.6
        return do(
            matches.plan_session,
            match.public_id,
            starts_at=begin,
            ends_at=begin + timedelta(minutes=minutes),
            place="" if remote else match.request.initiative.municipality,
            remote=remote,
            actor=self._people.coach(match.employment),
        )

    def log(self) -> None:
        with db.read_session() as session:
            over = session.scalars(
                select(CoachingSession)
                .join(CoachingSession.match)
                .where(
                    CoachingSession.state == SessionState.PLANNED,
                    CoachingSession.ends_at < clock.now(),
                    Match.state == MatchState.ACTIVE,
                )
                .options(joinedload(CoachingSession.match).joinedload(Match.employment))
                .order_by(CoachingSession.id)
            ).all()
        for meeting in over:
            self._log_session(meeting)

    def _log_session(self, meeting: CoachingSession) -> None:
        minutes = max(30, meeting.minutes + self._random.choice([0, 0, 0, 0, -30]))
        do(
            matches.log_hours,
            meeting.match.public_id,
            session_public_id=meeting.public_id,
            activity_date=clock.local_date(meeting.starts_at),
            minutes=minutes,
            category=Category.DELIVERY,
            note="",
            key=f"demo:{meeting.public_id}",
            actor=self._people.coach(meeting.match.employment),
        )

    def confirm(self) -> None:
        with db.read_session() as session:
            logged = session.scalars(
                select(HourEntry)
                .where(HourEntry.state.in_([HoursState.LOGGED, HoursState.DISPUTED]))
                .options(joinedload(HourEntry.match).joinedload(Match.request))
                .order_by(HourEntry.id)
            ).all()
        for entry in logged:
            coordinator = self._people.coordinators[entry.match.request.initiative_id]
            if entry.state is HoursState.LOGGED and self._random.random() < 0.03:
                reason = "Die dag ging de sessie wat korter door."
                do(matches.dispute_hours, entry.public_id, reason=reason, actor=coordinator)
            else:
                do(matches.confirm_hours, entry.public_id, actor=coordinator)
        self._complete()

    def _complete(self) -> None:
        """End coachings whose sessions are all behind and whose hours are all decided."""
        for match in self._matches((MatchState.ACTIVE,)):
            waiting = any(m.state is SessionState.PLANNED for m in match.sessions)
            undecided = any(h.state in (HoursState.LOGGED, HoursState.DISPUTED) for h in match.hours)
            if match.sessions and not waiting and not undecided:
                coach = self._people.coach(match.employment)
                if do(matches.complete, match.public_id, actor=coach):
                    self._say(match, coach, self._people.coordinators[match.request.initiative_id])

    def _say(self, match: Match, *sides: Actor) -> None:
        """How it went, as most of both sides tell; by a chance of its own, so that the story goes on as it would."""
        chance = Random(match.id)  # noqa: S311 - a story, no secret
        for actor in sides:
            if chance.random() < 0.8:
                reached = Reached.FULLY if chance.random() < 0.7 else Reached.PARTLY
                again = chance.random() < 0.9
                do(matches.give_feedback, match.public_id, reached=reached, again=again, actor=actor)

    def _matches(self, states: Sequence[MatchState]) -> Sequence[Match]:
        with db.read_session() as session:
            return session.scalars(
                select(Match)
                .where(Match.state.in_(states))
                .options(
                    joinedload(Match.employment),
                    joinedload(Match.request).joinedload(CoachingRequest.initiative),
                    selectinload(Match.sessions),
                    selectinload(Match.hours),
                )
                .order_by(Match.id)
            ).all()
