from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.naive import metre as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.metre import fold_envelopes, track_beats

# whole numbers and eighths: their sums are exact, so that a frame in the wrong place cannot hide in rounding
heights = st.integers(0, 40).map(lambda value: value / 8)
envelopes = st.integers(1, 60).flatmap(lambda n: hnp.arrays(np.float32, (2, n), elements=heights))
periods = st.integers(16, 200).map(lambda eighths: eighths / 8)
short = hnp.arrays(np.float32, st.integers(1, 18), elements=heights)


@quick
@given(envelopes, st.lists(periods, min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 5))
def test_every_frame_goes_to_its_part_of_the_bar(e, lengths, beats, steps):
    folded = fold_envelopes(e, lengths, beats=beats, steps=steps)
    expected = [naive.fold(e.astype(float).tolist(), period, beats, steps) for period in lengths]
    np.testing.assert_allclose(folded, expected)


@quick
@given(envelopes, periods)
def test_nothing_is_lost_in_folding(e, period):
    np.testing.assert_allclose(fold_envelopes(e, [period]).sum(axis=2)[0], e.sum(axis=1), rtol=1e-5)


def test_a_pulse_folds_onto_one_place():
    e = np.zeros((1, 400), np.float32)
    e[0, ::20] = 1
    folded = fold_envelopes(e, [20.0], beats=4, steps=5)[0, 0]
    assert np.flatnonzero(folded).tolist() == [0, 5, 10, 15]
    assert folded[0] == 5


@quick
@given(short, st.integers(4, 12).map(lambda halves: halves / 2), st.sampled_from([0.0, 1.0, 30.0]))
def test_no_path_of_beats_is_worth_more(e, period, tightness):
    beats = track_beats(e, period, tightness=tightness)
    worth = naive.worth_of(beats.tolist(), e.tolist(), period, tightness)
    assert worth == pytest.approx(naive.best_worth(e.tolist(), period, tightness), abs=1e-4)


@quick
@given(hnp.arrays(np.float32, st.integers(1, 80), elements=heights), periods)
def test_beats_rise_and_lie_within_the_envelope(e, period):
    beats = track_beats(e, period)
    assert (np.diff(beats) > 0).all()
    assert 0 <= beats[0] <= beats[-1] < len(e)
    assert beats[-1] >= len(e) - np.ceil(period)


@pytest.mark.parametrize("period", [20.0, 21.0, 33.3])
def test_beats_of_a_pulse_are_its_peaks(period):
    peaks = np.round(np.arange(3, 500, period)).astype(int)
    e = np.zeros(500, np.float32)
    e[peaks] = 5
    assert track_beats(e, period).tolist() == peaks.tolist()


def test_a_missing_beat_is_put_where_it_would_be():
    e = np.zeros(200, np.float32)
    e[10::20] = 5
    e[90] = 0
    assert np.abs(np.diff(track_beats(e, 20.0)) - 20).max() <= 1


ONE = np.ones((1, 4), np.float32)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fold_envelopes(ONE[0], [4.0]), "envelopes must be a non-empty array of 2"),
        (lambda: fold_envelopes(ONE, [[4.0]]), "periods must be a non-empty array of 1"),
        (lambda: fold_envelopes(ONE, [1.0]), "periods must be finite and at least 2 frames"),
        (lambda: fold_envelopes(ONE, [np.inf]), "periods must be finite"),
        (lambda: fold_envelopes(ONE, [4.0], beats=0), "beats must be at least 1"),
        (lambda: fold_envelopes(ONE, [4.0], steps=0), "steps must be at least 1"),
        (lambda: track_beats(ONE, 4.0), "envelope must be a non-empty array of 1"),
        (lambda: track_beats(ONE[0], 1.5), "period must be at least 2"),
        (lambda: track_beats(ONE[0], float("nan")), "period must be finite"),
        (lambda: track_beats(ONE[0], 4.0, tightness=-1), "tightness must be at least 0"),
    ],
)
def test_refuses_what_makes_no_sense(call, said):
    with pytest.raises(ParameterError, match=said):
        call()
