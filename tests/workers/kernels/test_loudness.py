from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import loudness as naive
from tests.workers.kernels.examples import gains, needs_numba, quick, signals
from workers.errors import ParameterError
from workers.kernels.loudness import integrated_loudness, levels_of, measure_levels, true_peak
from workers.kernels.waveform import TILE, survey_waveform
from workers.kernels.weighting import channel_weights, k_weighting, oversampler

SR = 48_000


def sine(hz: float, db: float, seconds: float, sr: int = SR) -> np.ndarray:
    t = np.arange(round(seconds * sr)) / sr
    return (10 ** (db / 20) * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def stereo(y: np.ndarray) -> np.ndarray:
    return np.stack([y, y], axis=1)


def test_filters_are_those_of_the_recommendation_at_48_khz():
    shelf, high_pass = k_weighting(48_000)
    np.testing.assert_allclose(shelf, [*naive.SHELF_48K[0], *naive.SHELF_48K[1][1:]], atol=1e-12)
    np.testing.assert_allclose(high_pass, [*naive.HIGH_PASS_48K[0], *naive.HIGH_PASS_48K[1][1:]], atol=1e-12)


@needs_numba
@pytest.mark.parametrize("sr", [8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("db", [-3.0, -23.0, -33.0])
def test_a_stereo_sine_is_as_loud_as_the_standard_says(sr, db):
    # EBU Tech 3341: 1 kHz at -23 dBFS on both channels measures -23 LUFS, within 0.1
    levels = measure_levels(stereo(sine(1000, db, 3, sr)), sr)
    assert levels.integrated_lufs == pytest.approx(db, abs=0.1)
    assert levels.momentary_max_lufs == pytest.approx(db, abs=0.1)
    assert levels.rms_dbfs == pytest.approx(db - 3.01, abs=0.01)


@needs_numba
def test_gates_leave_out_what_is_quiet():
    # EBU Tech 3341, cases 3 to 5, shortened
    quiet, loud = stereo(sine(1000, -36, 1)), stereo(sine(1000, -23, 30))
    assert integrated_loudness(np.concatenate([quiet, loud, quiet]), SR) == pytest.approx(-23, abs=0.1)
    silent = stereo(sine(1000, -72, 1))
    assert integrated_loudness(np.concatenate([silent, quiet, loud, quiet, silent]), SR) == pytest.approx(-23, abs=0.1)
    three = [stereo(sine(1000, db, 8)) for db in (-26, -20, -26)]
    assert integrated_loudness(np.concatenate(three), SR) == pytest.approx(
        10 * math.log10((2 * 10**-2.6 + 10**-2.0) / 3), abs=0.1
    )


@pytest.mark.parametrize("n_channels", [1, 2])
def test_agrees_with_the_recommendation_step_by_step(n_channels):
    rng = np.random.default_rng(9)
    envelope = np.repeat([0.5, 0.01, 0.3, 0.00001, 0.1], 7000)[:, np.newaxis]
    y = (rng.standard_normal((35_000, n_channels)) * envelope).astype(np.float32)
    expected = naive.integrated_loudness_48k(y.T.astype(float).tolist(), [1.0] * n_channels)
    assert integrated_loudness(y, SR) == pytest.approx(expected, abs=1e-4)
    assert measure_levels(y, SR) == levels_of(survey_waveform(y, SR))
    assert measure_levels(y, SR).integrated_lufs == pytest.approx(expected, abs=1e-4)


@needs_numba
def test_surround_weighs_more_and_the_subwoofer_nothing():
    tone = sine(1000, -23, 1)
    alone = [integrated_loudness(tone[:, np.newaxis] * np.eye(6, dtype=np.float32)[c], SR) for c in range(6)]
    assert math.isnan(alone[3])
    np.testing.assert_allclose(np.array(alone)[[1, 2, 4, 5]] - alone[0], [0, 0, 1.49, 1.49], atol=0.01)
    assert channel_weights(12).tolist() == [1.0] * 12


@quick
@given(signals(1, 40), st.sampled_from([48_000, 96_000, 192_000]))
def test_true_peak_is_the_highest_of_the_oversampled_signal(y, sr):
    # all samples lie near: no chunk is passed over, and a second tile would change nothing
    phases = oversampler(sr)[:, ::-1].astype(float).tolist() or [[0.0] * 12]
    expected = naive.true_peak(y.astype(float).tolist(), phases)
    measured = true_peak(y, sr)
    assert measured == pytest.approx(20 * math.log10(expected), abs=1e-4) if expected else measured == -math.inf


def test_true_peak_finds_what_lies_between_samples():
    # a quarter of the sampling rate, sampled at 45 degrees: the crest is 3 dB above every sample
    y = np.sin(2 * np.pi * (np.arange(4000) / 4 + 1 / 8)).astype(np.float32)
    levels = measure_levels(y, 44_100)
    assert levels.sample_peak_dbfs == pytest.approx(-3.01, abs=0.01)
    assert levels.true_peak_dbtp == pytest.approx(0, abs=0.4)
    assert measure_levels(y, 192_000).true_peak_dbtp == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("at", [0, TILE - 12, TILE - 6, TILE - 1, TILE, 2 * TILE - 1])
def test_a_peak_is_found_wherever_tiles_meet(at):
    y = np.zeros(2 * TILE, np.float32)
    y[max(0, at - 1) : at + 1] = 0.5  # two equal samples: the crest is between them
    if at == 0:
        y[1] = 0.5
    assert true_peak(y, SR) == pytest.approx(20 * math.log10(0.5 * (0.46508789 + 0.77978516)), abs=1e-3)


@pytest.mark.parametrize("n", [1, TILE - 1, TILE, TILE + 1, 3 * TILE + 5])
def test_levels_do_not_depend_on_where_tiles_end(n):
    y = np.random.default_rng(10).uniform(-1, 1, (n, 2)).astype(np.float32)
    levels = measure_levels(y, 8000)
    assert levels.sample_peak_dbfs == pytest.approx(20 * math.log10(np.abs(y).max()), abs=1e-5)
    assert levels.rms_dbfs == pytest.approx(10 * math.log10(np.mean(y.astype(float) ** 2)), abs=1e-5)


@quick
@given(signals(1, 200), gains)
def test_gain_moves_every_level_alike(y, gain):
    quiet, loud = measure_levels(y, 400), measure_levels(gain * y, 400)
    moved = 20 * math.log10(gain)
    for before, after in zip(quiet[1:], loud[1:], strict=True):
        if math.isfinite(before):
            assert after - before == pytest.approx(moved, abs=1e-4)
        else:
            assert str(after) == str(before)
    assert quiet.true_peak_dbtp >= quiet.sample_peak_dbfs >= quiet.rms_dbfs - 1e-6


def test_later_samples_cannot_lower_a_peak():
    y = np.random.default_rng(11).uniform(-1, 1, 5000).astype(np.float32)
    peaks = [true_peak(y[:n], SR) for n in range(500, 5000, 500)]
    assert peaks == sorted(peaks)


def test_silence_has_no_loudness():
    levels = measure_levels(np.zeros((SR, 2), np.float32), SR)
    assert math.isnan(levels.integrated_lufs)
    assert levels[1:] == (-math.inf,) * 5


def test_a_short_hit_has_a_loudness_but_no_gated_one():
    levels = measure_levels(sine(1000, -23, 0.39), SR)
    assert math.isnan(levels.integrated_lufs)
    assert math.isnan(levels.momentary_max_lufs)
    assert levels.ungated_lufs == pytest.approx(-26, abs=0.1)


def test_mono_is_the_same_as_one_channel():
    y = sine(440, -12, 1)
    assert measure_levels(y, SR) == measure_levels(y[:, np.newaxis], SR)


def test_odd_sampling_rates_are_measured():
    for sr in (1, 100, 1000, 11_025.5, 2_822_400):
        levels = measure_levels(sine(0.3, -6, 5000, 1), sr)
        assert levels.sample_peak_dbfs == pytest.approx(-6, abs=0.5)


@pytest.mark.parametrize(
    ("y", "sr", "said"),
    [
        ([], SR, "y must be"),
        (np.ones((2, 2, 2)), SR, "y must be"),
        (np.ones((0, 2)), SR, "y must be"),
        (3.0, SR, "y must be"),
        (["a"], SR, "real numbers"),
        (np.ones(3), 0, "sr"),
        (np.ones(3), float("inf"), "sr"),
        (np.ones(3), None, "sr"),
        ([0.0, np.nan], SR, "NaN or infinite"),
        ([[0.0, np.inf]] * 3, SR, "NaN or infinite"),
    ],
)
def test_refuses(y, sr, said):
    with pytest.raises(ParameterError, match=said):
        measure_levels(y, sr)
