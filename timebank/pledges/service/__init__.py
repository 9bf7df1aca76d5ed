"""What people do with pledges: offer, approve, change, end. Hours are booked in the same transaction.

The row of the employment is locked before anything else: two clicks, two approvers or an approval beside a withdrawal
come one after the other.
"""

from __future__ import annotations

from timebank.pledges.rules import PledgeInput
from timebank.pledges.service.changing import change_minutes, check_raise, minutes_after, raise_minutes
from timebank.pledges.service.deciding import approve_many, approve_pledge, refuse_many, refuse_pledge
from timebank.pledges.service.describing import describe_pledge
from timebank.pledges.service.ending import (
    end_for_leaver,
    expire_pledges,
    lapse_rest,
    withdraw_approval,
    withdraw_approvals,
    withdraw_pledge,
)
from timebank.pledges.service.offering import submit_pledge

__all__ = [
    "PledgeInput",
    "approve_many",
    "approve_pledge",
    "change_minutes",
    "check_raise",
    "describe_pledge",
    "end_for_leaver",
    "expire_pledges",
    "lapse_rest",
    "minutes_after",
    "raise_minutes",
    "refuse_many",
    "refuse_pledge",
    "submit_pledge",
    "withdraw_approval",
    "withdraw_approvals",
    "withdraw_pledge",
]
