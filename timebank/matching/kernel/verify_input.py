"""What the checker reads: arrays of a file that claims to be a problem or a solution. It shares nothing with
the solver's reader."""

from __future__ import annotations

import warnings
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_SEAT = "must nice languages x y remote from until week hours request org causes bonus"
_PLEDGE = "skills languages x y radius remote from until week capacity monthly org causes excluded_causes"
_SIDES = {"seat_": _SEAT.split(), "pledge_": _PLEDGE.split()}
_MASKS = ("must", "nice", "skills")
_OPTIONAL = ("nice", "causes", "bonus", "excluded_causes", "monthly")
_INT32, _INT64, _BLOCKS = (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1), (0, 2**63 - 1)
_RANGES = {
    **dict.fromkeys(("x", "y", "from", "until", "request", "org"), _INT32),
    **dict.fromkeys(("hours", "capacity", "monthly"), _BLOCKS),
    "radius": (0, 2**31 - 1),
    "week": (0, 2**21 - 1),
    "bonus": _INT64,
}
_SCALARS = ("w_base", "w_nice", "w_cause", "w_near", "w_near_metres", "w_remote")


class VerificationError(Exception):
    """The first thing that is wrong, in one line; `malformed` where a file cannot even be judged."""

    def __init__(self, message: str, malformed: bool = False) -> None:
        super().__init__(message)
        self.malformed = malformed


class Arrays:
    """The arrays of one file; whatever cannot be read or is not what it has to be is malformed."""

    def __init__(self, source: str | IO[bytes], what: str) -> None:
        self.what = what
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.file = np.load(source, allow_pickle=False)
            self.names = set(self.file.files)
        except Exception as error:  # damaged archives fail in many types
            raise VerificationError(
                f"{what}: cannot be read as .npz ({type(error).__name__})", malformed=True
            ) from None

    def need(self, holds: bool, message: str) -> None:
        if not holds:
            raise VerificationError(f"{self.what}: {message}", malformed=True)

    def array(self, name: str, dimensions: int) -> Array:
        self.need(name in self.names, f"array {name} is missing")
        try:
            array: Array = np.asarray(self.file[name])
        except Exception as error:
            raise VerificationError(
                f"{self.what}: array {name} cannot be read ({type(error).__name__})", malformed=True
            ) from None
        self.need(
            array.ndim == dimensions, f"array {name} has {array.ndim} dimensions, expected {dimensions}"
        )
        return array

    def integers(self, name: str, dimensions: int, low: int = -(2**63), high: int = 2**63 - 1) -> Array:
        """As int64, all within the range; masks of skills, the only ones of two dimensions, as uint64."""
        array = self.array(name, dimensions)
        self.need(array.dtype.kind in "iu", f"array {name} has type {array.dtype}")
        if dimensions == 2:
            self.need(array.dtype.kind == "u" or not (array < 0).any(), f"array {name} is negative")
            return array.astype(np.uint64)
        fits = not array.size or (int(array.min()) >= low and int(array.max()) <= high)
        self.need(fits, f"array {name} is out of range")
        return array.astype(np.int64)

    def of_length(self, name: str, length: int, low: int = -(2**63)) -> Array:
        """With a number for each of so many."""
        array = self.integers(name, 1, low)
        self.need(len(array) == length, f"array {name} has length {len(array)}, expected {length}")
        return array

    def scalar(self, name: str) -> int:
        return int(self.integers(name, 0))

    def scalars(self, words: int) -> tuple[int, ...]:
        """The weights of the terms, such that no sum of them overflows."""
        base, nice, cause, near, metres, remote = found = tuple(self.scalar(name) for name in _SCALARS)
        largest = max(abs(x) for x in (base, nice * 64 * words, cause * 32, near, remote))
        fits = metres >= 1 and largest <= 2**50 and abs(near) * metres < 2**63
        self.need(fits, "the w_ scalars are out of range")
        return found

    def rows(self, *names: str) -> list[tuple[int, ...]]:
        """Optional arrays of one length, row by row."""
        if not self.names.intersection(names):
            return []
        columns = [self.integers(name, 1).tolist() for name in names]
        self.need(len({len(column) for column in columns}) == 1, f"{' and '.join(names)} differ in length")
        return list(zip(*columns, strict=True))

    def real(self, name: str) -> float:
        array = self.array(name, 0)
        self.need(array.dtype.kind in "fiu", f"array {name} has type {array.dtype}")
        return float(array)

    def truth(self, name: str) -> bool:
        array = self.array(name, 0)
        self.need(array.dtype.kind == "b", f"array {name} has type {array.dtype}")
        return bool(array)

    def text(self, name: str) -> str:
        array = self.array(name, 0)
        self.need(array.dtype.kind == "U", f"array {name} has type {array.dtype}")
        return str(array)

    def side(self, prefix: str, size: int, words: int) -> dict[str, Array]:
        """The attributes of one side by their names, zeros where an optional one is left out."""
        result = {}
        for name in _SIDES[prefix]:
            full, shape = prefix + name, (size, words) if name in _MASKS else (size,)
            if name in _OPTIONAL and full not in self.names:
                result[name] = np.zeros(shape, np.uint64 if name in _MASKS else np.int64)
            elif name == "remote":
                result[name] = self.array(full, 1)
                self.need(result[name].dtype.kind == "b", f"array {full} has type {result[name].dtype}")
            else:
                result[name] = self.integers(full, len(shape), *_RANGES.get(name, (0, 2**32 - 1)))
            self.need(result[name].shape == shape, f"array {full} has shape {result[name].shape}")
        return result
