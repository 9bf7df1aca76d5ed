"""What the ledger freezes of an employee, as it was on a day."""

from __future__ import annotations

from datetime import date

from timebank.ledger.service import Facts
from timebank.organisations.models import Employment


def facts_of(employment: Employment, day: date) -> Facts:
    """Pseudonym, and the site and department that held on `day`; never a name."""
    terms = employment.terms_on(day)
    return Facts(
        employee=employment.pseudonym,
        site=terms.site.name if terms and terms.site else None,
        department=terms.department if terms else None,
    )
