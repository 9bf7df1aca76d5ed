"""Two answers beside each other, as plain data that a page can show and a row can keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from timebank.coaching.models import Seat
from timebank.matching.snapshot import Snapshot

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment

MOST_NAMED = 40  # requests and coaches on each list


def compare(now: Snapshot, answer: Assignment, then: Snapshot, other: Assignment) -> dict[str, Any]:
    """`now` and `then` have the same seats and pledges, in the same order, but for what is wished for at the end."""
    size, pool = len(now.seats), len(now.pool)
    before, after = answer.seat_pledge.tolist(), other.seat_pledge.tolist()
    served_before = [i for i in range(size) if before[i] >= 0]
    served_after = [i for i in range(size) if after[i] >= 0]
    gained = sorted(set(served_after) - set(served_before))
    lost = sorted(set(served_before) - set(served_after))
    coaches_before = {j for j in before if j >= 0}
    coaches_after = {j for j in after if 0 <= j < pool}
    return {
        "now": _figures(answer, [now.seats[i] for i in served_before]),
        "then": _figures(other, [then.seats[i] for i, j in enumerate(after) if j >= 0]),
        # Points of different weights do not compare: the other answer by the points of now.
        "then_by_now": _value_by(now, after[:size]),
        "open": len(now.seats),
        "gain": _requests(now.seats[i] for i in gained),
        "lose": _requests(now.seats[i] for i in lost),
        "coaches_gain": _coaches(now, coaches_after - coaches_before),
        "coaches_lose": _coaches(now, coaches_before - coaches_after),
        "regions": _by(now, lambda seat: seat.request.initiative.nuts2, served_before, served_after),
        "phases": _by(now, lambda seat: seat.request.initiative.phase.value, served_before, served_after),
        "wished_coach": _seat_of(then, after, pool),
        "wished_seat": _holder_of(then, after, size, pool),
    }


def _figures(answer: Assignment, served: list[Seat]) -> dict[str, Any]:
    return {
        "value": answer.value,
        "gap": answer.gap,
        "seats": len(served),
        "minutes": sum(seat.request.minutes_per_coach for seat in served),
    }


def _value_by(now: Snapshot, after: list[int]) -> int:
    """What an answer is worth by the weights of now, over the pairs that are candidates by these."""
    import numpy as np

    from timebank.matching.kernel.candidates import weights

    rows = [(i, j) for i, j in enumerate(after) if 0 <= j < len(now.pool)]
    if not rows:
        return 0
    i, j = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return int(weights(now.problem, i, j).sum())


def _requests(seats: Iterable[Seat]) -> list[dict[str, int]]:
    counted = Counter(seat.request_id for seat in seats)
    return [{"request": request, "seats": number} for request, number in counted.most_common(MOST_NAMED)]


def _coaches(now: Snapshot, columns: set[int]) -> dict[str, Any]:
    shown = sorted(columns)[:MOST_NAMED]
    return {"number": len(columns), "shown": [now.pool[j].pledge.employment.pseudonym for j in shown]}


def _by(
    now: Snapshot, key: Callable[[Seat], str], before: list[int], after: list[int]
) -> list[dict[str, Any]]:
    """Seats and minutes by a part: open, served now, served then."""
    rows: dict[str, dict[str, Any]] = {}
    for i, seat in enumerate(now.seats):
        row = rows.setdefault(
            key(seat), {"open": 0, "now": 0, "then": 0, "now_minutes": 0, "then_minutes": 0}
        )
        row["open"] += 1
        for name, served in (("now", before), ("then", after)):
            if i in served:
                row[name] += 1
                row[f"{name}_minutes"] += seat.request.minutes_per_coach
    return [{"code": code, **rows[code]} for code in sorted(rows)]


def _seat_of(then: Snapshot, after: list[int], column: int) -> dict[str, Any] | None:
    """The request that a wished-for coach would get; None where nobody was wished for, or nobody wants them."""
    taken = [i for i, j in enumerate(after) if j == column and i < len(then.seats)]
    return {"request": then.seats[taken[0]].request_id} if taken else None


def _holder_of(then: Snapshot, after: list[int], row: int, pool: int) -> dict[str, Any] | None:
    if len(then.seats) <= row or after[row] < 0:
        return None
    column = after[row]
    return {"coach": then.pool[column].pledge.employment.pseudonym if column < pool else None}
