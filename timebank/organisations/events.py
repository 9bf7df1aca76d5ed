"""What happened to companies, their people and the initiatives. Subjects are their public ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from timebank.events import Event
from timebank.taxonomy.models import Phase


@dataclass(frozen=True, kw_only=True)
class InitiativeEvent(Event):
    initiative_id: int


@dataclass(frozen=True, kw_only=True)
class InitiativeApplied(InitiativeEvent):
    """Somebody asked for admission with the public form."""


@dataclass(frozen=True, kw_only=True)
class InitiativeAdmitted(InitiativeEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class InitiativeRefused(InitiativeEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class InitiativeStopped(InitiativeEvent):
    """It takes no part any more, or not for now."""


@dataclass(frozen=True, kw_only=True)
class InitiativeSuspended(InitiativeStopped):
    pass


@dataclass(frozen=True, kw_only=True)
class InitiativeClosed(InitiativeStopped):
    pass


@dataclass(frozen=True, kw_only=True)
class InitiativeChanged(InitiativeEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class PhaseChanged(InitiativeEvent):
    phase: Phase
    valid_from: date


@dataclass(frozen=True, kw_only=True)
class OrganisationAdmitted(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class OrganisationRefused(Event):
    pass


@dataclass(frozen=True, kw_only=True)
class OrganisationStopped(Event):
    """It takes no part any more, or not for now: as a company, as a host, or both."""


@dataclass(frozen=True, kw_only=True)
class OrganisationSuspended(OrganisationStopped):
    pass


@dataclass(frozen=True, kw_only=True)
class OrganisationClosed(OrganisationStopped):
    pass


@dataclass(frozen=True, kw_only=True)
class PolicyChanged(Event):
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EmployeeInvited(Event):
    employment_id: int


@dataclass(frozen=True, kw_only=True)
class EmploymentTied(Event):
    """An invitation was accepted: the employment has a login now."""

    employment_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True)
class EmploymentLeft(Event):
    employment_id: int
    end_date: date
