"""Numbers as files hold them."""

from __future__ import annotations

from decimal import Decimal

PLACES = Decimal("0.000001")


def to_a_millionth(value: Decimal | int) -> Decimal:
    return Decimal(value).quantize(PLACES)


def json_number(value: Decimal | int | None) -> int | float | None:
    """A whole number as one, anything else to a millionth."""
    if value is None or isinstance(value, int):
        return value
    rounded = to_a_millionth(value)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def text_number(value: Decimal | int, *, decimal_comma: bool = False) -> str:
    """Without exponent, to a millionth, without trailing zeros."""
    text = f"{to_a_millionth(value):f}".rstrip("0").rstrip(".")
    text = "0" if text in ("-0", "") else text
    return text.replace(".", ",") if decimal_comma else text
