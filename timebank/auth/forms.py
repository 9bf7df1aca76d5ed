"""Forms around signing in."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.validators import ValidationError

from timebank.web import forms as f
from timebank.web.locale import NAMES

LANGUAGE_CHOICES = f.choices(NAMES.items())


class SignInForm(f.BaseForm):
    # Not checked for its form: whatever is wrong with it, the answer is the same as for an unknown account.
    email = f.Text(
        _l("E-mail address"),
        longest=254,
        render_kw={"type": "email", "autocomplete": "username", "autofocus": True},
    )
    password = f.Password(_l("Password"), render_kw={"autocomplete": "current-password"})


class ResetRequestForm(f.BaseForm):
    email = f.Email(_l("E-mail address"), render_kw={"autocomplete": "username", "autofocus": True})


class NewPasswordForm(f.BaseForm):
    password = f.Password(_l("New password"), render_kw={"autocomplete": "new-password"})
    again = f.Password(_l("The same once more"), render_kw={"autocomplete": "new-password"})

    def validate_again(self, field: Any) -> None:
        if field.data != self.password.data:
            raise ValidationError(_("The two passwords differ. Type the same twice."))


class NewAccountForm(f.BaseForm):
    first_name = f.Text(_l("First name"), render_kw={"autocomplete": "given-name"})
    last_name = f.Text(_l("Last name"), render_kw={"autocomplete": "family-name"})
    language = SelectField(_l("Language"), choices=LANGUAGE_CHOICES)
    password = f.Password(_l("Password"), render_kw={"autocomplete": "new-password"})
    again = f.Password(_l("The same once more"), render_kw={"autocomplete": "new-password"})

    def validate_again(self, field: Any) -> None:
        if field.data != self.password.data:
            raise ValidationError(_("The two passwords differ. Type the same twice."))


class ProfileForm(f.BaseForm):
    first_name = f.Text(_l("First name"), render_kw={"autocomplete": "given-name"})
    last_name = f.Text(_l("Last name"), render_kw={"autocomplete": "family-name"})
    language = SelectField(_l("Language"), choices=LANGUAGE_CHOICES)
    theme = RadioField(
        _l("Colours"),
        choices=f.choices([("system", _l("As my device")), ("light", _l("Light")), ("dark", _l("Dark"))]),
    )


class PasswordForm(f.BaseForm):
    current = f.Password(_l("Current password"), render_kw={"autocomplete": "current-password"})
    new = f.Password(_l("New password"), render_kw={"autocomplete": "new-password"})
    again = f.Password(_l("The same once more"), render_kw={"autocomplete": "new-password"})

    def validate_again(self, field: Any) -> None:
        if field.data != self.new.data:
            raise ValidationError(_("The two passwords differ. Type the same twice."))
