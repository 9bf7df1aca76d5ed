"""The ledger's side of confirmed hours."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank.auth.actor import Actor
from timebank.errors import InsufficientHours
from timebank.ledger import service as ledger
from timebank.ledger.models import Category
from timebank.matches import queries
from timebank.matches.facts import facts_of
from timebank.matches.models import HourEntry, Match, Reservation
from timebank.matches.service.life import ENDED, release_rest
from timebank.matches.service.proposals import split
from timebank.pledges.models import Tranche


def book(session: Session, entry: HourEntry, match: Match, actor: Actor, now: datetime) -> None:
    """Book the hours; delivery takes what is reserved, travel and preparation come from the company's support.

    Raises InsufficientHours.
    """
    company = match.employment.organisation_id
    facts = facts_of(session, match, entry.activity_date, reference=str(entry.public_id))
    key = f"hours:{entry.public_id}:confirmed"
    if entry.category is not Category.DELIVERY:
        ledger.support(
            session,
            organisation_id=company,
            match=match.public_id,
            category=entry.category,
            minutes=entry.minutes,
            activity_date=entry.activity_date,
            facts=facts,
            actor_label=actor.label,
            now=now,
            key=key,
        )
        return
    reserved = _reserved(session, match)
    missing = entry.minutes - sum(left for _tranche, left in reserved)
    if missing > 0:
        reserved = _reserve_more(session, entry, match, missing, actor, now)
    parts, _rest = split(reserved, entry.minutes)
    ledger.confirm(
        session,
        organisation_id=company,
        match=match.public_id,
        parts=[(tranche.public_id, minutes) for tranche, minutes in parts],
        activity_date=entry.activity_date,
        facts=facts,
        actor_label=actor.label,
        now=now,
        key=key,
    )


def _reserved(session: Session, match: Match) -> list[tuple[Tranche, int]]:
    """Minutes reserved and not received, by tranche, earliest first."""
    balances = ledger.match_balance(session, match.public_id)
    reserved = []
    for r in sorted(match.reservations, key=lambda r: (r.tranche.from_date, r.tranche_id)):
        balance = balances.get(r.tranche.public_id)
        reserved.append((r.tranche, balance.reserved if balance else 0))
    return reserved


def _reserve_more(
    session: Session, entry: HourEntry, match: Match, missing: int, actor: Actor, now: datetime
) -> list[tuple[Tranche, int]]:
    """Reserve what the entry needs above the agreed minutes, from the same pledge's free hours; return all that is."""
    free = queries.free_by_tranche(session, [match.pledge_id]).get(match.pledge_id, [])
    if sum(left for _tranche, left in free) < missing:
        raise InsufficientHours(
            _l(
                "These are more hours than agreed, and the coach's hour budget has none left. Ask the coach to have"
                " the budget enlarged, or say what is wrong so that the coach logs fewer hours."
            )
        )
    parts, _rest = split(free, missing)
    ledger.reserve(
        session,
        organisation_id=match.employment.organisation_id,
        match=match.public_id,
        parts=[(tranche.public_id, minutes) for tranche, minutes in parts],
        activity_date=entry.activity_date,
        facts=facts_of(session, match, entry.activity_date),
        actor_label=actor.label,
        now=now,
        key=f"hours:{entry.public_id}:reserved",
    )
    known = {r.tranche_id: r for r in match.reservations}
    for tranche, minutes in parts:
        if tranche.id in known:
            known[tranche.id].minutes += minutes
        else:
            session.add(Reservation(match_id=match.id, tranche_id=tranche.id, minutes=minutes))
    session.flush()
    session.expire(match, ["reservations"])
    return _reserved(session, match)


def give_back(session: Session, entry: HourEntry, match: Match, actor: Actor, now: datetime) -> None:
    """Release what a coaching that ended kept for these hours and no longer needs."""
    # A coaching that ended kept minutes for hours that still waited; decided, they need fewer or none.
    if match.state in ENDED:
        release_rest(session, match, key=f"hours:{entry.public_id}:released", actor=actor, now=now)
