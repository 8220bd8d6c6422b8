from __future__ import annotations

import numpy as np
import pytest

from tests.workers.analysis.sounds import click_track, drum_loop
from tests.workers.analysis.test_tempo import overview_of
from workers.analysis import beats, tempo
from workers.model import Tempo


def of_tempo(bpm, count=None):
    return Tempo(bpm, 1.0, count, (), None)


def accented(bpm, per_bar, first, swing=0.5, seconds=16.0):
    """Clicks on each beat, a low thump on the first of each bar, a soft click between beats; (y, true beats)."""
    sr = 44100
    y = np.zeros(round(seconds * sr))
    rng = np.random.default_rng(0)
    click = rng.standard_normal(400) * np.exp(-np.arange(400) / 80)
    t = np.arange(6000) / sr
    thump = 2 * np.sin(2 * np.pi * 60 * t) * np.exp(-t * 20)
    at = np.arange(first, seconds - 0.3, 60 / bpm)
    for i, beat in enumerate(at):
        for sound, time, gain in ((click, beat, 0.6), (click, beat + swing * 60 / bpm, 0.25), (thump, beat, 1.0)):
            if sound is not thump or i % per_bar == 0:
                start = round(time * sr)
                end = min(len(y), start + len(sound))
                y[start:end] += gain * sound[: end - start]
    return np.float32(0.4 * y / np.abs(y).max())[:, None], at


def test_without_a_tempo_there_are_no_beats():
    seen, duration_s = overview_of(click_track(120))
    assert beats.find_beats(seen, tempo.unknown("no steady pulse"), duration_s) is None
    assert set(beats.NONE) == set(beats.Beats(np.zeros(1)).described)


@pytest.mark.parametrize("bpm", [80, 120, 150])
def test_beats_of_clicks_are_where_the_clicks_are(bpm):
    y, true = accented(bpm, 4, 0.37)
    seen, duration_s = overview_of(y)
    found = beats.find_beats(seen, of_tempo(float(bpm)), duration_s)
    assert found is not None
    off = np.abs(true[:, None] - found.times).min(axis=1)
    assert np.quantile(off, 0.9) < 0.02


@pytest.mark.parametrize("per_bar", [3, 4])
def test_bars_begin_where_the_bass_is(per_bar):
    y, true = accented(110, per_bar, 0.25)
    seen, duration_s = overview_of(y)
    found = beats.find_beats(seen, of_tempo(110.0), duration_s)
    assert found is not None
    assert found.per_bar == per_bar
    assert found.downbeat is not None
    assert np.abs(true[::per_bar] - found.times[found.downbeat]).min() < 0.03


@pytest.mark.parametrize(("place", "ratio"), [(0.5, 1.0), (2 / 3, 2.0)])
def test_swing_is_the_first_half_against_the_second(place, ratio):
    y, _ = accented(100, 4, 0.2, swing=place)
    seen, duration_s = overview_of(y)
    found = beats.find_beats(seen, of_tempo(100.0), duration_s)
    assert found is not None
    assert found.swing == pytest.approx(ratio, rel=0.05)


@pytest.mark.parametrize("late_s", [0.0, 0.02])
def test_straight_eighths_do_not_swing_wherever_a_loop_is_cut(late_s):
    y = np.roll(drum_loop(120), round(late_s * 44100), axis=0)
    seen, duration_s = overview_of(y)
    found = beats.find_beats(seen, of_tempo(120.0, 16), duration_s)
    assert found is not None
    assert found.swing == pytest.approx(1.0, abs=0.05)


def test_a_loop_begins_on_its_downbeat_and_divides_its_length():
    seen, duration_s = overview_of(drum_loop(100))
    found = beats.find_beats(seen, of_tempo(100.0, 16), duration_s)
    assert found is not None
    np.testing.assert_allclose(found.times, np.arange(16) * duration_s / 16)
    assert found.described["first_beat_s"] == 0
    assert found.described["first_downbeat_s"] == 0
    assert found.per_bar == 4


def test_too_few_beats_have_no_bars():
    seen, duration_s = overview_of(click_track(120, duration=2.6))
    found = beats.find_beats(seen, of_tempo(120.0), duration_s)
    assert found is not None
    assert found.per_bar is None
    assert found.downbeat is None
