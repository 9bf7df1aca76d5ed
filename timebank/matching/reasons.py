"""Why a pair: the terms of its weight, and what the next best would have been, as data for others to put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from timebank.coaching.models import CoachingRequest
from timebank.pledges.models import Pledge

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment, PairExplanation, Rivals
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


def next_best_of(
    snapshot: Snapshot, assignment: Assignment, rivals: Rivals, seat: int, pledge: int
) -> dict[str, Any]:
    """What a seat and its pledge would have got instead, frozen as it was at the run.

    `seat` is the pledge's next best seat, of another request, and `pledge` the seat's next best pledge, under its
    pseudonym; None where nothing else fits. `behind` is by how many points the profit there is less than the price
    that it has here: the reduced cost of that pair. `price` is that of the pair's other end.
    """
    k, other = int(rivals.seat[pledge]), int(rivals.pledge[seat])
    found: dict[str, Any] = {
        "seat_price": int(assignment.seat_price[seat]),
        "pledge_price": int(assignment.pledge_price[pledge]),
        "seat": None,
        "pledge": None,
    }
    if k >= 0:
        request = snapshot.seats[k].request
        found["seat"] = {
            **_pair(snapshot, k, pledge),
            "price": int(assignment.seat_price[k]),
            "behind": int(rivals.seat_behind[pledge]),
            "request": str(request.public_id),
            "titles": {text.language: text.title for text in request.texts},
            "initiative": request.initiative.name,
        }
    if other >= 0:
        entry = snapshot.pool[other].pledge
        held = {s.skill_id: s.level for s in entry.skills}
        must = [s for s in snapshot.seats[seat].request.skills if s.must]
        found["pledge"] = {
            **_pair(snapshot, seat, other),
            "price": int(assignment.pledge_price[other]),
            "behind": int(rivals.pledge_behind[seat]),
            "pseudonym": entry.employment.pseudonym,
            "levels": {s.skill.code: held[s.skill_id] for s in must},
        }
    return found


def _pair(snapshot: Snapshot, seat: int, pledge: int) -> dict[str, Any]:
    """How good another pair is; `km` is None where it could only meet at a distance."""
    from timebank.matching import kernel

    told = kernel.explain_pair(snapshot.problem, seat, pledge)
    return {"weight": told.weight, "km": round(told.distance / 1000) if told.on_site else None}


def _shares(points: int, parts: int) -> list[int]:
    """`points` in so many whole parts, as equal as can be."""
    if not parts:
        return []
    small, left = divmod(points, parts)
    return [small + (i < left) for i in range(parts)]
