"""Forms about matches, sessions and hours."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, TimeField
from wtforms.validators import InputRequired

from timebank.ledger.models import Category
from timebank.matches.models import Reached
from timebank.matches.words import CATEGORIES, DECLINE_REASONS, choices
from timebank.web.forms import BaseForm, CleanText, DateField, HoursField, LongText, Text
from timebank.web.forms import choices as options


class DeclineForm(BaseForm):
    reason = RadioField(_l("Why not"), validators=[InputRequired(_l("Choose what fits best."))])
    note = LongText(_l("Anything the other side should know"), required=False, longest=2000)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.reason.choices = options(choices(DECLINE_REASONS))


class FeedbackForm(BaseForm):
    """How a completed coaching went; the question is asked in the words of each side."""

    reached = RadioField(
        _l("What came of it"),
        choices=options(
            [
                (Reached.FULLY.value, _l("Yes, fully")),
                (Reached.PARTLY.value, _l("Partly")),
                (Reached.NO.value, _l("No")),
            ]
        ),
        validators=[InputRequired(_l("Choose what fits best."))],
    )
    again = RadioField(
        _l("Again"),
        choices=options([("yes", _l("Yes")), ("no", _l("No"))]),
        validators=[InputRequired(_l("Choose what fits best."))],
    )


class CancelForm(BaseForm):
    reason = LongText(_l("Why it stops"), longest=2000)


class SessionForm(BaseForm):
    """Date, place and time, in the time of Brussels."""

    date = DateField(_l("Day"))
    starts = TimeField(_l("From"), validators=[InputRequired(_l("Say when it begins."))])
    ends = TimeField(_l("Until"), validators=[InputRequired(_l("Say when it ends."))])
    place = Text(_l("Place"), required=False)
    remote = BooleanField(_l("Remote"))


class HoursForm(BaseForm):
    """Hours from a session, or by hand on a day."""

    session = SelectField(_l("Session"))
    date = DateField(_l("Day"), required=False)
    hours = HoursField(_l("Hours"), least=1, most=1440)
    category = RadioField(_l("What for"), default=Category.DELIVERY.value)
    note = LongText(_l("What you did"), required=False, longest=5000)
    certain = BooleanField(_l("Yes, it was so"))
    late_reason = LongText(_l("Why these hours come late"), required=False, longest=2000)
    key = HiddenField(validators=[CleanText(200, lines=False)])

    def __init__(self, sessions: list[tuple[str, str]], **values: object) -> None:
        super().__init__(**values)
        self.session.choices = options([("", str(_l("No session: I give the day myself"))), *sessions])
        self.category.choices = options(choices(CATEGORIES))


class DisputeForm(BaseForm):
    reason = LongText(
        _l("What is wrong"), required=_l("Say what is wrong, so that the coach can answer."), longest=2000
    )


class RefuseForm(BaseForm):
    reason = LongText(_l("Why not"), required=_l("Say why, so that the coach knows."), longest=2000)


class AnswerForm(BaseForm):
    answer = LongText(_l("Your answer"), required=_l("Write what the initiative should know."), longest=2000)


class CorrectForm(BaseForm):
    date = DateField(_l("Day"))
    hours = HoursField(_l("Hours"), least=1, most=1440)
    reason = LongText(_l("Why you correct it"), required=_l("Say why you correct it."), longest=2000)
