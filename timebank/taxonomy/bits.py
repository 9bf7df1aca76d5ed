"""Languages and half-days as bits, as tables and the kernel hold them."""

from __future__ import annotations

from collections.abc import Iterable

LANGUAGES = ("nl", "fr", "en")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PARTS = ("am", "pm", "ev")  # 8 to 12, 13 to 17, 18 to 22, local time of the site
HALF_DAYS = tuple(f"{day}-{part}" for day in DAYS for part in PARTS)
ANY_TIME = (1 << len(HALF_DAYS)) - 1


def _bits(codes: Iterable[str], order: tuple[str, ...]) -> int:
    bits = 0
    for code in codes:
        bits |= 1 << order.index(code)
    return bits


def language_bits(codes: Iterable[str]) -> int:
    """Raises ValueError for an unknown code."""
    return _bits(codes, LANGUAGES)


def languages_of(bits: int) -> list[str]:
    return [code for i, code in enumerate(LANGUAGES) if bits >> i & 1]


def week_bits(codes: Iterable[str]) -> int:
    """Raises ValueError for an unknown half-day."""
    return _bits(codes, HALF_DAYS)


def half_days_of(bits: int) -> list[str]:
    return [code for i, code in enumerate(HALF_DAYS) if bits >> i & 1]
