"""Reads of matches, sessions and hours; what is free."""

from __future__ import annotations

from timebank.matches.queries.free import (
    SHOWN_STATES,
    all_free_minutes,
    free_by_tranche,
    free_minutes,
    has_confirmed,
    held_by_open,
    seat_holds,
    separated_pairs,
    taken_seats,
)
from timebank.matches.queries.hours import (
    HOURS_TO_CONFIRM,
    LIVE_HOURS,
    UNDECIDED_HOURS,
    given_minutes,
    hours_of,
    late_entry,
    late_hours,
    minutes_by_state,
    sessions_of,
    sessions_to_log,
    year_tranches,
)
from timebank.matches.queries.people import coordinators, coordinators_of, for_proposal_mails, hr_people
from timebank.matches.queries.portions import CHUNK, chunks
from timebank.matches.queries.seats import RequestSeats, requests_with_seats, seats_with_matches
from timebank.matches.queries.sides import (
    match_for,
    matches_of_coach,
    matches_of_initiative,
    of_initiative,
    own_as_coach,
    own_as_initiative,
)

__all__ = [
    "CHUNK",
    "HOURS_TO_CONFIRM",
    "LIVE_HOURS",
    "SHOWN_STATES",
    "UNDECIDED_HOURS",
    "RequestSeats",
    "all_free_minutes",
    "chunks",
    "coordinators",
    "coordinators_of",
    "for_proposal_mails",
    "free_by_tranche",
    "free_minutes",
    "given_minutes",
    "has_confirmed",
    "held_by_open",
    "hours_of",
    "hr_people",
    "late_entry",
    "late_hours",
    "match_for",
    "matches_of_coach",
    "matches_of_initiative",
    "minutes_by_state",
    "of_initiative",
    "own_as_coach",
    "own_as_initiative",
    "requests_with_seats",
    "seat_holds",
    "seats_with_matches",
    "separated_pairs",
    "sessions_of",
    "sessions_to_log",
    "taken_seats",
    "year_tranches",
]
