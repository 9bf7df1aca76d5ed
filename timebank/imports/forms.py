"""Forms of the import pages."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField

from timebank.web.forms import BaseForm


class UploadForm(BaseForm):
    """A file; `company` is removed where the kind or the person leaves nothing to choose."""

    company = SelectField(_l("Company"), coerce=int)
    file = FileField(_l("File"), validators=[FileRequired(_l("Choose a file."))])

    def __init__(self, companies: list[tuple[int, str]] | None = None, **options: Any) -> None:
        super().__init__(**options)
        if companies is None:
            del self.company
        else:
            self.company.choices = list(companies)
