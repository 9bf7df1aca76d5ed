"""A half-filled pledge form as the kernel's columns, for the preview beside it."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from timebank.matching import preview
from timebank.matching.columns import PledgeColumns
from timebank.matching.pins import BLOCK_MINUTES
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.bits import HALF_DAYS, LANGUAGES, language_bits, week_bits
from timebank.web import picker
from timebank.web.forms import day_of, minutes_of

# What the form calls them: see the fields of a pledge.
MONTHLY = "monthly"


def read_offer(session: Session, values: MultiDict[str, str], organisation_id: int) -> PledgeColumns | None:
    """What the form says so far; None while hours, dates, skills, languages, half-days or the place are missing."""
    known = set(taxonomy.skill_ids(session).values())
    skills = [(skill, level) for skill, level in picker.read("skills", values).chosen if skill in known]
    languages = [code for code in values.getlist("languages") if code in LANGUAGES]
    half_days = [code for code in values.getlist("week") if code in HALF_DAYS]
    place = taxonomy.postcode(session, values.get("postcode", "").strip())
    try:
        minutes = minutes_of(values.get("hours", ""))
        first, last = day_of(values.get("from_date", "")), day_of(values.get("until_date", ""))
        radius = int(values.get("radius_km", ""))
    except ValueError:
        return None
    if not (
        skills and languages and half_days and place and minutes > 0 and first <= last and 0 <= radius <= 300
    ):
        return None
    causes = {str(cause.id): 1 << cause.position for cause in taxonomy.causes(session)}
    monthly = values.get("rhythm") == MONTHLY
    return PledgeColumns(
        skills=skills,
        languages=language_bits(languages),
        x=place.x,
        y=place.y,
        radius_km=radius,
        remote="remote" in values,
        from_date=first,
        until_date=last,
        week=week_bits(half_days),
        blocks=minutes * (_months(first, last) if monthly else 1) // BLOCK_MINUTES,
        monthly_blocks=minutes // BLOCK_MINUTES if monthly else 0,
        organisation_id=organisation_id,
        causes=_bits(values, "wanted", causes),
        excluded_causes=_bits(values, "excluded", causes)
        | preview.excluded_by_company(session, organisation_id),
    )


def _months(first: date, last: date) -> int:
    """Calendar months that a period touches."""
    return 12 * (last.year - first.year) + last.month - first.month + 1


def _bits(values: MultiDict[str, str], name: str, bits: dict[str, int]) -> int:
    chosen = 0
    for value in values.getlist(name):
        chosen |= bits.get(value, 0)
    return chosen
