"""Forms of this room."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from timebank.web.forms import BaseForm, DateField


class PeriodForm(BaseForm):
    """The period of a report; it only reads, so it travels in the address and needs no token."""

    class Meta:
        csrf = False

    from_date = DateField(_l("First day"), name="from")
    until_date = DateField(_l("Last day"), name="until")
