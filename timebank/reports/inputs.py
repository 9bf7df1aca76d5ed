"""What HR enters for reports: hourly rates, fees, targets and how figures are counted. Each act is audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock, events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import Invalid, NotFound
from timebank.organisations.models import Organisation
from timebank.reports import queries, staff
from timebank.reports.departments import SMALLEST
from timebank.reports.events import (
    HourlyRateEntered,
    HourlyRateRemoved,
    ProgrammeFeeEntered,
    ProgrammeFeeRemoved,
    ReportChoicesChanged,
    ReportTargetsSet,
)
from timebank.reports.models import (
    HeadcountMethod,
    HourlyRate,
    ProgrammeFee,
    RateBasis,
    ReportChoices,
    ReportTarget,
    TargetKind,
)

Entered = TypeVar("Entered", HourlyRate, ProgrammeFee)


@dataclass(frozen=True)
class Choices:
    """How a company wants its figures counted; see `ReportChoices`."""

    headcount_method: HeadcountMethod = HeadcountMethod.END
    smallest_group: int = SMALLEST
    weekly_minutes: int | None = None
    value_basis: RateBasis = RateBasis.OWN_COST
    lists_coaches: bool = False


def change_choices(
    session: Session, organisation_id: int, choices: Choices, *, actor: Actor, now: datetime
) -> None:
    """Set how a company's figures are counted. Raises NotFound, NotPermitted, Invalid."""
    company = _company(session, organisation_id, actor)
    if not SMALLEST <= choices.smallest_group <= 100:
        message = _("Give from %(least)s to 100 people.", least=SMALLEST)
        raise Invalid(message, {"smallest_group": message})
    held = session.get(ReportChoices, organisation_id, with_for_update=True)
    before = _values(held) if held else vars(Choices())
    changed = tuple(name for name, value in vars(choices).items() if before[name] != value)
    if not changed:
        return
    if held is None:
        held = ReportChoices(organisation_id=organisation_id, **vars(choices), updated_at=now)
        session.add(held)
    for name, value in vars(choices).items():
        setattr(held, name, value)
    held.updated_at = now
    events.record(
        session,
        ReportChoicesChanged(
            actor=actor,
            at=now,
            subject=company.public_id,
            organisation_id=organisation_id,
            changed=changed,
        ),
    )


def _values(held: ReportChoices) -> dict[str, object]:
    return {name: getattr(held, name) for name in vars(Choices())}


def enter_rate(
    session: Session,
    organisation_id: int,
    *,
    basis: RateBasis,
    valid_from: date,
    cents: int,
    source: str,
    actor: Actor,
    now: datetime,
) -> HourlyRate:
    """Enter what an hour costs on average from a date on.

    Raises NotFound, NotPermitted, and Invalid when there is one from that date, or so few people work there that their
    average would tell what one of them costs.
    """
    _company(session, organisation_id, actor)
    if not 1 <= cents <= 100_000:
        message = _("Give from € 0.01 to € 1,000 an hour.")
        raise Invalid(message, {"amount": message})
    if any(r.valid_from == valid_from for r in queries.rates(session, organisation_id, basis)):
        message = _("There is a rate of this basis from that day already. Remove it first.")
        raise Invalid(message, {"valid_from": message})
    today = clock.local_date(now)
    people = sum(p.in_service(min(valid_from, today)) for p in staff.people(session, organisation_id))
    if basis == RateBasis.OWN_COST and people < SMALLEST:
        message = _(
            "Fewer than %(count)s people worked here then, so an average would tell what one of them costs. Use an"
            " average of a public source.",
            count=SMALLEST,
        )
        raise Invalid(message, {"basis": message})
    rate = HourlyRate(
        organisation_id=organisation_id,
        basis=basis,
        valid_from=valid_from,
        cents=cents,
        source=source,
        entered_at=now,
        entered_by_id=actor.user_id,
    )
    session.add(rate)
    session.flush()
    events.record(
        session,
        HourlyRateEntered(
            actor=actor,
            at=now,
            subject=rate.public_id,
            organisation_id=organisation_id,
            basis=basis,
            valid_from=valid_from,
            cents=cents,
        ),
    )
    return rate


def remove_rate(
    session: Session, organisation_id: int, public_id: UUID, *, actor: Actor, now: datetime
) -> None:
    """Take an hourly rate away. Raises NotFound, NotPermitted."""
    _company(session, organisation_id, actor)
    rate = _entered(session, HourlyRate, organisation_id, public_id)
    events.record(
        session,
        HourlyRateRemoved(
            actor=actor,
            at=now,
            subject=public_id,
            organisation_id=organisation_id,
            basis=rate.basis,
            valid_from=rate.valid_from,
            cents=rate.cents,
        ),
    )
    session.delete(rate)


def enter_fee(
    session: Session,
    organisation_id: int,
    *,
    paid_on: date,
    cents: int,
    what: str,
    actor: Actor,
    now: datetime,
) -> ProgrammeFee:
    """Enter what was paid to run the programme. Raises NotFound, NotPermitted, Invalid."""
    _company(session, organisation_id, actor)
    if not 1 <= cents <= 100_000_000:
        message = _("Give from € 0.01 to € 1,000,000.")
        raise Invalid(message, {"fee_amount": message})
    fee = ProgrammeFee(
        organisation_id=organisation_id,
        paid_on=paid_on,
        cents=cents,
        what=what,
        entered_at=now,
        entered_by_id=actor.user_id,
    )
    session.add(fee)
    session.flush()
    events.record(
        session,
        ProgrammeFeeEntered(
            actor=actor,
            at=now,
            subject=fee.public_id,
            organisation_id=organisation_id,
            paid_on=paid_on,
            cents=cents,
        ),
    )
    return fee


def remove_fee(
    session: Session, organisation_id: int, public_id: UUID, *, actor: Actor, now: datetime
) -> None:
    """Take a fee away. Raises NotFound, NotPermitted."""
    _company(session, organisation_id, actor)
    fee = _entered(session, ProgrammeFee, organisation_id, public_id)
    events.record(
        session,
        ProgrammeFeeRemoved(
            actor=actor,
            at=now,
            subject=public_id,
            organisation_id=organisation_id,
            paid_on=fee.paid_on,
            cents=fee.cents,
        ),
    )
    session.delete(fee)


def _entered(session: Session, kind: type[Entered], organisation_id: int, public_id: UUID) -> Entered:
    """What this very company entered. Raises NotFound."""
    found = session.scalar(
        select(kind).where(kind.public_id == public_id, kind.organisation_id == organisation_id)
    )
    if found is None:
        raise NotFound(_l("We can't find that."))
    return found


def set_targets(
    session: Session,
    organisation_id: int,
    year: int,
    *,
    minutes: int | None,
    participation: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Set what a company wants to reach in a year: minutes delivered, and the share of its people that takes part in
    hundredths of a percent; none takes a target away. Raises NotFound, NotPermitted, Invalid."""
    company = _company(session, organisation_id, actor)
    if not 2000 <= year <= 2100:
        message = _("Give a year from 2000 to 2100.")
        raise Invalid(message, {"year": message})
    held = {target.kind: target for target in queries.targets(session, organisation_id, [year])}
    for kind, value in ((TargetKind.HOURS, minutes), (TargetKind.PARTICIPATION, participation)):
        target = held.get(kind)
        if value is None:
            if target is not None:
                session.delete(target)
        elif target is not None:
            target.value, target.set_at, target.set_by_id = value, now, actor.user_id
        else:
            session.add(
                ReportTarget(
                    organisation_id=organisation_id,
                    year=year,
                    kind=kind,
                    value=value,
                    set_at=now,
                    set_by_id=actor.user_id,
                )
            )
    events.record(
        session,
        ReportTargetsSet(
            actor=actor,
            at=now,
            subject=company.public_id,
            organisation_id=organisation_id,
            year=year,
            minutes=minutes,
            participation=participation,
        ),
    )


def _company(session: Session, organisation_id: int, actor: Actor) -> Organisation:
    permissions.require(actor, "report.set", organisation_id=organisation_id)
    return session.get_one(Organisation, organisation_id)
