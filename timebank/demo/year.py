"""A year in the demo, week by week, through the services that people use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta
from random import Random

from faker import Faker
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from timebank import clock, db
from timebank.agreements import service as agreements
from timebank.agreements.models import Agreement, AgreementState
from timebank.auth.actor import SYSTEM, Actor, actor_of
from timebank.auth.models import Role, RoleGrant, User
from timebank.auth.service import create_user, grant_role
from timebank.coaching import service as coaching
from timebank.coaching.models import CoachingRequest, Shape
from timebank.coaching.rules import RequestInput
from timebank.demo.initiatives import Ask, Founded
from timebank.errors import DomainError
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
    SessionState,
    Side,
)
from timebank.matching import runs
from timebank.matching.models import RunTrigger
from timebank.notifications import service as notifications
from timebank.organisations import service as organisations
from timebank.organisations.models import Employment, EmploymentTerms, Initiative
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge, PledgeState
from timebank.pledges.service import PledgeInput
from timebank.taxonomy import bits
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.models import Phase

WEEKS = 52
STAFFING = "Elke dag iemand aan het onthaal"
STAFFING_TEXT = "We zoeken iemand die elke weekdag de deur opendoet en de telefoon opneemt."
APPLICANTS = (("Speelotheek De Tol", "9100", "youth"), ("Fietskeuken Klein Begin", "2018", "mobility"))
WORK_TIMES = (time(9), time(13, 30), time(14))
SESSION_MINUTES = 180
OFFICE_HOURS = [
    code for code in bits.HALF_DAYS if code[:3] not in ("sat", "sun") and not code.endswith("-ev")
]


def do(act: Callable[..., object], *arguments: object, **more: object) -> bool:
    """Carry out a business act now; one that is refused is simply not done, as happens to people."""
    try:
        with db.unit_of_work() as session:
            act(session, *arguments, now=clock.now(), **more)
    except DomainError:
        return False
    return True


class Year:
    """The people of the demo and what they do."""

    def __init__(self, random: Random, founded: Sequence[Founded], today: date, own_employee: str) -> None:
        self._random = random
        self._today = today
        self._own_employee = own_employee
        self._faker = Faker("nl_BE")
        self._faker.seed_instance(random.getrandbits(32))
        self._asks = {f.name: f.kind for f in founded}
        with db.read_session() as session:
            self._skills = taxonomy.skill_ids(session)
            self._causes = taxonomy.cause_ids(session)
            self._initiatives = session.scalars(select(Initiative).order_by(Initiative.id)).all()
            self._employments = session.scalars(
                select(Employment)
                .options(selectinload(Employment.terms).joinedload(EmploymentTerms.site))
                .order_by(Employment.id)
            ).all()
        self._wanted = [
            s.split(":")[0] for kind in self._asks.values() for ask in kind.asks for s in ask.must
        ]
        self._coordinators = self._make_coordinators()
        self._hr = self._make_hr()
        self._coaches: dict[int, Actor] = {}
        self._asked: set[tuple[int, str, tuple[int, int]]] = set()

    # --- people -----------------------------------------------------------------------------------------------------

    def _make_coordinators(self) -> dict[int, Actor]:
        made: dict[int, Actor] = {}
        with db.unit_of_work() as session:
            for initiative in self._initiatives:
                first, _, last = initiative.contact_name.partition(" ")
                user = _user(session, initiative.contact_email, first, last, initiative.language)
                grant_role(
                    session,
                    user,
                    Role.COORDINATOR,
                    initiative_id=initiative.id,
                    actor=SYSTEM,
                    now=clock.now(),
                )
                made[initiative.id] = _actor(session, user)
        return made

    def _make_hr(self) -> dict[int, Actor]:
        """Somebody of HR for each company: those invited by the companies' file, or the demo's own."""
        made: dict[int, Actor] = {}
        with db.unit_of_work() as session:
            for company_id in sorted({e.organisation_id for e in self._employments}):
                known = session.scalar(
                    select(User)
                    .join(RoleGrant, RoleGrant.user_id == User.id)
                    .where(RoleGrant.role == Role.HR, RoleGrant.organisation_id == company_id)
                    .order_by(User.id.desc())
                )
                if known is None:
                    known = _user(session, f"hr{company_id}@demo.example", "HR", "Team", "nl")
                    grant_role(
                        session, known, Role.HR, organisation_id=company_id, actor=SYSTEM, now=clock.now()
                    )
                made[company_id] = _actor(session, known)
        return made

    def coach(self, employment: Employment) -> Actor:
        """The person of an employment, who gets a login with the first pledge."""
        if employment.id not in self._coaches:
            with db.unit_of_work() as session:
                user = _user(
                    session,
                    employment.email,
                    employment.first_name,
                    employment.last_name,
                    employment.language,
                )
                organisations.tie(session, employment.id, user.id, actor=SYSTEM, now=clock.now())
                self._coaches[employment.id] = _actor(session, user)
        return self._coaches[employment.id]

    # --- the weeks --------------------------------------------------------------------------------------------------

    def weeks(self) -> Iterator[int]:
        """Live week after week until today, telling how many are done."""
        monday = self._today - timedelta(days=self._today.weekday())
        for week in range(WEEKS, -1, -1):
            start = monday - timedelta(weeks=week)
            self._week(start, first=week == WEEKS)
            with clock.hold(min(clock.local_moment(start + timedelta(days=4), time(12)), clock.now())):
                self._own_story(week)
            yield WEEKS - week + 1

    def _week(self, monday: date, *, first: bool) -> None:
        days: list[tuple[int, time, Callable[[], None]]] = [
            (0, time(8), self._ask_for_coaches),
            (0, time(11), lambda: self._pledge(25 if first else self._random.choice([2, 3]))),
            (1, time(4), self._match),
            (1, time(9), self._approve),
            (1, time(17), self._answer),
            (2, time(9), self._agree),
            (2, time(11), self._plan),
            (3, time(18), self._log),
            (4, time(16), self._confirm),
            (4, time(20), self._keep_house),
        ]
        for offset, at, act in days:
            day = monday + timedelta(days=offset)
            moment = clock.local_moment(day, at)
            if day > self._today or (day == self._today and moment > clock.now()):
                break
            # The visitor finds the last days' proposals and hours waiting.
            if (self._today - day).days <= 6 and act in (self._answer, self._confirm):
                continue
            with clock.hold(moment):
                act()

    def _own_story(self, weeks_ago: int) -> None:
        """What the demo's four people have behind them: hours given, and an initiative that asks now and then. Their
        own pledge has just ended, so that a visitor can begin the story with a new one."""
        if weeks_ago == WEEKS:
            own = next(e for e in self._employments if e.email == self._own_employee)
            self.pledge(own, 24, months=11, skills=("bookkeeping", "website", "plain-writing"))
        asks = self._asks[self._initiatives[0].name].asks
        if weeks_ago in (14, 6, 1):
            self.ask(self._initiatives[0], asks[(14, 6, 1).index(weeks_ago)])
        if weeks_ago == 0:
            self._leave_work()

    def _leave_work(self) -> None:
        """What waits for a visitor: pledges for HR; applications and a request that looks like staffing for the
        operator."""
        own = next(e for e in self._employments if e.email == self._own_employee)
        colleagues = [
            e for e in self._employments if e.organisation_id == own.organisation_id and e is not own
        ]
        for employment in self._random.sample(colleagues, k=6):
            self.pledge(employment, self._random.choice([8, 12, 16]), months=6)
        roster = Ask(STAFFING, ("administration:1",), 120, STAFFING_TEXT)
        self.ask(self._initiatives[1], roster)
        for name, postcode, cause in APPLICANTS:
            do(
                organisations.apply_for_initiative,
                organisations.InitiativeApplication(
                    name=name,
                    enterprise_number="",
                    host_name="",
                    work_form_id=None,
                    term_ids=[],
                    phase=Phase.IDEA,
                    postcode=postcode,
                    cause_ids=[self._causes[cause]],
                    contact_name=self._faker.name(),
                    contact_email=f"{cause}@initiatief.example",
                    website="",
                    language="nl",
                    description="We zijn met zes buren en willen in het voorjaar beginnen.",
                ),
            )

    def _ask_for_coaches(self) -> None:
        recent = (self._today - clock.today()).days < 30
        for initiative in self._random.sample(list(self._initiatives), k=10 if recent else 3):
            kind = self._asks[initiative.name]
            ask = self._random.choice(list(kind.asks))
            season = (clock.today().year, clock.today().month // 4)
            if (initiative.id, ask.title, season) not in self._asked:
                self._asked.add((initiative.id, ask.title, season))
                self.ask(initiative, ask)

    def ask(self, initiative: Initiative, ask: Ask) -> None:
        """Make one request for an initiative."""
        today = clock.today()
        kind = self._asks[initiative.name]
        spoken = ["nl", "fr"] if initiative.nuts2 == "BE10" else [kind.language]
        wish = RequestInput(
            title=ask.title,
            description=ask.text,
            language=kind.language,
            seats=ask.seats,
            minutes_per_coach=int(ask.hours * 60),
            shape=Shape.WINDOW,
            from_date=today + timedelta(days=self._random.choice([7, 10, 14])),
            until_date=today + timedelta(days=self._random.choice([70, 90, 120])),
            must=[self._skill(code) for code in ask.must],
            nice=[self._skill(code) for code in ask.nice],
            language_bits=bits.language_bits(spoken),
            postcode=initiative.postcode,
            week_bits=bits.week_bits(OFFICE_HOURS),
            remote=ask.remote,
        )
        do(coaching.submit_request, initiative.id, wish, actor=self._coordinators[initiative.id])

    def _skill(self, code: str) -> tuple[int, int]:
        name, _, level = code.partition(":")
        return self._skills[name], int(level or 1)

    def _pledge(self, number: int) -> None:
        with db.read_session() as session:
            busy = set(
                session.scalars(
                    select(Pledge.employment_id).where(
                        Pledge.state.in_([PledgeState.SUBMITTED, PledgeState.APPROVED])
                    )
                )
            )
        free = [e for e in self._employments if e.id not in busy and e.email != self._own_employee]
        for employment in self._random.sample(free, k=min(number, len(free))):
            self.pledge(employment, self._random.choice([8, 12, 12, 16, 20, 24]), months=6)

    def pledge(self, employment: Employment, hours: int, *, months: int, skills: Sequence[str] = ()) -> None:
        """Pledge for an employee, from today."""
        today = clock.today()
        terms = employment.terms_on(today)
        others = [c for c in self._random.sample(self._wanted, k=4) if c not in skills]
        chosen = list(dict.fromkeys([*skills, *others]))[:4]
        offer = PledgeInput(
            minutes=hours * 60,
            from_date=today,
            until_date=today + timedelta(days=30 * months),
            skills=[(self._skills[code], self._random.choice([2, 2, 3])) for code in chosen],
            language_bits=bits.language_bits(
                {employment.language, *self._random.choice([(), ("nl",), ("nl", "fr")])}
            ),
            postcode=terms.site.postcode if terms and terms.site else "1000",
            radius_km=self._random.choice([20, 30, 40, 60]),
            remote=self._random.random() < 0.6,
            week_bits=bits.week_bits(OFFICE_HOURS),
            wanted_cause_ids=self._random.sample(
                sorted(self._causes.values()), k=self._random.choice([0, 1, 2])
            ),
            shares_choice=self._random.random() < 0.5,
        )

        do(pledges.submit_pledge, employment.id, offer, actor=self.coach(employment))

    def _approve(self) -> None:
        with db.read_session() as session:
            waiting = session.scalars(
                select(Pledge)
                .where(Pledge.state == PledgeState.SUBMITTED)
                .options(joinedload(Pledge.employment))
                .order_by(Pledge.id)
            ).all()
        for pledge in waiting[: max(0, len(waiting) - (self._today - clock.today() < timedelta(days=7)) * 2)]:
            actor = self._hr[pledge.employment.organisation_id]
            if self._random.random() < 0.04:
                reason = "In deze periode is de planning al rond. Probeer het volgend kwartaal opnieuw."
                do(pledges.refuse_pledge, pledge.public_id, reason, actor=actor)
            else:
                do(pledges.approve_pledge, pledge.public_id, actor=actor)

    def _match(self) -> None:
        with db.unit_of_work() as session:
            run = runs.request_run(
                session, actor=SYSTEM, now=clock.now(), trigger=RunTrigger.NIGHTLY, nightly_date=clock.today()
            )
        runs.execute(run.public_id, proposal_days=7)

    def _answer(self) -> None:
        for match in self._matches(OPEN_STATES):
            coordinator = self._coordinators[match.request.initiative_id]
            luck = self._random.random()
            if luck < 0.10:
                self._decline(match)
            elif luck < 0.93:
                self._accept(match, coordinator, both=luck < 0.88)

    def _accept(self, match: Match, coordinator: Actor, *, both: bool) -> None:
        do(matches.accept_as_coach, match.public_id, actor=self.coach(match.employment))
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
            actor=self.coach(match.employment),
        )

    def _agree(self) -> None:
        with db.read_session() as session:
            drafted = session.scalars(
                select(Agreement)
                .where(Agreement.state.in_([AgreementState.DRAFTED, AgreementState.HALF]))
                .order_by(Agreement.id)
            ).all()
        for agreement in drafted:
            hr = self._hr[agreement.organisation_id]
            standing = self._random.random() < 0.3
            do(agreements.accept_as_company, agreement.public_id, standing=standing, actor=hr)
        with db.read_session() as session:
            half = session.scalars(select(Agreement).where(Agreement.state == AgreementState.HALF)).all()
        for agreement in half:
            coordinator = self._coordinators[agreement.initiative_id]
            do(agreements.accept_as_initiative, agreement.public_id, actor=coordinator)

    def _plan(self) -> None:
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
            actor=self.coach(match.employment),
        )

    def _log(self) -> None:
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
            actor=self.coach(meeting.match.employment),
        )

    def _confirm(self) -> None:
        with db.read_session() as session:
            logged = session.scalars(
                select(HourEntry)
                .where(HourEntry.state.in_([HoursState.LOGGED, HoursState.DISPUTED]))
                .options(joinedload(HourEntry.match).joinedload(Match.request))
                .order_by(HourEntry.id)
            ).all()
        for entry in logged:
            coordinator = self._coordinators[entry.match.request.initiative_id]
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
                do(matches.complete, match.public_id, actor=self.coach(match.employment))

    def _keep_house(self) -> None:
        do(matches.expire_open)
        do(pledges.expire_pledges)
        do(coaching.close_expired)
        notifications.send_due(clock.now(), limit=1000)

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


def _user(session: Session, email: str, first: str, last: str, language: str) -> User:
    known = session.scalar(select(User).where(User.email == email))
    return known or create_user(
        session,
        email=email,
        password=None,
        first_name=first,
        last_name=last,
        language=language,
        now=clock.now(),
    )


def _actor(session: Session, user: User) -> Actor:
    session.flush()
    session.expire(user, ["grants"])
    return actor_of(user)
