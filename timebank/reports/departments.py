"""Departments and sites in a report, so that no small group can be read off it, also not by subtraction.

Each month has one partition of the departments (and one of the sites) into groups of enough people, by who was in
service at its end, whatever report asks. The rows of a report are unions of the groups of its months. So every figure
that is ever shown is a sum over whole groups: no two reports, of whatever periods and filters, differ by less than one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALLEST = 5
Name = str | None


@dataclass(frozen=True)
class Group:
    """Departments or sites that share a row. Shown by name only when it is one, and large enough."""

    members: Sequence[Name]
    merged: bool


def small(sizes: Mapping[Name, int], smallest: int = SMALLEST) -> set[Name]:
    """The departments that share a row: those of fewer people than `smallest`.

    When they have fewer than that together, or are only one, the next smallest goes in, too, since the company's total
    is known: what is left of it after subtracting the rows that are shown would be that department.
    """
    by_size = sorted(sizes, key=lambda d: (sizes[d], d is not None, d or ""))
    together = [d for d in by_size if sizes[d] < smallest]
    large = by_size[len(together) :]
    while together and large and (len(together) < 2 or sum(sizes[d] for d in together) < smallest):
        together.append(large.pop(0))
    return set(together)


def small_beside(
    cells: Mapping[tuple[Name, Name], int], shown: Sequence[set[Name]], smallest: int = SMALLEST
) -> set[Name]:
    """The sites that share a row, beside rows of departments that are `shown`; `cells` has the people by both.

    Where a row of sites lies within one of departments, or the other way round, and only a few people are in the larger
    one alone, subtraction would show those few: the site joins the others.
    """
    sizes: Counter[Name] = Counter()
    for (_department, site), count in cells.items():
        sizes[site] += count
    together = small(sizes, smallest)
    while True:
        alone = [s for s in sizes if s not in together]
        rows = [{s} for s in alone] + ([set(together)] if together else [])
        given_away = next((r for r in rows if _tells(cells, r, shown, smallest)), None)
        if given_away is None or not alone:
            return together
        more = given_away - together or {min(alone, key=lambda s: (sizes[s], s or ""))}
        together |= more
        if len(together) == 1 and len(sizes) > 1:
            together.add(min((s for s in alone if s not in together), key=lambda s: (sizes[s], s or "")))


def _tells(
    cells: Mapping[tuple[Name, Name], int], sites: set[Name], shown: Sequence[set[Name]], smallest: int
) -> bool:
    """Whether the difference between a row of sites and a row of departments is a few people."""
    size = sum(n for (_d, site), n in cells.items() if site in sites)
    for departments in shown:
        other = sum(n for (department, _s), n in cells.items() if department in departments)
        both = sum(n for (d, s), n in cells.items() if d in departments and s in sites)
        inside = both in (size, other) and both > 0
        if inside and 0 < size + other - 2 * both < smallest:
            return True
    return False


def rows(names: Sequence[Name], together: set[Name]) -> list[Group]:
    """The rows of a report: each name by itself, in order, and last those that stand together."""
    alone = sorted((n for n in names if n not in together), key=lambda n: (n is None, n or ""))
    found = [Group([n], merged=False) for n in alone]
    if together:
        found.append(Group(sorted(together, key=lambda n: (n is None, n or "")), merged=True))
    return found
