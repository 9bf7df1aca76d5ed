"""Problems and solutions as `.npz` files: arrays alone, nothing pickled, and never half a file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.problem import (
    ATTRIBUTE_ARRAYS,
    BUNDLE_ARRAYS,
    EDGE_ARRAYS,
    AttributeProblem,
    BundleProblem,
    EdgeProblem,
    Problem,
    ProblemError,
)

Target: TypeAlias = str | os.PathLike[str] | IO[bytes]

_SCALARS: Final[dict[str, Callable[[Any], Any]]] = {
    "value": int,
    "bound": int,
    "price_scale": int,
    "gap": float,
    "seconds": float,
    "mode": str,
    "status": str,
    "proved_bound": int,
}
_OPTIONAL: Final = ("proved_bound",)


def load_problem(source: Target, mode: str = "single") -> Problem:
    """Read a problem in either form; arrays that are not known, or not of this mode, are ignored.

    Raises
    ------
    ProblemError : in one line, why the file is not a problem
    """
    names, arrays = _read(source, lambda present: _form(present, mode))
    given: dict[str, Any] = {name: arrays.get(name) for name in names}
    if names is ATTRIBUTE_ARRAYS:
        return AttributeProblem(**given)
    return BundleProblem(**given) if mode == "bundle" else EdgeProblem(**given)


def _form(present: Collection[str], mode: str) -> Collection[str]:
    """The arrays of the form that a file with these arrays has."""
    attributes = "seat_must" in present or "pledge_skills" in present
    if attributes and not all(name in present for name in EDGE_ARRAYS):
        return ATTRIBUTE_ARRAYS
    return [*EDGE_ARRAYS, *BUNDLE_ARRAYS] if mode == "bundle" else EDGE_ARRAYS


def save_problem(problem: Problem, target: Target, **more: NDArray[Any] | np.generic) -> None:
    """Write a problem; `more` are arrays that stand beside it (such as those of another mode)."""
    arrays: dict[str, Any] = {f.name: getattr(problem, f.name) for f in fields(problem)}
    _write(target, _given({**arrays, **more}))


def save_solution(assignment: Assignment, target: Target) -> None:
    """Write a solution with its certificate; a path gets all of it or keeps what stood there."""
    _write(target, _given({f.name: getattr(assignment, f.name) for f in fields(assignment)}))


def load_solution(source: Target) -> Assignment:
    """Read a solution that this kernel wrote. Whether it is right is for `verify` to say.

    Raises
    ------
    ProblemError : in one line, why the file is not a solution
    """
    names = [f.name for f in fields(Assignment)]
    arrays: dict[str, Any]
    _, arrays = _read(source, lambda present: names)
    for name in names:
        if name not in arrays and name not in _OPTIONAL:
            raise ProblemError(f"array {name} is missing")
    for name, kind in _SCALARS.items():
        if name not in arrays:
            continue
        if arrays[name].ndim:
            raise ProblemError(f"array {name} is not a single value")
        try:
            arrays[name] = kind(arrays[name])
        except (TypeError, ValueError):
            raise ProblemError(f"array {name} has type {arrays[name].dtype}") from None
    return Assignment(**arrays)


def _given(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not there, and numbers in the types of the file format."""
    return {name: _stored(value) for name, value in arrays.items() if value is not None}


def _stored(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    return np.float64(value) if isinstance(value, float) else value


def _read(
    source: Target, choose: Callable[[Collection[str]], Collection[str]]
) -> tuple[Collection[str], dict[str, Any]]:
    """The names that `choose` picks from those in the file, and their arrays; nothing else is read."""
    name = "the file"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive = np.load(source, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ProblemError("not a .npz file")
            with archive:
                names = choose(archive.files)
                arrays = {}
                for name in names:
                    if name in archive.files:
                        arrays[name] = np.asarray(archive[name])
                return names, arrays
    except ProblemError:
        raise
    except FileNotFoundError:
        raise ProblemError("no such file") from None
    except OSError as error:
        raise ProblemError(f"cannot read {name}: {error.strerror or error}") from None
    except MemoryError:
        raise ProblemError(f"cannot read {name}: it says to be larger than the memory") from None
    except (
        Exception
    ) as error:  # a damaged archive fails in zipfile, zlib, numpy or tokenize, in as many types
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ProblemError(f"cannot read {name}: {reason}") from None


def _write(target: Target, arrays: Mapping[str, Any]) -> None:
    if not isinstance(target, str | os.PathLike):
        np.savez(target, allow_pickle=False, **arrays)
        return
    path = Path(os.path.realpath(target))
    if path.exists() and not path.is_file():  # a device or a pipe has nothing to keep whole
        with path.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("xb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
