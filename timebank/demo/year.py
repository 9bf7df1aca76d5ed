"""A year in the demo, week by week, through the services that people use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta
from random import Random

from faker import Faker
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from timebank import clock, db
from timebank.auth.actor import SYSTEM
from timebank.coaching import service as coaching
from timebank.coaching.models import Shape
from timebank.coaching.rules import RequestInput
from timebank.demo.coachings import Coachings
from timebank.demo.initiatives import Ask, Founded
from timebank.demo.people import People, do
from timebank.matches import service as matches
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
OFFICE_HOURS = [
    code for code in bits.HALF_DAYS if code[:3] not in ("sat", "sun") and not code.endswith("-ev")
]


class Year:
    """What happens in the demo week by week."""

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
        self._people = People(self._initiatives, self._employments)
        self._coachings = Coachings(random, self._people)
        self._asked: set[tuple[int, str, tuple[int, int]]] = set()

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
            (1, time(17), self._coachings.answer),
            (2, time(9), self._coachings.agree),
            (2, time(11), self._coachings.plan),
            (3, time(18), self._coachings.log),
            (4, time(16), self._coachings.confirm),
            (4, time(20), self._keep_house),
        ]
        for offset, at, act in days:
            day = monday + timedelta(days=offset)
            moment = clock.local_moment(day, at)
            if day > self._today or (day == self._today and moment > clock.now()):
                break
            # The visitor finds the last days' proposals and hours waiting.
            if (self._today - day).days <= 6 and act in (self._coachings.answer, self._coachings.confirm):
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
        do(coaching.submit_request, initiative.id, wish, actor=self._people.coordinators[initiative.id])

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

        do(pledges.submit_pledge, employment.id, offer, actor=self._people.coach(employment))

    def _approve(self) -> None:
        with db.read_session() as session:
            waiting = session.scalars(
                select(Pledge)
                .where(Pledge.state == PledgeState.SUBMITTED)
                .options(joinedload(Pledge.employment))
                .order_by(Pledge.id)
            ).all()
        for pledge in waiting[: max(0, len(waiting) - (self._today - clock.today() < timedelta(days=7)) * 2)]:
            actor = self._people.hr[pledge.employment.organisation_id]
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

    def _keep_house(self) -> None:
        do(matches.expire_open)
        do(pledges.expire_pledges)
        do(coaching.close_expired)
        notifications.send_due(clock.now(), limit=1000)
