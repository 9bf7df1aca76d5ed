"""The coaching agreement: drafted when a match is confirmed, in force once company and initiative accepted it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from timebank import events
from timebank.agreements import holds, queries, texts
from timebank.agreements.events import AgreementAccepted, AgreementDrafted, AgreementEnded, AgreementInForce
from timebank.agreements.facts import AgreementFacts
from timebank.agreements.models import (
    AGREEMENT_ACTS,
    LIVE_STATES,
    Agreement,
    AgreementState,
    AgreementTemplate,
)
from timebank.auth import permissions
from timebank.auth.actor import SYSTEM, Actor
from timebank.errors import NotFound, NotPermitted, WrongState

__all__ = [
    "AgreementFacts",
    "accept_as_company",
    "accept_as_initiative",
    "draft_for_match",
    "end",
    "end_for_match",
    "in_force_for",
    "seed_templates",
]


def seed_templates(session: Session, *, now: datetime) -> None:
    """Put the current wording beside the versions that were accepted before; nothing when it stands there already."""
    known = set(
        session.scalars(
            select(AgreementTemplate.language).where(AgreementTemplate.version == texts.VERSION)
        ).all()
    )
    for language, title in texts.TITLES.items():
        if language not in known:
            session.add(
                AgreementTemplate(
                    version=texts.VERSION,
                    language=language,
                    title=title,
                    body=texts.body(language),
                    created_at=now,
                )
            )
    session.flush()


def draft_for_match(
    session: Session,
    *,
    organisation_id: int,
    initiative_id: int,
    match_id: int,
    facts: AgreementFacts,
    language: str,
    now: datetime,
) -> Agreement | None:
    """Lay the text for a confirmed match ready for both sides.

    A standing agreement that only one side accepted so far is returned as it is: the other's yes covers this match too.
    None when a standing one is in force. A match that has a text keeps it.
    """
    _lock_pair(session, organisation_id, initiative_id)
    live = queries.for_match(
        session, organisation_id=organisation_id, initiative_id=initiative_id, match_id=match_id
    )
    if live is not None:
        return None if live.match_id is None and live.state is AgreementState.IN_FORCE else live
    template = _template(session, language, now)
    agreement = Agreement(
        organisation_id=organisation_id,
        initiative_id=initiative_id,
        match_id=match_id,
        employment_id=facts.employment_id,
        state=AgreementState.DRAFTED,
        template_id=template.id,
        language=template.language,
        title=template.title,
        body=texts.fill(template.body, facts, template.language, standing=False),
        standing_body=texts.fill(template.body, facts, template.language, standing=True),
        drafted_at=now,
    )
    session.add(agreement)
    session.flush()
    _record(session, AgreementDrafted, agreement, SYSTEM, now)
    return agreement


def accept_as_company(
    session: Session, public_id: UUID, *, standing: bool, actor: Actor, now: datetime
) -> Agreement:
    """Say yes for the company; `standing` says it once for all its coachings with this initiative.

    Then the standing text takes the place of this one where the initiative has not accepted it yet, and waits for the
    initiative beside it where it has. Returns the text that the company accepted last. The same again changes nothing.
    Raises NotFound, NotPermitted, WrongState.
    """
    agreement = _locked(session, public_id)
    permissions.require(actor, "agreement.accept_as_company", organisation_id=agreement.organisation_id)
    _not_twice(actor, agreement.initiative_accepted_by_id)
    if standing and agreement.match_id is not None:
        return _accept_standing(session, agreement, actor, now)
    if agreement.company_accepted_at is None:
        _require_open(agreement)
        agreement.company_accepted_at = now
        agreement.company_accepted_by_id = _user(actor)
        _accepted(session, agreement, "company", actor, now)
    return agreement


def accept_as_initiative(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> Agreement:
    """Say yes for the initiative. The same again changes nothing.

    Raises NotFound, NotPermitted, WrongState.
    """
    agreement = _locked(session, public_id)
    permissions.require(actor, "agreement.accept_as_initiative", initiative_id=agreement.initiative_id)
    _not_twice(actor, agreement.company_accepted_by_id)
    if agreement.initiative_accepted_at is None:
        _require_open(agreement)
        agreement.initiative_accepted_at = now
        agreement.initiative_accepted_by_id = _user(actor)
        _accepted(session, agreement, "initiative", actor, now)
    return agreement


def in_force_for(session: Session, *, organisation_id: int, initiative_id: int, match_id: int) -> bool:
    """Whether company and initiative both accepted a text that covers this match."""
    statement = select(Agreement.id).where(
        Agreement.organisation_id == organisation_id,
        Agreement.initiative_id == initiative_id,
        Agreement.state == AgreementState.IN_FORCE,
        or_(Agreement.match_id == match_id, Agreement.match_id.is_(None)),
    )
    return session.scalar(statement.limit(1)) is not None


def end(session: Session, public_id: UUID, *, actor: Actor, now: datetime) -> Agreement:
    """End it, by either side. Coachings that rest on it alone stop: the room of matches hears of it.

    The same again changes nothing.
    Raises NotFound, NotPermitted.
    """
    agreement = _locked(session, public_id)
    if not permissions.allowed(
        actor, "agreement.accept_as_company", organisation_id=agreement.organisation_id
    ):
        permissions.require(actor, "agreement.accept_as_initiative", initiative_id=agreement.initiative_id)
    if agreement.state is not AgreementState.ENDED:
        _end(session, agreement, actor, now)
    return agreement


def end_for_match(session: Session, match_id: int, *, actor: Actor, now: datetime) -> None:
    """End the text of one match, which was cancelled or completed; a standing one goes on."""
    agreement = session.scalar(
        select(Agreement)
        .where(Agreement.match_id == match_id, Agreement.state.in_(LIVE_STATES))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if agreement is not None:
        _end(session, agreement, actor, now)


# --- inside -----------------------------------------------------------------------------------------------------------


def _locked(session: Session, public_id: UUID) -> Agreement:
    pair = session.execute(
        select(Agreement.organisation_id, Agreement.initiative_id).where(Agreement.public_id == public_id)
    ).one_or_none()
    if pair is None:
        raise NotFound(_l("We can't find that."))
    holds.lock_resting(session, pair.organisation_id, pair.initiative_id)
    _lock_pair(session, pair.organisation_id, pair.initiative_id)
    return session.scalars(
        select(Agreement)
        .where(Agreement.public_id == public_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def _lock_pair(session: Session, organisation_id: int, initiative_id: int) -> None:
    # Two texts of one pair touch each other (a standing one replaces the others), so acts on a pair go one by one.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(organisation_id, initiative_id)))


def _template(session: Session, language: str, now: datetime) -> AgreementTemplate:
    statement = (
        select(AgreementTemplate)
        .where(AgreementTemplate.language == (language if language in texts.TITLES else "nl"))
        .order_by(AgreementTemplate.version.desc())
        .limit(1)
    )
    template = session.scalar(statement)
    if template is None:
        seed_templates(session, now=now)
        template = session.scalars(statement).one()
    return template


def _accept_standing(session: Session, agreement: Agreement, actor: Actor, now: datetime) -> Agreement:
    standing = session.scalar(
        select(Agreement).where(
            Agreement.organisation_id == agreement.organisation_id,
            Agreement.initiative_id == agreement.initiative_id,
            Agreement.match_id.is_(None),
            Agreement.state.in_(LIVE_STATES),
        )
    )
    if standing is None:
        _require_open(agreement)
        standing = Agreement(
            organisation_id=agreement.organisation_id,
            initiative_id=agreement.initiative_id,
            state=AgreementState.DRAFTED,
            template_id=agreement.template_id,
            language=agreement.language,
            title=agreement.title,
            body=agreement.standing_body or agreement.body,
            drafted_at=now,
        )
        session.add(standing)
        session.flush()
        _record(session, AgreementDrafted, standing, actor, now)
    if standing.company_accepted_at is None:
        standing.company_accepted_at = now
        standing.company_accepted_by_id = _user(actor)
        _accepted(session, standing, "company", actor, now)
    if agreement.state is AgreementState.HALF and agreement.company_accepted_at is None:
        # The initiative said yes to this text already: it need not wait for the other.
        agreement.company_accepted_at = now
        agreement.company_accepted_by_id = _user(actor)
        _accepted(session, agreement, "company", actor, now)
    elif agreement.state is AgreementState.DRAFTED:
        _end(session, agreement, actor, now)
    return standing


def _accepted(session: Session, agreement: Agreement, side: str, actor: Actor, now: datetime) -> None:
    both = agreement.company_accepted_at is not None and agreement.initiative_accepted_at is not None
    agreement.state = AGREEMENT_ACTS["accept_second" if both else "accept_first"][1]
    session.flush()
    events.record(
        session,
        AgreementAccepted(
            actor=actor,
            at=now,
            subject=agreement.public_id,
            organisation_id=agreement.organisation_id,
            agreement_id=agreement.id,
            company_id=agreement.organisation_id,
            initiative_id=agreement.initiative_id,
            match_id=agreement.match_id,
            side=side,
        ),
    )
    if not both:
        return
    if agreement.match_id is None:
        for other in session.scalars(
            select(Agreement).where(
                Agreement.organisation_id == agreement.organisation_id,
                Agreement.initiative_id == agreement.initiative_id,
                Agreement.match_id.is_not(None),
                Agreement.state.in_((AgreementState.DRAFTED, AgreementState.HALF)),
            )
        ):
            _end(session, other, actor, now)
    _record(session, AgreementInForce, agreement, actor, now)


def _end(session: Session, agreement: Agreement, actor: Actor, now: datetime) -> None:
    agreement.state = AgreementState.ENDED
    agreement.ended_at = now
    session.flush()
    _record(session, AgreementEnded, agreement, actor, now)


def _require_open(agreement: Agreement) -> None:
    if agreement.state not in AGREEMENT_ACTS["accept_first"][0] | AGREEMENT_ACTS["accept_second"][0]:
        raise WrongState(_l("This agreement is closed: it has ended, or another one took its place."))


def _not_twice(actor: Actor, other_side: int | None) -> None:
    if not actor.is_system and actor.user_id == other_side:
        raise NotPermitted(
            _l("You accepted this for the other side. Ask somebody else to accept it for this one.")
        )


def _user(actor: Actor) -> int:
    if actor.user_id is None:
        raise NotPermitted(_l("Only a person can accept an agreement."))
    return actor.user_id


def _record(
    session: Session,
    kind: type[AgreementDrafted] | type[AgreementInForce] | type[AgreementEnded],
    agreement: Agreement,
    actor: Actor,
    now: datetime,
) -> None:
    events.record(
        session,
        kind(
            actor=actor,
            at=now,
            subject=agreement.public_id,
            organisation_id=agreement.organisation_id,
            agreement_id=agreement.id,
            company_id=agreement.organisation_id,
            initiative_id=agreement.initiative_id,
            match_id=agreement.match_id,
        ),
    )
