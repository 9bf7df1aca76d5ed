"""Pairs that the operator decides about before a run: these two together, or never."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from timebank import events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.auth.models import User
from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.errors import Conflict, Invalid, NotFound
from timebank.matches import queries as matches
from timebank.matches.models import Match
from timebank.matching.events import PairRuled, PairRuleUndone
from timebank.matching.models import PairKind, PairRule
from timebank.organisations.models import CompanyExclusion, ConflictOfInterest, Employment, Initiative
from timebank.pledges.models import Pledge

SHOWN = 100


def rule_pair(
    session: Session,
    *,
    kind: PairKind,
    pseudonym: str,
    request_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
) -> PairRule:
    """Let a coach, whom the operator knows by a pseudonym, and a request be proposed first, or never.

    Raises NotPermitted, Invalid, and Conflict for a pair that has a rule already, or may not be pinned.
    """
    permissions.require(actor, "pair.decide")
    employment = session.scalar(select(Employment).where(Employment.pseudonym == pseudonym.strip()))
    request = session.scalar(select(CoachingRequest).where(CoachingRequest.public_id == request_id))
    wrong: dict[str, object] = {}
    if employment is None:
        wrong["pseudonym"] = _l("Nobody has this pseudonym.")
    if request is None or request.state is not RequestState.OPEN:
        wrong["request"] = _l("Choose an open request.")
    if not reason.strip():
        wrong["reason"] = _l("Say why: it stands with the pair.")
    if employment is None or request is None or wrong:
        raise Invalid(_l("This pair can't be kept like that."), wrong)
    if kind is PairKind.PIN:
        _require_possible(session, employment, request)
    rule = PairRule(
        kind=kind,
        employment_id=employment.id,
        request_id=request.id,
        reason=reason.strip(),
        set_at=now,
        set_by_id=actor.user_id,
    )
    try:
        with session.begin_nested():
            session.add(rule)
    except IntegrityError:
        raise Conflict(_l("This pair has a rule already. Undo that one first.")) from None
    events.record(
        session,
        PairRuled(
            actor=actor,
            at=now,
            subject=rule.public_id,
            kind=kind.value,
            employment_id=employment.id,
            request_id=request.id,
        ),
    )
    return rule


def _require_possible(session: Session, employment: Employment, request: CoachingRequest) -> None:
    """Raises Conflict for two who may not meet, whatever the operator wants."""
    initiative = session.get_one(Initiative, request.initiative_id)
    apart = (
        employment.organisation_id == initiative.organisation_id
        or session.get(ConflictOfInterest, (employment.id, initiative.id)) is not None
        or session.get(CompanyExclusion, (employment.organisation_id, initiative.id)) is not None
    )
    if apart:
        raise Conflict(
            _l("These two may not meet: there is a conflict of interest, or they exclude each other.")
        )
    if (employment.id, request.id) in matches.separated_pairs(session):
        raise Conflict(_l("These two were proposed to each other already, or one of them said no."))


def undo_rule(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> PairRule:
    """Let a pair be like any other again; what was proposed stays. The same again changes nothing.

    Raises NotPermitted, NotFound.
    """
    permissions.require(actor, "pair.decide")
    rule = session.scalar(
        select(PairRule).where(PairRule.public_id == public_id).with_for_update(key_share=True)
    )
    if rule is None:
        raise NotFound(_l("We can't find that."))
    if rule.undone_at is None:
        rule.undone_at, rule.undone_by_id = now, actor.user_id
        session.flush()
        events.record(
            session,
            PairRuleUndone(
                actor=actor,
                at=now,
                subject=rule.public_id,
                kind=rule.kind.value,
                employment_id=rule.employment_id,
                request_id=rule.request_id,
            ),
        )
    return rule


# --- reads ----------------------------------------------------------------------------------------------------------


def forbidden(session: Session) -> set[tuple[int, int]]:
    """Pairs (employment id, request id) that the operator forbids. One statement."""
    rows = session.execute(
        select(PairRule.employment_id, PairRule.request_id).where(
            PairRule.kind == PairKind.FORBID, PairRule.undone_at.is_(None)
        )
    )
    return {(employment, request) for employment, request in rows}


def seats_apart(session: Session, chosen: Sequence[tuple[int, int]]) -> set[int]:
    """Of these pairs (seat id, pledge id) the seats of those that the operator forbids by now."""
    apart = forbidden(session)
    if not apart:
        return set()
    requests = {request for _employment, request in apart}
    ruled = dict(session.execute(select(Seat.id, Seat.request_id).where(Seat.request_id.in_(requests))).all())
    holders = {employment for employment, _request in apart}
    pledged = dict(
        session.execute(
            select(Pledge.id, Pledge.employment_id).where(Pledge.employment_id.in_(holders))
        ).all()
    )
    return {
        seat
        for seat, pledge in chosen
        if seat in ruled and pledge in pledged and (pledged[pledge], ruled[seat]) in apart
    }


def pinned(session: Session) -> list[tuple[int, int]]:
    """Pairs that must be proposed first, the oldest rule first: those that were not proposed since. One statement."""
    proposed = exists().where(
        Match.employment_id == PairRule.employment_id,
        Match.request_id == PairRule.request_id,
        Match.proposed_at >= PairRule.set_at,
    )
    rows = session.execute(
        select(PairRule.employment_id, PairRule.request_id)
        .where(PairRule.kind == PairKind.PIN, PairRule.undone_at.is_(None), ~proposed)
        .order_by(PairRule.id)
    )
    return [(employment, request) for employment, request in rows]


@dataclass(frozen=True)
class Ruled:
    """A rule with what came of it."""

    rule: PairRule
    set_by: str | None
    match: Match | None


def rules(session: Session) -> Sequence[Ruled]:
    """The rules that hold, newest first. Two statements."""
    found = session.execute(
        select(PairRule, User)
        .outerjoin(User, User.id == PairRule.set_by_id)
        .where(PairRule.undone_at.is_(None))
        .options(
            joinedload(PairRule.employment),
            joinedload(PairRule.request).selectinload(CoachingRequest.texts),
            joinedload(PairRule.request).joinedload(CoachingRequest.initiative),
        )
        .order_by(PairRule.id.desc())
        .limit(SHOWN)
    ).all()
    proposed = {
        (m.employment_id, m.request_id): m
        for m in session.scalars(
            select(Match)
            .where(Match.request_id.in_([rule.request_id for rule, _user in found]))
            .order_by(Match.id)
        )
    }
    return [
        Ruled(rule, user.name if user else None, proposed.get((rule.employment_id, rule.request_id)))
        for rule, user in found
    ]
