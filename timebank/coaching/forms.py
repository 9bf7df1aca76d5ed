"""What an initiative fills in to ask for coaches, and what the operator answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, RadioField, SelectField, ValidationError

from timebank import clock
from timebank.coaching.models import CoachingRequest, Shape
from timebank.coaching.rules import (
    DESCRIPTION_MAX,
    MINUTES_MAX,
    MINUTES_MIN,
    REASON_MAX,
    SEATS_MAX,
    SLOTS_MAX,
    TITLE_MAX,
    TURNED_ROUND,
    RequestInput,
)
from timebank.taxonomy.bits import ANY_TIME, HALF_DAYS, half_days_of, language_bits, languages_of, week_bits
from timebank.taxonomy.picking import SkillsField
from timebank.web.forms import (
    BaseForm,
    CheckboxesField,
    DateField,
    HoursField,
    LongText,
    PostcodeField,
    Text,
    WholeNumberField,
    choices,
    clean_text,
    day_of,
)

LANGUAGES = (("nl", _l("Dutch")), ("fr", _l("French")), ("en", _l("English")))
SHAPES = (
    (Shape.WINDOW, _l("So many hours between two dates")),
    (Shape.SLOTS, _l("At fixed moments")),
    (Shape.OPEN_ENDED, _l("Without an end")),
)
_HOURS = _l("Say how many hours each coach gives.")
_FIRST_DAY = _l("Give the first day.")
_LAST_DAY = _l("Give the last day, or choose a coaching without an end.")
NEEDED = {
    Shape.WINDOW: {"hours": _HOURS, "from_date": _FIRST_DAY, "until_date": _LAST_DAY},
    Shape.SLOTS: {"slots": _l("Give at least one moment.")},
    Shape.OPEN_ENDED: {"hours": _HOURS, "from_date": _FIRST_DAY},
}
LEVEL_ASKED = 1
ROWS_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """A moment as it was typed."""

    day: str = ""
    start: str = ""
    end: str = ""


class SlotsField(Field):
    """Moments: a day with a first and a last hour each, in Brussels time. Empty rows are left out."""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: list[str] = []
        self.data: list[tuple[datetime, datetime]] = list(data or ())
        self.rows = [
            Row(
                f"{clock.local_date(a):%d/%m/%Y}",
                f"{a.astimezone(clock.BRUSSELS):%H:%M}",
                f"{b.astimezone(clock.BRUSSELS):%H:%M}",
            )
            for a, b in self.data
        ]
        if formdata is not None:
            self._read(formdata)
        self.rows += [Row()] * (ROWS_SHOWN - len(self.rows))

    def _read(self, formdata: Any) -> None:
        columns = [formdata.getlist(f"{self.name}-{part}") for part in ("day", "start", "end")]
        count = min(max((len(c) for c in columns), default=0), SLOTS_MAX + 1)
        typed = [Row(*(clean_text(c[i])[:40] if i < len(c) else "" for c in columns)) for i in range(count)]
        self.data = []
        for number, row in enumerate(typed, start=1):
            if row == Row():
                continue
            try:
                self.data.append(_moment(row))
            except ValueError:
                self.process_errors.append(
                    _("Moment %(number)s: write a day, and hours as 13:30.", number=number)
                )
        more = f"{self.name}-more" in formdata
        self.rows = [r for r in typed if r != Row()] + ([Row()] * ROWS_SHOWN if more else [])


def _moment(row: Row) -> tuple[datetime, datetime]:
    day = day_of(row.day)
    start, end = _wall_time(row.start), _wall_time(row.end)
    return clock.local_moment(day, start), clock.local_moment(day, end)


def _wall_time(text: str) -> time:
    match = re.fullmatch(r"([01]?[0-9]|2[0-3])(?:[:.uUhH]([0-5][0-9])?)?", text)
    if not match:
        raise ValueError(text)
    return time(int(match[1]), int(match[2] or 0))


class RequestForm(BaseForm):
    title = Text(_l("Title"), longest=TITLE_MAX)
    description = LongText(_l("What should the coach help with?"), longest=DESCRIPTION_MAX)
    language = SelectField(_l("Language of this text"), choices=choices(LANGUAGES))
    seats = WholeNumberField(_l("How many coaches?"), least=1, most=SEATS_MAX, default=1)
    shape = RadioField(_l("How do you plan the sessions?"), choices=choices(SHAPES), default=Shape.WINDOW)
    hours = HoursField(_l("Hours of each coach"), least=MINUTES_MIN, most=MINUTES_MAX, required=False)
    from_date = DateField(_l("From"), required=False)
    until_date = DateField(_l("Until"), required=False)
    slots = SlotsField(_l("Fixed moments"))
    week = CheckboxesField(
        _l("When in the week?"), choices=choices((code, code) for code in HALF_DAYS), required=False
    )
    must = SkillsField(
        _l("A coach needs"),
        default_level=LEVEL_ASKED,
        required=_l("Choose at least one skill that a coach needs."),
    )
    nice = SkillsField(_l("Also welcome"), default_level=LEVEL_ASKED)
    languages = CheckboxesField(
        _l("Languages of the coaching"),
        choices=choices(LANGUAGES),
        required=_l("Choose at least one language."),
    )
    postcode = PostcodeField(_l("Where (postcode)"))
    remote = BooleanField(_l("May be at a distance"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Also asks for what the chosen shape needs, so that it is said together with all else."""
        valid = bool(super().validate(extra_validators))
        for name, message in NEEDED.get(self.shape.data, {}).items():
            field = self[name]
            if not field.data and not field.errors:
                field.errors = [str(message)]
                valid = False
        return valid

    def validate_until_date(self, field: Any) -> None:
        """Said together with all else that needs a change; the service judges the dates again."""
        first, last = self.from_date.data, field.data
        if self.shape.data == Shape.WINDOW and first and last and last < first:
            raise ValidationError(str(TURNED_ROUND))

    def wish(self) -> RequestInput:
        """The validated answers, for the service; it judges the answers together."""
        values: dict[str, Any] = self.data
        shape = Shape(values["shape"])
        return RequestInput(
            title=values["title"],
            description=values["description"],
            language=values["language"],
            seats=values["seats"],
            minutes_per_coach=values["hours"] or 0,
            shape=shape,
            from_date=values["from_date"],
            until_date=values["until_date"],
            must=values["must"],
            nice=values["nice"],
            slots=values["slots"] if shape == Shape.SLOTS else [],
            language_bits=language_bits(values["languages"]),
            week_bits=week_bits(values["week"] or []),
            postcode=values["postcode"],
            remote=values["remote"],
        )


def new_values(language: str, postcode: str) -> dict[str, Any]:
    """What the form suggests to an initiative that opens it."""
    return {
        "language": language,
        "languages": [language],
        "postcode": postcode,
        "seats": 1,
        "remote": True,
        "week": half_days_of(ANY_TIME),
        "shape": Shape.WINDOW.value,
    }


def values_of(request: CoachingRequest, language: str) -> dict[str, Any]:
    """A request as the form shows it."""
    text = request.text(language)
    return {
        "title": text.title,
        "description": text.description,
        "language": text.language,
        "seats": sum(not s.withdrawn for s in request.seats),
        "hours": request.minutes_per_coach,
        "shape": request.shape.value,
        "from_date": request.from_date,
        "until_date": request.until_date,
        "slots": [(s.starts_at, s.ends_at) for s in request.slots],
        "week": half_days_of(request.week_bits),
        "must": [(s.skill_id, s.level) for s in request.skills if s.must],
        "nice": [(s.skill_id, s.level) for s in request.skills if not s.must],
        "languages": languages_of(request.language_bits),
        "postcode": request.postcode,
        "remote": request.remote,
    }


class SeatsForm(BaseForm):
    seats = WholeNumberField(_l("How many coaches?"), least=1, most=SEATS_MAX)


class ReasonForm(BaseForm):
    reason = LongText(_l("Reason"), longest=REASON_MAX)
