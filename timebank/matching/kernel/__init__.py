"""The matching kernel: arrays in, a proved assignment out. It knows nothing of the database, the web or the
language."""

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.explain import (
    PairExplanation,
    Relaxation,
    Rivals,
    SeatExplanation,
    explain_pair,
    explain_pledge,
    explain_seat,
    relaxations_of_pledge,
    relaxations_of_seat,
    rivals,
)
from timebank.matching.kernel.fairness import PriceOfFairness, price_of_fairness, spread
from timebank.matching.kernel.files import load_problem, load_solution, save_problem, save_solution
from timebank.matching.kernel.generate import generate
from timebank.matching.kernel.modes import solve, verify_solution
from timebank.matching.kernel.prices import Market, market
from timebank.matching.kernel.problem import (
    FORBIDDEN,
    AttributeProblem,
    BundleProblem,
    EdgeProblem,
    Problem,
    ProblemError,
)
from timebank.matching.kernel.rounds import empty_in_the_end
from timebank.matching.kernel.verify import Verified, verify_files
from timebank.matching.kernel.verify_input import VerificationError
from timebank.matching.kernel.workers import Workers, WorkersError

__all__ = [
    "FORBIDDEN",
    "Assignment",
    "AttributeProblem",
    "BundleProblem",
    "EdgeProblem",
    "Market",
    "PairExplanation",
    "PriceOfFairness",
    "Problem",
    "ProblemError",
    "Relaxation",
    "Rivals",
    "SeatExplanation",
    "VerificationError",
    "Verified",
    "Workers",
    "WorkersError",
    "empty_in_the_end",
    "explain_pair",
    "explain_pledge",
    "explain_seat",
    "generate",
    "load_problem",
    "load_solution",
    "market",
    "price_of_fairness",
    "relaxations_of_pledge",
    "relaxations_of_seat",
    "rivals",
    "save_problem",
    "save_solution",
    "solve",
    "spread",
    "verify_files",
    "verify_solution",
]
