"""The demo: a year in the life of some companies and initiatives, told through the services that people use, so that
its ledger verifies like any other. The same seed tells the same story."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timebank.demo.initiatives import Founded

PASSWORD = "demo-timebank"  # noqa: S105 - known to all, and only in a database that is marked as a demo
EMPLOYEE, HR = "employee@demo.example", "hr@demo.example"
INITIATIVE, OPERATOR = "initiative@demo.example", "operator@demo.example"
INITIATIVES = 60


@click.command("demo")
@click.option("--seed", default=1, show_default=True, help="The same seed tells the same story.")
def command(seed: int) -> None:
    """Fill an empty database with a lively demo. Refuses production, and a database that holds organisations."""
    from sqlalchemy import exists, select

    import config
    from timebank import db
    from timebank.commands import app_context
    from timebank.organisations.models import Organisation

    settings = config.load()
    if settings.production:
        raise click.UsageError("the demo is not for production")
    if settings.smtp_url is not None:
        raise click.UsageError("unset TIMEBANK_SMTP_URL: the demo would send mail to people who are invented")
    with app_context():
        with db.read_session() as session:
            if session.scalar(select(exists().select_from(Organisation))):
                raise click.UsageError(
                    "this database holds organisations already; the demo wants an empty one"
                )
        build(seed)


def build(seed: int) -> None:
    """Tell the whole story into the database of the current application."""
    from timebank import clock, db, marks
    from timebank.demo.year import WEEKS

    random, today = Random(seed), clock.today()  # noqa: S311 - a story, no secret
    with db.unit_of_work() as session:
        marks.begin_demo(session)
    start = today - timedelta(days=today.weekday(), weeks=WEEKS + 1)
    with clock.hold(start):
        founded = _set_the_stage(random, start)
    _live(random, founded, today)
    with db.unit_of_work() as session:
        marks.finish_demo(session)


def _set_the_stage(random: Random, start: date) -> list[Founded]:
    """Companies, staff and initiatives by the files that the operator imports, and the demo's own four people."""
    from faker import Faker

    from timebank import clock, db, marks
    from timebank.auth.actor import COMMAND_LINE
    from timebank.auth.models import Role
    from timebank.auth.service import create_user, grant_role
    from timebank.demo import cast, initiatives
    from timebank.imports.service import company_id
    from timebank.taxonomy.models import Postcode

    faker = Faker("nl_BE")
    faker.seed_instance(random.getrandbits(32))
    first, last = faker.first_name(), faker.last_name()
    _import("companies", cast.companies_file(faker), "companies.csv", None, start)
    own = cast.COMPANIES[0]
    for company in cast.COMPANIES:
        extra = []
        if company is own:
            extra = [
                cast.staff_row(
                    number=999,
                    email=EMPLOYEE,
                    first_name=first,
                    last_name=last,
                    department="IT",
                    postcode="9000",
                    language="nl",
                    start=start - timedelta(days=1500),
                )
            ]
        with db.read_session() as session:
            organisation = company_id(session, company.number)
        _import("staff", cast.staff_file(company, random, start, extra), "staff.csv", organisation, start)
    with db.read_session() as session:
        wanted = {*initiatives.FLEMISH, *initiatives.BRUSSELS}
        places = {code: session.get_one(Postcode, code).municipality.name_nl for code in sorted(wanted)}
        own_company = company_id(session, own.number)
    founded = initiatives.found(random, places, INITIATIVES, INITIATIVE)
    _import("initiatives", initiatives.initiatives_file(founded, random), "initiatives.csv", None, start)
    with db.unit_of_work() as session:
        marks.mark_demo(session)
        for email, role, scope in ((HR, Role.HR, own_company), (OPERATOR, Role.OPERATOR, None)):
            user = create_user(
                session,
                email=email,
                password=PASSWORD,
                first_name=faker.first_name(),
                last_name=faker.last_name(),
                language="nl",
                now=clock.now(),
            )
            grant_role(session, user, role, organisation_id=scope, actor=COMMAND_LINE, now=clock.now())
        for email, name in ((EMPLOYEE, (first, last)), (INITIATIVE, (faker.first_name(), faker.last_name()))):
            create_user(
                session,
                email=email,
                password=PASSWORD,
                first_name=name[0],
                last_name=name[1],
                language="nl",
                now=clock.now(),
            )
    _set_reports(own_company, start)
    return founded


def _set_reports(organisation_id: int, start: date) -> None:
    """What the demo's HR entered for reports: hourly costs, a target, and the length of a working week."""
    from timebank import clock, db
    from timebank.auth.actor import COMMAND_LINE
    from timebank.reports import inputs
    from timebank.reports.models import RateBasis

    with db.unit_of_work() as session:
        for year, cents in ((start.year, 44_50), (start.year + 1, 46_20)):
            inputs.enter_rate(
                session,
                organisation_id,
                basis=RateBasis.OWN_COST,
                valid_from=date(year, 1, 1),
                cents=cents,
                source="Invented for the demo",
                actor=COMMAND_LINE,
                now=clock.now(),
            )
        inputs.set_targets(
            session,
            organisation_id,
            start.year + 1,
            minutes=400 * 60,
            participation=30_00,
            actor=COMMAND_LINE,
            now=clock.now(),
        )
        choices = inputs.Choices(weekly_minutes=38 * 60)
        inputs.change_choices(session, organisation_id, choices, actor=COMMAND_LINE, now=clock.now())


def _import(kind: str, content: bytes, name: str, organisation_id: int | None, day: date) -> None:
    from timebank import clock
    from timebank.auth.actor import COMMAND_LINE
    from timebank.imports import service
    from timebank.imports.registry import Act, Scope, spec

    scope = Scope(organisation_id, day)
    found = service.preview(spec(kind), content, scope, keep_cells=False)
    summary = service.apply(spec(kind), found, scope, Act(COMMAND_LINE, clock.now(), name))
    if summary["refused"]:
        raise RuntimeError(f"the demo's own {kind} are refused: {summary['refused']}")


def _live(random: Random, founded: list[Founded], today: date) -> None:
    from timebank.demo.year import WEEKS, Year

    year = Year(random, founded, today, EMPLOYEE)
    for done in year.weeks():
        if sys.stderr.isatty():
            click.echo(f"\rweek {done} of {WEEKS + 1}", err=True, nl=done == WEEKS + 1)
