"""Enterprise numbers (KBO/BCE): ten digits, the first 0 or 1, the last two a check."""

from __future__ import annotations

from flask_babel import gettext as _
from stdnum.be import vat
from stdnum.exceptions import ValidationError

from timebank.errors import Invalid


def enterprise_number(text: str, field: str = "enterprise_number") -> str:
    """The ten digits of a number as people write it: 0566.988.259, BE 0566 988 259, 566988259.

    Raises Invalid, with the message at `field`.
    """
    try:
        digits: str = vat.validate(text)
    except ValidationError:
        message = _("This is no Belgian enterprise number. It has ten digits, as 0566.988.259.")
        raise Invalid(message, {field: message}) from None
    return digits


def written(digits: str | None) -> str:
    """As it is written: 0566.988.259; nothing where there is none."""
    return f"{digits[:4]}.{digits[4:7]}.{digits[7:]}" if digits else ""
