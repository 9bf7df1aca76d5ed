"""Bundle mode: the best answer that a time limit allows, with a bound on what any answer can be worth.

Prices first, by relaxation; from them the bound, in integers; then a search for answers, which ends early
where one reaches the bound. The problem is NP-hard, so a gap may remain, and is told.
"""

from __future__ import annotations

from functools import cache
from threading import Event
from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.assignment import Assignment, Status
from timebank.matching.kernel.bundle.certificate import bundle_worths, exact_sum, price_scale, whole_prices
from timebank.matching.kernel.bundle.clock import Clock
from timebank.matching.kernel.bundle.exact import Exact, branch_and_bound
from timebank.matching.kernel.bundle.fixing import losses
from timebank.matching.kernel.bundle.network import Network, make_network, narrowed
from timebank.matching.kernel.bundle.proof import Prover
from timebank.matching.kernel.bundle.question import Question, Tell, of_attributes, of_edges, with_more
from timebank.matching.kernel.bundle.region import choose_near, make_region
from timebank.matching.kernel.bundle.relaxation import Relaxed, initial_prices, tighten
from timebank.matching.kernel.bundle.search import Answer, search
from timebank.matching.kernel.bundle.stream import add_block, streamed_worths
from timebank.matching.kernel.problem import (
    MAX_ATTRIBUTE_WEIGHT,
    AttributeProblem,
    BundleProblem,
    IntArray,
    Problem,
    ProblemError,
)

TIME_LIMIT: Final = 10.0
"""Seconds, where no limit is given."""

_TINY: Final = 1_000
"""Candidates up to which HiGHS goes first."""
# Shares of the time: for HiGHS at first, for prices, for the end.
_BRANCHING: Final = 0.1
_RELAXING: Final = 0.2
_LAST, _LAST_SECONDS = 0.015, 0.03
_LINEAR, _LINEAR_SECONDS = 0.5, 3.0
"""Of the time for prices, the share for the linear relaxation, and no more than so long: nothing stops HiGHS."""
_KEPT_TO_FILL, _KEPT_PER_SEAT = 12, 32
"""Candidates of each seat that answers are made of, where all seats must be filled and where not."""
_PRICINGS: Final = 3
_PASSES_LEFT: Final = 4
"""Pairs are priced at most so often, and while there is time for so many passes over all pairs."""
_ALMOST: Final = 1 - 1e-6
"""Weights are whole, so a bound less than 1 above an answer proves it the best."""
_FILL_BONUS: Final = 3
"""Times the greatest weight: what a filled seat counts besides, where all must be filled."""


class Certificate(NamedTuple):
    """Whole prices of seats and pledges in units of 1 / scale, and the bound that they prove."""

    seat_price: IntArray
    pledge_price: IntArray
    scale: int
    bound: int


class DefectError(RuntimeError):
    """An answer that is not what it says. This is a defect of the solver, never of the input."""


def solve_bundle(
    problem: Problem,
    time_limit: float | None = None,
    progress: Tell | None = None,
    stop: Event | None = None,
) -> Assignment:
    """Give pledges bundles of seats that fit their capacity, each seat at most once, for a great total weight.

    Maximises ``sum(w[e] * x[e])`` over the candidates e, x binary, where no pledge takes more blocks than it
    has, or two seats of one request. This is the generalized assignment problem with optional seats, or, with
    ``must_fill``, the classic one.

    Parameters
    ----------
    problem : the edge form with its arrays for bundles, or the attribute form
    time_limit : seconds, 10 by default; less is taken where an answer is proved the best
    progress : is told about steps that take long
    stop : when it is set, the best answer so far comes back soon

    Returns
    -------
    Assignment : ``optimal`` where the prices prove it, ``feasible`` with a certified gap, ``infeasible`` where it
        is proved that not all seats can be filled that must be, else ``unknown``

    Raises
    ------
    ProblemError : an edge form without hours and capacities; a pledge with so many blocks that its candidates
        cannot be weighed against each other; a candidate of the attribute form that weighs more than 2^40

    Notes
    -----
    Prices are those of the Lagrangian relaxation of "each seat once" [1]_. Any prices prove a bound: the sum of
    the seats' prices and of what the best bundle of each pledge is worth after them.

    .. [1] Fisher, Jaikumar, Van Wassenhove, "A multiplier adjustment method for the generalized assignment
       problem", 1986. doi:10.1287/mnsc.32.9.1095
    """
    if not isinstance(problem, BundleProblem | AttributeProblem):
        raise ProblemError("array pledge_capacity is missing, which bundle mode needs")
    compile_all()
    clock = Clock(TIME_LIMIT if time_limit is None else time_limit, stop)
    return _solve(problem, clock, progress or _silent)


@cache
def compile_all() -> None:
    """Have all machine code in memory, from disk or compiled, before any time is counted."""
    whole = np.ones(3, np.int64)
    network = make_network(
        3, np.array([0, 1, 2, 2], np.int32), np.array([0, 0, 0, 1], np.int32), np.arange(4), whole[[0, 0, 0, 0]],
        2 * whole[:2], np.arange(3, dtype=np.int32),
    )  # fmt: skip
    price = tighten(network, initial_prices(network, False, 0.0), False, 0.0, lambda: False, 0.01).price
    bundle_worths(network, whole, 1)
    add_block(
        whole[:2].astype(np.int32),
        whole[:2],
        whole[:2],
        whole[:2],
        *(np.zeros(9, np.int64) for _ in range(4)),
    )
    search(
        network,
        price,
        0.0,
        Answer(network, must_fill=False, bound=10**6),
        0.05,
        lambda: False,
        lambda passed, left: False,
    )
    choose_near(network, np.full(3, -1), 2, make_region(network, 0))
    losses(network, whole, 1)


def _solve(problem: BundleProblem | AttributeProblem, clock: Clock, tell: Tell) -> Assignment:
    if isinstance(problem, BundleProblem):
        question: Question | None = of_edges(problem)
    else:
        question = of_attributes(problem, clock, tell)
    if question is None:
        return _without_candidates(problem, clock)
    network = _network(question)
    exact = _exact(network, question, clock)
    if exact.infeasible:
        return _finish(question, network, None, _dear(question), exact, clock)

    tell("prices", 0, 1)
    relaxed = _relax(network, question, exact, clock)
    if isinstance(problem, AttributeProblem) and not question.complete:
        network, question, relaxed = _price_out(problem, network, question, relaxed, clock, tell)
    certificate = _certify(problem, network, question, relaxed, clock, tell)
    if question.must_fill and certificate.bound < _least(network):
        exact = exact._replace(infeasible=True)
        return _finish(question, network, None, certificate, exact, clock)

    tell("answers", 0, 1)
    bound = certificate.bound if exact.bound is None else min(certificate.bound, exact.bound)
    answer = Answer(network, question.must_fill, bound)
    if exact.holder is not None:
        answer.offer(network, exact.holder)
    exact = _search(network, question, relaxed, answer, exact, clock)
    tell("answers", 1, 1)
    return _finish(question, network, answer, certificate, exact, clock)


def _network(question: Question) -> Network:
    pairs = question.pairs
    return make_network(
        question.n_seats,
        pairs.seat,
        pairs.pledge,
        pairs.weight,
        question.hours,
        question.capacity,
        question.request,
    )


def _exact(network: Network, question: Question, clock: Clock) -> Exact:
    """What can be said at once, or by branch and bound where that is quick."""
    if question.must_fill and not (np.diff(network.seat_first) > 0).all():
        return Exact(None, None, infeasible=True)
    if network.size > _TINY or clock.over():
        return Exact(None, None, infeasible=False)
    return branch_and_bound(network, question.must_fill, min(1.0, _BRANCHING * clock.left))


def _relax(network: Network, question: Question, exact: Exact, clock: Clock) -> Relaxed:
    """Prices, for a share of the time; less, where they show that there is nothing better or nothing at all."""
    share = _RELAXING * clock.left
    until = clock.seconds + share
    price = initial_prices(network, question.must_fill, min(_LINEAR_SECONDS, _LINEAR * share))
    enough = _least(network) if question.must_fill else 0.0
    if exact.holder is not None:
        enough = float(network.weight[exact.holder[exact.holder >= 0]].sum()) + _ALMOST
    return tighten(network, price, question.must_fill, enough, clock.over, until - clock.seconds)


def _least(network: Network) -> float:
    """No answer that fills all seats is worth less: each seat with its least candidate."""
    filled = np.flatnonzero(np.diff(network.seat_first) > 0)
    weight = network.weight[network.by_seat]
    return float(np.minimum.reduceat(weight, network.seat_first[filled]).sum()) if filled.size else 0.0


def _price_out(
    problem: AttributeProblem,
    network: Network,
    question: Question,
    relaxed: Relaxed,
    clock: Clock,
    tell: Tell,
) -> tuple[Network, Question, Relaxed]:
    """Let candidates that are not held join where they would lower what the prices prove, while time allows."""
    for _ in range(_PRICINGS):
        if clock.left < _PASSES_LEFT * question.pass_seconds:
            break
        more = with_more(problem, question, relaxed.price, relaxed.rent, clock, tell)
        if more is None:
            break
        question = more
        network = _network(question)
        share = _RELAXING * clock.left
        relaxed = tighten(network, relaxed.price, question.must_fill, 0.0, clock.over, share)
    return network, question, relaxed


def _certify(
    problem: Problem, network: Network, question: Question, relaxed: Relaxed, clock: Clock, tell: Tell
) -> Certificate:
    """The bound of these prices in integers; of the dearest prices where there is no time to look at all pairs."""
    scale = price_scale(int(question.most.max(initial=1)), question.n_seats)
    price = whole_prices(relaxed.price, question.most, scale, question.must_fill)
    worth: IntArray | None
    if isinstance(problem, AttributeProblem) and not question.complete:
        worth = streamed_worths(problem, price, scale, question.pass_seconds, clock, tell)
        if worth is None:
            return _dear(question)
    else:
        worth = bundle_worths(network, price, scale)
    return Certificate(price, worth, scale, (exact_sum(price) + exact_sum(worth)) // scale)


def _dear(question: Question) -> Certificate:
    """Each seat costs what its best candidate weighs, so that no bundle is worth anything."""
    nothing = np.zeros(question.capacity.size, np.int64)
    return Certificate(question.most, nothing, 1, exact_sum(question.most))


def _search(
    network: Network, question: Question, relaxed: Relaxed, answer: Answer, exact: Exact, clock: Clock
) -> Exact:
    """Improve the answer until it is proved the best or the time is up; a proof of another kind comes back."""
    narrow = network
    kept = _KEPT_TO_FILL if question.must_fill else _KEPT_PER_SEAT
    if network.size > max(_TINY, kept * question.n_seats):
        narrow = narrowed(network, relaxed.price, relaxed.rent, kept)
    bonus = _FILL_BONUS * float(network.weight.max(initial=0)) if question.must_fill else 0.0
    prover = Prover(network, relaxed.price, question.must_fill, question.complete, answer, exact)
    seconds = clock.left - _LAST_SECONDS - _LAST * clock.limit
    search(narrow, relaxed.price, bonus, answer, seconds, clock.stopped, prover.work)
    return prover.exact


def _finish(
    question: Question,
    network: Network,
    answer: Answer | None,
    certificate: Certificate,
    exact: Exact,
    clock: Clock,
) -> Assignment:
    """The answer in the numbers of the problem, checked once more in integers."""
    seat_pledge = np.full(question.n_seats, -1, np.int32)
    value = 0
    status: Status = "infeasible" if exact.infeasible else "unknown"
    if answer is not None and answer.filled and not exact.infeasible:
        held = answer.holder[answer.holder >= 0]
        seat_pledge[answer.network.seat[held]] = answer.network.pledge[held]
        value = _checked_value(answer.network, held)
        status = "optimal" if value == certificate.bound else "feasible"
    proved = None if exact.bound is None else min(exact.bound, certificate.bound)
    return Assignment(
        seat_pledge,
        value,
        certificate.bound,
        (certificate.bound - value) / max(value, 1),
        certificate.seat_price,
        certificate.pledge_price,
        certificate.scale,
        clock.seconds,
        "bundle",
        status,
        proved,
    )


def _checked_value(network: Network, held: IntArray) -> int:
    """What these candidates weigh.

    Raises
    ------
    DefectError : they break a rule
    """
    load = np.zeros(network.n_pledges, np.int64)
    np.add.at(load, network.pledge[held], network.hours[held])
    pairs = network.pledge[held].astype(np.int64) * (network.n_seats + 1) + network.request[held]
    value = int(network.weight[held].astype(np.int64).sum())
    if (
        (load > network.capacity).any()
        or np.unique(network.seat[held]).size < held.size
        or np.unique(pairs).size < held.size
    ):
        raise DefectError("the answer breaks a rule")
    return value


def _without_candidates(problem: BundleProblem | AttributeProblem, clock: Clock) -> Assignment:
    """The time was up before all pairs had been looked at: nobody sits, and prices beyond all weights."""
    s, p = problem.n_seats, problem.n_pledges
    price = np.full(s, MAX_ATTRIBUTE_WEIGHT if p else 0, np.int64)
    bound = exact_sum(price)
    return Assignment(
        np.full(s, -1, np.int32), 0, bound, float(bound), price, np.zeros(p, np.int64), 1, clock.seconds,
        "bundle", "feasible",
    )  # fmt: skip


def _silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""
