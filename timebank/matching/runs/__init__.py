"""Runs, from asking for one to taking it back: a snapshot in one read transaction, the optimum by the kernel outside
any, proposals in one short write transaction that judges each pledge and seat once more."""

from timebank.matching.runs.applying import apply_run, discard_run, withdraw_run
from timebank.matching.runs.asking import cancel_run, next_queued, request_run
from timebank.matching.runs.deciding import Decision, decide
from timebank.matching.runs.executing import execute, run_now
from timebank.matching.runs.keeping import export, run_files, summary
from timebank.matching.runs.life import abandon_dead, abandon_own, holder

__all__ = [
    "Decision",
    "abandon_dead",
    "abandon_own",
    "apply_run",
    "cancel_run",
    "decide",
    "discard_run",
    "execute",
    "export",
    "holder",
    "next_queued",
    "request_run",
    "run_files",
    "run_now",
    "summary",
    "withdraw_run",
]
