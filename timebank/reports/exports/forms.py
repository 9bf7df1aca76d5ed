"""Forms of the page of exports."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField

from timebank.reports.exports.words import EVERY, FORMATS
from timebank.web.forms import BaseForm, CheckboxesField, DateField, Required, choices


class ExportForm(BaseForm):
    """Which report, as what. `auditor` is removed for those who may not have evidence."""

    from_date = DateField(_l("First day"), name="from", validators=[Required()])
    until_date = DateField(_l("Last day"), name="until", validators=[Required()])
    format = RadioField(_l("Kind of file"), choices=choices(FORMATS.items()), default="pdf")
    stories = CheckboxesField(_l("Three initiatives to tell of"))
    auditor = BooleanField(_l("With evidence, for the auditor"))


class ScheduleForm(BaseForm):
    """How often, as what."""

    every = SelectField(_l("How often"), choices=choices((e.value, word) for e, word in EVERY.items()))
    format = SelectField(_l("Kind of file"), choices=choices(FORMATS.items()))
