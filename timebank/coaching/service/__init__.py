"""What people do with coaching requests: ask, change, pause, close; and the operator's look at what may be staffing."""

from __future__ import annotations

from timebank.coaching.rules import RequestInput
from timebank.coaching.service.asking import submit_request
from timebank.coaching.service.changing import (
    cancel_request,
    change_request,
    change_seats,
    pause_request,
    reopen_request,
)
from timebank.coaching.service.closing import close_expired, close_if_filled, reopen_if_freed
from timebank.coaching.service.reviewing import refuse_request, release_request
from timebank.coaching.service.shared import as_input

__all__ = [
    "RequestInput",
    "as_input",
    "cancel_request",
    "change_request",
    "change_seats",
    "close_expired",
    "close_if_filled",
    "pause_request",
    "refuse_request",
    "release_request",
    "reopen_if_freed",
    "reopen_request",
    "submit_request",
]
