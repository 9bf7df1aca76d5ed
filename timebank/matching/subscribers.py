"""What this room does when something happened elsewhere: what became free is offered again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank import events
from timebank.coaching.events import RequestChanged, RequestOpened
from timebank.matches.events import MatchCancelled, MatchFreed
from timebank.matching import reoffers
from timebank.pledges.events import PledgeApproved, PledgeChanged


@events.on(MatchFreed)
def offer_again(session: Session, event: MatchFreed) -> None:
    """A seat and hours are free, unless the operator took a whole run back: those wait for the next one."""
    if not (isinstance(event, MatchCancelled) and event.cause == "run_withdrawn"):
        reoffers.ask(session, now=event.at)


@events.on(PledgeApproved)
def offer_new_hours(session: Session, event: PledgeApproved) -> None:
    reoffers.ask(session, now=event.at)


@events.on(PledgeChanged)
def offer_more_hours(session: Session, event: PledgeChanged) -> None:
    if event.minutes > event.minutes_before:
        reoffers.ask(session, now=event.at)


@events.on(RequestOpened)
def offer_new_seats(session: Session, event: RequestOpened) -> None:
    reoffers.ask(session, now=event.at)


@events.on(RequestChanged)
def offer_more_seats(session: Session, event: RequestChanged) -> None:
    reoffers.ask(session, now=event.at)
