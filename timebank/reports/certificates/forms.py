"""What of a certificate others may see."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from timebank.web.forms import BaseForm


class SharesForm(BaseForm):
    """Each part by itself; nothing is shared unless it is ticked."""

    name = BooleanField(_l("My name"))
    company = BooleanField(_l("The company I work for"))
    initiative = BooleanField(_l("The initiative that I coached"))
