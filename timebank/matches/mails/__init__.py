"""What people hear of a match, each in their own language: the mail says what happened and what to do.

Before both sides said yes, neither reads the other's name or address.
"""

from __future__ import annotations

from timebank.matches.mails.coachings import (
    activated,
    agreement_waits,
    dispute_answered,
    ended,
    hours_confirmed,
    hours_disputed,
    hours_logged,
    session_dropped,
    session_fixed,
)
from timebank.matches.mails.proposals import accepted, confirmed, declined, freed, proposed, proposed_many
from timebank.matches.mails.sending import calendar_entry, where
from timebank.matches.mails.waiting import hours_consented, hours_late, hours_refused, hours_reminded

__all__ = [
    "accepted",
    "activated",
    "agreement_waits",
    "calendar_entry",
    "confirmed",
    "declined",
    "dispute_answered",
    "ended",
    "freed",
    "hours_confirmed",
    "hours_consented",
    "hours_disputed",
    "hours_late",
    "hours_logged",
    "hours_refused",
    "hours_reminded",
    "proposed",
    "proposed_many",
    "session_dropped",
    "session_fixed",
    "where",
]
