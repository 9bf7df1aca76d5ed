"""What all acts on requests share: locked rows, states, and a request as it was asked."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.coaching.events import RequestClosed, RequestEvent, RequestOpened
from timebank.coaching.models import (
    REQUEST_ACTS,
    ClosedReason,
    CoachingRequest,
    RequestSkill,
    RequestSlot,
    RequestState,
    RequestText,
)
from timebank.coaching.rules import REASON_MAX, RequestInput, check, times_of
from timebank.errors import Invalid, NotFound, WrongState
from timebank.taxonomy import queries as taxonomy

CLOSED = _l("This request is closed.")
WRONG: dict[RequestState, object] = {
    RequestState.DRAFT: _l("This request was not sent yet."),
    RequestState.SUBMITTED: _l("The operator still looks at this request."),
    RequestState.OPEN: _l("This request is open already."),
    RequestState.PAUSED: _l("This request is paused."),
    RequestState.CLOSED: CLOSED,
}


def move(request: CoachingRequest, act: str) -> None:
    allowed, target = REQUEST_ACTS[act]
    if request.state not in allowed:
        raise WrongState(WRONG[request.state])
    request.state = target


def open_request(
    session: Session, request: CoachingRequest, actor: Actor, now: datetime, *, released: bool = False
) -> None:
    move(request, "open")
    request.opened_at = request.opened_at or now
    session.flush()
    record(session, RequestOpened, request, actor, now, released=released)


def close(
    session: Session,
    request: CoachingRequest,
    reason: ClosedReason,
    actor: Actor,
    now: datetime,
    *,
    note: str | None = None,
) -> None:
    move(request, "close")
    request.closed_reason, request.closed_at, request.closed_note = reason, now, note
    session.flush()
    record(session, RequestClosed, request, actor, now, reason=reason)


def record(
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


def reason_of(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        message = _l("Give a reason of at most 2,000 characters: the other side reads it.")
        raise Invalid(message, {"reason": message})
    return reason


def lock(session: Session, public_id: uuid.UUID) -> CoachingRequest:
    request = session.scalar(
        select(CoachingRequest)
        .where(CoachingRequest.public_id == public_id)
        .options(selectinload(CoachingRequest.seats), selectinload(CoachingRequest.texts))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound(_l("We can't find that request."))
    return request


def lock_own(session: Session, public_id: uuid.UUID, actor: Actor) -> CoachingRequest:
    request = lock(session, public_id)
    permissions.require(actor, "request.make", initiative_id=request.initiative_id)
    return request


def check_wish(
    session: Session, wish: RequestInput, now: datetime, request: CoachingRequest | None = None
) -> None:
    check(
        wish,
        today=clock.local_date(now),
        skill_ids=taxonomy.skill_ids(session).values(),
        postcode_known=taxonomy.postcode(session, wish.postcode) is not None,
        begun=request.from_date if request else None,
    )


def fill(request: CoachingRequest, wish: RequestInput) -> None:
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


def ordered(wish: RequestInput) -> RequestInput:
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
