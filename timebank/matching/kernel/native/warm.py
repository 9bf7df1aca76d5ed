"""An attribute problem that stays in memory with its optimum: after a change, only what the change can reach is
solved again, and exactly.

Prices that covered all pairs before a change still cover those whose two prices have not fallen since. So
after a repair only the seats and pledges are priced whose price fell, or that are new; what could do better
joins the graph, until nothing can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from time import perf_counter
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.candidates import Pairs, check_weights, joined
from timebank.matching.kernel.native.attributes import optimum, scan
from timebank.matching.kernel.native.graph import NONE, Graph, State, graph_of
from timebank.matching.kernel.native.proof import proved_weight_of_state
from timebank.matching.kernel.native.repair import GONE, drop_edges, repair, transposed_graph
from timebank.matching.kernel.native.scan import new_marks, nothing_found, scan_pledges
from timebank.matching.kernel.native.tables import (
    CAPACITY,
    LANGUAGES,
    Tables,
    extended,
    packed,
    with_exception,
)
from timebank.matching.kernel.problem import (
    FORBIDDEN,
    MAX_ATTRIBUTE_WEIGHT,
    AttributeProblem,
    Int32Array,
    IntArray,
    ProblemError,
)
from timebank.matching.kernel.progress import Clock, Progress, silent
from timebank.matching.kernel.single import NotProvedError

Array: TypeAlias = NDArray[Any]

_ADDED: Final = 8  # pairs of a seat or pledge that join in one round
_UNPROVED: Final = 2**62  # above every price: for what has no proved one yet
_SPEAKS_NOTHING: Final = 0  # so what is removed keeps its number and meets nobody


class WarmState:
    """A problem and its optimum, for as long as both are asked for.

    Seats and pledges keep the numbers of the problem that it began with; new ones get the next, and no number
    is ever used again. Changes are only noted; `assignment` repairs the optimum.

    Parameters
    ----------
    problem : solved at once; its arrays are not changed
    time_limit : seconds for this first solution
    progress : is told about steps that take long

    Raises
    ------
    ProblemError : a candidate weighs more than 2^40
    TimeUpError : the time is up
    """

    _tables: Tables
    _state: State  # rows are seats, columns pledges in the order of the tables
    _graph: Graph
    _by_pledge: Graph  # the same edges
    _kind: IntArray  # the distinct seat that each seat is, NONE for a seat that was removed
    _rank: IntArray  # where each pledge stands in the tables

    def __init__(
        self, problem: AttributeProblem, time_limit: float | None = None, progress: Progress | None = None
    ) -> None:
        self._arrays: dict[str, Any] = {f.name: getattr(problem, f.name) for f in fields(problem)}
        self._copied: set[str] = set()  # arrays that are no longer the problem's, and may be written to
        tables = packed(problem)
        pairs, state = optimum(tables, Clock(time_limit), progress or silent, scan)
        self._adopt(tables, pairs, state)
        # No candidate weighs more than the two prices that were last proved; what is new has none yet.
        self._proved_u, self._proved_v = state.u.copy(), state.v.copy()
        self._touched_seats: list[Int32Array] = []
        self._touched_pledges: list[Int32Array] = []

    @property
    def problem(self) -> AttributeProblem:
        """The problem as it is now. Removed seats and pledges stand in it, without a language."""
        return AttributeProblem(**self._arrays)

    # --- changes --------------------------------------------------------------------------------------------

    def forbid(self, request: int, pledge: int) -> None:
        """A request and a pledge stay apart from now on, as after a decline."""
        self.set_pair(request, pledge, FORBIDDEN)

    def set_pair(self, request: int, pledge: int, bonus: int) -> None:
        """A request and a pledge have this bonus, or `FORBIDDEN`, instead of what they had."""
        others = (self._arrays["pair_request"] != request) | (self._arrays["pair_pledge"] != pledge)
        for name, value in (("pair_request", request), ("pair_pledge", pledge), ("pair_bonus", bonus)):
            self._arrays[name] = np.append(
                self._arrays[name][others], np.array(value, self._arrays[name].dtype)
            )
        if self._is_known(pledge):
            j = int(self._rank[pledge])
            self._drop(self._make_exception(request, j, bonus), j)
            if bonus != FORBIDDEN:
                self._proved_v[j] = _UNPROVED

    def _make_exception(self, request: int, j: int, bonus: int) -> IntArray:
        """Note in the tables the exception of a request's known seats with the pledge at j; gives those seats."""
        seats = np.flatnonzero(self._arrays["seat_request"][: self._kind.size] == request)
        kinds = np.unique(self._kind[seats])
        self._tables = with_exception(self._tables, kinds[kinds != NONE], j, bonus)
        return seats

    def exclude(self, request: int, organisation: int) -> None:
        """A request that has no seat yet and an organisation stay apart."""
        if (self._arrays["seat_request"] == request).any():
            raise ValueError(f"request {request} has seats already")
        for name, value in (("excluded_request", request), ("excluded_org", organisation)):
            self._arrays[name] = np.append(self._arrays[name], np.array(value, self._arrays[name].dtype))

    def remove_seat(self, seat: int) -> None:
        """A seat is taken or withdrawn."""
        self._writable("seat_languages")[seat] = _SPEAKS_NOTHING
        if seat < self._kind.size:
            self._kind[seat] = NONE
            self._drop(seat, self._graph.column[self._graph.start[seat] : self._graph.start[seat + 1]])

    def remove_pledge(self, pledge: int) -> None:
        """A pledge is used up, expired or withdrawn."""
        self._writable("pledge_languages")[pledge] = _SPEAKS_NOTHING
        if self._is_known(pledge):
            j = int(self._rank[pledge])
            self._tables.pledges.fields[j, LANGUAGES] = _SPEAKS_NOTHING
            self._drop(self._seats_of(j), j)

    def set_capacity(self, pledge: int, capacity: int) -> None:
        """A pledge has more or fewer blocks left than before."""
        self._writable("pledge_capacity")[pledge] = capacity
        if self._is_known(pledge):
            j = int(self._rank[pledge])
            self._tables.pledges.blocks[j, CAPACITY] = capacity
            self._proved_v[j] = _UNPROVED
            seats = self._seats_of(j)
            self._drop(seats[self._arrays["seat_hours"][seats] > capacity], j)

    def add_seat(self, attributes: Mapping[str, Any]) -> int:
        """A new seat: one value for each of its arrays, by their names in a problem (`seat_x`, ...).

        Returns
        -------
        Its number.

        Raises
        ------
        ProblemError : an attribute is missing or malformed, or a candidate weighs more than 2^40
        """
        return self._add("seat_", attributes)

    def add_pledge(self, attributes: Mapping[str, Any]) -> int:
        """The same for a new pledge."""
        return self._add("pledge_", attributes)

    def _add(self, side: str, attributes: Mapping[str, Any]) -> int:
        one: dict[str, Any] = dict.fromkeys(name for name in self._arrays if name.startswith(side))
        one.update({name: np.array([value]) for name, value in attributes.items()})
        others = {name: array for name, array in self._arrays.items() if not name.startswith(side)}
        if side == "pledge_":  # the exceptions are those of other pledges
            others.update(dict.fromkeys(("pair_request", "pair_pledge", "pair_bonus")))
        checked = AttributeProblem(**{**others, **one})
        check_weights(checked)
        for name in self._arrays:
            if name.startswith(side):
                self._arrays[name] = np.concatenate([self._arrays[name], getattr(checked, name)])
                self._copied.add(name)
        return len(self._arrays[f"{side}x"]) - 1

    # --- the optimum ----------------------------------------------------------------------------------------

    def assignment(self) -> Assignment:
        """The optimum of the problem as it is now, with its certificate.

        Raises
        ------
        ProblemError : a bonus that was set makes a candidate weigh more than 2^40
        """
        start = perf_counter()
        self._include_new()
        seats, pledges = _joined(self._touched_seats), _joined(self._touched_pledges)
        while True:
            repair(self._graph, self._by_pledge, self._state, seats, pledges)
            more = self._violators()
            if not more.seat.size:
                break
            if int(more.weight.max()) > MAX_ATTRIBUTE_WEIGHT:
                raise ProblemError(f"a candidate weighs {more.weight.max()}, above 2^40")
            self._connect(more)
            seats, pledges = more.seat, more.pledge[:0]
        value = proved_weight_of_state(self._graph, self._state)
        if value < 0:
            raise NotProvedError("the prices do not prove the answer")
        self._touched_seats, self._touched_pledges = [], []
        self._proved_u, self._proved_v = self._state.u.copy(), self._state.v.copy()
        return self._answer(value, perf_counter() - start)

    def _answer(self, value: int, seconds: float) -> Assignment:
        state, order = self._state, self._tables.order
        has = state.row_partner != NONE
        seat_pledge = np.full(has.size, NONE, np.int32)
        seat_pledge[has] = order[state.row_partner[has]]
        v = np.empty(order.size, np.int64)
        v[order] = state.v
        return Assignment(seat_pledge, value, value, 0.0, state.u.copy(), v, 1, seconds, "single", "optimal")

    def _violators(self) -> Pairs:
        """Pairs whose weight is above their prices, some of each seat and pledge whose price has fallen."""
        u, v = self._state.u, self._state.v
        there = self._kind != NONE
        least = np.full(self._tables.seats.hours.size, _UNPROVED)  # the lowest price of a kind's seats
        np.minimum.at(least, self._kind[there], u[there])
        kinds = np.unique(self._kind[there & (u < self._proved_u)])
        pledges = np.flatnonzero(v < self._proved_v)
        tables = self._tables
        by_kind = scan(tables, kinds, least[kinds], v, _ADDED, Clock(None), lambda done: None)
        by_pledge = nothing_found(pledges.size, _ADDED)
        marks = new_marks(tables.companies.size, tables.order.size)
        scan_pledges(pledges, tables.seats, tables.pledges, tables.points, least, v, marks, by_pledge)
        k, p = by_kind.listed(), by_pledge.listed()
        kind = np.concatenate([kinds[k.row], p.partner.astype(np.int64)])
        pledge = np.concatenate([k.partner, pledges[p.row].astype(np.int32)])
        return self._of_seats(kind, pledge, np.concatenate([k.weight, p.weight]))

    def _of_seats(self, kind: IntArray, pledge: Int32Array, weight: IntArray) -> Pairs:
        """These pairs for all seats of their kind where the prices do not cover them, each pair once."""
        _, first = np.unique(kind * self._rank.size + pledge, return_index=True)
        kind, pledge, weight = kind[first], pledge[first], weight[first]
        order = np.argsort(self._kind, kind="stable")
        begin, end = (np.searchsorted(self._kind[order], kind, side) for side in ("left", "right"))
        length = end - begin
        pair = np.repeat(np.arange(kind.size), length)
        seat = order[np.arange(pair.size) - np.repeat(np.cumsum(length) - length, length) + begin[pair]]
        above = weight[pair] > self._state.u[seat] + self._state.v[pledge[pair]]
        return Pairs(seat[above].astype(np.int32), pledge[pair][above], weight[pair][above])

    # --- the graph ------------------------------------------------------------------------------------------

    def _adopt(self, tables: Tables, pairs: Pairs, state: State) -> None:
        self._tables, self._state = tables, state
        self._kind = tables.seat_group.copy()
        self._rank = np.empty(tables.order.size, np.int64)
        self._rank[tables.order] = np.arange(tables.order.size)
        self._graph = graph_of(pairs.seat, pairs.pledge, pairs.weight.copy(), self._kind.size)
        self._by_pledge = transposed_graph(self._graph, self._rank.size)

    def _pairs(self) -> Pairs:
        """The edges that are not gone."""
        graph = self._graph
        seat = np.repeat(np.arange(self._kind.size, dtype=np.int32), np.diff(graph.start))
        left = graph.weight != GONE
        return Pairs(seat[left], graph.column[left], graph.weight[left])

    def _connect(self, more: Pairs) -> None:
        """Add edges to the graph, and leave out those that are gone."""
        pairs = joined([self._pairs(), more])
        self._graph = graph_of(*pairs, self._kind.size)
        self._by_pledge = transposed_graph(self._graph, self._rank.size)

    def _drop(self, seats: IntArray | Int32Array | int, pledges: Int32Array | int) -> None:
        """The edges between these are gone; their ends are looked at again."""
        rows, columns = (a.astype(np.int32) for a in np.broadcast_arrays(seats, pledges))
        drop_edges(self._graph, self._by_pledge, rows, columns)
        self._touched_seats.append(rows)
        self._touched_pledges.append(columns)

    def _seats_of(self, j: int) -> Int32Array:
        return self._by_pledge.column[self._by_pledge.start[j] : self._by_pledge.start[j + 1]]

    def _is_known(self, pledge: int) -> bool:
        return pledge < self._rank.size

    def _include_new(self) -> None:
        """Extend the tables when there are new seats or pledges, and bring everything into their order."""
        n_seats, n_pledges = len(self._arrays["seat_x"]), len(self._arrays["pledge_x"])
        known = self._tables.order
        if (n_seats, n_pledges) == (self._kind.size, known.size):
            return
        removed = self._kind == NONE
        pairs, old = self._pairs(), self._state
        problem = self.problem
        tables = extended(self._tables, problem) or packed(problem)
        now = np.empty(n_pledges, np.int64)
        now[tables.order] = np.arange(n_pledges)
        rank = now[known]  # where the known pledges stand now

        def moved(values: Array, fill: int) -> Array:
            result = np.full(n_pledges, fill, values.dtype)
            result[rank] = values
            return result

        def lengthened(values: Array, fill: int) -> Array:
            return np.append(values, np.full(n_seats - values.size, fill, values.dtype))

        partner = old.row_partner.copy()
        partner[partner != NONE] = rank[partner[partner != NONE]]
        state = State(
            lengthened(old.u, 0), moved(old.v, 0), lengthened(partner, NONE), moved(old.column_partner, NONE)
        )
        self._proved_u = lengthened(self._proved_u, _UNPROVED)
        self._proved_v = moved(self._proved_v, _UNPROVED)
        self._touched_pledges = [rank[some].astype(np.int32) for some in self._touched_pledges]
        self._adopt(tables, pairs._replace(pledge=rank[pairs.pledge].astype(np.int32)), state)
        self._kind[: removed.size][removed] = NONE
        # Those of new pledges: extended tables have them for new seats only.
        new = np.flatnonzero(problem.pair_pledge >= known.size)
        pairs_of_new = (problem.pair_request[new], now[problem.pair_pledge[new]], problem.pair_bonus[new])
        for request, j, bonus in zip(*(values.tolist() for values in pairs_of_new), strict=True):
            self._make_exception(request, j, bonus)

    def _writable(self, name: str) -> Array:
        """An array of the problem that nobody else holds."""
        if name not in self._copied:
            self._arrays[name] = self._arrays[name].copy()
            self._copied.add(name)
        result: Array = self._arrays[name]
        return result


def restricted(
    problem: AttributeProblem, answer: Assignment, seats: IntArray, pledges: IntArray
) -> tuple[AttributeProblem, Assignment]:
    """The problem and its answer with these seats and pledges alone, in this order; the others must be removed ones."""
    column = np.full(problem.n_pledges, NONE, np.int32)
    column[pledges] = np.arange(pledges.size)
    arrays = {f.name: getattr(problem, f.name) for f in fields(problem)}
    left = column[arrays["pair_pledge"]] != NONE
    for name, array in arrays.items():
        if name.startswith("seat_"):
            arrays[name] = array[seats]
        elif name.startswith("pledge_"):
            arrays[name] = array[pledges]
        elif name.startswith("pair_"):
            arrays[name] = array[left]
    arrays["pair_pledge"] = column[arrays["pair_pledge"]]
    partner = answer.seat_pledge[seats]
    return AttributeProblem(**arrays), replace(
        answer,
        seat_pledge=np.where(partner == NONE, np.int32(NONE), column[partner]),
        seat_price=answer.seat_price[seats],
        pledge_price=answer.pledge_price[pledges],
    )


def _joined(parts: list[Int32Array]) -> Int32Array:
    return np.unique(np.concatenate([np.zeros(0, np.int32), *parts]))
