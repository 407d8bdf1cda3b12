"""How loops over pixels are compiled by Numba: without Python's lock, and for the vector instructions of this machine.

To import a module that has such functions is to compile them: seconds the first time, from Numba's cache later. A cache
knows of changes in its own file alone, so what is inlined stands in the file of whom it is inlined into.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}

inline = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


def read(dtype: Any, ndim: int) -> Any:
    """The type of a contiguous array that is only read; takes writable ones, too."""
    return types.Array(dtype, ndim, "C", readonly=True)


def compiled(*arguments: Any) -> Callable[[Any], Any]:
    """Compile for arguments of these types now; every time anew where no folder for a cache can be written to."""

    def compile(function: Any) -> Any:
        try:
            return njit(types.void(*arguments), cache=True, **_OPTIONS)(function)
        except (RuntimeError, OSError):  # no such folder; a full disk
            return njit(types.void(*arguments), **_OPTIONS)(function)

    return compile
