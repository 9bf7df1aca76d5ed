"""What people do with coaching requests: ask, change, pause, close; and the operator's look at what may be staffing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import SYSTEM, Actor
from timebank.coaching.events import (
    RequestChanged,
    RequestClosed,
    RequestEvent,
    RequestOpened,
    RequestPaused,
    RequestSubmitted,
)
from timebank.coaching.holds import Hold, held_seats
from timebank.coaching.models import (
    REQUEST_ACTS,
    ClosedReason,
    CoachingRequest,
    RequestSkill,
    RequestSlot,
    RequestState,
    RequestText,
    Seat,
)
from timebank.coaching.rules import (
    REASON_MAX,
    SEATS_MAX,
    RequestInput,
    check,
    looks_like_staffing,
    minutes_a_week,
    slots_a_week,
    times_of,
)
from timebank.errors import Conflict, Expired, Invalid, NotFound, WrongState
from timebank.organisations.models import Admission, Initiative
from timebank.taxonomy import queries as taxonomy

__all__ = [
    "RequestInput",
    "as_input",
    "cancel_request",
    "change_request",
    "change_seats",
    "close_expired",
    "close_if_filled",
    "pause_request",
    "refuse_request",
    "release_request",
    "reopen_if_freed",
    "reopen_request",
    "submit_request",
]

TWICE = timedelta(minutes=10)  # within which the very same request is a second click

# --- asking ---------------------------------------------------------------------------------------------------------


def submit_request(
    session: Session, initiative_id: int, wish: RequestInput, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Ask for coaches. It opens at once, unless it looks like staffing: then the operator looks first.

    The very same request within ten minutes gives back the first. Raises NotFound, NotPermitted, WrongState (an
    initiative that is not admitted), Invalid.
    """
    permissions.require(actor, "request.make", initiative_id=initiative_id)
    initiative = session.scalar(select(Initiative).where(Initiative.id == initiative_id).with_for_update())
    if initiative is None:
        raise NotFound(_l("We can't find that initiative."))
    if initiative.admission != Admission.ADMITTED:
        raise WrongState(_l("Your initiative can ask for coaches once the operator has admitted it."))
    _check(session, wish, now)
    twin = _twin(session, initiative_id, wish, now)
    if twin is not None:
        return twin
    times = times_of(wish)
    request = CoachingRequest(
        initiative=initiative,
        state=RequestState.DRAFT,
        created_at=now,
        seats=[Seat(position=i + 1) for i in range(wish.seats)],
        texts=[],
        skills=[],
        slots=[],
        shape=wish.shape,
        from_date=times.from_date,
        until_date=times.until_date,
        minutes_per_coach=times.minutes_per_coach,
        language_bits=wish.language_bits,
        week_bits=times.week_bits,
        postcode=wish.postcode,
        remote=wish.remote,
    )
    _fill(request, wish)
    session.add(request)
    if looks_like_staffing(wish):
        _move(request, "submit")
        session.flush()
        _record(session, RequestSubmitted, request, actor, now)
    else:
        _open(session, request, actor, now)
    return request


def _check(
    session: Session, wish: RequestInput, now: datetime, request: CoachingRequest | None = None
) -> None:
    check(
        wish,
        today=clock.local_date(now),
        skill_ids=taxonomy.skill_ids(session).values(),
        postcode_known=taxonomy.postcode(session, wish.postcode) is not None,
        begun=request.from_date if request else None,
    )


def _twin(session: Session, initiative_id: int, wish: RequestInput, now: datetime) -> CoachingRequest | None:
    recent = session.scalars(
        select(CoachingRequest)
        .where(
            CoachingRequest.initiative_id == initiative_id,
            CoachingRequest.created_at > now - TWICE,
            CoachingRequest.state != RequestState.CLOSED,
        )
        .order_by(CoachingRequest.id)
    )
    return next((r for r in recent if as_input(r, wish.language) == _ordered(wish)), None)


def _fill(request: CoachingRequest, wish: RequestInput) -> None:
    """Put what was asked into the request's own rows, changing only what differs."""
    texts = {t.language: t for t in request.texts}
    if wish.language in texts:
        texts[wish.language].title = wish.title.strip()
        texts[wish.language].description = wish.description.strip()
    else:
        request.texts.append(
            RequestText(
                language=wish.language, title=wish.title.strip(), description=wish.description.strip()
            )
        )
    wanted = {s: (level, True) for s, level in wish.must} | {s: (level, False) for s, level in wish.nice}
    for skill in list(request.skills):
        if skill.skill_id not in wanted:
            request.skills.remove(skill)
        else:
            skill.level, skill.must = wanted.pop(skill.skill_id)
    for skill_id, (level, must) in wanted.items():
        request.skills.append(RequestSkill(skill_id=skill_id, level=level, must=must))
    slots = sorted(wish.slots) if wish.shape == request.shape.SLOTS else []
    if [(s.starts_at, s.ends_at) for s in request.slots] != slots:
        request.slots = [RequestSlot(starts_at=a, ends_at=b) for a, b in slots]


def as_input(request: CoachingRequest, language: str) -> RequestInput:
    """The request as it could be asked again, with its text in `language` where there is one."""
    text = request.text(language)
    return RequestInput(
        title=text.title,
        description=text.description,
        language=text.language,
        seats=sum(not s.withdrawn for s in request.seats),
        minutes_per_coach=request.minutes_per_coach,
        shape=request.shape,
        from_date=request.from_date,
        until_date=request.until_date,
        must=tuple(sorted((s.skill_id, s.level) for s in request.skills if s.must)),
        nice=tuple(sorted((s.skill_id, s.level) for s in request.skills if not s.must)),
        slots=tuple((s.starts_at, s.ends_at) for s in request.slots),
        language_bits=request.language_bits,
        week_bits=request.week_bits,
        postcode=request.postcode,
        remote=request.remote,
    )


def _ordered(wish: RequestInput) -> RequestInput:
    """The input as `as_input` would give it back."""
    times = times_of(wish)
    return RequestInput(
        title=wish.title.strip(),
        description=wish.description.strip(),
        language=wish.language,
        seats=wish.seats,
        minutes_per_coach=times.minutes_per_coach,
        shape=wish.shape,
        from_date=times.from_date,
        until_date=times.until_date,
        must=tuple(sorted(wish.must)),
        nice=tuple(sorted(wish.nice)),
        slots=tuple(sorted(wish.slots)) if wish.shape == wish.shape.SLOTS else (),
        language_bits=wish.language_bits,
        week_bits=times.week_bits,
        postcode=wish.postcode,
        remote=wish.remote,
    )


# --- changing -------------------------------------------------------------------------------------------------------


def change_request(
    session: Session, public_id: uuid.UUID, wish: RequestInput, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Change what is asked. While seats are held, only texts, half-days, welcome skills, a later end and the number of
    seats may change: coaches said yes, or may say yes, to the rest.

    Raises NotFound, NotPermitted, WrongState (closed), Invalid, Conflict.
    """
    request = _lock_own(session, public_id, actor)
    if request.state == RequestState.CLOSED:
        raise WrongState(_CLOSED)
    _check(session, wish, now, request)
    before = as_input(request, wish.language)
    new = _ordered(wish)
    if held_seats(session, [request.id]) and _breaks(before, new):
        raise Conflict(
            _l(
                "Coaches hold seats of this request, so its hours, days, place, languages and needed skills stay as "
                "they are. Make a second request for what differs."
            )
        )
    staffing = looks_like_staffing(new)
    if staffing and request.state != RequestState.SUBMITTED:
        heavier = minutes_a_week(new) > minutes_a_week(before) or slots_a_week(new) > slots_a_week(before)
        if heavier:
            message = _l(
                "This asks more than 10 hours or three moments a week of one coach. Send it as a new request: the "
                "operator looks at it first."
            )
            raise Invalid(message, {"hours": message})
    times = times_of(wish)
    request.shape = wish.shape
    request.from_date, request.until_date = times.from_date, times.until_date
    request.minutes_per_coach, request.week_bits = times.minutes_per_coach, times.week_bits
    request.language_bits, request.postcode, request.remote = wish.language_bits, wish.postcode, wish.remote
    _fill(request, wish)
    _set_seats(session, request, wish.seats)
    session.flush()
    _record(session, RequestChanged, request, actor, now, seats=wish.seats)
    if request.state == RequestState.SUBMITTED and not staffing:
        _open(session, request, actor, now)
    return request


def _breaks(before: RequestInput, new: RequestInput) -> bool:
    """Whether a change touches what coaches said yes to."""
    earlier = new.until_date is not None and (before.until_date is None or new.until_date < before.until_date)
    return earlier or any(
        getattr(before, name) != getattr(new, name)
        for name in (
            "shape", "from_date", "minutes_per_coach", "slots", "must", "language_bits", "postcode", "remote",
        )
    )  # fmt: skip


def change_seats(
    session: Session, public_id: uuid.UUID, seats: int, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Ask for more or fewer coaches.

    Raises NotFound, NotPermitted, WrongState, Invalid, Conflict (below those held).
    """
    request = _lock_own(session, public_id, actor)
    if request.state == RequestState.CLOSED:
        raise WrongState(_CLOSED)
    if not 1 <= seats <= SEATS_MAX:
        message = _l("Ask for 1 to 50 coaches.")
        raise Invalid(message, {"seats": message})
    if seats == sum(not s.withdrawn for s in request.seats):
        return request
    _set_seats(session, request, seats)
    session.flush()
    _record(session, RequestChanged, request, actor, now, seats=seats)
    close_if_filled(session, request, now=now)
    return request


def _set_seats(session: Session, request: CoachingRequest, seats: int) -> None:
    rows = list(session.scalars(
        select(Seat).where(Seat.request_id == request.id).order_by(Seat.position).with_for_update()
    ))  # fmt: skip
    asked = [s for s in rows if not s.withdrawn]
    held = held_seats(session, [request.id])
    if seats < sum(s.id in held for s in asked):
        message = _l(
            "%(count)s seats are held. Choose at least that many.", count=sum(s.id in held for s in asked)
        )
        raise Conflict(message)
    free = [s for s in asked if s.id not in held]
    for seat in reversed(free[-(len(asked) - seats) :] if seats < len(asked) else []):
        seat.withdrawn = True
    missing = seats - len(asked)
    for seat in rows:
        if missing > 0 and seat.withdrawn and seat.id not in held:
            seat.withdrawn = False
            missing -= 1
    for position in range(len(rows) + 1, len(rows) + missing + 1):
        request.seats.append(Seat(position=position))


def pause_request(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> CoachingRequest:
    """Propose nobody new for a while; proposals that are out stay. Raises NotFound, NotPermitted, WrongState."""
    request = _lock_own(session, public_id, actor)
    if request.state == RequestState.PAUSED:
        return request
    _move(request, "pause")
    session.flush()
    _record(session, RequestPaused, request, actor, now)
    return request


def reopen_request(session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime) -> CoachingRequest:
    """Go on after a pause. Raises NotFound, NotPermitted, WrongState, Expired."""
    request = _lock_own(session, public_id, actor)
    if request.state == RequestState.OPEN:
        return request
    if request.state != RequestState.PAUSED:
        raise WrongState(_WRONG[request.state])
    if request.until_date is not None and request.until_date < clock.local_date(now):
        raise Expired(_l("The last day has passed. Change the days first."))
    _open(session, request, actor, now)
    return request


def cancel_request(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Close a request for good, with a reason that coaches with a proposal read.

    Raises NotFound, NotPermitted, WrongState, Invalid.
    """
    request = _lock_own(session, public_id, actor)
    if request.closed_reason == ClosedReason.CANCELLED:
        return request
    _close(session, request, ClosedReason.CANCELLED, actor, now, note=_reason(reason))
    return request


# --- the operator ---------------------------------------------------------------------------------------------------


def release_request(
    session: Session, public_id: uuid.UUID, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Let a request through that looked like staffing. Raises NotFound, NotPermitted, WrongState."""
    permissions.require(actor, "request.review")
    request = _lock(session, public_id)
    if request.state == RequestState.OPEN:
        return request
    if request.state != RequestState.SUBMITTED:
        raise WrongState(_WRONG[request.state])
    _open(session, request, actor, now, released=True)
    return request


def refuse_request(
    session: Session, public_id: uuid.UUID, reason: str, *, actor: Actor, now: datetime
) -> CoachingRequest:
    """Refuse a request that is staffing, with a reason that the initiative reads.

    Raises NotFound, NotPermitted, WrongState, Invalid.
    """
    permissions.require(actor, "request.review")
    request = _lock(session, public_id)
    if request.closed_reason == ClosedReason.REFUSED:
        return request
    if request.state != RequestState.SUBMITTED:
        raise WrongState(_WRONG[request.state])
    _close(session, request, ClosedReason.REFUSED, actor, now, note=_reason(reason))
    return request


# --- by itself ------------------------------------------------------------------------------------------------------


def close_expired(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Close up to `limit` requests whose last day has passed; the number tells whether to come again."""
    due = session.scalars(
        select(CoachingRequest.public_id)
        .where(
            CoachingRequest.state.in_(
                (RequestState.DRAFT, RequestState.SUBMITTED, RequestState.OPEN, RequestState.PAUSED)
            ),
            CoachingRequest.until_date < clock.local_date(now),
        )
        .order_by(CoachingRequest.id)
        .limit(limit)
    ).all()
    for public_id in due:
        _close(session, _lock(session, public_id), ClosedReason.EXPIRED, SYSTEM, now)
    return len(due)


def close_if_filled(session: Session, request: CoachingRequest, *, now: datetime) -> bool:
    """Close an open request once both sides said yes for each of its seats; whoever confirms a match calls it."""
    if request.state not in (RequestState.OPEN, RequestState.PAUSED):
        return False
    held = held_seats(session, [request.id])
    asked = _asked_seats(session, request)
    if not asked or any(held.get(seat_id) != Hold.TAKEN for seat_id in asked):
        return False
    _close(session, request, ClosedReason.FILLED, SYSTEM, now)
    return True


def reopen_if_freed(session: Session, request: CoachingRequest, *, now: datetime) -> bool:
    """Open a filled request again when a seat of it became free before its end; whoever cancels a match calls it."""
    if request.closed_reason != ClosedReason.FILLED:
        return False
    if request.until_date is not None and request.until_date < clock.local_date(now):
        return False
    held = held_seats(session, [request.id])
    if all(seat_id in held for seat_id in _asked_seats(session, request)):
        return False
    _move(request, "reopen")
    request.closed_reason = request.closed_at = request.closed_note = None
    session.flush()
    _record(session, RequestOpened, request, SYSTEM, now)
    return True


def _asked_seats(session: Session, request: CoachingRequest) -> Sequence[int]:
    session.flush()
    return session.scalars(select(Seat.id).where(Seat.request_id == request.id, ~Seat.withdrawn)).all()


# --- shared ---------------------------------------------------------------------------------------------------------

_CLOSED = _l("This request is closed.")
_WRONG: dict[RequestState, object] = {
    RequestState.DRAFT: _l("This request was not sent yet."),
    RequestState.SUBMITTED: _l("The operator still looks at this request."),
    RequestState.OPEN: _l("This request is open already."),
    RequestState.PAUSED: _l("This request is paused."),
    RequestState.CLOSED: _CLOSED,
}


def _move(request: CoachingRequest, act: str) -> None:
    allowed, target = REQUEST_ACTS[act]
    if request.state not in allowed:
        raise WrongState(_WRONG[request.state])
    request.state = target


def _open(
    session: Session, request: CoachingRequest, actor: Actor, now: datetime, *, released: bool = False
) -> None:
    _move(request, "open")
    request.opened_at = request.opened_at or now
    session.flush()
    _record(session, RequestOpened, request, actor, now, released=released)


def _close(
    session: Session,
    request: CoachingRequest,
    reason: ClosedReason,
    actor: Actor,
    now: datetime,
    *,
    note: str | None = None,
) -> None:
    _move(request, "close")
    request.closed_reason, request.closed_at, request.closed_note = reason, now, note
    session.flush()
    _record(session, RequestClosed, request, actor, now, reason=reason)


def _record(
    session: Session,
    kind: type[RequestEvent],
    request: CoachingRequest,
    actor: Actor,
    now: datetime,
    **more: Any,
) -> None:
    events.record(
        session,
        kind(
            actor=actor,
            at=now,
            subject=request.public_id,
            organisation_id=request.initiative.organisation_id,
            request_id=request.id,
            initiative_id=request.initiative_id,
            **more,
        ),
    )


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        message = _l("Give a reason of at most 2,000 characters: the other side reads it.")
        raise Invalid(message, {"reason": message})
    return reason


def _lock(session: Session, public_id: uuid.UUID) -> CoachingRequest:
    request = session.scalar(
        select(CoachingRequest)
        .where(CoachingRequest.public_id == public_id)
        .options(selectinload(CoachingRequest.seats), selectinload(CoachingRequest.texts))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound(_l("We can't find that request."))
    return request


def _lock_own(session: Session, public_id: uuid.UUID, actor: Actor) -> CoachingRequest:
    request = _lock(session, public_id)
    permissions.require(actor, "request.make", initiative_id=request.initiative_id)
    return request
