"""Sounds that are measured while they go by: the same as at once, in bounded memory, and honest where they change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.analysis.sounds import SR, Signal, as_frames, cadence, drum_loop, info_of, seconds, tone
from tests.workers.kernels.examples import quick
from workers.analysis import analyze
from workers.analysis.long.edges import Clipping, Edges, ends_of
from workers.analysis.long.folded import Folded
from workers.analysis.long.resampling import Linear, resampler
from workers.analysis.long.sound import LongSound
from workers.analysis.long.windows import MOST, Windows
from workers.audio.hints import Hints
from workers.kernels.waveform import find_ends, survey_waveform
from workers.kernels.weighting import CHUNK
from workers.model import Analysis

WINDOW_S = 8.0


def passing(y: Signal, sr: int = SR, block: int = 100_000, hints: Hints | None = None, **said: Any) -> Analysis:
    """What is said of a sound that comes in blocks."""
    sound = LongSound(info_of(y, sr), hints or Hints(), WINDOW_S)
    begin, end = 0, min(block, len(y) - 1)
    while end < len(y):
        begin = end - sound.take(y[begin:end], last=False)
        end += block
    assert sound.take(y[begin:], last=True) == 0
    return sound.say(**{"ended": True, "bad_samples": 0, "truncated": False, **said})


def repeated(y: Signal, times: int) -> Signal:
    return np.concatenate([y] * times)


def numbers(value: Any) -> np.ndarray:
    return np.hstack([np.asarray(x, float) for x in value.values() if x is not None])


# -- the same as at once


@pytest.fixture(scope="module")
def music() -> Signal:
    """24 s of drums at 124 and of chords in A minor, on two channels, fading."""
    drums, chords = repeated(drum_loop(124, 16), 3), repeated(cadence(9, "minor"), 6)
    y = 0.5 * drums + 0.4 * chords[: len(drums)]
    y = np.repeat(y * np.linspace(1, 0.3, len(y))[:, None], 2, axis=1).astype(np.float32)
    y[:, 1] *= 0.5
    return y


def test_what_is_of_the_whole_is_the_same_as_at_once(music: Signal) -> None:
    whole, found = analyze(music, info_of(music), Hints()), passing(music)
    assert found.loudness == whole.loudness
    assert found.defects == whole.defects
    assert found.audio.duration_s == whole.audio.duration_s
    assert numbers(found.envelope) == pytest.approx(numbers(whole.envelope), rel=0.01, abs=0.01)
    assert numbers(found.spectrum) == pytest.approx(numbers(whole.spectrum), rel=0.01, abs=0.5)
    assert numbers(found.timbre) == pytest.approx(numbers(whole.timbre), rel=0.02, abs=0.2)
    for ours, theirs, dtype in (
        (found.preview.peaks, whole.preview.peaks, np.int8),
        (found.preview.mel, whole.preview.mel, np.uint8),
    ):
        a, b = (np.frombuffer(x, dtype).astype(int) for x in (ours, theirs))
        assert np.abs(a - b).mean() < 1.5
    assert found.tempo.bpm == pytest.approx(124, rel=0.001)
    assert found.key.label == whole.key.label
    assert found.tempo.confidence > 0.5
    ours, theirs = (np.frombuffer(vector, "<f4") for vector in (found.vector, whole.vector))
    assert float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)) > 0.8


def test_what_was_listened_to_is_said(music: Signal) -> None:
    whole, found = analyze(music, info_of(music), Hints()), passing(music)
    end = round(len(music) / SR, 6)
    assert (whole.audio.analyzed.policy, whole.audio.analyzed.windows) == ("whole", ((0.0, end),))
    assert (found.audio.analyzed.policy, found.audio.analyzed_s) == ("windows", end)
    assert found.audio.analyzed.windows == ((0.0, 8.0), (8.0, 16.0), (16.0, 23.226))
    cut = passing(music, ended=False)
    assert (cut.audio.duration_s, cut.audio.analyzed_s) == (end, end)


@pytest.mark.parametrize("sr", [8000, 22_050, 48_000, 800])
def test_other_rates_come_to_the_same(sr: int) -> None:
    t = seconds(24, sr)
    y = as_frames(0.5 * np.sin(2 * np.pi * 110 * t) * (0.2 + (t % 0.5 < 0.25)), 2)
    whole, found = analyze(y, info_of(y, sr), Hints()), passing(y, sr, block=3 * sr)
    assert found.loudness == whole.loudness
    assert found.spectrum["centroid_hz"] == pytest.approx(whole.spectrum["centroid_hz"], rel=0.02)
    assert found.audio.analyzed.windows[-1][1] == pytest.approx(24, abs=0.01)


def test_channels_that_cancel_and_an_offset_are_heard_and_told() -> None:
    y = repeated(drum_loop(120, 16), 3)
    flipped = passing(np.concatenate([y, -y], axis=1))
    assert "phase_cancelling" in {defect.code for defect in flipped.defects}
    assert flipped.tempo.bpm == pytest.approx(120, rel=0.001)
    offset = passing(y * np.float32(0.4) + np.float32(0.3))
    assert (offset.defects[0].code, offset.defects[0].amount) == ("dc_offset", pytest.approx(0.3, abs=0.01))
    assert offset.spectrum["centroid_hz"] == pytest.approx(flipped.spectrum["centroid_hz"], rel=0.02)


def test_silence_at_either_end_and_clipping_are_where_they_are() -> None:
    y = np.zeros((20 * SR, 2), np.float32)
    y[5 * SR : 12 * SR] = np.clip(3 * np.sin(2 * np.pi * 50 * seconds(7)), -1, 1)[:, None]
    found = {defect.code: defect for defect in passing(y).defects}
    assert found["silent_head"].amount == pytest.approx(5, abs=CHUNK / SR)
    assert found["silent_tail"].amount == pytest.approx(8, abs=CHUNK / SR)
    assert found["clipping"].amount == pytest.approx(2 * 2 * 50 * 7, abs=8)
    assert found["clipping"].at_s == pytest.approx(5, abs=0.01)


def test_silence_has_no_tempo_no_key_and_no_vector() -> None:
    found = passing(np.zeros((20 * SR, 1), np.float32))
    assert (found.kind.label, found.vector, found.loudness.rms_dbfs) == ("silence", b"", None)
    assert (found.tempo.reason, found.key.reason) == ("silence has no tempo", "silence has no key")
    assert not any(np.frombuffer(found.preview.mel, np.uint8))


# -- music that changes


def test_a_tempo_that_changes_is_none() -> None:
    parts = [repeated(drum_loop(bpm, 16), 2) for bpm in (90, 104, 131, 152)]
    found = passing(np.concatenate(parts)).tempo
    assert (found.bpm, found.reason) == (None, "the tempo changes")
    assert found.confidence < 0.6


def test_a_key_that_changes_is_none() -> None:
    parts = [repeated(cadence(tonic, "major"), 4) for tonic in (0, 3, 6, 10)]
    found = passing(np.concatenate(parts)).key
    assert (found.tonic, found.reason) == (None, "the key changes")


def test_noise_has_neither() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(24 * SR)
    found = passing(as_frames(noise))
    assert (found.tempo.bpm, found.key.tonic) == (None, None)
    assert found.tempo.reason == "no steady pulse"


def test_a_written_tempo_is_evidence() -> None:
    y = repeated(drum_loop(124, 16), 3)
    found = passing(y, hints=replace(Hints(), name_bpm=124.0))
    assert found.tempo.bpm == 124
    assert {evidence.source for evidence in found.tempo.evidence} == {"pulse", "name"}


# -- bounded memory


@quick
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 700), max_size=8))
def test_a_folded_series_keeps_what_its_values_come_to(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (2, sum(sizes)))
    for merge in (np.add, np.minimum, np.maximum):
        series, begin = Folded(merge, 2, 32), 0
        for size in sizes:
            series.add(values[:, begin : begin + size])
            begin += size
        cells = series.cells()
        width = series.width
        expected = [merge.reduce(values[:, at : at + width], axis=1) for at in range(0, values.shape[1], width)]
        assert cells.shape[1] <= 33
        assert values.shape[1] < 32 or cells.shape[1] >= 16
        assert np.allclose(cells.T, expected) if expected else not cells.size


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(1e-4, 1.2))
def test_edges_are_those_of_the_whole_to_a_chunk(seed: int, blocks: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.uniform(-1, 1, (blocks * 10 * CHUNK, 1)) ** 9 * rng.uniform(0, 1)).astype(np.float32)
    edges = Edges()
    for part in np.array_split(y, blocks):
        edges.add(np.abs(part.reshape(-1, CHUNK)).max(axis=1))
    expected = find_ends(y, survey_waveform(y, 8000).peaks, threshold=threshold)
    found = ends_of(edges, Clipping(), len(y), threshold)
    near = find_ends(y, survey_waveform(y, 8000).peaks, threshold=threshold * 1.004)
    assert expected.first - CHUNK <= found.first <= near.first
    assert near.last <= found.last <= expected.last + CHUNK


def test_windows_are_spread_over_any_length_and_never_many() -> None:
    heard: list[float] = []
    windows = Windows(lambda y, start_s: heard.append(start_s), 0.01)
    size = round(0.01 * 22_050)
    for slot in range(2000):
        windows.add(np.zeros(size, np.float32))
        spans = windows.spans
        assert len(spans) <= MOST
        assert slot < MOST or len(spans) >= MOST // 2
        assert spans[0][0] == 0
    starts = [start for start, _ in windows.spans]
    assert np.ptp(np.diff(starts)) < 0.002
    assert starts[-1] > 2000 * size / 22_050 * (1 - 2 / MOST)
    assert len(heard) < 300


def test_the_end_is_heard_if_there_is_enough_of_it() -> None:
    for rest, count in ((0.5, 1), (0.7, 2)):
        windows = Windows(lambda y, start_s: None, 1.0)
        windows.add(np.zeros(round((1 + rest) * 22_050), np.float32))
        windows.end()
        assert len(windows.spans) == count


@pytest.mark.parametrize("sr", [100, 800])
def test_a_straight_line_between_samples_does_not_notice_the_stretches(sr: int) -> None:
    y = np.random.default_rng(0).uniform(-1, 1, 1000).astype(np.float32)
    whole = Linear(sr).add(y, True)
    in_parts = Linear(sr)
    parts = [in_parts.add(part, last) for part, last in ((y[:1], False), (y[1:400], False), (y[400:], True))]
    assert np.array_equal(np.concatenate(parts), whole)
    assert len(whole) == round(1000 * 22_050 / sr)


def test_stretches_are_resampled_to_one_length() -> None:
    for sr in (8000, 48_000, 96_000):
        resample = resampler(sr)
        made = sum(len(resample(np.zeros(sr, np.float32), last)) for last in (False, False, True))
        assert abs(made - 3 * 22_050) <= 1


def test_a_note_in_hours_of_nothing_is_no_silence() -> None:
    y = np.zeros((40 * SR, 1), np.float32)
    y[: 2 * SR, 0] = 0.5 * tone(57, 2.0)
    found = passing(y)
    assert found.kind.label != "silence"
    assert found.pitch.reason == "not a single pitched sound"
