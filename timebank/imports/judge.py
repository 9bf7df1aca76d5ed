"""Row by row: new, changed, same, or refused with the first faulty column and a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from timebank.imports.columns import Column, Mapped, cell_value
from timebank.imports.decode import Cells, Row, Table
from timebank.imports.errors import BadValue
from timebank.imports.values import clean

Values = dict[str, Any]
Progress = Callable[[int, int], None]


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Note:
    """A column (English name) and a reason code: why a row is refused, or what to look at in an accepted one."""

    column: str
    reason: str


class Kind(Protocol):
    """What a feature declares of one kind of file, with what it holds loaded beforehand: judging asks no database."""

    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> Sequence[Column]: ...
    @property
    def whole_list(self) -> bool:
        """Whether a file of this kind names all there are, so that others are missing."""
        ...

    @property
    def uniques(self) -> Sequence[tuple[str, ...]]:
        """Column groups of which each combination stands once in a file; the first is the key of a row."""
        ...

    def begin(self, columns: Collection[str]) -> None:
        """Asked first: the file has these columns."""
        ...

    def settle(self, values: Values) -> None:
        """Fill what an empty cell means where that depends on the rest of the row. Faulty columns are absent."""
        ...

    def key(self, columns: tuple[str, ...], values: Values) -> Hashable | None:
        """What identifies the row by these columns; None when nothing does."""
        ...

    def likely(self, values: Values) -> Hashable | None:
        """The key that a row without a readable one most likely means: that one is not missing."""
        ...

    def check(self, values: Values) -> Iterable[Note]:
        """Faults across columns or against what is held. `values` lacks the columns whose own cell is faulty."""
        ...

    def compare(self, values: Values) -> Verdict:
        """New, changed or same, of a row without fault."""
        ...

    def hinges(self, values: Values) -> bool:
        """Whether the row stands only if another row, perhaps a later one, does: then `late` tells."""
        ...

    def late(self) -> Iterable[tuple[Hashable, Note]]:
        """Keys of rows that do not stand after all, asked once all rows are judged."""
        ...

    def seen(self, key: Hashable) -> None:
        """The file has a row with this key, good or not."""
        ...

    def accept(self, values: Values, verdict: Verdict) -> None:
        """The row is accepted: later rows of the file are judged as if it were applied."""
        ...

    def warn(self, values: Values) -> Iterable[Note]:
        """What to look at in an accepted row; asked again once all rows are judged, for later rows may settle it."""
        ...


@dataclass(slots=True)
class Judged:
    """One row's verdict. `values` only for rows that would be applied (new and changed)."""

    row: Row
    verdict: Verdict
    note: Note | None = None
    values: Values | None = None
    warnings: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Judgement:
    """All rows of a file with their verdicts, in the file's order; `keys` are those of all of them, good or not.
    `nameless` is the first row of a whole list of which nobody can tell whom it means."""

    header: Cells
    separator: str
    mapped: Mapped
    rows: list[Judged]
    keys: set[Hashable]
    nameless: int | None = None

    def of(self, *verdicts: Verdict) -> list[Judged]:
        return [row for row in self.rows if row.verdict in verdicts]

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict is verdict for row in self.rows)

    def summary(self, missing: int = 0) -> dict[str, Any]:
        """The figures as `timebank import --json` prints them."""
        refused = [
            {"row": r.row.number, "column": r.note.column, "reason": r.note.reason}
            for r in self.rows
            if r.note
        ]
        warnings = [
            {"row": r.row.number, "column": w.column, "reason": w.reason}
            for r in self.rows
            for w in r.warnings
        ]
        return {
            "rows": len(self.rows),
            "new": self.count(Verdict.NEW),
            "changed": self.count(Verdict.CHANGED),
            "same": self.count(Verdict.SAME),
            "missing": missing,
            "refused": refused,
            "warnings": warnings,
        }


def judge(
    table: Table, mapped: Mapped, kind: Kind, progress: Progress | None = None, *, keep_cells: bool = True
) -> Judgement:
    """Give every row its verdict. Pure: asks `kind` alone, which holds what the database said before.

    Without `keep_cells` only refused rows keep theirs: a large file then takes half the memory.
    """
    return _Judge(table, mapped, kind).run(progress, keep_cells)


class _Judge:
    def __init__(self, table: Table, mapped: Mapped, kind: Kind) -> None:
        self.table, self.mapped, self.kind = table, mapped, kind
        # In the order of the columns: the first fault of a row is the one that is named.
        kind.begin(mapped.places)
        self.columns = [(c, mapped.places.get(c.name)) for c in kind.columns]
        self.order = {c.name: i for i, c in enumerate(kind.columns)}
        self.seen: dict[tuple[str, ...], dict[Hashable, tuple[Any, ...]]] = {
            group: {} for group in kind.uniques
        }
        # Cells repeat (departments, dates, languages): each text is parsed once a column.
        self.known: dict[str, dict[str, Any]] = {c.name: {} for c in kind.columns}

    def run(self, progress: Progress | None, keep_cells: bool) -> Judgement:
        total = len(self.table.rows)
        judged: list[Judged] = []
        doubtful: list[tuple[Judged, Values]] = []
        hinging: dict[Hashable, Judged] = {}
        keys: set[Hashable] = set()
        nameless: int | None = None
        for done, row in enumerate(self.rows(keep_cells), 1):
            values, faults = self.read(row)
            verdict, note = self.verdict(values, faults)
            hinges = self.kind.hinges(values)
            kept = keep_cells or note is not None or hinges
            result = Judged(row if kept else Row(row.number, ()), verdict, note)
            key = self.kind.key(self.kind.uniques[0], values)
            if hinges and key is not None and (key not in hinging or hinging[key].note):
                hinging[key] = result
            if note is None:
                if any(True for _ in self.kind.warn(values)):
                    doubtful.append((result, values))
                if verdict in (Verdict.NEW, Verdict.CHANGED):
                    result.values = values
            if key is None:
                key = self.kind.likely(values)
            if key is None and self.kind.whole_list and nameless is None:
                nameless = row.number
            if key is not None:
                self.kind.seen(key)
                if self.kind.whole_list:
                    keys.add(key)
            judged.append(result)
            if progress and (done % 1000 == 0 or done == total):
                progress(done, total)
        for key, note in self.kind.late():
            self.refuse(hinging[key], note)
        # Asked once more: a manager may stand in a later row.
        for result, values in doubtful:
            if result.note is None:
                result.warnings.extend(self.kind.warn(values))
        return Judgement(self.table.header, self.table.separator, self.mapped, judged, keys, nameless)

    def refuse(self, result: Judged, note: Note) -> None:
        """Refuse a row afterwards; of several faults the one first in column order is named, here too."""
        if result.note is None or self.order[note.column] < self.order[result.note.column]:
            result.note = note
        result.verdict, result.values = Verdict.REFUSED, None

    def rows(self, keep: bool) -> Iterator[Row]:
        """The table's rows, taken out of it one by one unless they are kept."""
        if keep:
            yield from self.table.rows
            return
        self.table.rows.reverse()
        while self.table.rows:
            yield self.table.rows.pop()

    def read(self, row: Row) -> tuple[Values, dict[str, str]]:
        values: Values = {}
        faults: dict[str, str] = {}
        for column, place in self.columns:
            if place is None:
                continue
            cell = row.cells[place] if place < len(row.cells) else ""
            found = self.parsed(column, cell)
            if isinstance(found, BadValue):
                faults[column.name] = found.reason
            else:
                values[column.name] = found
        return values, faults

    def parsed(self, column: Column, cell: str) -> Any:
        known = self.known[column.name]
        try:
            return known[cell]
        except KeyError:
            pass
        value: Any
        try:
            value = cell_value(column, clean(cell))
        except BadValue as bad:
            value = BadValue(bad.reason)
        if len(known) < _REMEMBERED and len(cell) < 100:
            known[cell] = value
        return value

    def verdict(self, values: Values, faults: dict[str, str]) -> tuple[Verdict, Note | None]:
        kind = self.kind
        kind.settle(values)
        keys: dict[tuple[str, ...], Hashable] = {}
        for group in kind.uniques:
            key = kind.key(group, values)
            if key is None:
                continue
            first = self.seen[group].get(key)
            if first is not None:
                if not faults and first == tuple(values.values()):
                    return Verdict.SAME, None
                faults.setdefault(group[0], "duplicate")
            keys[group] = key
        for note in kind.check(values):
            faults.setdefault(note.column, note.reason)
        if faults:
            column = min(faults, key=self.order.__getitem__)
            return Verdict.REFUSED, Note(column, faults[column])
        verdict = kind.compare(values)
        # The bare values: a hundred thousand dictionaries would be most of what a large file takes.
        content = tuple(values.values())
        for group, key in keys.items():
            self.seen[group][key] = content
        kind.accept(values, verdict)
        return verdict, None


_REMEMBERED = 20_000
