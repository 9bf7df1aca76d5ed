"""Why a pair: the terms of its weight as data, for others to put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from timebank.coaching.models import CoachingRequest
from timebank.pledges.models import Pledge

if TYPE_CHECKING:
    from timebank.matching.kernel.explain import PairExplanation
    from timebank.matching.snapshot import Snapshot


def reasons_of(
    explained: PairExplanation, request: CoachingRequest, pledge: Pledge, snapshot: Snapshot
) -> list[dict[str, Any]]:
    """The terms with their points, which add up to the weight, and what each rests on. The points that every candidate
    gets stand with the must skills, since these are what makes it one."""
    points, weights = explained.terms, snapshot.weights
    held = {s.skill_id: s.level for s in pledge.skills}
    must = [s for s in request.skills if s.must]
    reasons: list[dict[str, Any]] = []
    shares = _shares(points["base"], len(must))
    for share, asked in zip(shares, must, strict=True):
        reasons.append(
            {
                "term": "skill",
                "points": share,
                "code": asked.skill.code,
                "level": held[asked.skill_id],
                "asked": asked.level,
            }
        )
    if not must:
        reasons.append({"term": "base", "points": points["base"]})
    for nice in request.skills:
        if not nice.must and held.get(nice.skill_id, 0) >= nice.level:
            reasons.append(
                {
                    "term": "nice",
                    "points": weights["w_nice"],
                    "code": nice.skill.code,
                    "level": held[nice.skill_id],
                }
            )
    wanted = {c.cause_id for c in pledge.causes if not c.excluded}
    for row in request.initiative.causes:
        if row.cause_id in wanted:
            reasons.append({"term": "cause", "points": weights["w_cause"], "code": row.cause.code})
    if explained.on_site:
        km = round(explained.distance / 1000)
        reasons.append({"term": "near", "points": points["near"], "km": km, "radius_km": pledge.radius_km})
    else:
        reasons.append({"term": "remote", "points": points["remote"]})
    if points["seat_bonus"]:
        days = snapshot.waiting_days(request)
        reasons.append({"term": "waiting", "points": points["seat_bonus"], "days": days})
    return reasons


def _shares(points: int, parts: int) -> list[int]:
    """`points` in so many whole parts, as equal as can be."""
    if not parts:
        return []
    small, left = divmod(points, parts)
    return [small + (i < left) for i in range(parts)]
