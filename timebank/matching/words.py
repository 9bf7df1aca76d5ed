"""Words for what runs are and decide."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from timebank.matching.models import Mode, PairKind, RunState, RunTrigger
from timebank.taxonomy.models import Phase

# state: kind of the shape, word
STATES: dict[RunState, tuple[str, Any]] = {
    RunState.QUEUED: ("held", _l("Waits for its turn")),
    RunState.RUNNING: ("held", _l("Runs now")),
    RunState.DONE: ("held", _l("Solved, not sent")),
    RunState.APPLIED: ("ok", _l("Proposals sent")),
    RunState.WITHDRAWN: ("gone", _l("Taken back")),
    RunState.DISCARDED: ("gone", _l("Thrown away")),
    RunState.CANCELLED: ("gone", _l("Cancelled")),
    RunState.FAILED: ("due", _l("Failed")),
    RunState.ABANDONED: ("due", _l("Abandoned")),
}
TRIGGERS: dict[RunTrigger, Any] = {
    RunTrigger.NIGHTLY: _l("Nightly"),
    RunTrigger.OPERATOR: _l("On request"),
    RunTrigger.COMMAND: _l("From the command line"),
    RunTrigger.REOFFER: _l("Offered again at once"),
}
MODES: dict[Mode, Any] = {
    Mode.SINGLE: _l("One at most, with the best possible result"),
    Mode.BUNDLE: _l("Several, as far as the hours go"),
}
PHASES: dict[str, Any] = {
    Phase.IDEA.value: _l("idea"),
    Phase.DEVELOPMENT.value: _l("development"),
    Phase.SCALING.value: _l("scaling"),
}
PAIR_KINDS: dict[PairKind, Any] = {
    PairKind.PIN: _l("Together, before all others"),
    PairKind.FORBID: _l("Never together"),
}
# The hard rules by the kernel's names, as the reason why a request has no candidate.
RULES: dict[str | None, Any] = {
    None: _l("There were candidates, but other requests needed them more."),
    "no_pledges": _l("Nobody has free hours."),
    "skills": _l("Nobody free has the required skills at that level."),
    "languages": _l("Nobody with the skills speaks the language."),
    "place": _l("Nobody suitable is near enough, or could do it online."),
    "window": _l("Nobody suitable is free in that period."),
    "capacity": _l("Nobody suitable has that many hours left."),
    "week": _l("Nobody suitable has enough time in the week that fits."),
    "monthly": _l("Nobody suitable gives that many hours a month."),
    "own_organisation": _l("Only people of the organisation itself would fit."),
    "excluded_cause": _l("All who would fit, or their companies, leave this cause out."),
    "excluded_company": _l("All who would fit work for a company that is excluded."),
    "excluded_pair": _l("All who would fit were asked already, or have a conflict of interest."),
    "weight": _l("With the present weights nobody counts as a candidate."),
}
