"""What is there before a journey begins: a company with HR and an employee, an initiative, an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from tests import factories
from timebank import clock
from timebank.auth.models import User
from timebank.organisations.models import Employment, Initiative, Organisation
from timebank.scheduler import work

TITLE = "Een begroting die het bestuur begrijpt"


@dataclass(frozen=True)
class Cast:
    company: Organisation
    employment: Employment
    initiative: Initiative
    employee: User
    hr: User
    coordinator: User
    operator: User


def cast(session: Session) -> Cast:
    """Delta Staal, where Lotte works and Hanne does HR; the Repaircafé that Fatima co-ordinates; operator Oda."""
    company = factories.make_company(session, minutes_per_year=40 * 60)
    employee = factories.make_user(session, name="Lotte Verhaegen")
    employment = factories.make_employment(session, company, user=employee)
    hr = factories.make_hr(session, company)
    initiative = factories.make_initiative(session, name="Repaircafé De Schroef")
    coordinator = factories.make_coordinator(session, initiative)
    operator = factories.make_operator(session)
    session.commit()
    return Cast(company, employment, initiative, employee, hr, coordinator, operator)


def run_the_scheduler() -> None:
    """What the scheduler's process does every second, once."""
    work.execute_runs(proposal_days=7)
    work.work_jobs()
    work.send_mail()


def working_day(after: int = 1) -> date:
    """A day at least `after` days from today that is no public holiday."""
    from timebank.matches.holidays import holiday_on

    day = clock.today() + timedelta(days=after)
    while holiday_on(day, "nl"):
        day += timedelta(days=1)
    return day
