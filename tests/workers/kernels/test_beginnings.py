"""Where notes begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tests.naive import envelopes as naive
from tests.workers.kernels.examples import gains, level, quick, spectrograms
from workers.errors import ParameterError
from workers.kernels.beginnings import Beginnings, find_beginnings
from workers.kernels.peaks import find_peaks_simple

mels = spectrograms(level, bins=(4, 8), frames=(1, 40))
USUAL = {"lag": 2, "range_db": 50.0, "reach": 5, "near": 8, "least": 1.0, "share": 0.12, "apart": 4}


def _found(M: np.ndarray) -> Beginnings:
    return find_beginnings(M, [0, 1, len(M)], **USUAL)  # type: ignore[arg-type]  # each is of its own type


@quick
@given(mels)
def test_onsets_are_those_of_the_naive_twin(M: np.ndarray) -> None:
    bands, full, energy, start = naive.rises(M.astype(float).tolist(), [0, 1, len(M)], 2, 50.0)
    found = _found(M)
    rows = [naive.sharpen(row, 5, 0.8) for row in (full, *bands, energy)]
    assert np.allclose(found.rows, rows, rtol=1e-4, atol=2e-3)
    e = np.array([max(full[0], start), *full[1:]])
    above = np.maximum(naive.local_mean(e.tolist(), 8) + 0.12 * e.max(), 1.0)
    near_a_decision = np.abs(np.diff(np.sort(e))).min(initial=1.0) < 1e-3 or np.abs(e - above).min() < 1e-3
    if not near_a_decision:  # float32 decibels may fall on either side
        peaks = find_peaks_simple(np.array([0.0, *e, 0.0]), height=1.0, distance=4) - 1
        peaks = peaks[e[peaks] >= above[peaks]]
        assert found.frames.tolist() == peaks.tolist()
        assert found.strengths == pytest.approx(e[peaks], abs=1e-3)


@quick
@given(mels, gains)
def test_onsets_are_deaf_to_gain(M: np.ndarray, gain: float) -> None:
    assert _found(gain * M).frames.tolist() == _found(M).frames.tolist()


def test_what_sounds_from_the_first_frame_on_began_there() -> None:
    M = np.zeros((4, 30), np.float32)
    M[:, :3] = 1.0
    M[:, 15:] = 1.0
    assert _found(M).frames.tolist() == [0, 15]


@pytest.mark.parametrize(
    "wrong",
    [
        {"M": np.zeros((0, 4))},
        {"band_edges": [0, 2]},
        {"band_edges": [0, 3, 2, 4]},
        {"band_edges": [[0, 4]]},
        {"lag": 0},
        {"range_db": 0.0},
        {"apart": 1},
        {"apart": 65},
        {"near": 0},
    ],
)
def test_refuses_what_it_cannot_answer(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        find_beginnings(**({"M": np.ones((4, 9)), "band_edges": [0, 1, 4]} | USUAL | wrong))
