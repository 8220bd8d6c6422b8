"""How kernels are compiled: once, here, for all.

A kernel is two functions. The private one, under `kernel`, is loops over arrays; the public one above it checks,
converts, documents. A module of kernels also says how to warm it::

    @kernel
    def _mean_rise(S: Float32, lag: int) -> Float32:
        ...

    def onset_strength(S: ArrayLike, *, lag: int = 1) -> Float32:
        ...
        return _mean_rise(as_frames(S), as_count(lag, "lag"))

    @warms
    def _warm() -> None:
        onset_strength(np.ones((2, 3), np.float32))

`workers.kernels.warm` imports every module of the package and calls what `warms` registered, so a new module needs
to be named nowhere. Call there with each type of array that work calls with: float32, and float64 where it is kept.

Rules for the private function: arguments are arrays that `workers.kernels.arguments` made (writeable, contiguous,
float32 or float64) and scalars; never a list, a dict or None. Kernels may call kernels of other modules: what is kept
on disk is good for one state of a module and of all that it imports from this package, not of one file as is numba's
custom.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial, wraps
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast, overload

import numba
import numpy as np
from numba.core import event
from numba.core.errors import NumbaError

from workers.kernels.cache import KernelFiles
from workers.kernels.start import start

log = logging.getLogger(__name__)

start()

Function = TypeVar("Function", bound=Callable[..., Any])
Warmer = TypeVar("Warmer", bound=Callable[[], None])

JIT = not cast(Any, numba).config.DISABLE_JIT
"""False under NUMBA_DISABLE_JIT: kernels are plain Python then, so that coverage sees into them."""

FLOAT_RULES = frozenset({"reassoc", "contract", "nsz", "arcp"})
"""What the compiler may do with floats: reorder sums, so that they fill vector registers, and fuse a product with a
sum. Never `nnan` or `ninf`: with them ``x != x`` is compiled away, and NaN is how broken audio shows."""


@dataclass(slots=True)
class CompileTimes(event.Listener):
    """Seconds in the compiler, by kernel, as numba's events tell. Loading from the cache is not among them."""

    seconds: dict[Any, float] = field(default_factory=dict)
    total: float = 0.0
    _started: list[float] = field(default_factory=list)

    def on_start(self, event: Any) -> None:
        """A compilation begins, perhaps inside another."""
        self._started.append(time.perf_counter())

    def on_end(self, event: Any) -> None:
        """A compilation ends; only the outermost counts towards the total."""
        spent = time.perf_counter() - self._started.pop()
        function = event.data["dispatcher"].py_func
        self.seconds[function] = self.seconds.get(function, 0.0) + spent
        if not self._started:
            self.total += spent


_IMPORT = re.compile(rb"^from workers\.kernels\.(\w+) import", re.MULTILINE)


@lru_cache(maxsize=64)
def stamp(file: str) -> str:
    """What compiled code of a file is kept under: it changes with the file and with what it imports of this package."""
    sources: dict[Path, bytes] = {}
    left = [Path(file)]
    while left:
        path = left.pop()
        if path not in sources:
            sources[path] = path.read_bytes()
            left += [Path(__file__).with_name(f"{name.decode()}.py") for name in _IMPORT.findall(sources[path])]
    return hashlib.sha256(b"".join(sources[path] for path in sorted(sources))).hexdigest()


compile_times = CompileTimes()
event.register("numba:compile", compile_times)  # type: ignore[no-untyped-call]  # numba is untyped

kernels: list[Callable[..., Any]] = []
"""Every compiled function, in the order of import."""

warmers: list[Callable[[], None]] = []
"""Everything `warm` calls."""


@overload
def kernel(function: Function) -> Function: ...
@overload
def kernel(*, in_order: bool) -> Callable[[Function], Function]: ...
def kernel(function: Function | None = None, *, in_order: bool = False) -> Any:
    """Compile a function to machine code at its first call with each type, without the GIL, and keep it on disk.

    With `in_order` sums stay as they are written: for recursive filters, where the order decides what waits for what
    (reordered, the K-weighting takes four times as long).
    """
    if function is None:
        return partial(_compile, in_order=in_order)
    return _compile(function, in_order=in_order)


def _compile(function: Function, in_order: bool) -> Function:
    rules = FLOAT_RULES - {"reassoc"} if in_order else FLOAT_RULES
    if JIT:
        compiled = numba.njit(nogil=True, fastmath=set(rules), error_model="numpy")(function)
        _keep(compiled, stamp(function.__code__.co_filename))
    else:
        compiled = cast(Any, np.errstate(all="ignore"))(function)  # compiled code does not warn of NaN either
    kernels.append(compiled)
    return cast(Function, compiled)


def _keep(compiled: Any, sources: str) -> None:
    """Keep a kernel on disk, in files of its own for each state of the sources.

    numba keeps one file a function, and finds out that it is stale by loading it, which fails where it names a type
    that is no more.
    """
    try:
        compiled.enable_caching()
    except RuntimeError as error:  # no folder can be written to
        log.warning("compiled kernels are not kept: %s", error)
        return
    cache = compiled._cache
    cache._cache_file = KernelFiles(cache._cache_path, f"{cache._impl.filename_base}-{sources[:16]}", sources)


FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
REFUSED = (TypeError, ValueError, OverflowError, NumbaError)
"""What a kernel under `closed` raises for arguments of a type it was not compiled for."""

_opening = Lock()


def closed(compiled: Function) -> Function:
    """Let a kernel refuse types it does not know, instead of compiling for them.

    For kernels so short that checking types in Python would cost more than they do: their public function just calls
    them, and only when refused looks at its arguments and calls `opened`. The kernel itself checks the shapes.
    """
    if not JIT:
        return cast(Function, _strict(compiled))
    cast(Any, compiled)._can_compile = False  # disable_compile() would do, were there a signature already
    return compiled


def opened(compiled: Callable[..., Any], *arguments: Any) -> Any:
    """Call a kernel under `closed`, compiling it for the types of these arguments, which were checked."""
    if JIT:
        dispatcher = cast(Any, compiled)
        with _opening:
            dispatcher.disable_compile(False)
            try:
                dispatcher.compile(tuple(cast(Any, numba).typeof(value) for value in arguments))
            finally:
                dispatcher.disable_compile()
    return compiled(*arguments)


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as numba would have it where numba is switched off: for vectors of floats and for numbers."""

    @wraps(function)
    def refusing(*arguments: Any) -> Any:
        for value in arguments:
            known = isinstance(value, int | float) or (
                isinstance(value, np.ndarray) and value.dtype in FLOATS and value.ndim == 1 and value.flags.carray
            )
            if not known:
                raise TypeError(f"no matching definition for {type(value)}")
        return function(*arguments)

    return refusing


def warms(run: Warmer) -> Warmer:
    """Register `run`, which calls the module's public functions on the smallest inputs they take."""
    warmers.append(run)
    return run
