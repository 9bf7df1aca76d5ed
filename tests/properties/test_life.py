"""Random acts of several people through the services, as pages and the scheduler call them: whatever they do, and
whoever tries it, the ledger holds, agrees with what they see, and no period changes once it is closed.

A few examples run by default; `--hypothesis-profile=many` runs hundreds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db
from timebank.agreements import queries as agreement_queries
from timebank.agreements import service as agreements
from timebank.auth.actor import Actor
from timebank.auth.models import Role, User
from timebank.books import service as books
from timebank.errors import DomainError
from timebank.ledger import service as ledger
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.ledger.verify import verify
from timebank.matches import queries as match_queries
from timebank.matches import service as matches
from timebank.matches.models import (
    CoachingSession,
    DeclineReason,
    HourEntry,
    HoursState,
    Match,
    MatchState,
    Side,
)
from timebank.organisations import service as organisations
from timebank.organisations.models import Employment, Initiative
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge, Tranche

BEGIN = datetime(2026, 1, 12, 9, tzinfo=clock.BRUSSELS)
SOURCES = {AccountKind.GRANTED, AccountKind.SUPPORT}
settings.register_profile("many", max_examples=10_000)

which = st.integers(0, 50)
minutes = st.sampled_from([30, 60, 90, 120, 240, 400, 700])
PEOPLE = ("coach", "other", "hr", "colleague", "coordinator", "second")
who = st.sampled_from(PEOPLE)


class Life(RuleBasedStateMachine):
    """Everything acts on what the database holds; an act that is refused says so with a DomainError and leaves no
    trace. Each example is a company of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.closed: dict[tuple[date, date], int] = {}
        self.done: set[str] = set()
        with clock.hold(self.now), db.unit_of_work() as session:
            company = make.make_company(session, name=f"Company {uuid.uuid4()}")
            initiative = make.make_initiative(session, name=f"Initiative {uuid.uuid4()}")
            coach, other = (make.make_user(session) for _ in range(2))
            self.company, self.initiative = company.id, initiative.id
            self.employments = [make.make_employment(session, company, user=u).id for u in (coach, other)]
            # HR's colleague coaches too, and the second co-ordinator works in HR: what they may not do twice is tried.
            hr, colleague = (make.make_hr(session, company) for _ in range(2))
            self.employments.append(make.make_employment(session, company, user=colleague).id)
            coordinator = make.make_coordinator(session, initiative)
            second = make.grant(session, hr, Role.COORDINATOR, initiative_id=initiative.id)
            people = (coach, other, hr, colleague, coordinator, second)
            self.people = {name: user.id for name, user in zip(PEOPLE, people, strict=True)}

    @initialize()
    def begin(self) -> None:
        """Three pledged, and two coachings run with hours: there is something to act on from the first act on."""
        for number in range(3):
            self.pledge(number, 1200, 180)
        for number in range(2):
            self.match(number, 360, True)
        self.now += timedelta(days=30)
        for number in range(4):
            self.log(number, 90, number, False)
        for number in range(2):
            self.confirm_rightly(number)

    # --- how somebody acts --------------------------------------------------------------------------------------------

    def actor(self, session: Session, name: str) -> Actor:
        return make.actor(session, session.get_one(User, self.people[name]))

    def act(self, name: str, doing: Callable[[Session], Any]) -> None:
        try:
            with clock.hold(self.now), db.unit_of_work() as session:
                doing(session)
        except DomainError:
            return
        self.done.add(name)

    def one(self, session: Session, model: type[Any], number: int, *where: Any) -> Any:
        """One of this example's rows, whichever `number` comes to; refused where there is none."""
        of = {
            Pledge: Pledge.employment_id,
            Match: Match.employment_id,
        }
        found = select(model)
        if model in of:
            found = found.where(of[model].in_(self.employments))
        else:
            found = found.join(Match, Match.id == model.match_id).where(
                Match.employment_id.in_(self.employments)
            )
        rows = session.scalars(found.where(*where).order_by(model.id)).all()
        if not rows:
            raise DomainError("there is none")
        return rows[number % len(rows)]

    def coach_of(self, session: Session, match: Match) -> Actor:
        return make.actor(session, session.get_one(User, match.employment.user_id))

    # --- pledges ------------------------------------------------------------------------------------------------------

    @rule(number=which, amount=st.sampled_from([240, 600, 1200]), days=st.sampled_from([20, 60, 180]))
    def pledge(self, number: int, amount: int, days: int) -> None:
        def offer(session: Session) -> None:
            employment = session.get_one(Employment, self.employments[number % 3])
            today = clock.today()
            make.make_pledge(
                session,
                employment,
                minutes=amount,
                approved=False,
                from_date=today,
                until_date=today + timedelta(days=days),
            )

        self.act("pledge", offer)
        self.decide(number, "hr")

    @rule(number=which, name=who)
    def decide(self, number: int, name: str) -> None:
        self.act(
            "approve",
            lambda s: pledges.approve_pledge(
                s,
                self.one(s, Pledge, number, Pledge.state == "submitted").public_id,
                actor=self.actor(s, name),
                now=self.now,
            ),
        )

    @rule(number=which, amount=st.sampled_from([60, 300, 900, 1500]))
    def amend(self, number: int, amount: int) -> None:
        self.act(
            "amend",
            lambda s: pledges.change_minutes(
                s, self.one(s, Pledge, number).public_id, amount, actor=self.actor(s, "hr"), now=self.now
            ),
        )

    @rule(number=which)
    def withdraw(self, number: int) -> None:
        def doing(s: Session) -> None:
            pledge = self.one(s, Pledge, number)
            owner = make.actor(s, s.get_one(User, pledge.employment.user_id))
            pledges.withdraw_pledge(s, pledge.public_id, actor=owner, now=self.now)

        self.act("withdraw", doing)

    # --- matches ------------------------------------------------------------------------------------------------------

    @rule(
        number=which, asked=st.sampled_from([60, 180, 360]), agreed=st.sampled_from([True, True, True, False])
    )
    def match(self, number: int, asked: int, agreed: bool) -> None:
        """A proposal; mostly both say yes, and the agreement comes into force."""

        def propose(s: Session) -> None:
            pledge = self.one(s, Pledge, number, Pledge.state == "approved")
            request = make.make_request(
                s,
                s.get_one(Initiative, self.initiative),
                minutes_per_coach=asked,
                from_date=clock.today(),
                until_date=clock.today() + timedelta(days=90),
            )
            free = match_queries.free_minutes(s, [pledge.id]).get(pledge.id, 0)
            if free < asked:
                raise DomainError("too few hours")
            make.make_match(s, pledge, request)

        self.act("propose", propose)
        if agreed:
            self.answer(0)
            self.act("agree", self._agree)

    @rule(number=which)
    def answer(self, number: int) -> None:
        def doing(s: Session) -> None:
            match = self.one(s, Match, number, Match.state.in_(["proposed", "accepted_by_coach"]))
            matches.accept_as_coach(s, match.public_id, actor=self.coach_of(s, match), now=self.now)
            matches.accept_as_initiative(s, match.public_id, actor=self.actor(s, "coordinator"), now=self.now)

        self.act("accept", doing)

    def _agree(self, s: Session) -> None:
        match = self.one(s, Match, 0, Match.state == MatchState.CONFIRMED)
        agreement = agreement_queries.for_match(
            s, organisation_id=self.company, initiative_id=self.initiative, match_id=match.id
        )
        assert agreement is not None
        accepted = agreements.accept_as_company(
            s, agreement.public_id, standing=True, actor=self.actor(s, "colleague"), now=self.now
        )
        agreements.accept_as_initiative(
            s, accepted.public_id, actor=self.actor(s, "coordinator"), now=self.now
        )

    @rule(number=which, name=st.sampled_from(["cancel", "complete", "decline"]))
    def end_match(self, number: int, name: str) -> None:
        def doing(s: Session) -> None:
            match = self.one(s, Match, number)
            actor = self.coach_of(s, match)
            if name == "cancel":
                matches.cancel(s, match.public_id, "", actor=actor, now=self.now)
            elif name == "complete":
                matches.complete(s, match.public_id, actor=actor, now=self.now)
            else:
                matches.decline(
                    s,
                    match.public_id,
                    side=Side.COACH,
                    reason=DeclineReason.TIME,
                    note="",
                    actor=actor,
                    now=self.now,
                )

        self.act(name, doing)

    @rule(number=which, hour=st.integers(9, 17), acts=st.sampled_from(["plan", "miss", "log", "drop"]))
    def session(self, number: int, hour: int, acts: str) -> None:
        """A session is planned for tomorrow; then it takes place, or not."""

        def plan(s: Session) -> None:
            match = self.one(s, Match, number, Match.state == MatchState.ACTIVE)
            begin = self.now.replace(hour=hour) + timedelta(days=1)
            matches.plan_session(
                s,
                match.public_id,
                starts_at=begin,
                ends_at=begin + timedelta(hours=2),
                place="Gent",
                remote=False,
                actor=self.coach_of(s, match),
                now=self.now,
            )

        def then(s: Session) -> None:
            meeting = self.one(s, CoachingSession, number, CoachingSession.state == "planned")
            coach = self.coach_of(s, meeting.match)
            if acts == "miss":
                matches.miss_session(s, meeting.public_id, actor=coach, now=self.now)
            elif acts == "drop":
                matches.cancel_session(s, meeting.public_id, actor=coach, now=self.now)
            elif acts == "log":
                self._log(s, meeting.match, 120, self.now.date(), meeting.public_id)

        self.act("plan", plan)
        self.act(acts, then)

    # --- hours --------------------------------------------------------------------------------------------------------

    @rule(number=which, amount=minutes, ago=st.sampled_from([0, 0, 1, 3, 20, 40]), travel=st.booleans())
    def log(self, number: int, amount: int, ago: int, travel: bool) -> None:
        category = Category.TRAVEL if travel and amount < 100 else Category.DELIVERY

        def doing(s: Session) -> None:
            match = self.one(s, Match, number, Match.state == MatchState.ACTIVE)
            self._log(s, match, amount, self.now.date() - timedelta(days=ago), None, category)

        self.act("log", doing)

    def _log(
        self,
        s: Session,
        match: Match,
        amount: int,
        day: date,
        meeting: uuid.UUID | None,
        category: Category = Category.DELIVERY,
    ) -> None:
        matches.log_hours(
            s,
            match.public_id,
            session_public_id=meeting,
            activity_date=day,
            minutes=amount,
            category=category,
            note=str(uuid.uuid4()),
            key=str(uuid.uuid4()),
            actor=self.coach_of(s, match),
            now=self.now,
            certain=True,
            late_reason="I was ill",
        )

    @rule(number=which, name=who)
    def confirm(self, number: int, name: str) -> None:
        self._confirm(number, name)

    @rule(number=which)
    def confirm_rightly(self, number: int) -> None:
        self._confirm(number, "coordinator")

    def _confirm(self, number: int, name: str) -> None:
        def doing(s: Session) -> None:
            entry = self.one(s, HourEntry, number, HourEntry.state.in_(["late", "logged", "disputed"]))
            matches.confirm_hours(s, entry.public_id, actor=self.actor(s, name), now=self.now)

        self.act("confirm", doing)

    @rule(number=which, name=who)
    def approve_late(self, number: int, name: str) -> None:
        def doing(s: Session) -> None:
            entry = self.one(s, HourEntry, number, HourEntry.late_reason.is_not(None))
            matches.approve_late(s, entry.public_id, actor=self.actor(s, name), now=self.now)

        self.act("approve_late", doing)

    @rule(number=which, name=st.sampled_from(["dispute", "answer", "withdraw_hours"]))
    def question(self, number: int, name: str) -> None:
        def doing(s: Session) -> None:
            entry = self.one(s, HourEntry, number, HourEntry.state.in_(["late", "logged", "disputed"]))
            coach, now = self.coach_of(s, entry.match), self.now
            if name == "dispute":
                asks = self.actor(s, "coordinator")
                matches.dispute_hours(s, entry.public_id, reason="Too much", actor=asks, now=now)
            elif name == "answer":
                matches.answer_dispute(s, entry.public_id, answer="It was so", actor=coach, now=now)
            else:
                matches.withdraw_hours(s, entry.public_id, actor=coach, now=now)

        self.act(name, doing)

    @rule(number=which, amount=minutes)
    def correct(self, number: int, amount: int) -> None:
        def doing(s: Session) -> None:
            entry = self.one(s, HourEntry, number, HourEntry.state == HoursState.CONFIRMED)
            matches.correct_hours(
                s,
                entry.public_id,
                minutes=amount,
                reason="A slip",
                actor=self.coach_of(s, entry.match),
                now=self.now,
            )

        self.act("correct", doing)

    # --- time, people and periods -------------------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 2, 8, 15, 30]))
    def time_passes(self, days: int) -> None:
        """The scheduler keeps house afterwards."""
        self.now += timedelta(days=days)
        for name, keep in (
            ("expire_open", matches.expire_open),
            ("expire", pledges.expire_pledges),
            ("close_ended", organisations.close_ended),
            ("remind", lambda s, now: matches.remind(s, now=now, limit=50)),
            ("consent", lambda s, now: matches.consent(s, now=now, limit=50)),
        ):
            self.act(name, lambda s, keep=keep: keep(s, now=self.now))  # type: ignore[misc]

    @precondition(lambda self: self.now > BEGIN + timedelta(days=60))
    @rule(number=which)
    def leave(self, number: int) -> None:
        def doing(s: Session) -> None:
            employment = s.get_one(Employment, self.employments[number % 2])
            organisations.end_employment(
                s,
                employment.public_id,
                clock.today() - timedelta(days=1),
                actor=self.actor(s, "hr"),
                now=self.now,
            )

        self.act("leave", doing)

    @rule(back=st.integers(1, 3), name=st.sampled_from(["hr", "hr", "coach"]))
    def close_period(self, back: int, name: str) -> None:
        month = self.now.month - back
        if self.now.year != BEGIN.year or month < 1:
            return
        closed: list[tuple[date, date]] = []

        def doing(s: Session) -> None:
            period = books.close_period(
                s, self.company, year=self.now.year, month=month, actor=self.actor(s, name), now=self.now
            )
            closed.append((period.from_date, period.until_date))

        self.act("close", doing)
        for span in closed:
            with db.read_session() as s:
                self.closed[span] = self._counted(s, span)

    # --- what always holds --------------------------------------------------------------------------------------------

    def _book(self) -> Any:
        return select(LedgerBook.id).where(LedgerBook.organisation_id == self.company).scalar_subquery()

    def _counted(self, s: Session, span: tuple[date, date]) -> int:
        """All that counts in a period, of every measure, in one number that any change moves."""
        return s.scalars(
            select(func.coalesce(func.sum(LedgerFact.minutes), 0) + 1_000_000 * func.count()).where(
                LedgerFact.book_id == self._book(), LedgerFact.activity_date.between(*span)
            )
        ).one()

    @invariant()
    def lines_balances_and_chain_hold(self) -> None:
        with db.read_session() as s:
            sums = s.scalars(
                select(func.sum(LedgerLine.minutes))
                .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
                .where(LedgerTransaction.book_id == self._book())
                .group_by(LedgerLine.transaction_id)
            )
            assert set(sums) <= {0}
            below = s.scalars(
                select(LedgerAccount.kind).where(
                    LedgerAccount.book_id == self._book(), LedgerAccount.balance < 0
                )
            )
            assert set(below) <= SOURCES
            assert verify(s, organisation_id=self.company).first_break is None
            for span, counted in self.closed.items():
                assert self._counted(s, span) == counted, f"{span} changed after it was closed"

    @invariant()
    def each_tranche_adds_up_to_what_was_granted(self) -> None:
        with db.read_session() as s:
            own = s.execute(
                select(Tranche.public_id, Pledge.state)
                .join(Pledge, Pledge.id == Tranche.pledge_id)
                .where(Pledge.employment_id.in_(self.employments))
            ).all()
            held = ledger.balances(s, tranches=[tranche for tranche, _state in own])
            for tranche, state in own:
                b = held[tranche]
                assert b.granted == b.available + b.reserved + b.received + b.lapsed
                if state == "ended":
                    assert b.available == 0, "an ended pledge keeps free hours"

    @invariant()
    def the_ledger_says_what_people_see(self) -> None:
        with db.read_session() as s:
            own = Match.employment_id.in_(self.employments)
            confirmed = dict(
                s.execute(
                    select(Match.public_id, func.sum(HourEntry.minutes))
                    .join(Match, Match.id == HourEntry.match_id)
                    .where(
                        own,
                        HourEntry.state == HoursState.CONFIRMED,
                        HourEntry.category == Category.DELIVERY,
                    )
                    .group_by(Match.public_id)
                ).all()
            )
            for match in s.scalars(select(Match).where(own)):
                balance = ledger.match_balance(s, match.public_id).values()
                assert sum(b.received for b in balance) == confirmed.get(match.public_id, 0)
                reserved = sum(b.reserved for b in balance)
                if match.state in (MatchState.COMPLETED, MatchState.CANCELLED):
                    waiting = sum(
                        e.minutes
                        for e in match.hours
                        if e.state in match_queries.UNDECIDED_HOURS and e.category is Category.DELIVERY
                    )
                    assert reserved <= waiting, "an ended coaching keeps hours that nobody waits for"

    @invariant()
    def nobody_does_two_of_logging_approving_and_confirming(self) -> None:
        with db.read_session() as s:
            for entry, approved_by in s.execute(
                select(HourEntry, Pledge.approved_by_id)
                .join(Match, Match.id == HourEntry.match_id)
                .join(Pledge, Pledge.id == Match.pledge_id)
                .where(Match.employment_id.in_(self.employments), HourEntry.state == HoursState.CONFIRMED)
            ):
                roles = [entry.logged_by_id, entry.late_decided_by_id, entry.confirmed_by_id]
                known = [r for r in roles if r is not None]
                assert len(known) == len(set(known))
                assert entry.confirmed_by_id is None or entry.confirmed_by_id != approved_by


ACTS: set[str] = set()


class Recorded(Life):
    """Keeps which acts were done at least once, to see that examples reach them."""

    def teardown(self) -> None:
        ACTS.update(self.done)


@pytest.fixture
def running(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.both
@pytest.mark.usefixtures("running")
def test_whatever_people_do_the_books_hold() -> None:
    ACTS.clear()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Recorded,
        settings=settings(
            max_examples=settings.default.max_examples // 50,
            stateful_step_count=20,
            deadline=None,
            derandomize=settings.default.max_examples <= 100,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert {"approve", "propose", "accept", "agree", "log", "confirm"} <= ACTS
    with db.read_session() as s:
        kinds = set(s.scalars(select(LedgerTransaction.kind).distinct()))
    assert {TransactionKind.GRANT, TransactionKind.RESERVE, TransactionKind.CONFIRM} <= kinds
