"""The people of the demo: who acts for whom, and how an act is carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.auth.actor import SYSTEM, Actor, actor_of
from timebank.auth.models import Role, RoleGrant, User
from timebank.auth.service import create_user, grant_role
from timebank.errors import DomainError
from timebank.organisations import service as organisations
from timebank.organisations.models import Employment, Initiative


def do(act: Callable[..., object], *arguments: object, **more: object) -> bool:
    """Carry out a business act now; one that is refused is simply not done, as happens to people."""
    try:
        with db.unit_of_work() as session:
            act(session, *arguments, now=clock.now(), **more)
    except DomainError:
        return False
    return True


class People:
    """Who acts for each initiative, company and employment."""

    def __init__(self, initiatives: Sequence[Initiative], employments: Sequence[Employment]) -> None:
        self.coordinators = self._make_coordinators(initiatives)
        self.hr = self._make_hr(employments)
        self._coaches: dict[int, Actor] = {}

    def _make_coordinators(self, initiatives: Sequence[Initiative]) -> dict[int, Actor]:
        made: dict[int, Actor] = {}
        with db.unit_of_work() as session:
            for initiative in initiatives:
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

    def _make_hr(self, employments: Sequence[Employment]) -> dict[int, Actor]:
        """Somebody of HR for each company: those invited by the companies' file, or the demo's own."""
        made: dict[int, Actor] = {}
        with db.unit_of_work() as session:
            for company_id in sorted({e.organisation_id for e in employments}):
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
