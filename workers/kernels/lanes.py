"""Sixteen floats at once: the one vector type that the kernels of the analysis pass are written in.

What is done to one frame is done to sixteen neighbours in the same instructions, one frame a lane; so nothing waits for
a sum over a register, and no loop has to be recognised by the compiler before it fills vector registers. Here is what
each function means, in numpy, where a `Lanes` is an array of sixteen: that is what runs where numba is switched off.
`workers.kernels.vectors` teaches numba to make one register, and one or a few instructions, of each.

``+``, ``-``, ``*`` and ``/`` work lane by lane, also with one float for all lanes on the right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.kernels.arguments import Doubles, Float32
from workers.kernels.vectors import DOUBLES, LANES, teach

Lanes = NDArray[np.float32]
"""Sixteen float32: a register where there is AVX-512, two with AVX2, four with SSE or NEON."""

Doubles8 = NDArray[np.float64]
"""Eight float64, for filters whose poles are too near the unit circle for float32."""

_EXPONENT_BITS, _BIAS = 23, 127
_MANTISSA = np.int32(0x007FFFFF)
_ONE = np.int32(0x3F800000)


def load(x: Float32, i: int) -> Lanes:
    """``x[i : i + 16]``."""
    return x[i : i + LANES].copy()


def store(x: Float32, i: int, v: Lanes) -> None:
    """``x[i : i + 16] = v``."""
    x[i : i + LANES] = v


def load_even(x: Float32, i: int) -> Lanes:
    """``x[i : i + 32 : 2]``."""
    return x[i : i + 2 * LANES : 2].copy()


def load_odd(x: Float32, i: int) -> Lanes:
    """``x[i + 1 : i + 32 : 2]``."""
    return x[i + 1 : i + 2 * LANES : 2].copy()


def splat(value: float | np.float32) -> Lanes:
    """The same in every lane."""
    return np.full(LANES, value, np.float32)


def higher(a: Lanes, b: Lanes) -> Lanes:
    """The higher of each two."""
    return np.where(a > b, a, b)


def lower(a: Lanes, b: Lanes) -> Lanes:
    """The lower of each two."""
    return np.where(a < b, a, b)


def where_less(a: Lanes, b: Lanes, then: Lanes, otherwise: Lanes) -> Lanes:
    """`then` in the lanes where ``a < b``, else `otherwise`."""
    return np.where(a < b, then, otherwise)


def lanes_less(a: Lanes, b: Lanes) -> int:
    """A bit for each lane where ``a < b``, lane 0 the lowest."""
    return int(((a < b) << np.arange(LANES)).sum())


def root(v: Lanes) -> Lanes:
    """Square root."""
    return np.sqrt(v)


def magnitude(v: Lanes) -> Lanes:
    """Absolute value."""
    return np.abs(v)


def exponent(v: Lanes) -> Lanes:
    """``floor(log2 v)`` of normal positive floats."""
    return ((v.view(np.int32) >> _EXPONENT_BITS) - _BIAS).astype(np.float32)


def mantissa(v: Lanes) -> Lanes:
    """``v / 2^exponent(v)``, from 1 to 2."""
    return ((v.view(np.int32) & _MANTISSA) | _ONE).view(np.float32)


def total(v: Lanes) -> float:
    """Sum over the lanes, a float32."""
    return np.float32(v.sum())  # type: ignore[return-value]  # in kernels a float32 has to stay one


def highest(v: Lanes) -> float:
    """Highest lane, a float32."""
    return np.float32(v.max())  # type: ignore[return-value]


def load_doubles(x: Doubles, i: int) -> Doubles8:
    """``x[i : i + 8]``."""
    return x[i : i + DOUBLES].copy()


def store_doubles(x: Doubles, i: int, v: Doubles8) -> None:
    """``x[i : i + 8] = v``."""
    x[i : i + DOUBLES] = v


def splat_double(value: float) -> Doubles8:
    """The same eight times."""
    return np.full(DOUBLES, value)


def spread_0(v: Doubles8) -> Doubles8:
    """The first of the eight, eight times; the next three likewise."""
    return np.full(DOUBLES, v[0])


def spread_1(v: Doubles8) -> Doubles8:
    """The second."""
    return np.full(DOUBLES, v[1])


def spread_2(v: Doubles8) -> Doubles8:
    """The third."""
    return np.full(DOUBLES, v[2])


def spread_3(v: Doubles8) -> Doubles8:
    """The fourth."""
    return np.full(DOUBLES, v[3])


def total_of_doubles(v: Doubles8) -> float:
    """Sum of the eight."""
    return float(v.sum())


teach(
    load=load,
    store=store,
    load_even=load_even,
    load_odd=load_odd,
    splat=splat,
    higher=higher,
    lower=lower,
    where_less=where_less,
    lanes_less=lanes_less,
    root=root,
    magnitude=magnitude,
    exponent=exponent,
    mantissa=mantissa,
    total=total,
    highest=highest,
    load_doubles=load_doubles,
    store_doubles=store_doubles,
    splat_double=splat_double,
    spread_0=spread_0,
    spread_1=spread_1,
    spread_2=spread_2,
    spread_3=spread_3,
    total_of_doubles=total_of_doubles,
)
