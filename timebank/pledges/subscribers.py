"""What this room does when something happened: mails, and the end of a leaver's pledges."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.organisations.events import EmploymentLeft
from timebank.pledges import mails, queries, service
from timebank.pledges.events import PledgeApproved, PledgeChanged, PledgeEnded, PledgeRefused, PledgeSubmitted
from timebank.pledges.models import Pledge, PledgeState


@events.on(PledgeSubmitted)
def tell_approvers(session: Session, event: PledgeSubmitted) -> None:
    """Whoever may approve hears that something waits; nobody does when the policy approved at once."""
    pledge = session.get_one(Pledge, event.pledge_id)
    if pledge.state != PledgeState.SUBMITTED:
        return
    for user in queries.approvers(session, pledge.employment, clock.local_date(event.at)):
        mails.waits(session, pledge, user, event.at)


@events.on(PledgeApproved)
def tell_approved(session: Session, event: PledgeApproved) -> None:
    mails.approved(session, session.get_one(Pledge, event.pledge_id), event.at)


@events.on(PledgeChanged)
def tell_changed(session: Session, event: PledgeChanged) -> None:
    """Who changes their own pledge knows."""
    pledge = session.get_one(Pledge, event.pledge_id)
    if event.actor.user_id != pledge.employment.user_id:
        mails.changed(session, pledge, event.minutes_before, event.at)


@events.on(PledgeRefused)
def tell_refused(session: Session, event: PledgeRefused) -> None:
    mails.refused(session, session.get_one(Pledge, event.pledge_id), event.at)


@events.on(PledgeEnded)
def tell_taken_back(session: Session, event: PledgeEnded) -> None:
    """Who withdraws or lets a pledge expire knows; whose approval is taken back does not yet."""
    pledge = session.get_one(Pledge, event.pledge_id)
    if pledge.end_note is not None:
        mails.taken_back(session, pledge, event.at)


@events.on(EmploymentLeft)
def end_pledges(session: Session, event: EmploymentLeft) -> None:
    service.end_for_leaver(session, event.employment_id, actor=event.actor, now=event.at)
