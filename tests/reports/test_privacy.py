"""No small group can be read off reports, also not by subtracting one from another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import SCHROEF, Told
from timebank import clock
from timebank.ledger.models import Category
from timebank.organisations.models import EmploymentTerms
from timebank.reports.counting import together
from timebank.reports.departments import rows
from timebank.reports.models import HeadcountMethod
from timebank.reports.queries import Given
from timebank.reports.staff import Person, Staff, Terms

MONTHS = [date(2026, month, 1) for month in (1, 2, 3)]
TODAY = date(2026, 6, 1)

# Where each of up to thirty people is in each of three months: a department and a site, or nowhere.
PLACE = st.one_of(st.none(), st.tuples(st.sampled_from("ABCD"), st.sampled_from("XYZ")))
PEOPLE = st.lists(st.tuples(PLACE, PLACE, PLACE), min_size=6, max_size=30)


def company(people: Sequence[Any]) -> tuple[Staff, list[Given]]:
    """Everybody gives something in each month in which they are somewhere."""
    found, cells = [], []
    for number, places in enumerate(people):
        for month, place in zip(MONTHS, places, strict=True):
            if place is None:
                continue
            name = f"E-{number}-{month.month}"
            end = month.replace(day=28) if month.month == 2 else month.replace(day=31)
            found.append(Person(name, month, end, [Terms(month, *place, Decimal(1))]))
            cells.append(Given(month, "confirmed", Category.DELIVERY, name, *place, 0, 60))
    return Staff(found, HeadcountMethod.END, [TODAY]), cells


def published(staff: Staff, cells: list[Given], kind: str) -> Iterable[list[tuple[str, date]]]:
    """Each row of each report of whole months, as the (department, month) cells that it sums."""
    for first, last in combinations_with_replacement(MONTHS, 2):
        inside = [c for c in cells if first <= c.month <= last]
        names = list({getattr(c, kind) for c in inside})
        hidden = set(together(inside, staff, 5, TODAY).of(kind))
        months = [m for m in MONTHS if first <= m <= last]
        for group in rows(names, hidden & set(names)):
            yield [(str(name), month) for name in group.members for month in months]
        yield [(str(name), month) for name in names for month in months]


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_no_combination_of_reports_gives_the_hours_of_a_small_department(people: Any) -> None:
    staff, cells = company(people)
    for kind in ("department", "site"):
        unknown = sorted({(str(getattr(c, kind)), c.month) for c in cells})
        place = {cell: index for index, cell in enumerate(unknown)}
        equations = []
        for summed in published(staff, cells, kind):
            row = np.zeros(len(unknown))
            row[[place[cell] for cell in summed if cell in place]] = 1
            equations.append(row)
        if not equations:
            continue
        known = np.array(equations)
        rank = np.linalg.matrix_rank(known)
        for name, month in unknown:
            size = sum(getattr(c, kind) == name for c in cells if c.month == month)
            everybody = sum(c.month == month for c in cells)
            if size < 5 and size < everybody:
                alone = np.zeros(len(unknown))
                alone[place[name, month]] = 1
                assert np.linalg.matrix_rank(np.vstack([known, alone])) > rank, (kind, name, month)


def test_two_exports_of_different_periods_do_not_tell_of_a_department_that_was_small(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    """Legal has two people until March, and six then: what it did in January must not be left over."""
    january, march = date(2026, 1, 15), date(2026, 3, 5)
    for who in told.people["Production"][:4]:
        who.terms = [
            *who.terms,
            EmploymentTerms(
                valid_from=date(2026, 3, 1), department="Legal", site=who.terms[0].site, fte=Decimal(1)
            ),
        ]
    for _ in range(6):
        factories.make_employment(session, told.company, with_user=False, department="Production")
    lawyer = told.people["Legal"][0]
    told.books.give(lawyer, told.books.pledge(lawyer, 600), 77, SCHROEF, january)
    told.books.give(lawyer, told.books.pledge(lawyer, 600), 60, SCHROEF, march)
    other = told.people["IT"][0]
    told.books.give(other, told.books.pledge(other, 600), 31, SCHROEF, january)
    session.commit()
    client = client_as(told.hr)

    def hours(first: str, until: str) -> dict[str, int]:
        content = json.loads(client.get(f"/hr/report.json?from={first}&until={until}").data)
        return {r["department"]: r["delivered_minutes"] for r in content["by_department"]}

    late = hours("2026-03-01", "2026-03-10")
    assert late["Legal"] == 60 + 60
    for first in ("2026-01-01", "2026-01-15", "2026-01-16", "2026-02-01"):
        for until in ("2026-01-31", "2026-03-01", "2026-03-10"):
            if first > until:
                continue
            shown = hours(first, until)
            if first < "2026-01-16":
                assert "Legal" not in shown, (first, until)
                assert 77 not in {a - b for a in shown.values() for b in [0, *late.values()]}
    assert (
        client.get("/hr/report.json?from=2026-01-01&until=2026-03-10&part=department:Legal").status_code
        == 404
    )


def test_who_gave_and_where_it_went_are_never_crossed(
    session: Session, told: Told, client_as: Callable[..., Any]
) -> None:
    client = client_as(told.hr)
    url = "/hr/report.json?from=2026-01-01&until=2026-03-31"
    people = json.loads(client.get(f"{url}&part=department:Production").data)
    for table in ("by_initiative", "by_cause", "by_sdg", "by_region", "by_phase", "by_skill"):
        assert people[table] == []
    causes = json.loads(client.get(f"{url}&part=cause:food").data)
    assert causes["by_department"] == causes["by_site"] == causes["coaches"] == []


def test_a_company_of_a_few_people_shows_no_single_initiative(
    session: Session, told: Told, client_as: Callable[..., Any], held_clock: Any
) -> None:
    small = factories.make_company(session, name="Two Bakers")
    only = factories.make_employment(session, small, with_user=False, department="Bakery")
    hr = factories.make_hr(session, small, language="en")
    told.books.company = small
    told.books.give(only, told.books.pledge(only, 600), 90, SCHROEF, clock.today())
    session.commit()
    client = client_as(hr)
    content = json.loads(client.get("/hr/report.json").data)
    assert [(r["initiative"], r["delivered_minutes"]) for r in content["by_initiative"]] == [
        ("All initiatives", 90)
    ]
    assert [r["department"] for r in content["by_department"]] == ["All departments"]
    assert "Schroef" not in client.get("/hr").get_data(as_text=True)
    assert client.get("/hr?part=cause:circular").status_code == 404
