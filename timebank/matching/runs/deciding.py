"""What the kernel decides about a snapshot, with what people and the certificate need to know of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timebank.matches.models import Side
from timebank.matches.service import fingerprint
from timebank.matching import executors
from timebank.matching.models import Mode, Outcome, RunSeat
from timebank.matching.reasons import next_best_of, reasons_of
from timebank.matching.snapshot import Snapshot

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment

# Looking for the rule that leaves a seat without candidates costs a pass over all pledges for each request.
MOST_EXPLAINED = 2000
MOST_RESERVES = 3  # of each seat

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Chosen:
    """The pledge that a seat gets, by its id, why, what both would have got instead, and the fingerprint of both."""

    pledge_id: int
    weight: int
    reasons: list[dict[str, Any]]
    next_best: dict[str, Any] | None
    seen: str


@dataclass(frozen=True)
class Decision:
    """What the kernel decided, ready to be written. By the seat's row in the snapshot: `chosen`, `rules` with the rule
    that left it nobody, if one did, and `reserve` with who comes next. `blocking_pairs` is None where not counted."""

    snapshot: Snapshot
    assignment: Assignment
    chosen: Mapping[int, Chosen]
    rules: Sequence[str | None]
    reserve: Mapping[int, list[dict[str, int]]]
    blocking_pairs: int | None
    problem_file: bytes
    solution_file: bytes


def decide(
    snapshot: Snapshot,
    *,
    mode: Mode = Mode.SINGLE,
    time_limit: int | None = None,
    progress: Progress | None = None,
    executor: str | None = None,
) -> Decision:
    """Solve the snapshot and put each pair's reasons and each empty seat's rule beside it."""
    assignment = executors.solve_run(
        snapshot.problem, mode=mode.value, time_limit=time_limit, progress=progress, executor=executor
    )
    return decision_of(snapshot, assignment)


def decision_of(snapshot: Snapshot, assignment: Assignment, *, quick: bool = False) -> Decision:
    """An answer of the kernel with each pair's reasons. Unless `quick`, also with each empty seat's rule, who comes
    next for each seat and pledge and the number of blocking pairs, which cost passes over all candidates."""
    from timebank.matching import kernel

    problem_file, solution_file = io.BytesIO(), io.BytesIO()
    kernel.save_problem(snapshot.problem, problem_file)
    kernel.save_solution(assignment, solution_file)
    return Decision(
        snapshot=snapshot,
        assignment=assignment,
        chosen=_chosen(snapshot, assignment, rivals=assignment.mode == "single" and not quick),
        rules=[None] * len(snapshot.seats) if quick else _rules(snapshot, assignment),
        reserve={} if quick else _reserve(snapshot, assignment),
        blocking_pairs=None if quick else _blocking_pairs(snapshot, assignment),
        problem_file=problem_file.getvalue(),
        solution_file=solution_file.getvalue(),
    )


def _chosen(snapshot: Snapshot, assignment: Assignment, *, rivals: bool) -> dict[int, Chosen]:
    from timebank.matching import kernel

    others = kernel.rivals(snapshot.problem, assignment) if rivals else None
    chosen: dict[int, Chosen] = {}
    for i, j in enumerate(assignment.seat_pledge.tolist()):
        if j >= 0:
            explained = kernel.explain_pair(snapshot.problem, i, j)
            pledge, request = snapshot.pool[j].pledge, snapshot.seats[i].request
            reasons = reasons_of(explained, request, pledge, snapshot)
            reasons += _starred(snapshot, request.id, j)
            instead = next_best_of(snapshot, assignment, others, i, j) if others else None
            seen = fingerprint(request, pledge)
            chosen[i] = Chosen(pledge.id, explained.weight, reasons, instead, seen)
    return chosen


def _starred(snapshot: Snapshot, request_id: int, column: int) -> list[dict[str, Any]]:
    """The stars of a pair as reasons, each with the side that gave it."""
    points = snapshot.weights["w_star"]
    interest = snapshot.interest
    sides = {Side.COACH: interest.by_coach, Side.INITIATIVE: interest.by_initiative}
    return [
        {"term": "star", "points": points, "by": side.value}
        for side, stars in sides.items()
        if points and (request_id, column) in stars
    ]


def _reserve(snapshot: Snapshot, assignment: Assignment) -> dict[int, list[dict[str, int]]]:
    from timebank.matching.kernel import stability

    found: dict[int, list[dict[str, int]]] = {}
    columns = stability.runners_up(snapshot.problem, assignment, MOST_RESERVES)
    for i, j, weight, less in zip(*(column.tolist() for column in columns), strict=True):
        next_one = {"pledge": snapshot.pool[j].pledge.id, "weight": weight, "less": less}
        found.setdefault(i, []).append(next_one)
    return found


def _blocking_pairs(snapshot: Snapshot, assignment: Assignment) -> int:
    from timebank.matching.kernel import stability

    number = {
        seat.request_id: int(request)
        for seat, request in zip(snapshot.seats, snapshot.problem.seat_request, strict=True)
    }
    by_pledge, by_request = (
        {(number[request], j) for request, j in stars}
        for stars in (snapshot.interest.by_coach, snapshot.interest.by_initiative)
    )
    stars = stability.Stars(by_pledge, by_request, snapshot.weights["w_star"])
    return stability.blocking_pairs(snapshot.problem, assignment, stars)


def _rules(snapshot: Snapshot, assignment: Assignment) -> list[str | None]:
    """For each seat left empty, the first hard rule that leaves it no candidate; None where it has some."""
    from timebank.matching import kernel

    known: dict[int, str | None] = {}
    rules: list[str | None] = []
    for i, seat in enumerate(snapshot.seats):
        if assignment.seat_pledge[i] >= 0:
            rules.append(None)
            continue
        if seat.request_id not in known and len(known) < MOST_EXPLAINED:
            known[seat.request_id] = kernel.explain_seat(snapshot.problem, i).emptied_by
        rules.append(known.get(seat.request_id))
    return rules


def rows_of(decision: Decision, run_id: int, *, chosen_only: bool = False) -> Iterator[RunSeat]:
    """The decision as rows: who is chosen for each seat, or why nobody; pinned pairs first. With `chosen_only` nothing
    of the seats that stay empty."""
    assignment, snapshot = decision.assignment, decision.snapshot
    base = snapshot.weights["w_base"]
    for pin in snapshot.pinned:
        yield RunSeat(
            run_id=run_id,
            seat_id=pin.seat.id,
            position=None,
            outcome=Outcome.CHOSEN,
            pledge_id=pin.entry.pledge.id,
            weight=base,
            reasons=[{"term": "pinned", "points": base}],
        )
    for i in decision.chosen if chosen_only else range(len(snapshot.seats)):
        row = RunSeat(
            run_id=run_id,
            seat_id=snapshot.seats[i].id,
            position=i,
            outcome=Outcome.NO_CANDIDATE if decision.rules[i] else Outcome.OUTBID,
            rule=decision.rules[i],
            # In whole points, whatever the scale.
            price=round(int(assignment.seat_price[i]) / assignment.price_scale),
        )
        chosen = decision.chosen.get(i)
        if chosen is not None:
            row.outcome, row.pledge_id = Outcome.CHOSEN, chosen.pledge_id
            row.weight, row.reasons = chosen.weight, chosen.reasons
            row.next_best, row.seen = chosen.next_best, chosen.seen
            row.reserve = decision.reserve.get(i)
        yield row
