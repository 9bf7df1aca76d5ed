"""Things that tests need, with sensible defaults; each says by its arguments only what matters to the test.

People and organisations are rows; what has a service (a pledge, a request, a proposal, its answers) is made by it, so
that its ledger postings and audit lines are there. Each takes the session and flushes; the test commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.client import PASSWORD_HASH
from timebank import clock
from timebank.auth.actor import SYSTEM, Actor, actor_of
from timebank.auth.models import Role, RoleGrant, User
from timebank.coaching import service as coaching
from timebank.coaching.models import CoachingRequest, Shape
from timebank.coaching.service import RequestInput
from timebank.matches import service as matches
from timebank.matches.models import Match
from timebank.matches.service import ProposalInput
from timebank.organisations.models import (
    Admission,
    Approval,
    CompanyPolicy,
    Employment,
    EmploymentTerms,
    Initiative,
    InitiativeCause,
    InitiativePhase,
    InitiativeText,
    Organisation,
    Site,
)
from timebank.pledges import service as pledges
from timebank.pledges.models import Pledge, PledgeState
from timebank.pledges.service import PledgeInput
from timebank.taxonomy import bits, queries
from timebank.taxonomy.models import Cause, Phase, Skill

_number = count(1)


def make_user(
    session: Session, *, name: str = "Robin Peeters", language: str | None = "nl", **over: Any
) -> User:
    """A login with the tests' password and no role."""
    n = next(_number)
    first, _, last = name.partition(" ")
    values = {
        "email": f"person{n}@example.test",
        "first_name": first,
        "last_name": last,
        "language": language,
        "password_hash": PASSWORD_HASH,
        "created_at": clock.now(),
        **over,
    }
    user = User(**values)
    session.add(user)
    session.flush()
    return user


def grant(
    session: Session,
    user: User,
    role: Role,
    *,
    organisation_id: int | None = None,
    initiative_id: int | None = None,
) -> User:
    session.add(
        RoleGrant(
            user_id=user.id,
            role=role,
            organisation_id=organisation_id,
            initiative_id=initiative_id,
            granted_at=clock.now(),
        )
    )
    session.flush()
    session.expire(user, ["grants"])
    return user


def actor(session: Session, user: User) -> Actor:
    """The actor that a user is now."""
    session.expire(user, ["grants"])
    return actor_of(user)


def make_operator(session: Session, **over: Any) -> User:
    return grant(session, make_user(session, name="Oda Beheer", **over), Role.OPERATOR)


def make_company(
    session: Session,
    *,
    name: str = "Delta Staal",
    approval: Approval = Approval.HR,
    minutes_per_year: int | None = None,
    **over: Any,
) -> Organisation:
    """An admitted company with a policy."""
    n = next(_number)
    values = {
        "slug": f"company-{n}",
        "name": name,
        "is_company": True,
        "admission": Admission.ADMITTED,
        "applied_at": clock.now(),
        "decided_at": clock.now(),
        **over,
    }
    company = Organisation(**values)
    company.policy = CompanyPolicy(
        approval=approval, minutes_per_year=minutes_per_year, updated_at=clock.now()
    )
    session.add(company)
    session.flush()
    return company


def make_site(session: Session, company: Organisation, postcode: str = "9000") -> Site:
    site = session.scalar(select(Site).where(Site.organisation_id == company.id, Site.postcode == postcode))
    if site is None:
        place = queries.postcode(session, postcode)
        assert place is not None
        site = Site(
            organisation_id=company.id,
            name=place.municipality.name_nl,
            postcode=postcode,
            nis=place.nis,
            municipality=place.municipality.name_nl,
        )
        session.add(site)
        session.flush()
    return site


def make_employment(
    session: Session,
    company: Organisation | None = None,
    *,
    user: User | None = None,
    with_user: bool = True,
    department: str | None = "Productie",
    postcode: str = "9000",
    manager_email: str | None = None,
    **over: Any,
) -> Employment:
    """An active employment of five years, tied to a user with the role of an employee."""
    company = company or make_company(session)
    if user is None and with_user:
        user = make_user(session)
    n = next(_number)
    values = {
        "organisation_id": company.id,
        "employee_number": str(n),
        "user_id": user.id if user else None,
        "email": user.email if user else f"staff{n}@example.test",
        "first_name": user.first_name if user else "Noor",
        "last_name": user.last_name if user else "Claes",
        "language": "nl",
        "start_date": clock.today() - timedelta(days=5 * 365),
        "created_at": clock.now(),
        **over,
    }
    employment = Employment(**values)
    employment.organisation = company
    employment.terms = [
        EmploymentTerms(
            valid_from=clock.today() - timedelta(days=5 * 365),
            department=department,
            site=make_site(session, company, postcode),
            fte=Decimal(1),
            manager_email=manager_email,
        )
    ]
    session.add(employment)
    session.flush()
    if user is not None and not any(
        g.role == Role.EMPLOYEE and g.organisation_id == company.id for g in user.grants
    ):
        grant(session, user, Role.EMPLOYEE, organisation_id=company.id)
    return employment


def make_hr(session: Session, company: Organisation, **over: Any) -> User:
    return grant(
        session, make_user(session, name="Hanne Peters", **over), Role.HR, organisation_id=company.id
    )


def make_initiative(
    session: Session,
    *,
    name: str | None = None,
    postcode: str = "9000",
    causes: Sequence[str] = ("circular",),
    host: Organisation | None = None,
    **over: Any,
) -> Initiative:
    """An admitted initiative of a host of its own, in development."""
    n = next(_number)
    name = name or f"Repaircafé De Schroef {n}"
    if host is None:
        host = Organisation(
            slug=f"host-{n}",
            name=name,
            is_host=True,
            admission=Admission.ADMITTED,
            applied_at=clock.now(),
            decided_at=clock.now(),
        )
        session.add(host)
        session.flush()
    place = queries.postcode(session, postcode)
    assert place is not None
    values = {
        "organisation_id": host.id,
        "slug": f"initiative-{n}",
        "name": name,
        "postcode": postcode,
        "nis": place.nis,
        "municipality": place.municipality.name_nl,
        "nuts2": place.municipality.nuts2,
        "contact_name": "Fatima El Amrani",
        "contact_email": f"contact{n}@example.test",
        "language": "nl",
        "phase": Phase.DEVELOPMENT,
        "admission": Admission.ADMITTED,
        "applied_at": clock.now(),
        "decided_at": clock.now(),
        **over,
    }
    initiative = Initiative(**values)
    initiative.organisation = host
    initiative.causes = [
        InitiativeCause(cause=session.scalars(select(Cause).where(Cause.code == code)).one(), rank=rank)
        for rank, code in enumerate(causes)
    ]
    initiative.texts = [InitiativeText(language="nl", description="Wij herstellen toestellen samen.")]
    initiative.phases = [
        InitiativePhase(phase=Phase.DEVELOPMENT, valid_from=clock.today() - timedelta(days=400))
    ]
    session.add(initiative)
    session.flush()
    return initiative


def make_coordinator(session: Session, initiative: Initiative, **over: Any) -> User:
    return grant(
        session,
        make_user(session, name="Fatima El Amrani", **over),
        Role.COORDINATOR,
        initiative_id=initiative.id,
    )


def skill_id(session: Session, code: str) -> int:
    return session.scalars(select(Skill.id).where(Skill.code == code)).one()


def pledge_input(session: Session, *, minutes: int = 600, **over: Any) -> PledgeInput:
    values: dict[str, Any] = {
        "minutes": minutes,
        "monthly": False,
        "from_date": clock.today(),
        "until_date": clock.today() + timedelta(days=180),
        "skills": [(skill_id(session, "bookkeeping"), 3)],
        "language_bits": bits.language_bits(["nl"]),
        "postcode": "9000",
        "radius_km": 30,
        "remote": False,
        "week_bits": bits.ANY_TIME,
        "wanted_cause_ids": [],
        "excluded_cause_ids": [],
        "shares_choice": False,
        **over,
    }
    return PledgeInput(**values)


def make_pledge(
    session: Session,
    employment: Employment | None = None,
    *,
    minutes: int = 600,
    approved: bool = True,
    **over: Any,
) -> Pledge:
    """A pledge of ten hours from today for half a year, approved unless told otherwise."""
    employment = employment or make_employment(session)
    user = session.get_one(User, employment.user_id)
    pledge = pledges.submit_pledge(
        session,
        employment.id,
        pledge_input(session, minutes=minutes, **over),
        actor=actor(session, user),
        now=clock.now(),
    )
    if approved and pledge.state == PledgeState.SUBMITTED:
        pledges.approve_pledge(session, pledge.public_id, actor=SYSTEM, now=clock.now())
    return pledge


def request_input(session: Session, **over: Any) -> RequestInput:
    values: dict[str, Any] = {
        "title": "Een begroting die het bestuur begrijpt",
        "description": "De penningmeester stopt in januari.",
        "language": "nl",
        "seats": 1,
        "minutes_per_coach": 360,
        "shape": Shape.WINDOW,
        "from_date": clock.today() + timedelta(days=7),
        "until_date": clock.today() + timedelta(days=90),
        "slots": [],
        "must": [(skill_id(session, "bookkeeping"), 2)],
        "nice": [],
        "language_bits": bits.language_bits(["nl"]),
        "week_bits": bits.ANY_TIME,
        "postcode": "9000",
        "remote": False,
        **over,
    }
    return RequestInput(**values)


def make_request(session: Session, initiative: Initiative | None = None, **over: Any) -> CoachingRequest:
    """An open request for one coach of six hours."""
    initiative = initiative or make_initiative(session)
    return coaching.submit_request(
        session, initiative.id, request_input(session, **over), actor=SYSTEM, now=clock.now()
    )


def make_match(
    session: Session,
    pledge: Pledge | None = None,
    request: CoachingRequest | None = None,
    *,
    seat: int = 0,
    days: int = 7,
    now: datetime | None = None,
) -> Match:
    """A proposal that both sides have yet to answer."""
    pledge = pledge or make_pledge(session)
    request = request or make_request(session)
    result = matches.propose(
        session,
        [
            ProposalInput(
                seat_id=request.seats[seat].id,
                pledge_id=pledge.id,
                weight=1200,
                reasons=[{"term": "skill", "points": 1200, "code": "bookkeeping", "level": 3, "asked": 2}],
                run_id=None,
            )
        ],
        now=now or clock.now(),
        days=days,
    )
    assert result.created, result.lost
    return result.created[0]


def a_day(days: int) -> date:
    """So many days from today."""
    return clock.today() + timedelta(days=days)
