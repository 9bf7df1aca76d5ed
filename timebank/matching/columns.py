"""Seats and pledges as the kernel's arrays, without a name and without a number of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank import clock
from timebank.coaching.models import Seat
from timebank.matching.pins import BLOCK_MINUTES
from timebank.pledges.models import Pledge
from timebank.taxonomy.models import Skill

if TYPE_CHECKING:
    import numpy as np

    from timebank.matching.kernel import AttributeProblem

Arrays: TypeAlias = "dict[str, np.ndarray[Any, Any]]"

FOREVER = 2**31 - 1  # an open-ended request's last day


@dataclass(frozen=True)
class SeatColumns:
    """What the kernel needs of one seat. `must` and `nice` are (skill id, level)."""

    must: Sequence[tuple[int, int]]
    nice: Sequence[tuple[int, int]]
    languages: int
    x: int
    y: int
    remote: bool
    from_date: date
    until_date: date | None
    week: int
    minutes: int
    request_id: int
    organisation_id: int
    causes: int
    opened_at: datetime | None


@dataclass(frozen=True)
class PledgeColumns:
    """What the kernel needs of one pledge. `skills` are (skill id, level)."""

    skills: Sequence[tuple[int, int]]
    languages: int
    x: int
    y: int
    radius_km: int
    remote: bool
    from_date: date
    until_date: date
    week: int
    blocks: int
    monthly_blocks: int
    organisation_id: int
    causes: int
    excluded_causes: int


def seat_columns(seat: Seat) -> SeatColumns:
    request = seat.request
    return SeatColumns(
        must=[(k.skill_id, k.level) for k in request.skills if k.must],
        nice=[(k.skill_id, k.level) for k in request.skills if not k.must],
        languages=request.language_bits,
        x=request.place.x,
        y=request.place.y,
        remote=request.remote,
        from_date=request.from_date,
        until_date=request.until_date,
        week=request.week_bits,
        minutes=request.minutes_per_coach,
        request_id=seat.request_id,
        organisation_id=request.initiative.organisation_id,
        causes=sum(1 << c.cause.position for c in request.initiative.causes),
        opened_at=request.opened_at,
    )


def pledge_columns(pledge: Pledge, free_minutes: int, excluded_by_company: int) -> PledgeColumns:
    wanted = excluded = 0
    for row in pledge.causes:
        bit = 1 << row.cause.position
        wanted, excluded = (wanted, excluded | bit) if row.excluded else (wanted | bit, excluded)
    return PledgeColumns(
        skills=[(s.skill_id, s.level) for s in pledge.skills],
        languages=pledge.language_bits,
        x=pledge.place.x,
        y=pledge.place.y,
        radius_km=pledge.radius_km,
        remote=pledge.remote,
        from_date=pledge.from_date,
        until_date=pledge.until_date,
        week=pledge.week_bits,
        blocks=free_minutes // BLOCK_MINUTES,
        monthly_blocks=max((t.minutes for t in pledge.tranches), default=0) // BLOCK_MINUTES
        if pledge.monthly
        else 0,
        organisation_id=pledge.employment.organisation_id,
        causes=wanted,
        excluded_causes=excluded | excluded_by_company,
    )


def waiting_days(opened_at: datetime | None, as_of: date) -> int:
    return 0 if opened_at is None else max(0, (as_of - clock.local_date(opened_at)).days)


class Numbering(dict[int, int]):
    """Consecutive numbers in the order in which ids are asked for."""

    def __missing__(self, id_: int) -> int:
        self[id_] = number = len(self)
        return number


@dataclass(frozen=True)
class SkillWords:
    """Skills with levels as bit masks: bit 3k + l - 1 is the skill at position k at level l."""

    position: Mapping[int, int]

    def of(self, rows: Sequence[Sequence[tuple[int, int]]], *, up_to: bool = False) -> np.ndarray[Any, Any]:
        """Masks of shape (rows, words) of (skill id, level); with `up_to` all levels below are set, too."""
        import numpy as np

        words = (3 * (max(self.position.values(), default=0) + 1) + 63) // 64
        masks = np.zeros((len(rows), words), np.uint64)
        position = self.position
        held = [(i, 3 * position[skill], level) for i, row in enumerate(rows) for skill, level in row]
        row, first, level = np.array(held, np.int64).reshape(-1, 3).T
        for each in range(3):
            there = level > each if up_to else level == each + 1
            bit = first[there] + each
            np.bitwise_or.at(masks, (row[there], bit // 64), np.uint64(1) << (bit % 64).astype(np.uint64))
        return masks


def skill_words(session: Session) -> SkillWords:
    return SkillWords(dict(session.execute(select(Skill.id, Skill.position)).all()))


@dataclass(frozen=True)
class Encoding:
    """How seats and pledges become arrays on a day; requests and organisations are numbered as they come."""

    skill_words: SkillWords
    weights: Mapping[str, int]
    as_of: date
    requests: Numbering
    organisations: Numbering

    def of_seats(self, seats: Sequence[SeatColumns]) -> Arrays:
        """The arrays of these seats. Days before `as_of` no longer count in a window."""
        import numpy as np

        today, waiting = self.as_of.toordinal(), self.weights["w_waiting"]
        return {
            "seat_must": self.skill_words.of([s.must for s in seats]),
            "seat_nice": self.skill_words.of([s.nice for s in seats]),
            "seat_languages": np.array([s.languages for s in seats], np.uint32),
            "seat_x": np.array([s.x for s in seats], np.int32),
            "seat_y": np.array([s.y for s in seats], np.int32),
            "seat_remote": np.array([s.remote for s in seats], np.bool_),
            "seat_from": np.array([max(s.from_date.toordinal(), today) for s in seats], np.int32),
            "seat_until": np.array(
                [s.until_date.toordinal() + 1 if s.until_date else FOREVER for s in seats], np.int32
            ),
            "seat_week": np.array([s.week for s in seats], np.uint32),
            "seat_hours": np.array([-(-s.minutes // BLOCK_MINUTES) for s in seats], np.int64),
            "seat_request": np.array([self.requests[s.request_id] for s in seats], np.int32),
            "seat_org": np.array([self.organisations[s.organisation_id] for s in seats], np.int32),
            "seat_causes": np.array([s.causes for s in seats], np.uint32),
            "seat_bonus": np.array(
                [waiting * waiting_days(s.opened_at, self.as_of) for s in seats], np.int64
            ),
        }

    def of_pledges(self, pledges: Sequence[PledgeColumns]) -> Arrays:
        import numpy as np

        today = self.as_of.toordinal()
        return {
            "pledge_skills": self.skill_words.of([p.skills for p in pledges], up_to=True),
            "pledge_languages": np.array([p.languages for p in pledges], np.uint32),
            "pledge_x": np.array([p.x for p in pledges], np.int32),
            "pledge_y": np.array([p.y for p in pledges], np.int32),
            "pledge_radius": np.array([p.radius_km * 1000 for p in pledges], np.int32),
            "pledge_remote": np.array([p.remote for p in pledges], np.bool_),
            "pledge_from": np.array([max(p.from_date.toordinal(), today) for p in pledges], np.int32),
            "pledge_until": np.array([p.until_date.toordinal() + 1 for p in pledges], np.int32),
            "pledge_week": np.array([p.week for p in pledges], np.uint32),
            "pledge_capacity": np.array([p.blocks for p in pledges], np.int64),
            "pledge_monthly": np.array([p.monthly_blocks for p in pledges], np.int64),
            "pledge_org": np.array([self.organisations[p.organisation_id] for p in pledges], np.int32),
            "pledge_causes": np.array([p.causes for p in pledges], np.uint32),
            "pledge_excluded_causes": np.array([p.excluded_causes for p in pledges], np.uint32),
        }

    def of_weights(self) -> dict[str, int]:
        names = ("w_base", "w_nice", "w_cause", "w_near", "w_remote")
        return {name: self.weights[name] for name in names} | {
            "w_near_metres": self.weights["near_km"] * 1000
        }

    def of_exceptions(
        self, excluded: Sequence[tuple[int, int]], pairs: Sequence[tuple[int, int, int]]
    ) -> Arrays:
        """`excluded` are pairs of request id and company id, `pairs` request id, column and points."""
        import numpy as np

        return {
            "excluded_request": np.array([self.requests[q] for q, _ in excluded], np.int32),
            "excluded_org": np.array([self.organisations[o] for _, o in excluded], np.int32),
            "pair_request": np.array([self.requests[q] for q, _, _ in pairs], np.int32),
            "pair_pledge": np.array([j for _, j, _ in pairs], np.int32),
            "pair_bonus": np.array([points for _, _, points in pairs], np.int64),
        }


def build(
    seats: Sequence[SeatColumns],
    pledges: Sequence[PledgeColumns],
    weights: Mapping[str, int],
    as_of: date,
    *,
    skill_words: SkillWords,
    excluded: Sequence[tuple[int, int]] = (),
    forbidden: Sequence[tuple[int, int]] = (),
    bonuses: Sequence[tuple[int, int, int]] = (),
) -> AttributeProblem:
    """The attribute form of these seats and pledges.

    `excluded` are pairs of request id and company id, `forbidden` of request id and column of `pledges`, `bonuses` the
    same with points.
    """
    from timebank.matching.kernel import FORBIDDEN, AttributeProblem

    code = Encoding(skill_words, weights, as_of, Numbering(), Numbering())
    arrays = code.of_seats(seats) | code.of_pledges(pledges)
    requests, organisations = code.requests, code.organisations
    arrays |= code.of_exceptions(
        [(q, o) for q, o in excluded if q in requests and o in organisations],
        [*((q, j, FORBIDDEN) for q, j in forbidden if q in requests), *bonuses],
    )
    return AttributeProblem(**arrays, **code.of_weights())  # type: ignore[arg-type]
