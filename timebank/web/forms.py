"""Fields that all forms share: what a person types becomes a clean value, or a sentence beside the field.

Every field keeps what was typed when it refuses it. Texts may be in any script; control characters are refused, and
characters that turn the direction of the text around them are taken out, since they can disguise what is written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import Field, PasswordField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are of WTForms 3.2
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, DateInput, EmailInput, ListWidget, TextInput

from timebank.addresses import can_be_written_to
from timebank.errors import Invalid

Validator = Callable[[Any, Any], None]

# Embeddings, overrides and isolates: they reorder the text around them. The plain marks U+200E and U+200F stay.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")


class BaseForm(FlaskForm):
    """A form with a CSRF token. `add_errors` shows a service's refusal where the person can mend it."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What was posted; in a page that comes back after signing in, what was filled in before."""
            posted = super().wrap_formdata(form, formdata)
            draft = g.get("draft")
            # A page may hold several forms: the draft is of those that have its fields.
            if not posted and draft and not form._fields.keys().isdisjoint(draft):
                return draft
            return posted

    def add_errors(self, refusal: Invalid) -> None:
        """Put the messages of `refusal` beside their fields, and what belongs to none of them above the form."""
        for name, message in refusal.fields.items():
            if name in self._fields:
                field = self._fields[name]
                field.errors = [*field.errors, str(message)]
            else:
                self.form_errors.append(str(message))
        if not refusal.fields:
            self.form_errors.append(str(refusal))


# --- validators -----------------------------------------------------------------------------------------------------


class Required:
    """The field must hold something that can be seen."""

    def __init__(self, message: object = None) -> None:
        self.message = message or _l("Fill this in.")
        self.field_flags = {"required": True}

    def __call__(self, form: Any, field: Field) -> None:
        value = field.data
        if value is None or value in ("", [], ()) or (isinstance(value, str) and not is_visible(value)):
            if field.errors:  # it was filled in, and could not be read: one message is enough
                raise StopValidation
            raise StopValidation(str(self.message))


class Blank:
    """An empty optional field is not looked at further."""

    def __call__(self, form: Any, field: Field) -> None:
        if not field.errors and (field.data is None or field.data in ("", [], ())):
            raise StopValidation


class CleanText:
    """No control characters besides tab and line break, and not too long."""

    def __init__(self, longest: int, lines: bool) -> None:
        self.longest = longest
        self.allowed = "\t\n" if lines else ""

    def __call__(self, form: Any, field: Field) -> None:
        text = field.data or ""
        if any(unicodedata.category(c) in ("Cc", "Cs") and c not in self.allowed for c in text):
            raise StopValidation(_("This text holds hidden control characters. Type it again without them."))
        if len(text) > self.longest:
            raise StopValidation(
                _(
                    "This text has %(length)s characters; at most %(longest)s fit.",
                    length=len(text),
                    longest=self.longest,
                )
            )


_EMAIL = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])"
)


class EmailForm:
    """An address of the usual form."""

    def __call__(self, form: Any, field: Field) -> None:
        local, _at, _domain = field.data.partition("@")
        dotted = local.startswith(".") or local.endswith(".") or ".." in local
        if not _EMAIL.fullmatch(field.data) or dotted or not can_be_written_to(field.data):
            raise StopValidation(_("This is no e-mail address. Write it as name@example.be."))


def is_visible(text: str) -> bool:
    """Whether there is anything to see in `text`."""
    return any(unicodedata.category(c)[0] not in "CZ" for c in text)


def clean_text(text: str | None) -> str:
    """Normalised (NFC), with plain line breaks, without characters that turn its direction, trimmed."""
    if not text:
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _TURNING.sub("", text)).strip()


def _rules(required: bool | object, own: Iterable[Validator], more: Iterable[Validator]) -> list[Validator]:
    first: Validator = Blank() if required is False else Required(None if required is True else required)
    return [first, *own, *more]


# --- texts ----------------------------------------------------------------------------------------------------------


class Text(StringField):
    """One line of text. `required` may be the sentence to show when it is empty."""

    data: Any  # a text

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        longest: int = 200,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        rules = _rules(required, [CleanText(longest, lines=False)], validators)
        super().__init__(label, rules, filters=[clean_text], **options)


class LongText(TextAreaField):
    """Text of several lines."""

    data: Any  # a text

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        longest: int = 5000,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        rules = _rules(required, [CleanText(longest, lines=True)], validators)
        super().__init__(label, rules, filters=[clean_text], **options)


class Email(StringField):
    """An e-mail address, in lower case."""

    data: Any  # a text
    widget = EmailInput()

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        rules = _rules(required, [CleanText(254, lines=False), EmailForm()], validators)
        super().__init__(label, rules, filters=[lambda text: clean_text(text).lower()], **options)


class Website(StringField):
    """An http address; one without a scheme gets https. Another scheme could run in the reader's page."""

    data: Any  # a text
    widget = TextInput()

    def __init__(self, label: Any = None, *, required: bool | object = True, **options: Any) -> None:
        super().__init__(
            label,
            _rules(required, [CleanText(200, lines=False), _web_address], ()),
            filters=[_with_scheme],
            **options,
        )


def _with_scheme(text: str | None) -> str:
    text = clean_text(text)
    if not text or re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", text, re.IGNORECASE):
        return text
    return "https://" + text


def _web_address(form: Any, field: Field) -> None:
    if not re.fullmatch(r"https?://[^\s/?#@]+\.[^\s/?#@]{2,}(?:[/?#]\S*)?", field.data, re.IGNORECASE):
        raise ValidationError(_("This is no web address. Write it as www.example.be."))


class Password(PasswordField):
    """A password, as it was typed; never sent back to the page."""

    data: Any  # a text

    def __init__(self, label: Any = None, validators: Iterable[Validator] = (), **options: Any) -> None:
        super().__init__(label, [Required(), CleanText(200, lines=False), *validators], **options)


class PostcodeField(StringField):
    """Four digits (B-1000 is understood); whether Belgium has it is for the service to say."""

    data: Any  # a text
    widget = TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        options.setdefault("render_kw", {"inputmode": "numeric", "autocomplete": "postal-code"})
        super().__init__(
            label, _rules(required, [_four_digits], validators), filters=[_plain_postcode], **options
        )


def _plain_postcode(text: str | None) -> str:
    return re.sub(r"^BE?[- ]?(?=\d)", "", clean_text(text), flags=re.IGNORECASE)


def _four_digits(form: Any, field: Field) -> None:
    if not re.fullmatch(r"[0-9]{4}", field.data):
        raise ValidationError(_("A postcode has four digits, as 9000."))


# --- values ---------------------------------------------------------------------------------------------------------


class Parsed(Field):
    """A field whose text becomes a value; what could not be read is shown again as it was typed."""

    widget: Any = TextInput()

    def parse(self, text: str) -> Any:
        """The value of `text`. Raises ValueError with a translated message."""
        raise NotImplementedError

    def show(self, value: Any) -> str:
        """The text of a value."""
        return str(value)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.show(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        text = clean_text(str(valuelist[0]))
        self.data = self.parse(text) if text else None


class HoursField(Parsed):
    """Hours as people write them (2,5 · 2.5 · 2:30 · 2u30), as whole minutes from `least` to `most`."""

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        least: int = 15,
        most: int = 1000 * 60,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        self.least, self.most = least, most
        options.setdefault("render_kw", {"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(label, _rules(required, (), validators), **options)

    def parse(self, text: str) -> int:
        try:
            minutes = minutes_of(text)
        except ValueError:
            raise ValueError(_("Write hours as 2,5 or 2:30.")) from None
        if not self.least <= minutes <= self.most:
            raise ValueError(
                _(
                    "Give from %(least)s to %(most)s hours.",
                    least=hours_text(self.least),
                    most=hours_text(self.most),
                )
            )
        return minutes

    def show(self, value: int) -> str:
        return hours_text(value)


def minutes_of(text: str) -> int:
    """Minutes of hours as people write them. Raises ValueError."""
    if re.match(r"[1-9][0-9]{0,2}\.[0-9]{3}(?![0-9])", text):
        raise ValueError(text)  # a thousand and more as Belgians write it, or a very exact one: better to ask
    if match := re.fullmatch(
        r"([0-9]{1,5})\s*(?::|u|h|uur|heures?|hours?)\s*([0-5][0-9])", text, re.IGNORECASE
    ):
        return int(match[1]) * 60 + int(match[2])
    if match := re.fullmatch(r"([0-9]{1,5})\s*min(?:\.|uut|uten|utes?)?", text, re.IGNORECASE):
        return int(match[1])
    match = re.fullmatch(
        r"([0-9]{1,5}(?:[.,][0-9]{1,6})?|[.,][0-9]{1,6})\s*(?:u|h|uur|uren|heures?|hours?)?",
        text,
        re.IGNORECASE,
    )
    if not match:
        raise ValueError(text)
    return int((Decimal(match[1].replace(",", ".")) * 60).quantize(Decimal(1), ROUND_HALF_UP))


def hours_text(minutes: int) -> str:
    """How a field shows minutes: 2:30, and whole hours without minutes."""
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes % 60 else str(minutes // 60)


class WholeNumberField(Parsed):
    """A whole number from `least` to `most`."""

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        least: int,
        most: int,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        self.least, self.most = least, most
        options.setdefault("render_kw", {"inputmode": "numeric", "autocomplete": "off"})
        super().__init__(label, _rules(required, (), validators), **options)

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", text) or not self.least <= int(text) <= self.most:
            raise ValueError(
                _("Give a whole number from %(least)s to %(most)s.", least=self.least, most=self.most)
            )
        return int(text)


class _DateInput(DateInput):
    """The browser's own date field; a plain one for text that the browser's would swallow."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        # A date field swallows "31/02/2026"; what was typed must stay.
        readable = field.data is not None or not field._value()
        kwargs.setdefault("type", "date" if readable else "text")
        return super().__call__(field, **kwargs)


class DateField(Parsed):
    """A date: 2026-03-31, 31/03/2026 or 31-3-2026, from `earliest` to `latest` where given."""

    widget = _DateInput()

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        required: bool | object = True,
        **options: Any,
    ) -> None:
        super().__init__(label, _rules(required, (), validators), **options)

    def parse(self, text: str) -> date:
        try:
            return day_of(text)
        except ValueError:
            raise ValueError(_("Write a date as 31/03/2026.")) from None

    def _value(self) -> str:
        # Whatever notation it was typed in, the browser's date field wants this one.
        return self.data.isoformat() if self.data else super()._value()

    def show(self, value: date) -> str:
        return value.isoformat()


def day_of(text: str) -> date:
    """The date that people wrote, in this century or close to it. Raises ValueError."""
    if match := re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text):
        day = date(int(match[1]), int(match[2]), int(match[3]))
    elif match := re.fullmatch(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})", text):
        day = date(int(match[4]), int(match[3]), int(match[1]))
    else:
        raise ValueError(text)
    if not 1950 <= day.year <= 2099:
        raise ValueError(text)
    return day


def choices(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """What select, radio and checkbox fields take as choices, from values and labels."""
    return [SelectChoice(value, label) for value, label in pairs]


class CheckboxesField(SelectMultipleField):
    """Several of a list, as real checkboxes. `most` limits how many."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Validator] = (),
        *,
        most: int | None = None,
        required: bool | object = False,
        **options: Any,
    ) -> None:
        self.most = most
        rules: list[Validator] = [*validators]
        if required is not False:
            rules.insert(0, Required(_l("Choose at least one.") if required is True else required))
        super().__init__(label, rules, **options)

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if self.most is not None and len(self.data or ()) > self.most:
            raise ValidationError(_("Choose at most %(most)s.", most=self.most))
