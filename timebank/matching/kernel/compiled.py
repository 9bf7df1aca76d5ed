"""Numba's compiler as one typed decorator, and where its results are kept."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

P = ParamSpec("P")
T = TypeVar("T")

_numba: Any = numba  # it ships no types

Integer: TypeAlias = int | np.integer[Any]
"""What compiled code takes and returns as a whole number: Python's where it is called, numpy's within."""

place: Any = np.uint64
"""Numbers that stand in an array as the places of another's: without a sign, compiled code need not ask whether each
counts from the end, as negative ones do."""

# What numba raises where no folder can hold its cache, where the disk is full, and where a cached file is damaged.
_CACHE_FAILURES: Final = (RuntimeError, OSError, EOFError, pickle.UnpicklingError)


def inner(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a function as a part of the compiled functions that call it."""
    result: Callable[P, T] = _numba.njit(nogil=True)(function)
    return result


def leaf(function: Callable[P, T]) -> Callable[P, T]:
    """The same for a function that makes no array. It counts no references to the arrays that it reads, which
    would cost more than its work, and most of all where threads read the same ones."""
    result: Callable[P, T] = _numba.njit(nogil=True, _nrt=False)(function)
    return result


def compiled(*examples: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Compile a function for arguments of the types of these examples when its module is imported, or take
    it from the cache.

    It runs without holding Python's global lock, so that threads can share its work. Where no cache can be
    read or written it is compiled for this process alone.
    """
    signature = tuple(_numba.typeof(example) for example in examples)

    def compile_or_load(function: Callable[P, T]) -> Callable[P, T]:
        return _cached(function, signature)

    return compile_or_load


def compiled_when_called(function: Callable[P, T]) -> Callable[P, T]:
    """The same for the types of its first call, when that comes. Whole numbers divide as numpy's do: by 0 it raises
    nothing."""
    return _cached(function, error_model="numpy")


def _prefetch(_context: Any, array: Any, index: Any) -> Any:
    """Ask for this entry of an array before it is read, where the processor cannot foresee that. One beyond the end
    does no harm."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.bitcast(builder.gep(view.data, [arguments[1]]), ir.IntType(8).as_pointer())
        whole = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, whole, whole, whole])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        to_read, soon_again, data = whole(0), whole(3), whole(1)
        builder.call(function, [address, to_read, soon_again, data])
        return context.get_dummy_value()

    return _numba.void(array, _numba.intp), emit


prefetch: Any = intrinsic(_prefetch)


def _cached(function: Callable[P, T], *signature: Any, **options: Any) -> Callable[P, T]:
    result: Callable[P, T]
    before = _numba.config.CACHE_DIR
    try:
        _numba.config.CACHE_DIR = before or _folder(Path(function.__code__.co_filename).parent)
        result = _numba.njit(*signature, nogil=True, cache=True, **options)(function)
    except _CACHE_FAILURES:
        result = _numba.njit(*signature, nogil=True, **options)(function)
    finally:
        _numba.config.CACHE_DIR = before
    return result


@cache
def _folder(sources: Path) -> str:
    """Where compiled code of a folder of sources is kept.

    Numba notices when a function's own file changed, but not when a file did whose functions it calls. So
    each state of the folder has a cache of its own.
    """
    digest = sha256()
    for path in sorted(sources.glob("*.py")):
        digest.update(path.read_bytes())
    name = f"{sources.name}-{digest.hexdigest()[:16]}"
    beside = sources / "__pycache__"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "timebank"
    for folder in (beside / name, home / name):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return ""
