"""The interest that both sides showed, as a run sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.matching.models import CoachStar, RequestStar


@dataclass(frozen=True)
class Interest:
    """Stars between requests and pledges, as (request id, pledge); pledges go by their column, or by their id."""

    by_coach: frozenset[tuple[int, int]] = frozenset()
    by_initiative: frozenset[tuple[int, int]] = frozenset()

    def bonuses(self, points: int) -> list[tuple[int, int, int]]:
        """Each pair once, with the points of its stars: one of them or both."""
        stars = Counter([*self.by_coach, *self.by_initiative]) if points else Counter()
        return [(request, column, number * points) for (request, column), number in sorted(stars.items())]


NO_INTEREST = Interest()


def interest(
    session: Session, requests: Container[int], holders: Iterable[tuple[int, int, int | None]]
) -> Interest:
    """The stars between these requests and pledges; `holders` are the number by which a pledge goes, its employment
    and its user. Two statements, whatever the size."""
    by_user = session.execute(select(RequestStar.user_id, RequestStar.request_id)).all()
    by_initiative = session.execute(select(CoachStar.request_id, CoachStar.employment_id)).all()
    if not by_user and not by_initiative:
        return NO_INTEREST
    of_employment: dict[int, int] = {}
    of_user: dict[int, list[int]] = {}
    for j, employment, user in holders:
        of_employment[employment] = j
        if user is not None:
            of_user.setdefault(user, []).append(j)
    return Interest(
        frozenset(
            (request, j) for user, request in by_user if request in requests for j in of_user.get(user, [])
        ),
        frozenset(
            (request, of_employment[employment])
            for request, employment in by_initiative
            if request in requests and employment in of_employment
        ),
    )
