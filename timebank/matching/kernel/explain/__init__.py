"""Why a pair matches as well as it does, or not at all: names and numbers, for others to put into words."""

from timebank.matching.kernel.explain.pairs import (
    RULES,
    PairExplanation,
    SeatExplanation,
    explain_pair,
    explain_pledge,
    explain_seat,
)
from timebank.matching.kernel.explain.relax import Relaxation, relaxations_of_pledge, relaxations_of_seat
from timebank.matching.kernel.explain.rivals import Rivals, rivals

__all__ = [
    "RULES",
    "PairExplanation",
    "Relaxation",
    "Rivals",
    "SeatExplanation",
    "explain_pair",
    "explain_pledge",
    "explain_seat",
    "relaxations_of_pledge",
    "relaxations_of_seat",
    "rivals",
]
