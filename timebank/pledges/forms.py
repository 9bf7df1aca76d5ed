"""What an employee fills in to pledge, and what approvers answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, ValidationError

from timebank.organisations.models import Employment
from timebank.pledges.models import Pledge
from timebank.pledges.rules import (
    LEVEL_DEFAULT,
    MINUTES_MAX,
    MINUTES_MIN,
    RADIUS_DEFAULT_KM,
    RADIUS_MAX_KM,
    REASON_MAX,
    SKILLS_MAX,
    TURNED_ROUND,
    Description,
    PledgeInput,
)
from timebank.taxonomy.bits import HALF_DAYS, half_days_of, language_bits, languages_of, week_bits
from timebank.taxonomy.picking import SkillsField
from timebank.web.forms import (
    BaseForm,
    CheckboxesField,
    DateField,
    HoursField,
    LongText,
    PostcodeField,
    WholeNumberField,
    choices,
)

LANGUAGES = (("nl", _l("Dutch")), ("fr", _l("French")), ("en", _l("English")))
RHYTHMS = (("once", _l("In the whole period")), ("monthly", _l("Every month")))


class PledgeForm(BaseForm):
    hours = HoursField(_l("Hours"), least=MINUTES_MIN, most=MINUTES_MAX)
    rhythm = RadioField(_l("These hours are"), choices=choices(RHYTHMS), default="once")
    from_date = DateField(_l("From"))
    until_date = DateField(_l("Until"))
    skills = SkillsField(
        _l("Your skills"),
        default_level=LEVEL_DEFAULT,
        required=_l("Choose at least one skill."),
        most=SKILLS_MAX,
    )
    languages = CheckboxesField(
        _l("Languages you coach in"),
        choices=choices(LANGUAGES),
        required=_l("Choose at least one language."),
    )
    week = CheckboxesField(
        _l("Your week"),
        choices=choices((code, code) for code in HALF_DAYS),
        required=_l("Choose at least one half-day."),
    )
    postcode = PostcodeField(_l("You leave from (postcode)"))
    radius_km = WholeNumberField(_l("How far, in km"), least=0, most=RADIUS_MAX_KM, default=RADIUS_DEFAULT_KM)
    remote = BooleanField(_l("Also at a distance"))
    wanted = CheckboxesField(_l("Causes you like to work for"), coerce=int)
    excluded = CheckboxesField(_l("Causes you do not want"), coerce=int)
    shares_choice = BooleanField(_l("My company may see which initiative I coach"))

    def validate_until_date(self, field: Any) -> None:
        """Said together with all else that needs a change; the service judges the dates again."""
        if self.from_date.data and field.data < self.from_date.data:
            raise ValidationError(str(TURNED_ROUND))

    def pledge(self) -> PledgeInput:
        """The validated answers, for the service."""
        values: dict[str, Any] = self.data
        return PledgeInput(
            minutes=values["hours"],
            monthly=values["rhythm"] == "monthly",
            from_date=values["from_date"],
            until_date=values["until_date"],
            skills=values["skills"],
            language_bits=language_bits(values["languages"]),
            week_bits=week_bits(values["week"]),
            postcode=values["postcode"],
            radius_km=values["radius_km"],
            remote=values["remote"],
            wanted_cause_ids=values["wanted"] or [],
            excluded_cause_ids=values["excluded"] or [],
            shares_choice=values["shares_choice"],
        )


def defaults_for(employment: Employment, today: date) -> dict[str, Any]:
    """What the form suggests to a person who opens it: from today to the end of the year, from their own site, on
    weekdays."""
    terms = employment.terms_on(today)
    end = date(today.year, 12, 31) if today.month < 10 else date(today.year + 1, 6, 30)
    return {
        "from_date": today,
        "until_date": end,
        "postcode": terms.site.postcode if terms and terms.site else "",
        "languages": [employment.language],
        "week": [code for code in HALF_DAYS if code[:3] not in ("sat", "sun") and not code.endswith("-ev")],
        "remote": True,
    }


class DescriptionForm(PledgeForm):
    """What a pledge says besides its hours and its days."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("hours", "rhythm", "from_date", "until_date"):
            del self[name]

    def description(self) -> Description:
        """The validated answers, for the service."""
        values: dict[str, Any] = self.data
        return Description(
            skills=values["skills"],
            language_bits=language_bits(values["languages"]),
            week_bits=week_bits(values["week"]),
            postcode=values["postcode"],
            radius_km=values["radius_km"],
            remote=values["remote"],
            wanted_cause_ids=values["wanted"] or [],
            excluded_cause_ids=values["excluded"] or [],
            shares_choice=values["shares_choice"],
        )


def values_of(pledge: Pledge) -> dict[str, Any]:
    """A pledge as that form shows it."""
    return {
        "skills": [(s.skill_id, s.level) for s in pledge.skills],
        "languages": languages_of(pledge.language_bits),
        "week": half_days_of(pledge.week_bits),
        "postcode": pledge.postcode,
        "radius_km": pledge.radius_km,
        "remote": pledge.remote,
        "wanted": [c.cause_id for c in pledge.causes if not c.excluded],
        "excluded": [c.cause_id for c in pledge.causes if c.excluded],
        "shares_choice": pledge.shares_choice,
    }


class MinutesForm(BaseForm):
    hours = HoursField(_l("Hours"), least=MINUTES_MIN, most=MINUTES_MAX)


class RaiseForm(MinutesForm):
    """How many hours a pledge has from now on; `seen` are the minutes that stood on the page."""

    seen = HiddenField()


class DecisionForm(BaseForm):
    """What an approver does with the chosen rows; a reason is asked where somebody is refused."""

    reason = LongText(_l("Reason, which the employee reads"), longest=REASON_MAX, required=False)
