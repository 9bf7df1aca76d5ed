"""How many open requests a pledge would fit, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.coaching.models import CoachingRequest
from timebank.matching import snapshot
from timebank.matching.columns import PledgeColumns, build, seat_columns, skill_words
from timebank.organisations.models import CompanyPolicy


@dataclass(frozen=True)
class Fit:
    """Open requests with a free seat that a pledge would fit; `on_site` of them within its radius."""

    requests: Sequence[CoachingRequest]
    on_site: int

    @property
    def remote(self) -> int:
        return len(self.requests) - self.on_site


def fitting_requests(session: Session, offer: PledgeColumns, as_of: date) -> Fit:
    """The requests that break no hard rule with `offer`, in the order of their seats."""
    import numpy as np

    from timebank.matching.kernel.candidates import blocks, on_site

    seats = snapshot.free_seats(session, as_of)
    problem = build(
        [seat_columns(seat) for seat in seats],
        [offer],
        snapshot.weights_in_force(session),
        as_of,
        skill_words=skill_words(session),
    )
    near: dict[int, bool] = {}
    for _looked_at, pairs in blocks(problem):
        sites = on_site(problem, pairs.seat.astype(np.int64), pairs.pledge.astype(np.int64))
        for seat, site in zip(pairs.seat.tolist(), sites.tolist(), strict=True):
            near[seat] = site
    found = {seats[i].request_id: seats[i].request for i in near}
    within = {seats[i].request_id for i, site in near.items() if site}
    return Fit(list(found.values()), len(within))


def excluded_by_company(session: Session, organisation_id: int) -> int:
    """The causes that a company's policy excludes, as bits."""
    policy = session.scalar(select(CompanyPolicy).where(CompanyPolicy.organisation_id == organisation_id))
    return sum(1 << cause.position for cause in policy.excluded_causes) if policy else 0
