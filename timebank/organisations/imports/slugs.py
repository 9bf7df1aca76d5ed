"""Short names for addresses, unique over all organisations or initiatives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LENGTH = 80


class Slugs:
    """Gives each name a slug that none of `taken` has."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, name: str) -> str:
        plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
        stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LENGTH - 8] or "x"
        slug, number = stem, 1
        while slug in self._taken:
            number += 1
            slug = f"{stem}-{number}"
        self._taken.add(slug)
        return slug
