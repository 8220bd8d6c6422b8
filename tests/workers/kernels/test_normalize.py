from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import vectors as naive
from tests.workers.kernels.examples import gains, quick, sample, spectrograms
from workers.errors import ParameterError
from workers.kernels.normalize import BLOCK_ROWS, fast_normalize_columns

norms = st.sampled_from([1, 2, np.inf])
matrices = spectrograms(sample)


@quick
@given(matrices, norms)
def test_columns_are_divided_by_their_length(matrix, norm):
    expected = naive.normalize_columns(matrix.astype(float).tolist(), norm)
    np.testing.assert_allclose(fast_normalize_columns(matrix, norm=norm), expected, rtol=1e-5, atol=1e-7)


@quick
@given(matrices, norms)
def test_columns_have_length_one_or_are_silent(matrix, norm):
    lengths = np.linalg.norm(fast_normalize_columns(matrix, norm=norm), ord=norm, axis=0)
    np.testing.assert_allclose(lengths, matrix.any(axis=0), rtol=1e-5)


@quick
@given(matrices, norms, gains)
def test_is_deaf_to_gain(matrix, norm, gain):
    np.testing.assert_array_equal(
        fast_normalize_columns(gain * matrix, norm=norm), fast_normalize_columns(matrix, norm=norm)
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_keeps_type_and_order_and_its_argument(order, dtype, norm):
    matrix = np.random.default_rng(5).standard_normal((3, 300)).astype(dtype, order=order)
    before = matrix.copy()
    normalized = fast_normalize_columns(matrix, norm=norm)
    assert normalized.dtype == dtype
    assert normalized.flags[f"{order}_CONTIGUOUS"]
    np.testing.assert_allclose(normalized, matrix / np.linalg.norm(matrix, ord=norm, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("rows", [7, 8, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS + 9])
@pytest.mark.parametrize("gain", [1e-38, 1e-20, 1, 1e14, 1e18])
def test_lengths_are_as_right_as_float64_has_them_whatever_the_rows_and_the_level(rows, gain):
    matrix = (gain * np.random.default_rng(rows).standard_normal((rows, 50))).astype(np.float32)
    factors = 1 / np.linalg.norm(matrix.astype(float), axis=0)
    np.testing.assert_array_equal(fast_normalize_columns(matrix), matrix * factors.astype(np.float32))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_a_broken_column_stays_broken_and_alone(order, norm):
    matrix = np.ones((3, 3), np.float32, order=order)
    matrix[1, 1] = np.nan
    nan = np.isnan(fast_normalize_columns(matrix, norm=norm))
    np.testing.assert_array_equal(nan, [[False, True, False]] * 3)


@pytest.mark.parametrize(
    ("matrix", "norm", "said"),
    [
        ([1.0], 2, "matrix must be"),
        (np.ones((0, 3)), 2, "matrix must be"),
        ([[1.0]], 3, "norm"),
        ([[1.0]], "l2", "norm"),
    ],
)
def test_refuses(matrix, norm, said):
    with pytest.raises(ParameterError, match=said):
        fast_normalize_columns(matrix, norm=norm)
