"""The form of the page that checks a report."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired

from timebank.web.forms import BaseForm


class VerifyForm(BaseForm):
    """The report to check."""

    file = FileField(_l("Report (.zip)"), validators=[FileRequired(_l("Choose a file."))])
