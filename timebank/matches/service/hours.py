"""Hours: logged by the coach, confirmed by the initiative, booked in the same transaction."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth.actor import Actor
from timebank.errors import Invalid, NotPermitted, WrongState
from timebank.ledger import service as ledger
from timebank.ledger.models import Category
from timebank.matches.events import (
    DisputeAnswered,
    HoursConfirmed,
    HoursCorrected,
    HoursDisputed,
    HoursLate,
    HoursWithdrawn,
)
from timebank.matches.models import (
    HOURS_ACTS,
    SESSION_ACTS,
    HourEntry,
    HoursState,
    SessionState,
)
from timebank.matches.service import booking, checks, entries, loading


def log_hours(
    session: Session,
    match_public_id: UUID,
    *,
    session_public_id: UUID | None,
    activity_date: date,
    minutes: int,
    category: Category,
    note: str,
    key: str,
    actor: Actor,
    now: datetime,
    certain: bool = False,
    late_reason: str = "",
) -> HourEntry:
    """Write down minutes of work, from a session (whose date counts) or by hand. The initiative hears of it; of what
    comes late the company does first, with the `late_reason`.

    `certain` says that what is unlikely was so: work on a public holiday, or longer than the session was planned. The
    same `key` again is the same entry. Raises NotFound, NotPermitted, WrongState, Conflict when the same work was
    logged before, and Invalid with the fields date, hours, category, certain and late_reason.
    """
    match = loading.locked(session, match_public_id)
    loading.require_coach(match, actor, "hours.log")
    full_key = f"{match.public_id}:{key}"[:100]
    before = session.scalar(select(HourEntry).where(HourEntry.idempotency_key == full_key))
    if before is not None:
        return before
    loading.require_state(match, "complete")  # what is active can be completed, and be worked for
    meeting = checks.meeting_of(match, session_public_id)
    if meeting is not None:
        activity_date = clock.local_date(meeting.starts_at)
    checks.check_entry(match, activity_date, minutes, category, now)
    checks.check_once(match, meeting, activity_date, minutes, category, note, corrected=None)
    checks.check_day(session, match, activity_date, minutes, corrected=None)
    if not certain:
        checks.check_likely(match, meeting, activity_date, minutes, category, actor.language)
    entry = entries.add(
        session,
        match,
        meeting=meeting,
        day=activity_date,
        minutes=minutes,
        category=category,
        note=note,
        key=full_key,
        late_reason=late_reason,
        corrects=None,
        actor=actor,
        now=now,
    )
    if meeting is not None and meeting.state is SessionState.PLANNED:
        if meeting.ends_at > now:
            raise Invalid(
                _l("This session is not over yet."), {"date": _l("Log its hours when the session is over.")}
            )
        meeting.state = SESSION_ACTS["hold"][1]
        session.flush()
    events.record(session, entries.event_of(entries.logged_event(entry), entry, match, actor, now))
    return entry


def confirm_hours(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> HourEntry:
    """Say that the hours were given; they are booked at once. Whoever logged them never confirms them, nor does
    whoever approved or enlarged the pledge that they are given from.

    More than what is reserved is taken from the free hours of the same pledge. The same again changes nothing.
    Raises NotFound, NotPermitted, WrongState, InsufficientHours.
    """
    entry, match = loading.entry_locked(session, public_id)
    loading.require_initiative(match, actor, "hours.confirm")
    if entry.state is HoursState.CONFIRMED:
        return entry
    if actor.user_id is not None and actor.user_id == entry.logged_by_id:
        raise NotPermitted(_l("You logged these hours. Somebody else of the initiative has to confirm them."))
    if actor.user_id is not None and actor.user_id == entry.late_decided_by_id:
        raise NotPermitted(
            _l(
                "You approved these late hours for the company. Somebody else of the initiative has to confirm them."
            )
        )
    tranches = [tranche.public_id for tranche in match.pledge.tranches]
    if actor.user_id is not None and (
        actor.user_id == match.pledge.approved_by_id
        or actor.label in ledger.grantors(session, tranches=tranches)
    ):
        raise NotPermitted(
            _l(
                "You approved this pledge for the company. Somebody else of the initiative has to confirm its hours."
            )
        )
    _require(entry, "confirm")
    booking.book(session, entry, match, actor, now)
    entry.transaction_key = f"hours:{entry.public_id}:confirmed"
    entry.state = HOURS_ACTS["confirm"][1]
    entry.decided_at = now
    entry.confirmed_by_id = actor.user_id
    entry.confirmed_by_role = "system" if actor.is_system else "coordinator"
    session.flush()
    booking.give_back(session, entry, match, actor, now)
    events.record(session, entries.event_of(HoursConfirmed, entry, match, actor, now))
    return entry


def confirm_many(session: Session, public_ids: list[UUID], *, actor: Actor, now: datetime) -> list[HourEntry]:
    """Confirm several, all or none.

    Raises as `confirm_hours`.
    """
    ids = loading.lock_entries(session, public_ids)
    return [confirm_hours(session, public_id, actor=actor, now=now) for public_id in ids]


def dispute_hours(
    session: Session, public_id: UUID, *, reason: str, actor: Actor, now: datetime
) -> HourEntry:
    """Say what is wrong with logged hours; the coach reads it and answers. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState, and Invalid without a reason.
    """
    entry, match = loading.entry_locked(session, public_id)
    loading.require_initiative(match, actor, "hours.confirm")
    if entry.state is HoursState.DISPUTED:
        return entry
    _require(entry, "dispute")
    if not reason.strip():
        raise Invalid(
            _l("Say what is wrong."), {"reason": _l("Say what is wrong, so that the coach can answer.")}
        )
    entry.state = HOURS_ACTS["dispute"][1]
    entry.dispute_reason = reason.strip()
    session.flush()
    events.record(session, entries.event_of(HoursDisputed, entry, match, actor, now))
    return entry


def answer_dispute(
    session: Session, public_id: UUID, *, answer: str, actor: Actor, now: datetime
) -> HourEntry:
    """The coach explains disputed hours; the initiative then confirms them or the coach withdraws them.

    Raises NotFound, NotPermitted, WrongState, and Invalid without an answer.
    """
    entry, match = loading.entry_locked(session, public_id)
    loading.require_coach(match, actor, "hours.log")
    if entry.state is not HoursState.DISPUTED:
        raise WrongState(_l("These hours are not disputed any more."))
    if not answer.strip():
        raise Invalid(_l("Write an answer."), {"answer": _l("Write what the initiative should know.")})
    if entry.dispute_answer == answer.strip():
        return entry
    entry.dispute_answer = answer.strip()
    session.flush()
    events.record(session, entries.event_of(DisputeAnswered, entry, match, actor, now))
    return entry


def withdraw_hours(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> HourEntry:
    """The coach takes back hours that are not confirmed; the work may be logged anew. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState.
    """
    entry, match = loading.entry_locked(session, public_id)
    loading.require_coach(match, actor, "hours.log")
    if entry.state is HoursState.WITHDRAWN:
        return entry
    _require(entry, "withdraw")
    entry.state = HOURS_ACTS["withdraw"][1]
    entry.decided_at = now
    session.flush()
    booking.give_back(session, entry, match, actor, now)
    events.record(session, entries.event_of(HoursWithdrawn, entry, match, actor, now))
    return entry


def correct_hours(
    session: Session,
    public_id: UUID,
    *,
    minutes: int,
    activity_date: date | None = None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> HourEntry:
    """Put right what was confirmed: its booking is reversed, and a new entry waits for the initiative's yes.

    By the coach. Returns the new entry; the same again returns the same one. `reason` stands in the new entry's note,
    the ledger keeps a code. Raises NotFound, NotPermitted, WrongState, Conflict when the work of another day was logged
    before, and Invalid.
    """
    entry, match = loading.entry_locked(session, public_id)
    loading.require_coach(match, actor, "hours.log")
    if entry.state is HoursState.CORRECTED:
        return session.scalars(select(HourEntry).where(HourEntry.corrects_id == entry.id)).one()
    _require(entry, "correct")
    if not reason.strip():
        raise Invalid(_l("Say why you correct it."), {"reason": _l("Say why you correct it.")})
    day = activity_date or entry.activity_date
    checks.check_entry(match, day, minutes, entry.category, now)
    if day != entry.activity_date:
        checks.check_once(match, None, day, minutes, entry.category, reason.strip(), corrected=entry)
    checks.check_day(session, match, day, minutes, corrected=entry)
    if entry.transaction_key is None:
        raise WrongState(_l("These hours were never booked."))
    ledger.reverse(
        session,
        key_of_original=entry.transaction_key,
        key=f"hours:{entry.public_id}:reversed",
        reason="correction",
        activity_date=entry.activity_date,
        actor_label=actor.label,
        now=now,
    )
    entry.state = HOURS_ACTS["correct"][1]
    session.flush()
    new = entries.add(
        session,
        match,
        meeting=None,
        day=day,
        minutes=minutes,
        category=entry.category,
        note=reason.strip(),
        key=f"{entry.public_id}:corrected",
        late_reason=reason,
        corrects=entry,
        actor=actor,
        now=now,
    )
    events.record(
        session,
        HoursCorrected(
            actor=actor,
            at=now,
            subject=match.public_id,
            organisation_id=match.employment.organisation_id,
            match_id=match.id,
            request_id=match.request_id,
            pledge_id=match.pledge_id,
            entry=entry.public_id,
            activity_date=entry.activity_date,
            minutes=entry.minutes,
            category=entry.category,
            replaced_by=new.public_id,
        ),
    )
    if new.state is HoursState.LATE:
        events.record(session, entries.event_of(HoursLate, new, match, actor, now))
    return new


def _require(entry: HourEntry, act: str) -> None:
    if entry.state not in HOURS_ACTS[act][0]:
        raise WrongState(
            {
                HoursState.LATE: _l("These hours still wait for the company, since they came late."),
                HoursState.LOGGED: _l("These hours still wait for the initiative."),
                HoursState.CONFIRMED: _l("These hours are confirmed. Only a correction can change them."),
                HoursState.DISPUTED: _l("The initiative disputes these hours."),
                HoursState.WITHDRAWN: _l("The coach withdrew these hours."),
                HoursState.CORRECTED: _l("These hours were corrected; a newer entry stands in their place."),
            }[entry.state]
        )
