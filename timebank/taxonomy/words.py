"""Skills, languages, causes and half-days in words, for templates of all features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from flask import Blueprint
from flask_babel import gettext as _

from timebank.taxonomy.bits import ANY_TIME, DAYS, PARTS, languages_of
from timebank.taxonomy.models import Cause, Skill
from timebank.web.templating import half_days, week_days


class SkillAtLevel(Protocol):
    """A skill offered or asked."""

    @property
    def skill(self) -> Skill: ...
    @property
    def level(self) -> int: ...


class CauseWish(Protocol):
    """A cause wanted or not."""

    @property
    def cause(self) -> Cause: ...
    @property
    def excluded(self) -> bool: ...


def language_name(code: str) -> str:
    return str({"nl": _("Dutch"), "fr": _("French"), "en": _("English")}.get(code, code))


def languages_in_words(bits: int) -> str:
    """The languages of `bits`, with commas."""
    return ", ".join(language_name(code) for code in languages_of(bits))


def skills_in_words(skills: Iterable[SkillAtLevel], levels: Mapping[int, str] | None, language: str) -> str:
    """Names of skills with commas, each with its level when `levels` gives words for them."""
    names = sorted((s.skill.name(language), s.level) for s in skills)
    if levels is None:
        return ", ".join(name for name, _level in names)
    return ", ".join(_("%(skill)s (%(level)s)", skill=name, level=levels[level]) for name, level in names)


def causes_in_words(causes: Iterable[CauseWish], excluded: bool, language: str) -> str:
    """The causes wanted, or those not, with commas; a dash for none."""
    return ", ".join(c.cause.name(language) for c in causes if c.excluded == excluded) or "–"


def week_in_words(bits: int) -> str:
    """The half-days of `bits`, by part of the day."""
    if bits == ANY_TIME:
        return str(_("At any time"))
    days = week_days()
    rows = []
    for part, half in enumerate(half_days()):
        chosen = [day.short for i, day in enumerate(days) if bits >> (len(PARTS) * i + part) & 1]
        if len(chosen) == len(DAYS):
            chosen = [_("each day")]
        if chosen:
            rows.append(_("%(half)s: %(days)s", half=half.name, days=", ".join(chosen)))
    return " · ".join(rows)


FILTERS: dict[str, Any] = {
    "language_name": language_name,
    "languages_in_words": languages_in_words,
    "skills_in_words": skills_in_words,
    "causes_in_words": causes_in_words,
    "week_in_words": week_in_words,
}


def register(bp: Blueprint) -> None:
    """Let the templates of a feature use them."""
    for name, function in FILTERS.items():
        bp.add_app_template_filter(function, name)
