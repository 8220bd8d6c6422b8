from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import signals as naive
from tests.workers.kernels.examples import gains, quick, signals
from workers.errors import ParameterError
from workers.kernels.crossings import compute_zero_crossing_rate_batch

lengths = st.integers(1, 20).map(lambda half: 2 * half)


@quick
@given(signals(), lengths, st.integers(1, 40), st.sampled_from([0.0, 1e-10, 0.3]))
def test_counts_sign_changes_in_each_frame(y, frame_length, hop_length, threshold):
    rate = compute_zero_crossing_rate_batch(y, frame_length=frame_length, hop_length=hop_length, threshold=threshold)
    limit = float(np.float32(threshold))
    np.testing.assert_allclose(rate, naive.zero_crossing_rate(y, frame_length, hop_length, limit), rtol=1e-6)


@quick
@given(signals(9, 60), st.sampled_from([1, 3, 9]), st.integers(1, 12))
def test_frames_may_be_odd(y, frame_length, hop_length):
    rate = compute_zero_crossing_rate_batch(y, frame_length=frame_length, hop_length=hop_length)
    np.testing.assert_allclose(rate, naive.zero_crossing_rate(y, frame_length, hop_length, 1e-10), rtol=1e-6)


@quick
@given(signals(), lengths, st.integers(1, 40), gains)
def test_is_a_share_and_deaf_to_gain(y, frame_length, hop_length, gain):
    rate = compute_zero_crossing_rate_batch(y, frame_length=frame_length, hop_length=hop_length)
    assert ((rate >= 0) & (rate < 1)).all()
    louder = compute_zero_crossing_rate_batch(gain * y, frame_length=frame_length, hop_length=hop_length)
    np.testing.assert_array_equal(louder, rate)


@quick
@given(signals(40, 60), signals(1, 20), st.integers(1, 8))
def test_later_samples_change_no_frame_that_had_ended(y, more, hop_length):
    rate = compute_zero_crossing_rate_batch(y, frame_length=8, hop_length=hop_length)
    longer = compute_zero_crossing_rate_batch(np.concatenate([y, more]), frame_length=8, hop_length=hop_length)
    ended = (len(y) - 4) // hop_length + 1
    np.testing.assert_array_equal(longer[:ended], rate[:ended])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"y": []}, "y must be"),
        ({"y": [[1.0]]}, "y must be"),
        ({"y": [1.0], "frame_length": 0}, "frame_length"),
        ({"y": [1.0], "hop_length": 0}, "hop_length"),
        ({"y": [1.0], "threshold": -1}, "threshold"),
        ({"y": [1.0], "threshold": float("nan")}, "threshold"),
    ],
)
def test_refuses(arguments, said):
    with pytest.raises(ParameterError, match=said):
        compute_zero_crossing_rate_batch(**arguments)


def test_agrees_with_librosa():
    librosa = pytest.importorskip("librosa")
    y = np.random.default_rng(4).standard_normal(30000).astype(np.float32)
    expected = librosa.feature.zero_crossing_rate(y)[0]
    np.testing.assert_allclose(compute_zero_crossing_rate_batch(y), expected, rtol=1e-6)
