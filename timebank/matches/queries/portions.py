"""Long lists of ids in portions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

CHUNK = 2_000


def chunks(values: Sequence[int], size: int = CHUNK) -> Iterator[list[int]]:
    """Lists of at most `size`, so that no statement has more parameters than a database takes."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk
