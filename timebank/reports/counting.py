"""From the ledger's facts to counts and groups: sums, and who stands together with whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from timebank.ledger.models import Category
from timebank.reports import departments, queries
from timebank.reports.departments import Name
from timebank.reports.indicators import Counts
from timebank.reports.models import HeadcountMethod, HourlyRate, RateBasis
from timebank.reports.queries import Given, Received, Scope
from timebank.reports.rows import Totals
from timebank.reports.staff import Staff, next_month

WHO = ("department", "site")


@dataclass(frozen=True)
class Rules:
    """How a company has its figures counted; as `ReportChoices`, which it may not have made."""

    method: HeadcountMethod = HeadcountMethod.END
    smallest: int = departments.SMALLEST
    weekly_minutes: int | None = None
    basis: RateBasis = RateBasis.OWN_COST
    lists_coaches: bool = False


def rules_of(session: Session, organisation_id: int) -> Rules:
    held = queries.choices(session, organisation_id)
    if held is None:
        return Rules()
    return Rules(
        held.headcount_method, held.smallest_group, held.weekly_minutes, held.value_basis, held.lists_coaches
    )


# --- sums -------------------------------------------------------------------------------------------------------------


def totals(cells: Iterable[Given]) -> Totals:
    minutes: Counter[str] = Counter()
    for cell in cells:
        minutes[_measure(cell)] += cell.minutes
    return Totals(
        pledged=minutes["granted"],
        reserved=minutes["reserved"],
        delivered=minutes["delivered"],
        lapsed=minutes["lapsed"],
        around=minutes["around"],
    )


def _measure(cell: Given) -> str:
    if cell.measure != "confirmed":
        return cell.measure
    return "delivered" if cell.delivered else "around"


def totals_by(cells: Sequence[Given], key: Callable[[Given], object]) -> dict[object, Totals]:
    """Totals of each value of `key`."""
    parts: dict[object, list[Given]] = {}
    for cell in cells:
        parts.setdefault(key(cell), []).append(cell)
    return {value: totals(part) for value, part in parts.items()}


def minutes_by_person(cells: Iterable[Given]) -> dict[str, int]:
    """Confirmed minutes of coaching by pseudonym, of those who have more than zero."""
    minutes: Counter[str] = Counter()
    for cell in cells:
        if cell.delivered and cell.employee is not None:
            minutes[cell.employee] += cell.minutes
    return {person: total for person, total in minutes.items() if total > 0}


def minutes_by(cells: Iterable[Received], key: Callable[[Received], str | None]) -> list[tuple[str, int]]:
    """(value of `key` or nothing, minutes), most hours first, without those that were all taken back."""
    minutes: Counter[str] = Counter()
    for cell in cells:
        minutes[key(cell) or ""] += cell.minutes
    found = [(value, total) for value, total in minutes.items() if total != 0]
    return sorted(found, key=lambda row: (-row[1], row[0]))


def counts(
    session: Session,
    scope: Scope,
    given: Sequence[Given],
    received: Sequence[Received],
    staff: Staff,
    rules: Rules,
    rates: Sequence[HourlyRate],
    today: date,
) -> Counts:
    """All that the indicators of a scope are counted from."""
    sums, people = totals(given), minutes_by_person(given)
    ended_granted, ended_received = queries.ended_pledges(session, scope, today)
    mean_fte = staff.mean_fte()
    return Counts(
        pledged=sums.pledged,
        reserved=sums.reserved,
        delivered=sums.delivered,
        lapsed=sums.lapsed,
        around=sums.around,
        participants=len(people),
        participants_hour=sum(minutes >= 60 for minutes in people.values()),
        participants_fte=staff.fte_of(people),
        headcount=staff.headcount(),
        fte=staff.fte(),
        mean_fte=mean_fte,
        contract_minutes=_contract_minutes(rules, mean_fte, scope, today),
        initiatives=sum(minutes > 0 for _, minutes in minutes_by(received, lambda r: str(r.initiative))),
        sites=sum(t.delivered > 0 for site, t in totals_by(given, lambda g: g.site).items() if site),
        ended_granted=ended_granted,
        ended_received=ended_received,
        value=_worth(given, Category.DELIVERY, rates),
        management=_management(given, rates, queries.fee_cents(session, scope)),
    )


def _contract_minutes(rules: Rules, mean_fte: Decimal, scope: Scope, today: date) -> Decimal | None:
    if rules.weekly_minutes is None:
        return None
    days = (min(scope.until_date, today) - scope.from_date).days + 1
    return rules.weekly_minutes * mean_fte * days / 7


def _worth(cells: Iterable[Given], category: Category, rates: Sequence[HourlyRate]) -> int | None:
    """Confirmed minutes of a category times the cents of an hour on their day; none where a rate is missing."""
    minutes: Counter[int] = Counter()
    for cell in cells:
        if cell.category == category:
            minutes[cell.rate] += cell.minutes
    if not rates or minutes[0]:
        return None
    return sum(minutes[place] * rate.cents for place, rate in enumerate(rates, start=1))


def _management(cells: Sequence[Given], rates: Sequence[HourlyRate], fee_cents: int | None) -> int | None:
    """Co-ordination at its hourly rate, and fees; none where neither was entered, or a rate is missing."""
    hours = any(cell.category == Category.MANAGEMENT for cell in cells)
    if not hours:
        return None if fee_cents is None else fee_cents * 60
    worth = _worth(cells, Category.MANAGEMENT, rates)
    return None if worth is None else worth + (fee_cents or 0) * 60


# --- groups -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Together:
    """The departments and the sites that share a row in a period, and whether the whole company is too small."""

    departments: frozenset[Name]
    sites: frozenset[Name]
    everybody: bool

    def of(self, kind: str) -> frozenset[Name]:
        return self.departments if kind == "department" else self.sites


def together(given: Sequence[Given], staff: Staff, smallest: int, today: date) -> Together:
    """Who stands together, month by month: see `departments`. Months without a booking tell of nobody."""
    found: tuple[set[Name], set[Name]] = (set(), set())
    everybody = False
    seen: dict[date, set[tuple[Name, Name]]] = {}
    for cell in given:
        seen.setdefault(cell.month, set()).add((cell.department, cell.site))
    for month, places in seen.items():
        people = staff.cells(min(next_month(month) - timedelta(days=1), today))
        cells = Counter({**dict.fromkeys(places, 0), **people})
        everybody = everybody or sum(cells.values()) < smallest
        sizes = _sizes(cells)
        small = departments.small(sizes, smallest)
        found[0].update(small)
        found[1].update(departments.small_beside(cells, _shown(sizes, small), smallest))
    return Together(frozenset(found[0]), frozenset(found[1]), everybody)


def _sizes(cells: Mapping[tuple[Name, Name], int]) -> Counter[Name]:
    sizes: Counter[Name] = Counter()
    for (department, _site), count in cells.items():
        sizes[department] += count
    return sizes


def _shown(sizes: Collection[Name], small: set[Name]) -> list[set[Name]]:
    """The rows of departments, and for each what is left of the company without it."""
    shown = [{name} for name in sizes if name not in small] + ([small] if small else [])
    return shown + [set(sizes) - row for row in shown if len(shown) > 2]
