from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import signals as naive
from tests.workers.kernels.examples import quick, spectrograms
from workers.errors import ParameterError
from workers.kernels.onset import compute_onset_strength, onset_strength_multi

matrices = spectrograms(st.floats(-80, 0, width=32))
lags = st.integers(1, 10)


@quick
@given(matrices, lags)
def test_is_the_mean_rise(S, lag):
    expected = naive.onset_strength(S.astype(float).tolist(), lag)
    np.testing.assert_allclose(compute_onset_strength(S, lag=lag), expected, rtol=1e-5, atol=1e-5)


@quick
@given(matrices, lags)
def test_is_never_negative_and_begins_with_nothing(S, lag):
    envelope = compute_onset_strength(S, lag=lag)
    assert (envelope >= 0).all()
    assert not envelope[:lag].any()


@quick
@given(matrices, lags, st.integers(-40, 40))
def test_is_deaf_to_gain(S, lag, change):
    louder = compute_onset_strength(S + np.float32(change), lag=lag)
    np.testing.assert_allclose(louder, compute_onset_strength(S, lag=lag), atol=1e-4)


@quick
@given(spectrograms(st.floats(-80, 0, width=32), frames=(2, 8)), lags)
def test_later_frames_change_nothing_before_them(S, lag):
    shorter = compute_onset_strength(np.asarray(S[:, :-1], order="F" if S.flags.f_contiguous else "C"), lag=lag)
    np.testing.assert_allclose(compute_onset_strength(S, lag=lag)[:-1], shorter, rtol=1e-6)


@quick
@given(spectrograms(st.floats(-80, 0, width=32), bins=(4, 12)), lags)
def test_bands_are_envelopes_of_their_rows(S, lag):
    envelopes = onset_strength_multi(S, [1, 2, 4], lag=lag)
    rows = S.astype(float).tolist()
    expected = [naive.onset_strength(rows[1:2], lag), naive.onset_strength(rows[2:4], lag)]
    np.testing.assert_allclose(envelopes, expected, rtol=1e-5, atol=1e-5)


S = np.ones((4, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compute_onset_strength(S[0]), "S_db must be"),
        (lambda: compute_onset_strength(S[:, :0]), "S_db must be"),
        (lambda: compute_onset_strength(S, lag=0), "lag"),
        (lambda: compute_onset_strength(S, lag=1.5), "lag"),
        (lambda: onset_strength_multi(S, [0, 5]), "band_edges"),
        (lambda: onset_strength_multi(S, [-1, 2]), "band_edges"),
        (lambda: onset_strength_multi(S, [0, 2, 2]), "band_edges"),
        (lambda: onset_strength_multi(S, [0]), "band_edges"),
        (lambda: onset_strength_multi(S, [0.0, 1.5]), "band_edges"),
    ],
)
def test_refuses(call, said):
    with pytest.raises(ParameterError, match=said):
        call()
