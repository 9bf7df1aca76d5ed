"""Loops compiled to machine code by numba, which is imported only where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile at the first call, without the interpreter's lock, and keep the machine code on disk for the next
    process.

    Where there is no place to keep it, each process compiles anew.
    """
    try:
        return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        return cast(F, njit(nogil=True, error_model="numpy")(function))
