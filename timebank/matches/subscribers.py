"""What this room does when something happened here or elsewhere."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import events
from timebank.agreements import holds as agreement_holds
from timebank.agreements import queries as agreement_queries
from timebank.agreements.events import (
    AgreementAccepted,
    AgreementDrafted,
    AgreementEnded,
    AgreementInForce,
)
from timebank.agreements.models import Agreement
from timebank.auth.actor import SYSTEM
from timebank.coaching import holds as seat_holds
from timebank.coaching import service as coaching
from timebank.coaching.events import RequestClosed
from timebank.coaching.models import ClosedReason, CoachingRequest
from timebank.matches import mails, queries, service
from timebank.matches.events import (
    DisputeAnswered,
    HoursApproved,
    HoursConfirmed,
    HoursDisputed,
    HoursEvent,
    HoursLate,
    HoursLogged,
    HoursRefused,
    HoursReminded,
    MatchAccepted,
    MatchActivated,
    MatchCancelled,
    MatchCompleted,
    MatchConfirmed,
    MatchDeclined,
    MatchEvent,
    MatchExpired,
    SessionCancelled,
    SessionMoved,
    SessionPlanned,
)
from timebank.matches.models import CoachingSession, HourEntry, Match, MatchState
from timebank.matches.service import loading
from timebank.organisations.events import (
    EmploymentLeft,
    InitiativeChanged,
    InitiativeStopped,
    OrganisationStopped,
)
from timebank.organisations.models import Employment, Initiative
from timebank.pledges import holds as hour_holds
from timebank.pledges.events import PledgeEnded

hour_holds.source(queries.held_by_open)
hour_holds.confirmations(queries.has_confirmed)
seat_holds.source(queries.seat_holds)
agreement_holds.locker(loading.lock_pair)


# --- elsewhere ------------------------------------------------------------------------------------------------------


@events.on(PledgeEnded)
def take_back_proposals(session: Session, event: PledgeEnded) -> None:
    """Proposals rest on free hours, which are gone; what both sides agreed stays."""
    service.cancel_open(
        session,
        Match.pledge_id == event.pledge_id,
        "",
        cause="pledge_ended",
        actor=SYSTEM,
        now=event.at,
    )


@events.on(RequestClosed)
def take_back_offers(session: Session, event: RequestClosed) -> None:
    """A filled request has no open proposal left; any other reason means that nobody is wanted any more."""
    if event.reason is not ClosedReason.FILLED:
        service.cancel_open(
            session,
            Match.request_id == event.request_id,
            "",
            cause="request_closed",
            actor=SYSTEM,
            now=event.at,
        )


@events.on(InitiativeStopped)
def take_back_all(session: Session, event: InitiativeStopped) -> None:
    """An initiative that is stopped takes no new coach; what both sides agreed goes on."""
    own = select(CoachingRequest.id).where(CoachingRequest.initiative_id == event.initiative_id)
    service.cancel_open(
        session,
        Match.request_id.in_(own),
        "",
        cause="initiative_stopped",
        actor=SYSTEM,
        now=event.at,
    )


@events.on(InitiativeChanged)
def stop_silent_consent(session: Session, event: InitiativeChanged) -> None:
    """An initiative that no longer takes silence for consent has to answer what waits, too."""
    if not session.get_one(Initiative, event.initiative_id).silent_consent:
        service.stop_consent(session, event.initiative_id)


@events.on(OrganisationStopped)
def take_back_of_organisation(session: Session, event: OrganisationStopped) -> None:
    """The same for all initiatives of a host, and for all employees of a company."""
    hosted = (
        select(CoachingRequest.id)
        .join(CoachingRequest.initiative)
        .where(Initiative.organisation_id == event.organisation_id)
    )
    employed = select(Employment.id).where(Employment.organisation_id == event.organisation_id)
    for cause, where in (
        ("initiative_stopped", Match.request_id.in_(hosted)),
        ("company_stopped", Match.employment_id.in_(employed)),
    ):
        service.cancel_open(session, where, "", cause=cause, actor=SYSTEM, now=event.at)


@events.on(EmploymentLeft)
def stop_coachings(session: Session, event: EmploymentLeft) -> None:
    """Hours already logged can still be confirmed in the old company's book; the rest goes back."""
    live = session.execute(
        select(Match.public_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            Employment.public_id == event.subject,
            Match.state.in_((MatchState.CONFIRMED, MatchState.ACTIVE)),
        )
        .order_by(Match.id)
    ).scalars()
    for public_id in live.all():
        service.cancel(session, public_id, "", actor=SYSTEM, now=event.at, cause="left")


@events.on(AgreementInForce)
def activate_matches(session: Session, event: AgreementInForce) -> None:
    """Of the one match, or of all confirmed ones of the two when the agreement is a standing one."""
    # Only the matches are locked: activating touches no hours, and whoever confirms a match at this moment may wait
    # for the lock on the agreement while holding those of pledge and request.
    statement = (
        select(Match)
        .join(CoachingRequest, CoachingRequest.id == Match.request_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            Match.state == MatchState.CONFIRMED,
            CoachingRequest.initiative_id == event.initiative_id,
            Employment.organisation_id == event.company_id,
        )
        .order_by(Match.id)
        .with_for_update(key_share=True, of=Match)
        .execution_options(populate_existing=True)
    )
    if event.match_id is not None:
        statement = statement.where(Match.id == event.match_id)
    for match in session.scalars(statement).all():
        if match.state is MatchState.CONFIRMED:
            service.activate(session, match, actor=SYSTEM, now=event.at)


@events.on(AgreementEnded)
def stop_without_agreement(session: Session, event: AgreementEnded) -> None:
    """Without a text that lives nobody may coach: what rested on this one stops; hours given can still be confirmed."""
    statement = (
        select(Match)
        .join(CoachingRequest, CoachingRequest.id == Match.request_id)
        .join(Employment, Employment.id == Match.employment_id)
        .where(
            Match.state.in_((MatchState.CONFIRMED, MatchState.ACTIVE)),
            CoachingRequest.initiative_id == event.initiative_id,
            Employment.organisation_id == event.company_id,
        )
        .order_by(Match.id)
    )
    if event.match_id is not None:
        statement = statement.where(Match.id == event.match_id)
    for match in session.scalars(statement).all():
        covered = agreement_queries.for_match(
            session,
            organisation_id=event.company_id,
            initiative_id=event.initiative_id,
            match_id=match.id,
        )
        if covered is None:
            service.cancel(session, match.public_id, "", actor=SYSTEM, now=event.at, cause="agreement_ended")


@events.on(AgreementDrafted)
def tell_hr(session: Session, event: AgreementDrafted) -> None:
    agreement = session.get_one(Agreement, event.agreement_id)
    if agreement.company_accepted_at is None:
        mails.agreement_waits(session, agreement, event.at, side="company")


@events.on(AgreementAccepted)
def tell_initiative(session: Session, event: AgreementAccepted) -> None:
    agreement = session.get_one(Agreement, event.agreement_id)
    if agreement.initiative_accepted_at is None:
        mails.agreement_waits(session, agreement, event.at, side="initiative")


# --- seats of the request -------------------------------------------------------------------------------------------


@events.on(MatchConfirmed)
def close_filled_request(session: Session, event: MatchConfirmed) -> None:
    coaching.close_if_filled(session, session.get_one(CoachingRequest, event.request_id), now=event.at)


@events.on(MatchCancelled)
def open_freed_request(session: Session, event: MatchCancelled) -> None:
    if not event.was_open:
        coaching.reopen_if_freed(session, session.get_one(CoachingRequest, event.request_id), now=event.at)


# --- mails ----------------------------------------------------------------------------------------------------------


def _match(session: Session, event: MatchEvent) -> Match:
    return session.get_one(Match, event.match_id)


@events.on(MatchAccepted)
def tell_accepted(session: Session, event: MatchAccepted) -> None:
    match = _match(session, event)
    if match.state in (MatchState.ACCEPTED_BY_COACH, MatchState.ACCEPTED_BY_INITIATIVE):
        mails.accepted(session, match, event.side, event.at)


@events.on(MatchConfirmed)
def tell_confirmed(session: Session, event: MatchConfirmed) -> None:
    mails.confirmed(session, _match(session, event), event.at)


@events.on(MatchActivated)
def tell_activated(session: Session, event: MatchActivated) -> None:
    mails.activated(session, _match(session, event), event.at)


@events.on(MatchDeclined)
def tell_declined(session: Session, event: MatchDeclined) -> None:
    mails.declined(session, _match(session, event), event.side, event.at)


@events.on(MatchExpired)
def tell_expired(session: Session, event: MatchExpired) -> None:
    mails.freed(session, _match(session, event), event.at, cause="expired")


@events.on(MatchCancelled)
def tell_cancelled(session: Session, event: MatchCancelled) -> None:
    if event.was_open:
        mails.freed(session, _match(session, event), event.at, cause=event.cause)
    else:
        mails.ended(session, _match(session, event), event.at, completed=False)


@events.on(MatchCompleted)
def tell_completed(session: Session, event: MatchCompleted) -> None:
    mails.ended(session, _match(session, event), event.at, completed=True)


def _meeting(session: Session, event: SessionPlanned | SessionMoved | SessionCancelled) -> CoachingSession:
    return session.scalars(select(CoachingSession).where(CoachingSession.public_id == event.session)).one()


@events.on(SessionPlanned)
def tell_planned(session: Session, event: SessionPlanned) -> None:
    mails.session_fixed(session, _match(session, event), _meeting(session, event), event.at)


@events.on(SessionMoved)
def tell_moved(session: Session, event: SessionMoved) -> None:
    old = session.scalars(select(CoachingSession).where(CoachingSession.public_id == event.moved_from)).one()
    mails.session_dropped(session, _match(session, event), old, event.at)
    mails.session_fixed(session, _match(session, event), _meeting(session, event), event.at)


@events.on(SessionCancelled)
def tell_dropped(session: Session, event: SessionCancelled) -> None:
    mails.session_dropped(session, _match(session, event), _meeting(session, event), event.at)


def _entry(session: Session, event: HoursEvent) -> HourEntry:
    return session.scalars(select(HourEntry).where(HourEntry.public_id == event.entry)).one()


@events.on(HoursLate)
def tell_company(session: Session, event: HoursLate) -> None:
    mails.hours_late(session, _match(session, event), _entry(session, event), event.at)


@events.on(HoursRefused)
def tell_refused(session: Session, event: HoursRefused) -> None:
    mails.hours_refused(session, _match(session, event), _entry(session, event), event.at)


@events.on(HoursReminded)
def tell_reminded(session: Session, event: HoursReminded) -> None:
    mails.hours_reminded(session, _match(session, event), _entry(session, event), event.at)


@events.on(HoursApproved)
def tell_approved(session: Session, event: HoursApproved) -> None:
    mails.hours_logged(session, _match(session, event), _entry(session, event), event.at)


@events.on(HoursLogged)
def tell_logged(session: Session, event: HoursLogged) -> None:
    mails.hours_logged(session, _match(session, event), _entry(session, event), event.at)


@events.on(HoursConfirmed)
def tell_hours_confirmed(session: Session, event: HoursConfirmed) -> None:
    entry = _entry(session, event)
    tell = mails.hours_consented if entry.confirmed_by_role == "system" else mails.hours_confirmed
    tell(session, _match(session, event), entry, event.at)


@events.on(HoursDisputed)
def tell_disputed(session: Session, event: HoursDisputed) -> None:
    mails.hours_disputed(session, _match(session, event), _entry(session, event), event.at)


@events.on(DisputeAnswered)
def tell_answered(session: Session, event: DisputeAnswered) -> None:
    mails.dispute_answered(session, _match(session, event), _entry(session, event), event.at)
