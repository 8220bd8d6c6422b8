from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import vectors as naive
from tests.workers.kernels.examples import gains, quick, sample
from workers.errors import ParameterError
from workers.kernels.similarity import fast_cosine_similarity

pairs = st.integers(1, 40).flatmap(lambda n: st.tuples(*[st.lists(sample, min_size=n, max_size=n) for _ in range(2)]))
types = st.sampled_from([np.float32, np.float64])


@quick
@given(pairs, types, types)
def test_is_the_cosine_of_the_angle(pair, first, second):
    a, b = np.array(pair[0], first), np.array(pair[1], second)
    assert fast_cosine_similarity(a, b) == pytest.approx(naive.cosine(*pair), abs=1e-9)


@quick
@given(pairs, gains)
def test_is_symmetric_bounded_and_deaf_to_gain(pair, gain):
    a, b = np.array(pair[0], np.float32), np.array(pair[1], np.float32)
    similarity = fast_cosine_similarity(a, b)
    assert -1 <= similarity <= 1
    assert fast_cosine_similarity(b, a) == similarity
    assert fast_cosine_similarity(gain * a, b) == similarity
    assert fast_cosine_similarity(-a, b) == -similarity


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_no_vector_is_too_small_or_too_large(scale):
    assert fast_cosine_similarity(np.array([3.0, 4.0]) * scale, np.array([4.0, 3.0])) == pytest.approx(0.96)


def test_a_vector_of_zeros_points_nowhere():
    assert fast_cosine_similarity([0, 0], [1, 2]) == 0.0
    assert fast_cosine_similarity(np.zeros(3), np.zeros(3)) == 0.0


def test_other_types_are_converted():
    for a in ([3, 4], (3.0, 4.0), np.array([3, 4]), np.array([3, 0, 4])[::2]):
        assert fast_cosine_similarity(a, np.array([4.0, 3.0])) == pytest.approx(0.96)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([], [], "a must be"),
        ([1.0], [1.0, 2.0], "1 values and b 2"),
        (np.ones(3), np.ones(4), "3 values and b 4"),
        ([[1.0]], [[1.0]], "a must be"),
        ([np.nan, 1.0], [1.0, 1.0], "finite"),
        (np.array([np.inf, 1.0]), np.ones(2), "finite"),
        (None, [1.0], "a must be"),
        (["x"], [1.0], "real numbers"),
    ],
)
def test_refuses(a, b, said):
    with pytest.raises(ParameterError, match=said):
        fast_cosine_similarity(a, b)
