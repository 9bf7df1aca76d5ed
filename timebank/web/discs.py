"""One disc is one hour: how many discs of which kind stand for a number of minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from flask_babel import gettext as _

from timebank.web.format import hours

ONE_BY_ONE = 40  # up to here a disc is one hour
FILLED_PAGE = 250  # a whole sheet of discs, as the report shows


@dataclass(frozen=True)
class Discs:
    """Discs to draw, and the sentence that says the same. `unit` is the number of hours in one disc."""

    given: int
    held: int
    free: int
    gone: int
    unit: int
    sentence: str

    @property
    def marks(self) -> Iterator[str]:
        """The class of each disc, full ones first."""
        for mark, count in (("g", self.given), ("h", self.held), ("", self.free), ("x", self.gone)):
            for _each in range(count):
                yield mark


def discs(
    given: int = 0,
    held: int = 0,
    free: int = 0,
    gone: int = 0,
    label: str | None = None,
    most: int = ONE_BY_ONE,
) -> Discs:
    """The discs of minutes confirmed (`given`), agreed (`held`), not yet agreed (`free`) and lapsed (`gone`).

    Above 40 hours one disc stands for 10, 100 … hours, so that at most `most` are drawn. `label` replaces the sentence
    that is read out.
    """
    total = given + held + free + gone
    unit = 1
    if total > ONE_BY_ONE * 60:
        unit = 10
        while total > most * unit * 60:
            unit *= 10
    # Bounds are rounded, not parts, so that the parts always make up the whole.
    bounds = [_rounded(sum((given, held, free, gone)[:parts]), unit * 60) for parts in range(5)]
    if total and not bounds[4]:
        first = next(index for index, minutes in enumerate((given, held, free, gone), 1) if minutes)
        bounds[first:] = [1] * (5 - first)
    full, half, empty, dashed = (after - before for before, after in pairwise(bounds))
    sentence = label if label is not None else _sentence(given, held, free, gone)
    if unit > 1:
        sentence = _("%(sentence)s; one disc is %(unit)s hours here", sentence=sentence, unit=unit)
    return Discs(full, half, empty, dashed, unit, sentence)


def _rounded(minutes: int, unit: int) -> int:
    return (2 * minutes + unit) // (2 * unit)


def _sentence(given: int, held: int, free: int, gone: int) -> str:
    parts = []
    if given:
        parts.append(_("%(hours)s confirmed", hours=hours(given)))
    if held:
        parts.append(_("%(hours)s agreed", hours=hours(held)))
    if free:
        parts.append(_("%(hours)s free", hours=hours(free)))
    if gone:
        parts.append(_("%(hours)s lapsed", hours=hours(gone)))
    total = hours(given + held + free + gone)
    if not parts:
        return total
    return _("%(total)s: %(parts)s", total=total, parts=", ".join(parts))
