"""Who is let in: the operator admits, refuses, suspends and closes organisations and initiatives."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import permissions
from timebank.auth import service as auth
from timebank.auth.actor import Actor
from timebank.auth.models import Role, RoleGrant
from timebank.errors import Invalid, NotFound, WrongState
from timebank.notifications import service as notifications
from timebank.organisations import events as facts
from timebank.organisations.models import ADMISSION_ACTS, Admission, Initiative, Organisation

Subject = Organisation | Initiative
LONGEST_REASON = 2000

INITIATIVE_FACTS: dict[str, type[facts.InitiativeEvent]] = {
    "admit": facts.InitiativeAdmitted,
    "refuse": facts.InitiativeRefused,
    "suspend": facts.InitiativeSuspended,
    "close": facts.InitiativeClosed,
}
ORGANISATION_FACTS: dict[str, type[events.Event]] = {
    "admit": facts.OrganisationAdmitted,
    "refuse": facts.OrganisationRefused,
    "suspend": facts.OrganisationSuspended,
    "close": facts.OrganisationClosed,
}


def admit(session: Session, subject_id: UUID, *, actor: Actor, now: datetime) -> Subject:
    """Let in who applied, or again who was suspended. An initiative's contact is invited to sign in the first time.

    Raises NotFound, WrongState.
    """
    subject = _decide(session, subject_id, "admit", None, actor=actor, now=now)
    if not isinstance(subject, Initiative):
        return subject
    host = session.get_one(Organisation, subject.organisation_id, with_for_update=True)
    host.is_host = True
    if host.admission == Admission.APPLIED:
        _move(session, host, "admit", None, actor=actor, now=now)
    if not _has_coordinator(session, subject.id):
        first, _space, last = subject.contact_name.partition(" ")
        auth.invite(
            session,
            email=subject.contact_email,
            role=Role.COORDINATOR,
            initiative_id=subject.id,
            first_name=first,
            last_name=last,
            language=subject.language,
            actor=actor,
            now=now,
            inviter=subject.name,
        )
    session.flush()
    return subject


def refuse(session: Session, subject_id: UUID, reason: str, *, actor: Actor, now: datetime) -> Subject:
    """Refuse an application; the reason is mailed to who applied.

    Raises NotFound, WrongState, Invalid without a reason.
    """
    reason = _reason(reason)
    subject = _decide(session, subject_id, "refuse", reason, actor=actor, now=now)
    if isinstance(subject, Initiative):
        _refuse_lonely_host(session, subject, reason, actor=actor, now=now)
        _mail_refusal(session, subject, reason, now)
    return subject


def suspend(session: Session, subject_id: UUID, reason: str, *, actor: Actor, now: datetime) -> Subject:
    """Stop an organisation or initiative for a time: open proposals are taken back by those who hear of it, no run
    sees it, and what both sides agreed goes on. Admitted again, it takes part in the next run.

    Raises NotFound, WrongState, Invalid without a reason.
    """
    return _decide(session, subject_id, "suspend", _reason(reason), actor=actor, now=now)


def close(session: Session, subject_id: UUID, reason: str, *, actor: Actor, now: datetime) -> Subject:
    """End an organisation or initiative for good; what was booked stays.

    Raises NotFound, WrongState, Invalid without a reason.
    """
    return _decide(session, subject_id, "close", _reason(reason), actor=actor, now=now)


def _decide(
    session: Session, subject_id: UUID, act: str, reason: str | None, *, actor: Actor, now: datetime
) -> Subject:
    permissions.require(actor, "admission.decide")
    # The key stays as it is, so whoever writes rows that name it (an audit line, an agreement) need not wait: they may
    # hold the proposals that this act is about to take back.
    subject: Subject | None = session.scalar(
        select(Initiative).where(Initiative.public_id == subject_id).with_for_update(key_share=True)
    ) or session.scalar(
        select(Organisation).where(Organisation.public_id == subject_id).with_for_update(key_share=True)
    )
    if subject is None:
        raise NotFound(_l("We can't find that."))
    _move(session, subject, act, reason, actor=actor, now=now)
    return subject


def _move(
    session: Session, subject: Subject, act: str, reason: str | None, *, actor: Actor, now: datetime
) -> None:
    sources, target = ADMISSION_ACTS[act]
    if subject.admission not in sources:
        raise WrongState(_l("Somebody decided on this before. Reload the page to see how it stands."))
    subject.admission, subject.admission_reason, subject.decided_at = target, reason, now
    session.flush()
    if isinstance(subject, Initiative):
        events.record(
            session,
            INITIATIVE_FACTS[act](actor=actor, at=now, subject=subject.public_id, initiative_id=subject.id),
        )
    else:
        events.record(
            session,
            ORGANISATION_FACTS[act](
                actor=actor, at=now, subject=subject.public_id, organisation_id=subject.id
            ),
        )


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        message = _("Give a reason: who applied will read it.")
        raise Invalid(message, {"reason": message})
    return reason[:LONGEST_REASON]


def _has_coordinator(session: Session, initiative_id: int) -> bool:
    return bool(
        session.scalar(
            select(RoleGrant.id)
            .where(RoleGrant.initiative_id == initiative_id, RoleGrant.ended_at.is_(None))
            .limit(1)
        )
    )


def _refuse_lonely_host(
    session: Session, initiative: Initiative, reason: str, *, actor: Actor, now: datetime
) -> None:
    """A host that came with this application and has nothing else goes with it."""
    host = session.get_one(Organisation, initiative.organisation_id, with_for_update=True)
    others = session.scalar(
        select(func.count())
        .select_from(Initiative)
        .where(Initiative.organisation_id == host.id, Initiative.id != initiative.id)
    )
    if host.admission == Admission.APPLIED and not others:
        _move(session, host, "refuse", reason, actor=actor, now=now)


def _mail_refusal(session: Session, initiative: Initiative, reason: str, now: datetime) -> None:
    with notifications.in_language(initiative.language):
        subject = _("About your application for %(name)s", name=initiative.name)
        body = _(
            "Hello %(contact)s,\n\n"
            "We cannot admit %(name)s to Timebank now. The reason:\n\n%(reason)s\n\n"
            "Did something change, or did we misunderstand? Apply again: %(link)s",
            contact=initiative.contact_name,
            name=initiative.name,
            reason=reason,
            link=notifications.link("/join/initiative"),
        )
    notifications.queue(
        session,
        key=f"initiative-refused:{initiative.public_id}",
        kind="initiative_refused",
        email=initiative.contact_email,
        user_id=None,
        language=initiative.language,
        subject=subject,
        body=body,
        now=now,
    )
