"""Departments in a report, so that no small group can be read off it, also not by subtraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALLEST = 5


@dataclass(frozen=True)
class Group:
    """Departments that share a row, and the people in them. Shown by name only when it is one, and large enough."""

    departments: Sequence[str | None]
    headcount: int
    merged: bool


def groups(headcount: Mapping[str | None, int], seen: Sequence[str | None]) -> list[Group]:
    """The rows of a report: `headcount` by department at the end of the period, `seen` the departments with hours.

    A department of fewer than five people goes into one row with the others; when that row has fewer than five people,
    or only one department, the next smallest goes in, too, since the company's total is known: what is left of it
    after subtracting the rows that are shown would be that department.
    """
    sizes = {d: headcount.get(d, 0) for d in {*headcount, *seen}}
    by_size = sorted(sizes, key=lambda d: (sizes[d], d is not None, d or ""))
    small = [d for d in by_size if sizes[d] < SMALLEST]
    large = by_size[len(small) :]
    while small and large and (len(small) < 2 or sum(sizes[d] for d in small) < SMALLEST):
        small.append(large.pop(0))
    rows = [Group([d], sizes[d], merged=False) for d in large]
    rows.sort(key=lambda g: (g.departments[0] is None, g.departments[0] or ""))
    if small:
        rows.append(Group(small, sum(sizes[d] for d in small), merged=True))
    return rows
