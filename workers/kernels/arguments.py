"""What public kernels do to their arguments before compiled code sees them.

Compiled code trusts its arguments: an index beyond the end reads foreign memory. So everything is checked here.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.errors import ParameterError

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
INT64 = np.dtype(np.int64)
Float32 = NDArray[np.float32]
Doubles = NDArray[np.float64]
Floats = NDArray[np.float32] | NDArray[np.float64]


def as_array(x: Any, name: str, ndim: int, *, keep_double: bool = False) -> NDArray[Any]:
    """`x` as a writeable C-contiguous float32 array of `ndim` dimensions; float64 stays if `keep_double`.

    Read-only arrays are copied: to numba they are another type, and would be compiled for a second time.

    Raises
    ------
    ParameterError
        If `x` is not numbers, is empty or has another number of dimensions.
    """
    if type(x) is np.ndarray and x.ndim == ndim and x.flags.carray and x.size:
        dtype = x.dtype  # not `is`: what compiled code returns has a dtype of its own
        if dtype == FLOAT32 or (keep_double and dtype == FLOAT64):
            return x  # the usual case: np.require alone would cost a microsecond
    if not isinstance(x, np.ndarray):
        x = _from_sequence(x, name)
    if x.ndim != ndim or x.size == 0:
        raise ParameterError(f"{name} must be a non-empty array of {ndim} dimension(s), not of shape {x.shape}.")
    if x.dtype.kind not in "fiub":
        raise ParameterError(f"{name} must hold real numbers, not {x.dtype}.")
    dtype = np.float64 if keep_double and x.dtype == np.float64 else np.float32
    return np.require(x, dtype, ("C", "W"))


def _from_sequence(x: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(x)
    except ValueError as ragged:
        raise ParameterError(f"{name} must be an array of numbers: {ragged}.") from ragged


def as_vector(x: Any, name: str, *, keep_double: bool = False) -> NDArray[Any]:
    """`x` as a non-empty vector."""
    return as_array(x, name, 1, keep_double=keep_double)


def as_doubles(x: Any, name: str) -> Doubles:
    """`x` as a writeable C-contiguous vector of float64, which may be empty.

    Raises
    ------
    ParameterError
        If `x` is not numbers or no vector.
    """
    if type(x) is np.ndarray and x.ndim == 1 and x.dtype == FLOAT64 and x.flags.carray:
        return x
    given = _from_sequence(x, name)
    if given.ndim != 1 or given.dtype.kind not in "fiub":
        raise ParameterError(f"{name} must be a vector of real numbers, not {given.dtype} of shape {given.shape}.")
    return np.require(given, np.float64, ("C", "W"))


def as_indices(x: Any, name: str) -> NDArray[np.int64]:
    """`x` as a writeable C-contiguous vector of int64, which may be empty.

    Raises
    ------
    ParameterError
        If `x` is no vector of numbers.
    """
    if type(x) is np.ndarray and x.ndim == 1 and x.dtype == INT64 and x.flags.carray:
        return x
    given = np.atleast_1d(_from_sequence(x, name))
    if given.ndim != 1 or given.dtype.kind not in "fiub":
        raise ParameterError(f"{name} must be a vector of whole numbers, not {given.dtype} of shape {given.shape}.")
    return np.require(given, np.int64, ("C", "W"))


def as_frames(S: Any, name: str = "S") -> Float32:
    """The matrix `S` (n_bins, n_frames) turned to (n_frames, n_bins), C-contiguous float32.

    What `stft_power` returns is kept like that in memory, so that nothing is copied.
    """
    if isinstance(S, np.ndarray) and S.ndim == 2:
        return as_array(S.T, name, 2)
    return as_array(_from_sequence(S, name).T, name, 2)


def as_spectrogram(S: Any, name: str = "S") -> tuple[Float32, bool]:
    """`S` (n_bins, n_frames) as it lies in memory, and whether that is frame after frame.

    If so, what is returned has shape (n_frames, n_bins), else (n_bins, n_frames). For kernels that have a loop for
    each: turning a spectrogram costs more than most of what is computed from it.
    """
    if isinstance(S, np.ndarray) and S.ndim == 2 and S.flags.f_contiguous:
        return as_array(S.T, name, 2), True
    return as_array(S, name, 2), False


def as_count(value: Any, name: str, *, least: int = 1) -> int:
    """`value` as an int of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError as wrong:
        raise ParameterError(f"{name} must be a whole number, not {value!r}.") from wrong
    if number < least:
        raise ParameterError(f"{name} must be at least {least}, not {number}.")
    return number


def as_number(value: Any, name: str, *, above: float | None = None, least: float | None = None) -> float:
    """`value` as a finite float, greater than `above`, not less than `least`."""
    try:
        number = float(value)
    except (TypeError, ValueError) as wrong:
        raise ParameterError(f"{name} must be a number, not {value!r}.") from wrong
    if not math.isfinite(number):
        raise ParameterError(f"{name} must be finite, not {number}.")
    if above is not None and not number > above:
        raise ParameterError(f"{name} must be greater than {above:g}, not {number:g}.")
    if least is not None and number < least:
        raise ParameterError(f"{name} must be at least {least:g}, not {number:g}.")
    return number
