"""Hours that come late: the company says yes to them before the initiative does."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth.actor import Actor
from timebank.errors import Invalid, NotPermitted, WrongState
from timebank.matches.events import HoursApproved, HoursRefused
from timebank.matches.models import HOURS_ACTS, HourEntry, HoursState, Match
from timebank.matches.service import booking, entries, loading
from timebank.pledges import approval


def approve_late(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> HourEntry:
    """Let late hours go to the initiative. By HR, the manager where the policy says so, else the operator; never by
    the coach, nor by whoever confirms for the initiative. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState.
    """
    entry, match = _for_company(session, public_id, actor, now)
    if entry.state is HoursState.LOGGED and entry.late_decided_by_id == actor.user_id:
        return entry
    _require(entry)
    entry.state = HOURS_ACTS["approve"][1]
    _decided(entry, actor, now)
    entries.begin_consent(entry, match, now)
    session.flush()
    events.record(session, entries.event_of(HoursApproved, entry, match, actor, now))
    return entry


def refuse_late(session: Session, public_id: UUID, *, reason: str, actor: Actor, now: datetime) -> HourEntry:
    """Refuse late hours with a reason that the coach reads. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState, and Invalid without a reason.
    """
    entry, match = _for_company(session, public_id, actor, now)
    if entry.late_refusal is not None and entry.late_decided_by_id == actor.user_id:
        return entry
    _require(entry)
    if not reason.strip():
        message = _l("Say why, so that the coach knows.")
        raise Invalid(message, {"reason": message})
    entry.state = HOURS_ACTS["refuse"][1]
    entry.late_refusal = reason.strip()
    entry.decided_at = now
    _decided(entry, actor, now)
    session.flush()
    booking.give_back(session, entry, match, actor, now)
    events.record(session, entries.event_of(HoursRefused, entry, match, actor, now))
    return entry


def _for_company(session: Session, public_id: UUID, actor: Actor, now: datetime) -> tuple[HourEntry, Match]:
    entry, match = loading.entry_locked(session, public_id)
    if loading.is_own(match, actor):
        raise NotPermitted(_l("These are your own hours. Somebody else of HR decides, or the operator."))
    approval.require_approver(session, actor, match.pledge, clock.local_date(now))
    return entry, match


def _require(entry: HourEntry) -> None:
    if entry.state is not HoursState.LATE:
        raise WrongState(_l("These hours do not wait for the company any more."))


def _decided(entry: HourEntry, actor: Actor, now: datetime) -> None:
    entry.late_decided_at, entry.late_decided_by_id = now, actor.user_id
