"""Who plays in the demo: companies and their people. All are invented; people's names come from a library."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from faker import Faker

from timebank.taxonomy.queries import plain


@dataclass(frozen=True)
class Company:
    """A company of the demo. Its number begins with 1999, which nobody has; its people write at `domain`."""

    name: str
    number: str
    domain: str
    language: str
    approval: str
    hours_per_year: int | None
    people: int
    postcodes: Sequence[str]
    departments: Sequence[str]


COMPANIES = (
    Company(
        name="Scheldekaai Logistiek NV",
        number="1999972229",
        domain="scheldekaai.example",
        language="nl",
        approval="hr",
        hours_per_year=40,
        people=130,
        postcodes=("9000", "2000", "8400"),
        departments=("Magazijn", "Planning", "IT", "Financiën", "HR", "Verkoop"),
    ),
    Company(
        name="Brabantse Verzekeringen CV",
        number="1999818613",
        domain="brabantse.example",
        language="nl",
        approval="auto",
        hours_per_year=32,
        people=90,
        postcodes=("3000", "1000", "2800"),
        departments=("Schade", "Juridisch", "IT", "Communicatie", "Klantendienst"),
    ),
    Company(
        name="Maison Lumen SA",
        number="1999620158",
        domain="lumen.example",
        language="fr",
        approval="hr",
        hours_per_year=24,
        people=60,
        postcodes=("1000", "1050"),
        departments=("Production", "Marketing", "Finances", "RH"),
    ),
    Company(
        name="Kempenstaal BV",
        number="1999201672",
        domain="kempenstaal.example",
        language="nl",
        approval="hr",
        hours_per_year=None,
        people=45,
        postcodes=("3500", "2300"),
        departments=("Productie", "Onderhoud", "Administratie"),
    ),
)


def companies_file(faker: Faker) -> bytes:
    """The companies as the operator would send them in."""
    rows = [
        {
            "name": c.name,
            "organisation_number": c.number,
            "hours_per_year": c.hours_per_year or "",
            "approval": c.approval,
            "hr_name": faker.name(),
            "hr_email": f"hr@{c.domain}",
            "language": c.language,
        }
        for c in COMPANIES
    ]
    return _csv(rows)


def staff_file(
    company: Company, random: Random, today: date, extra: Sequence[Mapping[str, object]] = ()
) -> bytes:
    """A company's staff list; `extra` are people who must be in it."""
    faker = Faker("fr_BE" if company.language == "fr" else "nl_BE")
    faker.seed_instance(random.getrandbits(32))
    rows: list[Mapping[str, object]] = list(extra)
    for number in range(company.people - len(rows)):
        first, last = faker.first_name(), faker.last_name()
        local = "".join(c for c in plain(f"{first}.{last}") if c.isalnum() or c == ".")
        rows.append(
            staff_row(
                number=1000 + number,
                email=f"{local}.{number}@{company.domain}",
                first_name=first,
                last_name=last,
                department=random.choice(company.departments),
                postcode=random.choice(company.postcodes),
                language=random.choices(
                    [company.language, "fr" if company.language == "nl" else "nl"], [6, 1]
                )[0],
                start=today - timedelta(days=random.randint(500, 9000)),
                fte=random.choice([1, 1, 1, 0.8, 0.8, 0.5]),
            )
        )
    return _csv(rows)


def staff_row(
    *,
    number: int,
    email: str,
    first_name: str,
    last_name: str,
    department: str,
    postcode: str,
    language: str,
    start: date,
    fte: float = 1,
) -> dict[str, object]:
    return {
        "employee_number": number,
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "department": department,
        "site_postcode": postcode,
        "language": language,
        "start_date": start.isoformat(),
        "fte": fte,
    }


def _csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
