"""Initiatives: they apply with a public form, and keep their own profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth import service as auth
from timebank.auth.actor import Actor
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.errors import Invalid, NotFound
from timebank.notifications import service as notifications
from timebank.organisations import queries
from timebank.organisations.events import InitiativeApplied, InitiativeChanged, PhaseChanged
from timebank.organisations.models import (
    Admission,
    Initiative,
    InitiativeCause,
    InitiativePhase,
    InitiativeText,
    Organisation,
)
from timebank.organisations.numbers import enterprise_number
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.models import Cause, Phase, Postcode, Term, TermKind

# Whoever fills in the public form. It may do nothing that asks for a role.
PUBLIC = Actor(user_id=None, label="public")
MOST_CAUSES = 3


@dataclass(frozen=True)
class InitiativeApplication:
    """What the public form asks. `cause_ids` has the primary cause first; `term_ids` are functions and roles."""

    name: str
    enterprise_number: str
    host_name: str
    work_form_id: int | None
    term_ids: Sequence[int]
    phase: Phase
    postcode: str
    cause_ids: Sequence[int]
    contact_name: str
    contact_email: str
    website: str
    language: str
    description: str


def apply_for_initiative(session: Session, form: InitiativeApplication, *, now: datetime) -> Initiative:
    """Ask for admission; the operator decides. The very same application again changes nothing.

    Raises Invalid.
    """
    place = _place(session, form.postcode)
    causes = _causes(session, form.cause_ids)
    work_form, terms = _terms(session, form.work_form_id, form.term_ids)
    number = enterprise_number(form.enterprise_number) if form.enterprise_number else None
    email = form.contact_email.lower()
    before = session.scalar(
        select(Initiative).where(
            func.lower(Initiative.name) == func.lower(form.name),
            Initiative.postcode == form.postcode,
            Initiative.admission.in_((Admission.APPLIED, Admission.ADMITTED, Admission.SUSPENDED)),
        )
    )
    if before is not None:
        if before.admission == Admission.APPLIED and before.contact_email == email:
            return before
        message = _("We already know an initiative with this name here. Ask its contact, or write to us.")
        raise Invalid(message, {"name": message})
    host = _host(session, form, number, now)
    municipality = place.municipality
    initiative = Initiative(
        organisation=host,
        slug=queries.free_slug(session, Initiative, form.name),
        name=form.name,
        postcode=place.code,
        nis=place.nis,
        municipality=municipality.name(form.language),
        nuts2=municipality.nuts2,
        contact_name=form.contact_name,
        contact_email=email,
        website=form.website or None,
        language=form.language,
        phase=form.phase,
        work_form=work_form,
        terms=list(terms),
        causes=[InitiativeCause(cause=cause, rank=rank) for rank, cause in enumerate(causes)],
        texts=[InitiativeText(language=form.language, description=form.description)],
        phases=[InitiativePhase(phase=form.phase, valid_from=clock.local_date(now))],
        applied_at=now,
    )
    session.add(initiative)
    session.flush()  # gives it its ids
    events.record(
        session,
        InitiativeApplied(actor=PUBLIC, at=now, subject=initiative.public_id, initiative_id=initiative.id),
    )
    _thank(session, initiative, now)
    _tell_operators(session, initiative, now)
    return initiative


def _host(session: Session, form: InitiativeApplication, number: str | None, now: datetime) -> Organisation:
    if number is not None:
        known = session.scalar(select(Organisation).where(Organisation.enterprise_number == number))
        if known is not None:
            return known
    name = form.host_name or form.name
    return Organisation(
        slug=queries.free_slug(session, Organisation, name),
        name=name,
        enterprise_number=number,
        is_host=True,
        language=form.language,
        applied_at=now,
    )


def _place(session: Session, postcode: str) -> Postcode:
    place = taxonomy.postcode(session, postcode)
    if place is None:
        message = _("Belgium has no postcode %(code)s.", code=postcode)
        raise Invalid(message, {"postcode": message})
    return place


def _causes(session: Session, ids: Sequence[int]) -> list[Cause]:
    unique = list(dict.fromkeys(ids))
    found = {c.id: c for c in session.scalars(select(Cause).where(Cause.id.in_(unique)))}
    if not unique or len(unique) > MOST_CAUSES or len(found) != len(unique):
        message = _("Choose one cause, and at most two more.")
        raise Invalid(message, {"primary_cause": message})
    return [found[i] for i in unique]


def _terms(
    session: Session, work_form_id: int | None, term_ids: Sequence[int]
) -> tuple[Term | None, Sequence[Term]]:
    work_form = None
    if work_form_id is not None:
        work_form = session.scalar(
            select(Term).where(Term.id == work_form_id, Term.kind == TermKind.WORK_FORM)
        )
        if work_form is None:
            message = _("Choose one of the list.")
            raise Invalid(message, {"work_form": message})
    terms = session.scalars(
        select(Term)
        .where(Term.id.in_(term_ids), Term.kind.in_((TermKind.FUNCTION, TermKind.ROLE)))
        .order_by(Term.kind, Term.position)
    ).all()
    return work_form, terms


def _thank(session: Session, initiative: Initiative, now: datetime) -> None:
    with notifications.in_language(initiative.language):
        subject = _("We have your application for %(name)s", name=initiative.name)
        body = _(
            "Hello %(contact)s,\n\n"
            "We read your application for %(name)s and answer within a week. Nothing is asked of you meanwhile.\n\n"
            "What Timebank is: %(link)s",
            contact=initiative.contact_name,
            name=initiative.name,
            link=notifications.link("/join"),
        )
    notifications.queue(
        session,
        key=f"initiative-applied:{initiative.public_id}",
        kind="initiative_applied",
        email=initiative.contact_email,
        user_id=None,
        language=initiative.language,
        subject=subject,
        body=body,
        now=now,
    )


def _tell_operators(session: Session, initiative: Initiative, now: datetime) -> None:
    operators = session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(RoleGrant.role == Role.OPERATOR, RoleGrant.ended_at.is_(None), User.disabled_at.is_(None))
    ).all()
    for operator in operators:
        with notifications.in_language(operator.language):
            subject = _("%(name)s asks to be admitted", name=initiative.name)
            body = _(
                "Hello %(operator)s,\n\n%(name)s in %(place)s asks to be admitted. Decide here: %(link)s",
                operator=operator.first_name,
                name=initiative.name,
                place=initiative.municipality,
                link=notifications.link("/operator/admissions"),
            )
        notifications.queue(
            session,
            key=f"initiative-applied:{initiative.public_id}:{operator.public_id}",
            kind="admission_waits",
            email=operator.email,
            user_id=operator.id,
            language=operator.language or "nl",
            subject=subject,
            body=body,
            now=now,
        )


@dataclass(frozen=True)
class InitiativeProfile:
    """What an initiative says of itself. `texts` is by language; an empty one takes that language away."""

    texts: Mapping[str, str]
    website: str
    contact_name: str
    cause_ids: Sequence[int]
    work_form_id: int | None
    term_ids: Sequence[int]
    silent_consent: bool


def change_initiative(
    session: Session, initiative_id: int, profile: InitiativeProfile, *, actor: Actor, now: datetime
) -> Initiative:
    """Change the texts, the causes and the terms of one's initiative.

    Raises NotFound, NotPermitted, Invalid.
    """
    initiative = _own(session, initiative_id, actor)
    causes = _causes(session, profile.cause_ids)
    work_form, terms = _terms(session, profile.work_form_id, profile.term_ids)
    if not any(profile.texts.values()):
        message = _("Say in at least one language what you do.")
        raise Invalid(message, {f"text_{initiative.language}": message})
    held = {text.language: text for text in initiative.texts}
    for language, description in profile.texts.items():
        if description and language in held:
            held[language].description = description
        elif description:
            initiative.texts.append(InitiativeText(language=language, description=description))
        elif language in held:
            initiative.texts.remove(held[language])
    initiative.silent_consent = profile.silent_consent
    initiative.website, initiative.contact_name = profile.website or None, profile.contact_name
    initiative.work_form, initiative.terms = work_form, list(terms)
    if [c.cause_id for c in initiative.causes] != [c.id for c in causes]:
        # Ranks are unique, so the old ones go before the new ones come.
        initiative.causes.clear()
        session.flush()
        initiative.causes = [InitiativeCause(cause=cause, rank=rank) for rank, cause in enumerate(causes)]
    session.flush()
    events.record(
        session,
        InitiativeChanged(actor=actor, at=now, subject=initiative.public_id, initiative_id=initiative.id),
    )
    return initiative


def change_phase(
    session: Session, initiative_id: int, phase: Phase, valid_from: date, *, actor: Actor, now: datetime
) -> Initiative:
    """Say that the initiative is in another phase since a day; what came before stays in its history.

    Raises NotFound, NotPermitted, Invalid for a day to come or before the phase that holds now.
    """
    initiative = _own(session, initiative_id, actor)
    today = clock.local_date(now)
    last = initiative.phases[-1] if initiative.phases else None
    if valid_from > today or (last is not None and valid_from < last.valid_from):
        message = _("Give a day from the start of the phase you are in until today.")
        raise Invalid(message, {"valid_from": message})
    if initiative.phase == phase:
        return initiative
    if last is not None and last.valid_from == valid_from:
        last.phase = phase
    else:
        initiative.phases.append(InitiativePhase(phase=phase, valid_from=valid_from))
    initiative.phase = phase
    session.flush()
    events.record(
        session,
        PhaseChanged(
            actor=actor,
            at=now,
            subject=initiative.public_id,
            initiative_id=initiative.id,
            phase=phase,
            valid_from=valid_from,
        ),
    )
    return initiative


def invite_coordinator(
    session: Session, initiative_id: int, name: str, email: str, language: str, *, actor: Actor, now: datetime
) -> Invitation:
    """Invite one more person who acts for the initiative.

    Raises NotFound, NotPermitted.
    """
    initiative = _own(session, initiative_id, actor)
    first, _space, last = name.partition(" ")
    return auth.invite(
        session,
        email=email,
        role=Role.COORDINATOR,
        initiative_id=initiative.id,
        first_name=first,
        last_name=last,
        language=language,
        actor=actor,
        now=now,
        inviter=initiative.name,
    )


def _own(session: Session, initiative_id: int, actor: Actor) -> Initiative:
    permissions.require(actor, "initiative.change", initiative_id=initiative_id)
    initiative = session.get(Initiative, initiative_id, with_for_update=True)
    if initiative is None:
        raise NotFound(_l("We can't find that."))
    return initiative
