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
float32 or float64) and scalars; never a list, a dict or None. numba's cache looks at the file of the kernel only, so a
kernel calls no kernel of another module: a change there would not be seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numba
import rocket_fft  # noqa: F401  (gives compiled code np.fft)
from numba.core import event

Function = TypeVar("Function", bound=Callable[..., Any])
Warmer = TypeVar("Warmer", bound=Callable[[], None])

FLOAT_RULES = frozenset({"reassoc", "contract", "nsz", "arcp"})
"""What the compiler may do with floats: reorder sums, so that they fill vector registers, and fuse a product with a
sum. Never `nnan` or `ninf`: with them ``x != x`` is compiled away, and NaN is how broken audio shows."""


@dataclass(slots=True)
class CompileTimes(event.Listener):
    """Seconds in the compiler, by kernel, as numba's events tell. Loading from the cache is not among them."""

    seconds: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    _started: list[float] = field(default_factory=list)

    def on_start(self, event: Any) -> None:
        """A compilation begins, perhaps inside another."""
        self._started.append(time.perf_counter())

    def on_end(self, event: Any) -> None:
        """A compilation ends; only the outermost counts towards the total."""
        spent = time.perf_counter() - self._started.pop()
        name = event.data["dispatcher"].py_func.__qualname__
        self.seconds[name] = self.seconds.get(name, 0.0) + spent
        if not self._started:
            self.total += spent


compile_times = CompileTimes()
event.register("numba:compile", compile_times)  # type: ignore[no-untyped-call]  # numba is untyped

kernels: list[Callable[..., Any]] = []
"""Every compiled function, in the order of import."""

warmers: list[Callable[[], None]] = []
"""Everything `warm` calls."""


def kernel(function: Function) -> Function:
    """Compile `function` to machine code at its first call with each type, without the GIL, and keep it on disk."""
    compiled = numba.njit(nogil=True, cache=True, fastmath=set(FLOAT_RULES), error_model="numpy")(function)
    kernels.append(compiled)
    return cast(Function, compiled)


def warms(run: Warmer) -> Warmer:
    """Register `run`, which calls the module's public functions on the smallest inputs they take."""
    warmers.append(run)
    return run
