"""Who knows the optimum over what is free at this moment, for those who want it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import structlog
from sqlalchemy.orm import Session

from timebank.matching import rows
from timebank.matching.columns import Encoding, Numbering
from timebank.matching.free import Free, look, pledges_by_id, seats_by_id
from timebank.matching.interest import Interest
from timebank.matching.rows import Rows
from timebank.matching.snapshot import PoolEntry, Snapshot

if TYPE_CHECKING:
    import numpy as np

    from timebank.matching.kernel import Assignment, AttributeProblem

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Of all seats and pledges, how many may change before solving anew is as quick, and how many may be left that are gone.
MOST_CHANGED: Final = 1 / 100
FEW_CHANGES: Final = 20
MOST_GONE: Final = 1 / 2


@dataclass(frozen=True)
class Solved:
    """An optimum with its certificate, over what `snapshot` saw; of its seats and pledges only those that are chosen
    are loaded."""

    snapshot: Snapshot
    assignment: Assignment


class Optimiser:
    """Answers for each seat at most one pledge and for each pledge at most one seat, over what is free now, without
    pairs that were asked before.

    It lives as long as the process. What is small is solved anew at each question. What is large stays in memory with
    its optimum: at the next question what changed since is read, what is free is compared row by row with what is in
    memory, and the optimum is repaired where the two differ.
    """

    def __init__(self) -> None:
        self._rows: Rows | None = None
        self._kept: Kept | None = None
        self._day: date | None = None
        self._lock = threading.Lock()

    def optimum(self, session: Session, as_of: date) -> Solved:
        with self._lock:
            try:
                free = self._look(session, as_of)
                return _loaded(session, free, *self._solve(free))
            except Exception:
                # Whatever it was, as a backup that was put back below us: the next question looks at everything.
                self._rows = self._kept = None
                raise

    def prepare(self, session: Session, as_of: date) -> None:
        """Solve, unless it was done that day, what the first question of a day would have to wait for."""
        with self._lock:
            if self._day != as_of:
                self._solve(self._look(session, as_of))

    def _look(self, session: Session, as_of: date) -> Free:
        self._rows = rows.read(session, as_of, self._rows)
        return look(session, self._rows)

    def _solve(self, free: Free) -> tuple[AttributeProblem, Assignment]:
        from timebank.matching.kernel import ProblemError, solve
        from timebank.matching.kernel.single import NATIVE_FROM, NotProvedError

        kept, self._kept, self._day = self._kept, None, free.as_of
        if max(len(free.seats), len(free.pledges)) < NATIVE_FROM:
            problem = problem_of(free)
            return problem, solve(problem)
        if kept:
            try:
                if kept.follow(free):
                    answer = kept.answer()
                    self._kept = kept
                    return answer
            except (NotProvedError, ProblemError):
                log.exception("optimum_lost")
        self._kept = Kept(free)
        return self._kept.answer()


class Kept:
    """What was free, as a problem that stays in memory with its optimum."""

    def __init__(self, free: Free) -> None:
        from timebank.matching.kernel.native.warm import WarmState

        self._free = free
        self._code = _encoding(free)
        self._state = WarmState(problem_of(free, self._code))
        self._seat = {id_: i for i, id_ in enumerate(free.seats)}
        self._pledge = {id_: j for j, id_ in enumerate(free.pledges)}
        self._excluded = {row.request_id: _excluded(free, row.request_id) for row in free.seats.values()}
        self._pairs = {pledge: dict(points) for pledge, points in free.pairs.items()}
        self._gone = 0

    def answer(self) -> tuple[AttributeProblem, Assignment]:
        """The problem and its optimum, in the order of what is free.

        Raises NotProvedError.
        """
        import numpy as np

        from timebank.matching.kernel.native.warm import restricted

        seats = np.array([self._seat[id_] for id_ in self._free.seats], np.int64)
        pledges = np.array([self._pledge[id_] for id_ in self._free.pledges], np.int64)
        assignment = self._state.assignment()
        return restricted(self._state.problem, assignment, seats, pledges)

    def follow(self, free: Free) -> bool:
        """Change the problem to what is free now. False where that has to be solved anew; what is kept is then of no
        use any more.

        Raises ProblemError.
        """
        before, self._free = self._free, free
        if (before.as_of, before.weights, before.skill_words) != (free.as_of, free.weights, free.skill_words):
            return False
        seats = [id_ for id_, row in before.seats.items() if free.seats.get(id_) != row]
        pledges, hours = _changed_pledges(before, free)
        new_seats = [id_ for id_, row in free.seats.items() if before.seats.get(id_) != row]
        new_pledges = [id_ for id_ in free.pledges if id_ not in before.pledges]
        new_pledges += [id_ for id_ in pledges if id_ in free.pledges]
        size = len(free.seats) + len(free.pledges)
        self._gone += len(seats) + len(pledges)
        changes = len(seats) + len(pledges) + len(hours) + len(new_seats) + len(new_pledges)
        if changes > max(FEW_CHANGES, size * MOST_CHANGED) or self._gone > size * MOST_GONE:
            return False
        if not self._follow_exclusions():
            return False
        for id_ in seats:
            self._state.remove_seat(self._seat.pop(id_))
        for id_ in pledges:
            self._state.remove_pledge(self._pledge.pop(id_))
            self._pairs.pop(id_, None)
        for id_ in hours:
            self._state.set_capacity(self._pledge[id_], free.pledges[id_].blocks)
        for id_ in new_seats:
            arrays = self._code.of_seats([free.seats[id_].columns()])
            self._seat[id_] = self._state.add_seat(_first(arrays))
        for id_ in new_pledges:
            arrays = self._code.of_pledges([free.pledges[id_].columns()])
            self._pledge[id_] = self._state.add_pledge(_first(arrays))
        self._follow_pairs()
        return True

    def _follow_exclusions(self) -> bool:
        """Whether companies stay away from the same requests as before. Those of new requests are noted."""
        code = self._code
        for request in {row.request_id for row in self._free.seats.values()}:
            excluded = _excluded(self._free, request)
            if request not in self._excluded:
                for company in sorted(excluded):
                    self._state.exclude(code.requests[request], code.organisations[company])
                self._excluded[request] = excluded
            elif self._excluded[request] != excluded:
                return False
        return True

    def _follow_pairs(self) -> None:
        requests = {row.request_id for row in self._free.seats.values()}
        for pledge in (self._pairs.keys() | self._free.pairs.keys()) & self._pledge.keys():
            known, wanted = self._pairs.setdefault(pledge, {}), self._free.pairs.get(pledge, {})
            for request in (known.keys() | wanted.keys()) & requests:
                points = wanted.get(request, 0)
                if known.get(request, 0) != points:
                    self._state.set_pair(self._code.requests[request], self._pledge[pledge], points)
                    known[request] = points


def _changed_pledges(before: Free, free: Free) -> tuple[list[int], list[int]]:
    """Pledges that are gone or differ, and those that differ in their hours alone."""
    differ, hours = [], []
    for id_, row in before.pledges.items():
        now = free.pledges.get(id_)
        if now is row:  # as nearly all are
            continue
        if now is None or (now != row and now != row._replace(free=now.free)):
            differ.append(id_)
        elif now.blocks != row.blocks:
            hours.append(id_)
    return differ, hours


def problem_of(free: Free, code: Encoding | None = None) -> AttributeProblem:
    """The attribute form, in the order of what is free."""
    from timebank.matching.kernel import AttributeProblem

    code = code or _encoding(free)
    arrays = code.of_seats([row.columns() for row in free.seats.values()])
    arrays |= code.of_pledges([row.columns() for row in free.pledges.values()])
    column = {id_: j for j, id_ in enumerate(free.pledges)}
    arrays |= code.of_exceptions(
        [(request, company) for request, some in free.excluded.items() for company in sorted(some)],
        [(q, column[pledge], points) for pledge, some in free.pairs.items() for q, points in some.items()],
    )
    return AttributeProblem(**arrays, **code.of_weights())  # type: ignore[arg-type]


def _encoding(free: Free) -> Encoding:
    return Encoding(free.skill_words, free.weights, free.as_of, Numbering(), Numbering())


def _excluded(free: Free, request: int) -> frozenset[int]:
    return free.excluded.get(request, frozenset())


def _first(arrays: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    return {name: array[0] for name, array in arrays.items()}


# --- objects of those who are chosen ----------------------------------------------------------------------------------


class _Some(Sequence[T]):
    """A long list of which only some are there."""

    def __init__(self, size: int, there: Mapping[int, T]) -> None:
        self._size, self._there = size, there

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            raise TypeError("only some are there")
        return self._there[index]

    def __iter__(self) -> Iterator[T]:
        raise TypeError("only some are there")


def _loaded(session: Session, free: Free, problem: AttributeProblem, assignment: Assignment) -> Solved:
    import numpy as np

    seat_ids, pledge_ids = list(free.seats), list(free.pledges)
    filled = np.flatnonzero(assignment.seat_pledge >= 0).tolist()
    columns = assignment.seat_pledge[filled].tolist()
    seats = seats_by_id(session, [seat_ids[i] for i in filled])
    pledges = pledges_by_id(session, [pledge_ids[j] for j in columns])
    entries = {id_: PoolEntry(pledge, free.pledges[id_].free) for id_, pledge in pledges.items()}
    column = dict(zip((pledge_ids[j] for j in columns), columns, strict=True))
    interest = Interest(
        *(
            frozenset((request, column[pledge]) for request, pledge in stars if pledge in column)
            for stars in (free.interest.by_coach, free.interest.by_initiative)
        )
    )
    snapshot = Snapshot(
        problem,
        _Some(len(seat_ids), {i: seats[seat_ids[i]] for i in filled}),
        _Some(len(pledge_ids), {j: entries[pledge_ids[j]] for j in columns}),
        free.weights,
        free.as_of,
        free.pinned,
        interest,
    )
    return Solved(snapshot, assignment)
