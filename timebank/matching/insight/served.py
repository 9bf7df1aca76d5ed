"""Who is served, by region, phase, work form and size, before a run and after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.coaching.models import CoachingRequest, RequestState, Seat
from timebank.matches.models import Match
from timebank.matches.queries import SHOWN_STATES
from timebank.organisations.models import Admission, Initiative, Organisation
from timebank.taxonomy.models import Term

# The last seats number of each size of request, and its name.
SIZES = ((1, "one"), (3, "few"), (50, "many"))


@dataclass
class Share:
    """Seats and minutes of a group that are asked, were served before the run and are served after it."""

    seats: int = 0
    before: int = 0
    after: int = 0
    minutes: int = 0
    minutes_before: int = 0
    minutes_after: int = 0

    def add(self, minutes: int, *, before: bool, after: bool) -> None:
        self.seats += 1
        self.minutes += minutes
        self.before += before
        self.minutes_before += minutes * before
        self.after += after
        self.minutes_after += minutes * after


def served(
    session: Session, free: Collection[int], filled: Collection[int]
) -> dict[str, dict[str, dict[str, int]]]:
    """Shares by kind of group and group, over all seats of open requests of admitted initiatives.

    `free` are the ids of the seats that the run could fill, `filled` of those that it did. Two statements.
    """
    sizes = dict(
        session.execute(
            select(Seat.request_id, func.count()).where(~Seat.withdrawn).group_by(Seat.request_id)
        ).all()
    )
    taken = select(Match.seat_id).where(Match.state.in_(SHOWN_STATES))
    rows = session.execute(
        select(
            Seat.id,
            Seat.request_id,
            CoachingRequest.minutes_per_coach,
            Initiative.nuts2,
            Initiative.phase,
            Term.code,
            Seat.id.in_(taken),
        )
        .join(Seat.request)
        .join(CoachingRequest.initiative)
        .join(Initiative.organisation)
        .outerjoin(Term, Term.id == Initiative.work_form_id)
        .where(
            ~Seat.withdrawn,
            CoachingRequest.state == RequestState.OPEN,
            Initiative.admission == Admission.ADMITTED,
            Organisation.admission == Admission.ADMITTED,
        )
    )
    shares: dict[str, dict[str, Share]] = {
        kind: defaultdict(Share) for kind in ("region", "phase", "work_form", "size")
    }
    free, filled = set(free), set(filled)
    for seat, request, minutes, region, phase, form, is_taken in rows:
        if seat not in free and not is_taken:
            continue  # opened, or given back, since the run looked
        before = seat not in free
        for kind, group in (
            ("region", region),
            ("phase", phase.value),
            ("work_form", form or "none"),
            ("size", _size(sizes[request])),
        ):
            shares[kind][group].add(minutes, before=before, after=before or seat in filled)
    return {
        kind: {group: dict(vars(share)) for group, share in groups.items()} for kind, groups in shares.items()
    }


def _size(seats: int) -> str:
    return next(name for most, name in SIZES if seats <= most)
