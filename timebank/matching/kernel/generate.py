"""Instances that look like the field: towns of a Flemish size, skills that many ask and few have, coaches who
speak two languages.

The same arguments give the same instance.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.candidates import best_per_seat, blocks, joined
from timebank.matching.kernel.problem import FORBIDDEN, AttributeProblem, EdgeProblem

BEST_PER_SEAT: Final = 64
"""Candidates of each seat in the edge form."""

_SKILLS: Final = 50
_WORDS: Final = (3 * _SKILLS + 63) // 64
_TOWNS: Final = 60
_WIDTH, _HEIGHT, _SPREAD = 200_000, 100_000, 8_000  # metres
_COMPANIES: Final = 200
_LEVELS_HELD: Final = (0.2, 0.45, 0.35)
_LEVELS_ASKED: Final = (0.5, 0.35, 0.15)
_LANGUAGES: Final = np.array([0.72, 0.16, 0.1, 0.02])  # nl, fr, en, de


class Generated(NamedTuple):
    """An instance in the form that was asked for, and the arrays beside it that only bundle mode reads."""

    problem: AttributeProblem | EdgeProblem
    bundle: dict[str, NDArray[Any]]


def generate(
    pledges: int, seats: int, seed: int, *, scarce: bool = False, attributes: bool = False
) -> Generated:
    """Make an instance.

    Parameters
    ----------
    pledges, seats : its sizes
    seed : another seed gives another instance of the same kind
    scarce : what is asked is what few offer, so that coaches are fought over
    attributes : the attribute form; else the edge form, with the best candidates of each seat
    """
    problem = generate_attributes(pledges, seats, seed, scarce=scarce)
    if attributes:
        return Generated(problem, {})
    bundle: dict[str, NDArray[Any]] = {
        "seat_hours": problem.seat_hours,
        "pledge_capacity": problem.pledge_capacity,
        "seat_request": problem.seat_request,
    }
    return Generated(best_edges(problem), bundle)


def generate_attributes(pledges: int, seats: int, seed: int, *, scarce: bool = False) -> AttributeProblem:
    """Make an instance in the attribute form."""
    return AttributeProblem(**_attributes(np.random.default_rng(seed), pledges, seats, scarce))


def best_edges(problem: AttributeProblem) -> EdgeProblem:
    """The best candidates of each seat as an edge form, in which seats and pledges keep their numbers."""
    best = joined([best_per_seat(block, block.weight, BEST_PER_SEAT) for _, block in blocks(problem)])
    return EdgeProblem(problem.n_seats, problem.n_pledges, best.seat, best.pledge, best.weight)


def _attributes(rng: np.random.Generator, pledges: int, seats: int, scarce: bool) -> dict[str, Any]:
    towns = rng.uniform(0, _WIDTH, _TOWNS), rng.uniform(0, _HEIGHT, _TOWNS)
    popular = _falling(_SKILLS, 0.7)
    asked = popular[::-1] if scarce else popular
    pledge_x, pledge_y = _places(rng, pledges, towns)
    start = rng.integers(0, 60, pledges)
    offered: dict[str, Any] = {
        "pledge_skills": _held(rng, pledges, popular),
        "pledge_languages": _spoken(rng, pledges, 0.6),
        "pledge_x": pledge_x,
        "pledge_y": pledge_y,
        "pledge_radius": rng.choice([10_000, 20_000, 30_000, 50_000], pledges, p=[0.2, 0.35, 0.3, 0.15]),
        "pledge_remote": rng.random(pledges) < 0.35,
        "pledge_from": start,
        "pledge_until": start + rng.integers(90, 330, pledges),
        "pledge_week": _bits(rng, pledges, 21, 0.35),
        "pledge_capacity": rng.integers(8, 33 if scarce else 81, pledges),
        "pledge_org": rng.integers(0, _COMPANIES, pledges),
        "pledge_causes": _bits(rng, pledges, 17, 0.15),
        "pledge_excluded_causes": _bits(rng, pledges, 17, 0.01),
        "pledge_monthly": np.where(rng.random(pledges) < 0.15, rng.integers(4, 13, pledges), 0),
    }

    # Requests ask for one coach or for a few; each seat is a copy of its request.
    request = np.repeat(np.arange(seats), rng.choice([1, 2, 3, 5], seats, p=[0.55, 0.25, 0.15, 0.05]))[:seats]
    n = int(request[-1]) + 1 if seats else 0
    x, y = _places(rng, n, towns)
    start = rng.integers(10, 90, n)
    of_request: dict[str, Any] = {
        "seat_must": _asked(rng, n, asked, 1, 2),
        "seat_nice": _asked(rng, n, popular, 0, 3),
        "seat_languages": _spoken(rng, n, 0.3),
        "seat_x": x,
        "seat_y": y,
        "seat_remote": rng.random(n) < 0.35,
        "seat_from": start,
        "seat_until": start + rng.integers(30, 180, n),
        "seat_week": _bits(rng, n, 21, 0.4),
        "seat_hours": rng.integers(4, 25, n),
        "seat_org": rng.integers(_COMPANIES - 5, _COMPANIES + 1000, n),
        "seat_causes": _bits(rng, n, 17, 0.1),
        "seat_bonus": 5 * rng.integers(0, 60, n),
    }
    excluded, pairs = n // 20, (n // 4 if pledges else 0)
    star = np.where(rng.random(pairs) < 0.5, 300, FORBIDDEN)
    return {
        **offered,
        **{name: values[request] for name, values in of_request.items()},
        "seat_request": request,
        "excluded_request": rng.integers(0, max(1, n), excluded),
        "excluded_org": rng.integers(0, _COMPANIES, excluded),
        "pair_request": rng.integers(0, max(1, n), pairs),
        "pair_pledge": rng.integers(0, max(1, pledges), pairs),
        "pair_bonus": star.astype(np.int64),
        "w_base": 100,
        "w_nice": 60,
        "w_cause": 40,
        "w_near": 200,
        "w_near_metres": 50_000,
        "w_remote": 50,
    }


def _falling(n: int, power: float) -> NDArray[np.float64]:
    """Shares that fall with the rank, as towns and skills do."""
    shares = np.arange(1, n + 1) ** -power
    result: NDArray[np.float64] = shares / shares.sum()
    return result


def _places(
    rng: np.random.Generator, n: int, towns: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    town = rng.choice(_TOWNS, n, p=_falling(_TOWNS, 0.8))
    x = np.clip(towns[0][town] + rng.normal(0, _SPREAD, n), 0, _WIDTH)
    y = np.clip(towns[1][town] + rng.normal(0, _SPREAD, n), 0, _HEIGHT)
    return x.astype(np.int32), y.astype(np.int32)


def _held(rng: np.random.Generator, n: int, shares: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Two to six skills each; a level sets the bits of the levels below it, too."""
    masks = np.zeros((n, _WORDS), np.uint64)
    for who, skill, level in _draws(rng, n, shares, _LEVELS_HELD, 2, 6):
        for lower in (1, 2, 3):
            _set(masks, who[level >= lower], 3 * skill[level >= lower] + lower - 1)
    return masks


def _asked(
    rng: np.random.Generator, n: int, shares: NDArray[np.float64], fewest: int, most: int
) -> NDArray[np.uint64]:
    """Each skill asked is the one bit of its level."""
    masks = np.zeros((n, _WORDS), np.uint64)
    for who, skill, level in _draws(rng, n, shares, _LEVELS_ASKED, fewest, most):
        _set(masks, who, 3 * skill + level - 1)
    return masks


def _draws(
    rng: np.random.Generator,
    n: int,
    shares: NDArray[np.float64],
    levels: tuple[float, float, float],
    fewest: int,
    most: int,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    count = rng.integers(fewest, most + 1, n)
    draws = []
    for turn in range(most):
        who = np.flatnonzero(count > turn)
        level = rng.choice([1, 2, 3], who.size, p=levels)
        draws.append((who, rng.choice(shares.size, who.size, p=shares), level))
    return draws


def _set(masks: NDArray[np.uint64], who: NDArray[np.int64], bit: NDArray[np.int64]) -> None:
    np.bitwise_or.at(masks, (who, bit // 64), np.uint64(1) << (bit % 64).astype(np.uint64))


def _spoken(rng: np.random.Generator, n: int, second: float) -> NDArray[np.uint32]:
    first = np.uint32(1) << rng.choice(4, n, p=_LANGUAGES).astype(np.uint32)
    other = np.uint32(1) << rng.choice(4, n).astype(np.uint32)
    spoken: NDArray[np.uint32] = first | np.where(rng.random(n) < second, other, np.uint32(0))
    return spoken


def _bits(rng: np.random.Generator, n: int, bits: int, share: float) -> NDArray[np.uint32]:
    drawn = (rng.random((n, bits)) < share).astype(np.uint32)
    masks: NDArray[np.uint32] = drawn @ (np.uint32(1) << np.arange(bits, dtype=np.uint32))
    return masks
