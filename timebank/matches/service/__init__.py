"""Business acts on matches, sessions and hours. Each takes the session, who acts and the time; none commits."""

from timebank.matches.service.answers import (
    accept_as_coach,
    accept_as_initiative,
    activate,
    decline,
    expire_open,
)
from timebank.matches.service.checks import MOST_MINUTES_A_DAY
from timebank.matches.service.consent import consent, remind, stop_consent
from timebank.matches.service.feedback import give_feedback
from timebank.matches.service.hours import (
    answer_dispute,
    confirm_hours,
    confirm_many,
    correct_hours,
    dispute_hours,
    log_hours,
    withdraw_hours,
)
from timebank.matches.service.late import approve_late, refuse_late
from timebank.matches.service.life import cancel, cancel_open, complete, take_back
from timebank.matches.service.proposals import Lost, ProposalInput, ProposeResult, fingerprint, propose
from timebank.matches.service.sessions import cancel_session, miss_session, move_session, plan_session

__all__ = [
    "MOST_MINUTES_A_DAY",
    "Lost",
    "ProposalInput",
    "ProposeResult",
    "accept_as_coach",
    "accept_as_initiative",
    "activate",
    "answer_dispute",
    "approve_late",
    "cancel",
    "cancel_open",
    "cancel_session",
    "complete",
    "confirm_hours",
    "confirm_many",
    "consent",
    "correct_hours",
    "decline",
    "dispute_hours",
    "expire_open",
    "fingerprint",
    "give_feedback",
    "log_hours",
    "miss_session",
    "move_session",
    "plan_session",
    "propose",
    "refuse_late",
    "remind",
    "stop_consent",
    "take_back",
    "withdraw_hours",
]
