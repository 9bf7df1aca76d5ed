"""Who must not meet in a run, whoever wants it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.auth.models import Role, RoleGrant
from timebank.organisations.models import CompanyExclusion, ConflictOfInterest, Employment


@dataclass(frozen=True)
class Exceptions:
    """`excluded` as (request id, company id), `forbidden` as (employment id, request id)."""

    excluded: Sequence[tuple[int, int]]
    forbidden: Sequence[tuple[int, int]]


def exceptions(session: Session, asked: Iterable[tuple[int, int]], employments: Container[int]) -> Exceptions:
    """Companies and initiatives that exclude each other, people with a conflict of interest or who speak for the
    initiative themselves; `asked` are initiatives and requests, by their ids."""
    requests_of: dict[int, set[int]] = defaultdict(set)
    for initiative, request in asked:
        requests_of[initiative].add(request)
    excluded = [
        (request, company)
        for company, initiative in session.execute(
            select(CompanyExclusion.organisation_id, CompanyExclusion.initiative_id)
        )
        for request in sorted(requests_of[initiative])
    ]
    speaks_for = (
        select(Employment.id, RoleGrant.initiative_id)
        .join(RoleGrant, RoleGrant.user_id == Employment.user_id)
        .where(RoleGrant.role == Role.COORDINATOR, RoleGrant.ended_at.is_(None))
    )
    forbidden = [
        (employment, request)
        for employment, initiative in session.execute(
            select(ConflictOfInterest.employment_id, ConflictOfInterest.initiative_id).union(speaks_for)
        )
        if employment in employments
        for request in sorted(requests_of[initiative])
    ]
    return Exceptions(excluded, forbidden)
