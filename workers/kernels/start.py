"""What numba loads, without what no kernel needs: 0.2 s less at each start beside SciPy, 0.05 s beside cffi, 0.2 s by
neither looking for garbage meanwhile nor telling of each call of LLVM."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

_NOT_MET = ("cffi", "coverage")
"""numba imports both where they are installed: for functions of C that kernels might be given, with a parser of C, and
to tell coverage what it compiled, which only counts where coverage runs, and was imported before."""

_NOT_NEEDED = ("scipy", "scipy.linalg")
"""numba looks whether there is a BLAS by importing all of SciPy's linear algebra, where SciPy is installed. It finds
its BLAS when something is compiled that needs one, all the same."""


def load_numba() -> None:
    """Import numba. Before anything else does."""
    with _uncollected(), _untold(), _hidden(_NOT_MET):
        import_module("numba")


def start() -> None:
    """Let numba load what it compiles with."""
    from numba.core import entrypoints
    from numba.core.registry import cpu_target

    # numba would import every extension of it that is installed, and SciPy with one of them: a third of a cold start.
    # The one kernel that needs an extension imports it.
    cast(Any, entrypoints)._already_initialized = True
    with _uncollected(), _hidden(_NOT_MET + _NOT_NEEDED):
        cast(Any, cpu_target).target_context.refresh()
    from numba.np import arraymath

    cast(Any, arraymath)._HAVE_BLAS = find_spec("scipy") is not None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: nothing of what is imported is any, and each look is at all that was imported before."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _untold() -> Iterator[None]:
    """Let numba not ask to be told of each call of LLVM: it makes two events of each, and a kernel that is loaded calls
    250 times. They are for profiles of the compiler; what `CompileTimes` counts are others."""
    ffi = cast(Any, import_module("llvmlite.binding.ffi"))
    asked = ffi.register_lock_callback
    ffi.register_lock_callback = lambda acquired, released: None
    try:
        yield
    finally:
        ffi.register_lock_callback = asked


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of modules fail that were not imported yet."""
    modules = cast(dict[str, ModuleType | None], sys.modules)
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
