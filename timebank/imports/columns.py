"""Columns of a kind of file, and which heading of a file means which column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from timebank.imports.errors import BadValue, FileRefused
from timebank.imports.values import Parser, fold


@dataclass(frozen=True)
class Column:
    """One column: its English name, its headings in each language, what its cells hold.

    `headings` are the headings our own pages write, one for each language; `aliases` are others that people use.
    `empty` is the value of an empty cell, and of a column that the file does not have when `required` is false.
    """

    name: str
    parse: Parser
    headings: Mapping[str, str]
    aliases: Sequence[str] = ()
    required: bool = False
    empty: Any = None

    def heading(self, language: str) -> str:
        return self.headings.get(language, self.name)


@dataclass(frozen=True)
class Mapped:
    """Where each column stands in the file; `unknown` are headings that no column claims."""

    places: Mapping[str, int]
    unknown: tuple[str, ...]


class Headings:
    """Reads the headings of a file for a fixed list of columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        # Two ranks: a heading that is ours beats one that people also use for it, so that "Name" beside
        # "Last name" is left alone.
        self._ours: dict[str, str] = {}
        self._also: dict[str, str] = {}
        for column in self.columns:
            for word in (column.name, *column.headings.values()):
                self._ours.setdefault(fold(word), column.name)
            for word in column.aliases:
                self._also.setdefault(fold(word), column.name)

    def recognised(self, header: Sequence[str]) -> int:
        """How many of these headings are known."""
        words = [fold(cell) for cell in header]
        return sum(bool(word) and (word in self._ours or word in self._also) for word in words)

    def guess(self, header: Sequence[str]) -> dict[str, int]:
        """The place of each column that the headings name; with two claims of the same rank, the first."""
        words = [fold(cell) for cell in header]
        places: dict[str, int] = {}
        for known in (self._ours, self._also):
            for place, word in enumerate(words):
                name = known.get(word) if word else None
                if name and name not in places and place not in places.values():
                    places[name] = place
        return places

    def map(self, header: Sequence[str], by_hand: Mapping[str, int | None] | None = None) -> Mapped:
        """Settle where each column stands; `by_hand` overrules the headings (None: the file has no such column).

        Raises FileRefused when a required column is missing, or when two headings claim one column.
        """
        places = self.guess(header)
        if by_hand is None:
            self._refuse_twins(header, places)
        for name, place in (by_hand or {}).items():
            places.pop(name, None)
            if place is not None and 0 <= place < len(header):
                places[name] = place
        missing = [c.name for c in self.columns if c.required and c.name not in places]
        if missing:
            raise FileRefused("no_column", columns=missing)
        used = set(places.values())
        return Mapped(places, tuple(cell for i, cell in enumerate(header) if i not in used and cell))

    def _refuse_twins(self, header: Sequence[str], places: Mapping[str, int]) -> None:
        words = [fold(cell) for cell in header]
        for name, place in places.items():
            for known in (self._ours, self._also):
                if known.get(words[place]) != name:
                    continue
                twins = [i for i, word in enumerate(words) if known.get(word) == name]
                if len(twins) > 1:
                    raise FileRefused(
                        "twin_columns", column=name, first=header[twins[0]], second=header[twins[1]]
                    )
                break


def cell_value(column: Column, cell: str) -> Any:
    """What one trimmed cell holds. Raises BadValue."""
    if cell:
        try:
            return column.parse(cell)
        except BadValue as bad:
            if bad.reason != "missing" or column.required:
                raise
    elif column.required:
        raise BadValue("missing")
    return column.empty
