"""What is scarce: prices of the pool by skill, language and region, beside the seats that stayed empty; and for which
coaches waiting requests wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from timebank.coaching.models import CoachingRequest, Seat
from timebank.matching.columns import PledgeColumns, SkillWords, build, seat_columns
from timebank.matching.pins import BLOCK_MINUTES
from timebank.matching.snapshot import Snapshot
from timebank.taxonomy.bits import ANY_TIME, language_bits, languages_of

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment, Market

NEAR_KM = 25
MOST_WISHES = 8
LOOKED_AHEAD = timedelta(days=365)


@dataclass
class Cell:
    """A skill, a language or a region: who offers it, what one more like them would bring, and what stays empty."""

    pledges: int = 0
    price: int = 0  # sum over the pledges
    asked: int = 0
    empty: int = 0
    empty_minutes: int = 0

    def told(self) -> dict[str, int | None]:
        """As it is kept: the mean price in whole points, None without a pledge."""
        mean = round(self.price / self.pledges) if self.pledges else None
        return {
            "pledges": self.pledges,
            "price": mean,
            "asked": self.asked,
            "empty": self.empty,
            "minutes": self.empty_minutes,
        }


@dataclass
class _Cells:
    by: dict[str, dict[str, Cell]] = field(
        default_factory=lambda: {kind: defaultdict(Cell) for kind in ("skill", "language", "region")}
    )

    def of(self, keys: Mapping[str, Iterable[str]]) -> Iterable[Cell]:
        for kind, some in keys.items():
            for key in some:
                yield self.by[kind][key]


def scarcity(
    snapshot: Snapshot,
    assignment: Assignment,
    market: Market | None,
    skill_codes: Mapping[int, str],
    regions: Mapping[str, str],
) -> dict[str, dict[str, dict[str, int | None]]]:
    """The cells by skill code, language and NUTS 2 code. A pledge's price here is the lowest that proves the optimum:
    what the total would gain by a second pledge like it. `skill_codes` are by id, `regions` by postcode."""
    cells = _Cells()
    for j, entry in enumerate(snapshot.pool):
        pledge = entry.pledge
        keys = {
            "skill": [skill_codes[s.skill_id] for s in pledge.skills],
            "language": languages_of(pledge.language_bits),
            "region": [regions[pledge.postcode]],
        }
        for cell in cells.of(keys):
            cell.pledges += 1
            cell.price += int(market.ranges.pledge_low[j]) if market else 0
    for i, seat in enumerate(snapshot.seats):
        request = seat.request
        keys = {
            "skill": [s.skill.code for s in request.skills if s.must],
            "language": languages_of(request.language_bits),
            "region": [regions[request.postcode]],
        }
        for cell in cells.of(keys):
            cell.asked += 1
            if assignment.seat_pledge[i] < 0:
                cell.empty += 1
                cell.empty_minutes += request.minutes_per_coach
    return {kind: {key: cell.told() for key, cell in some.items()} for kind, some in cells.by.items()}


# --- wished-for coaches -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """A coach that somebody waits for: with these skills (id, level), who speaks `language`, near `postcode`, or at a
    distance where that is None; at any time of the week, in the year to come."""

    skills: tuple[tuple[int, int], ...]
    language: str
    postcode: str | None

    def columns(self, snapshot: Snapshot, place: tuple[int, int], minutes: int) -> PledgeColumns:
        """This coach as a pledge of so many minutes, who belongs to nobody's organisation."""
        return PledgeColumns(
            skills=self.skills,
            languages=language_bits([self.language]),
            x=place[0],
            y=place[1],
            radius_km=NEAR_KM if self.postcode else 0,
            remote=self.postcode is None,
            from_date=snapshot.as_of,
            until_date=snapshot.as_of + LOOKED_AHEAD,
            week=ANY_TIME,
            blocks=-(-minutes // BLOCK_MINUTES),
            monthly_blocks=0,
            organisation_id=-1,
            causes=0,
            excluded_causes=0,
        )


def wishes(
    snapshot: Snapshot, assignment: Assignment, skill_words: SkillWords
) -> list[tuple[Wish, list[CoachingRequest]]]:
    """The coaches who would serve most of the requests that nobody can serve, with these requests.

    Nobody can serve a request of which a seat stays empty in all runs that follow this one, as long as nothing else
    changes. A wished-for coach breaks no rule with each of these requests; one who also has the hours for all that they
    fit takes one of them a run, until all are served. Each request is counted for one wish.
    """
    from timebank.matching import kernel

    empty: dict[int, Seat] = {}
    for i in kernel.empty_in_the_end(snapshot.problem, assignment).tolist():
        empty.setdefault(snapshot.seats[i].request_id, snapshot.seats[i])
    asked = list({wish: None for seat in empty.values() for wish in _wishes_of(seat.request)})
    fitting = _fitting(snapshot, list(empty.values()), asked, skill_words)
    found: list[tuple[Wish, list[CoachingRequest]]] = []
    while len(found) < MOST_WISHES:
        # The simplest of those who serve most.
        best = max(asked, key=lambda w: (len(fitting[w]), -len(w.skills), w.postcode is None), default=None)
        if best is None or not fitting[best]:
            break
        served = fitting[best]
        found.append((best, [empty[request_id].request for request_id in served]))
        fitting = {wish: [r for r in some if r not in served] for wish, some in fitting.items()}
    return found


def _wishes_of(request: CoachingRequest) -> list[Wish]:
    skills = tuple(sorted((s.skill_id, s.level) for s in request.skills if s.must))
    place = None if request.remote else request.postcode
    return [Wish(skills, language, place) for language in languages_of(request.language_bits)]


def _fitting(
    snapshot: Snapshot, seats: Sequence[Seat], asked: Sequence[Wish], skill_words: SkillWords
) -> dict[Wish, list[int]]:
    """The ids of the requests that each wished-for coach would fit."""
    from timebank.matching.kernel.candidates import blocks

    places = {s.request.postcode: (s.request.place.x, s.request.place.y) for s in seats}
    minutes = max((s.request.minutes_per_coach for s in seats), default=0)
    columns = [w.columns(snapshot, places.get(w.postcode or "", (0, 0)), minutes) for w in asked]
    problem = build(
        [seat_columns(seat) for seat in seats],
        columns,
        snapshot.weights,
        snapshot.as_of,
        skill_words=skill_words,
    )
    found: dict[Wish, list[int]] = {wish: [] for wish in asked}
    for _done, pairs in blocks(problem):
        for i, j in zip(pairs.seat.tolist(), pairs.pledge.tolist(), strict=True):
            found[asked[j]].append(seats[i].request_id)
    return found


def told(
    wish: Wish,
    served: Sequence[CoachingRequest],
    skill_codes: Mapping[int, str],
    places: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """A wish as it is kept; `places` are names of the municipality by language, by postcode."""
    return {
        "skills": [[skill_codes[skill], level] for skill, level in wish.skills],
        "language": wish.language,
        "place": dict(places[wish.postcode]) if wish.postcode else None,
        "requests": len(served),
        "minutes": sum(r.minutes_per_coach for r in served),
    }
