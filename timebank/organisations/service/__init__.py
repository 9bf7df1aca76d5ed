"""Business acts around companies, their people, and the initiatives."""

from timebank.organisations.service.admission import Subject, admit, close, refuse, suspend
from timebank.organisations.service.companies import (
    PolicyChange,
    change_policy,
    invite_again,
    invite_company,
    invite_hr,
)
from timebank.organisations.service.initiatives import (
    InitiativeApplication,
    InitiativeProfile,
    apply_for_initiative,
    change_initiative,
    change_phase,
    invite_coordinator,
)
from timebank.organisations.service.staff import (
    MOST_AT_ONCE,
    close_employment,
    close_ended,
    employment_of,
    end_employment,
    ensure_site,
    grant_managers,
    invite_all,
    invite_employee,
    may_pledge,
    set_terms,
    tie,
)

__all__ = [
    "MOST_AT_ONCE",
    "InitiativeApplication",
    "InitiativeProfile",
    "PolicyChange",
    "Subject",
    "admit",
    "apply_for_initiative",
    "change_initiative",
    "change_phase",
    "change_policy",
    "close",
    "close_employment",
    "close_ended",
    "employment_of",
    "end_employment",
    "ensure_site",
    "grant_managers",
    "invite_again",
    "invite_all",
    "invite_company",
    "invite_coordinator",
    "invite_employee",
    "invite_hr",
    "may_pledge",
    "refuse",
    "set_terms",
    "suspend",
    "tie",
]
