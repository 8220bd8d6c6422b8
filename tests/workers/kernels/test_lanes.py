"""Sixteen floats at once, compiled and in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.naive import lanes as naive
from tests.workers.kernels.examples import quick
from workers.kernels import lanes
from workers.kernels.arguments import Doubles, Float32
from workers.kernels.compiled import JIT, kernel
from workers.kernels.lanes import (
    exponent,
    higher,
    highest,
    lanes_less,
    load,
    load_doubles,
    load_even,
    load_odd,
    lower,
    magnitude,
    mantissa,
    root,
    splat,
    splat_double,
    spread_0,
    spread_1,
    spread_2,
    spread_3,
    store,
    store_doubles,
    total,
    total_of_doubles,
    where_less,
)

NAMES = tuple(naive.operations([1.0] * 16, [1.0] * 16))


def everything(x: Float32, out: Float32) -> None:
    """One row of `out` for each operation, in the order of the naive twin."""
    a = load(x, 0)
    b = load(x, 16)
    summed = load(x, 0)
    summed += b
    store(out[0], 0, summed)
    store(out[1], 0, a - b)
    store(out[2], 0, a * b)
    store(out[3], 0, a / b)
    store(out[4], 0, a * np.float32(3))
    store(out[5], 0, higher(a, b))
    store(out[6], 0, lower(a, b))
    store(out[7], 0, where_less(a, b, splat(np.float32(1)), splat(np.float32(2))))
    store(out[8], 0, root(a))
    store(out[9], 0, magnitude(a - b))
    store(out[10], 0, exponent(a))
    store(out[11], 0, mantissa(a))
    store(out[12], 0, load_even(x, 0))
    store(out[13], 0, load_odd(x, 0))
    store(out[14], 0, splat(np.float32(lanes_less(a, b))))
    store(out[15], 0, splat(total(a)))
    store(out[16], 0, splat(highest(a)))


def doubles(x: Doubles, out: Doubles) -> None:
    v = load_doubles(x, 1)
    store_doubles(out, 0, spread_0(v) + spread_1(v) * spread_2(v) - spread_3(v))
    store_doubles(out, 8, splat_double(total_of_doubles(v)))


FORMS: list[Any] = [everything, kernel(everything)] if JIT else [everything]
WIDE_FORMS: list[Any] = [doubles, kernel(doubles)] if JIT else [doubles]
positive = st.floats(2.0**-20, 2.0**20, width=32)


@quick
@given(hnp.arrays(np.float32, 32, elements=positive))
def test_each_operation_agrees_with_its_naive_twin(x: np.ndarray) -> None:
    expected = naive.operations(x[:16].tolist(), x[16:].tolist())
    for form in FORMS:
        out = np.zeros((len(NAMES), 16), np.float32)
        form(x, out)
        for row, (name, wanted) in zip(out, expected.items(), strict=True):
            np.testing.assert_allclose(row, wanted, rtol=1e-5, err_msg=name)


@quick
@given(hnp.arrays(np.float64, 10, elements=st.floats(-10, 10)))
def test_doubles_agree_with_numpy(x: np.ndarray) -> None:
    for form in WIDE_FORMS:
        out = np.zeros(16)
        form(x, out)
        np.testing.assert_allclose(out[:8], x[1] + x[2] * x[3] - x[4], atol=1e-9)
        np.testing.assert_allclose(out[8:], x[1:9].sum(), atol=1e-9)


def test_every_function_is_documented() -> None:
    for name in dir(lanes):
        found = getattr(lanes, name)
        if callable(found) and getattr(found, "__module__", "") == lanes.__name__:
            assert found.__doc__, name
