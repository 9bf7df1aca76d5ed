"""What fills the blanks of an agreement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class AgreementFacts:
    """Facts of one coaching. `coach` is a name only where the person shares it, else a pseudonym: HR reads it."""

    employment_id: int
    company: str
    company_number: str | None
    initiative: str
    host: str
    host_number: str | None
    coach: str
    title: str
    skills: tuple[str, ...]
    minutes: int
    from_date: date
    until_date: date
    place: str
    remote: bool  # may be at a distance as well
    contact: str
