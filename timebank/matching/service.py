"""What the operator decides about matching besides runs: the weights, and how the nights go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from timebank import events
from timebank.auth import permissions
from timebank.auth.actor import Actor
from timebank.errors import Invalid
from timebank.matching.events import RunPolicyChanged, WeightsChanged
from timebank.matching.models import Mode, RunPolicy, WeightPolicy
from timebank.matching.runs.asking import limit_of
from timebank.matching.snapshot import DEFAULT_WEIGHTS

HIGHEST = 1_000_000


def change_weights(
    session: Session, weights: Mapping[str, int], *, actor: Actor, now: datetime
) -> WeightPolicy:
    """Let these weights hold from the next run on; earlier runs keep those they used.

    Raises NotPermitted, Invalid.
    """
    permissions.require(actor, "weights.change")
    check_weights(weights)
    policy = WeightPolicy(
        **{name: weights[name] for name in DEFAULT_WEIGHTS}, set_at=now, set_by_id=actor.user_id
    )
    session.add(policy)
    session.flush()
    events.record(
        session,
        WeightsChanged(
            actor=actor,
            at=now,
            subject=policy.public_id,
            weights={name: weights[name] for name in DEFAULT_WEIGHTS},
        ),
    )
    return policy


def check_weights(weights: Mapping[str, int]) -> None:
    """Raises Invalid when weights are out of range."""
    wrong = {
        name: _l("A whole number from 0 to %(most)s.", most=HIGHEST)
        for name in DEFAULT_WEIGHTS
        if not 0 <= weights[name] <= HIGHEST
    }
    if not 1 <= weights["near_km"] <= 300:
        wrong["near_km"] = _l("A number of kilometres from 1 to 300.")
    if weights["w_base"] < 1:
        # A weight below 1 is no candidate: nobody would be matched at all.
        wrong["w_base"] = _l("At least 1, or nobody could be matched.")
    if wrong:
        raise Invalid(_l("Some weights are out of range."), wrong)


def change_run_policy(
    session: Session, *, nightly_mode: Mode, time_limit: int, reoffers: bool, actor: Actor, now: datetime
) -> RunPolicy:
    """Let the nights match in this mode from now on, and what becomes free be offered at once, or not.

    Raises NotPermitted, Invalid.
    """
    permissions.require(actor, "run_policy.change")
    limit_of(Mode.BUNDLE, time_limit)
    policy = RunPolicy(
        nightly_mode=nightly_mode,
        time_limit=time_limit,
        reoffers=reoffers,
        set_at=now,
        set_by_id=actor.user_id,
    )
    session.add(policy)
    session.flush()
    events.record(
        session,
        RunPolicyChanged(
            actor=actor,
            at=now,
            subject=policy.public_id,
            nightly_mode=nightly_mode.value,
            time_limit=time_limit,
            reoffers=reoffers,
        ),
    )
    return policy
