"""What tests of matches begin with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock
from timebank.agreements import queries as agreement_queries
from timebank.agreements import service as agreements
from timebank.auth.actor import Actor
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest
from timebank.ledger import service as ledger
from timebank.matches import service
from timebank.matches.models import Match
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Employment, Initiative
from timebank.pledges.models import Pledge


@dataclass
class Story:
    """One proposal, and the people around it."""

    coach: User
    hr: User
    coordinator: User
    employment: Employment
    initiative: Initiative
    pledge: Pledge
    request: CoachingRequest
    match: Match
    session: Session

    def act_as(self, user: User) -> Actor:
        return make.actor(self.session, user)

    def accept(self) -> None:
        """Both sides say yes."""
        now = clock.now()
        service.accept_as_coach(self.session, self.match.public_id, actor=self.act_as(self.coach), now=now)
        service.accept_as_initiative(
            self.session, self.match.public_id, actor=self.act_as(self.coordinator), now=now
        )
        self.session.commit()

    def agree(self) -> None:
        """Both sides accept the agreement too."""
        agreement = agreement_queries.for_match(
            self.session,
            organisation_id=self.employment.organisation_id,
            initiative_id=self.initiative.id,
            match_id=self.match.id,
        )
        assert agreement is not None
        now = clock.now()
        agreements.accept_as_company(
            self.session, agreement.public_id, standing=False, actor=self.act_as(self.hr), now=now
        )
        agreements.accept_as_initiative(
            self.session, agreement.public_id, actor=self.act_as(self.coordinator), now=now
        )
        self.session.commit()

    def start(self) -> None:
        """From a proposal to a coaching in which hours may be logged."""
        self.accept()
        self.agree()
        self.session.refresh(self.match)


def story(session: Session, *, minutes: int = 600, asked: int = 360, **request: object) -> Story:
    """A coach of Delta Staal with ten hours, proposed to an initiative that asks six."""
    company = make.make_company(session)
    hr = make.make_hr(session, company)
    coach = make.make_user(session, name="Lien Maes")
    employment = make.make_employment(session, company, user=coach)
    initiative = make.make_initiative(session)
    coordinator = make.make_coordinator(session, initiative)
    pledge = make.make_pledge(session, employment, minutes=minutes)
    wish = make.make_request(session, initiative, minutes_per_coach=asked, **request)
    match = make.make_match(session, pledge, wish)
    session.commit()
    return Story(coach, hr, coordinator, employment, initiative, pledge, wish, match, session)


def at(days: int, hour: int, minute: int = 0) -> datetime:
    """A moment so many days from today, by the clock of Brussels."""
    day = clock.today() + timedelta(days=days)
    return clock.local_moment(day, datetime.min.time().replace(hour=hour, minute=minute))


def balance(session: Session, pledge: Pledge) -> tuple[int, int, int, int]:
    """Available, reserved, received and lapsed minutes of a pledge."""
    rows = ledger.balances(session, tranches=[t.public_id for t in pledge.tranches]).values()
    return (
        sum(b.available for b in rows),
        sum(b.reserved for b in rows),
        sum(b.received for b in rows),
        sum(b.lapsed for b in rows),
    )


def mails_to(session: Session, email: str) -> list[OutboxMessage]:
    """What somebody was sent, in order."""
    return list(
        session.scalars(select(OutboxMessage).where(OutboxMessage.email == email).order_by(OutboxMessage.id))
    )
