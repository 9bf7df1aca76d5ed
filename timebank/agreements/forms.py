"""Forms about agreements."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from timebank.web.forms import BaseForm


class AcceptForm(BaseForm):
    """A company may accept once for all its coachings with the initiative."""

    standing = BooleanField(_l("Accept once for all our coachings with this initiative"))
