"""Small pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import pictures as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.pictures import draw_columns, draw_peaks


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(1, 40))
def test_peaks_agree_with_the_naive_twin(seed: int, n: int, parts: int) -> None:
    y = np.random.default_rng(seed).uniform(-1.1, 1.1, n).astype(np.float32)
    drawn = draw_peaks(y, parts).astype(int)
    assert np.abs(drawn - np.array(naive.peaks(y.tolist(), parts))).max() <= 1  # halves may be rounded either way


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(1, 40))
def test_columns_agree_with_the_naive_twin(seed: int, n: int, columns: int) -> None:
    S = np.random.default_rng(seed).uniform(-90, 0, (3, n)).astype(np.float32)
    drawn = draw_columns(S, columns, -80.0).astype(int)
    assert np.abs(drawn - np.array(naive.columns(S.tolist(), columns, -80.0))).max() <= 1


def test_the_lowest_is_never_above_the_highest() -> None:
    drawn = draw_peaks(np.random.default_rng(1).standard_normal(5000), 64)
    assert (drawn[:, 0] <= drawn[:, 1]).all()


def test_a_row_is_drawn_as_it_lies_in_a_wider_one() -> None:
    S = np.random.default_rng(2).uniform(-80, 0, (4, 50)).astype(np.float32)
    assert np.array_equal(draw_columns(S[:, :33], 8, -80.0), draw_columns(S[:, :33].copy(), 8, -80.0))


@pytest.mark.parametrize(
    "call",
    [
        lambda: draw_peaks([], 4),
        lambda: draw_peaks(np.ones(4), 0),
        lambda: draw_columns(np.ones((2, 2)), 4, -80.0),
        lambda: draw_columns(np.ones((2, 0), np.float32), 4, -80.0),
        lambda: draw_columns(np.ones((2, 2), np.float32), 4, 80.0),
        lambda: draw_columns(np.ones((2, 2), np.float32), 0, -80.0),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
