"""Belgian public holidays: paid working time is not given on them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

LANGUAGES = {"nl": "nl", "fr": "fr", "en": "en_US"}


@lru_cache(maxsize=64)
def _of_year(year: int, language: str) -> dict[date, str]:
    import holidays  # slow to load, and seldom asked

    return dict(holidays.country_holidays("BE", years=year, language=LANGUAGES.get(language, "nl")))


def holiday_on(day: date, language: str) -> str | None:
    """The name of the public holiday on `day`, in `language`, or None."""
    return _of_year(day.year, language).get(day)
