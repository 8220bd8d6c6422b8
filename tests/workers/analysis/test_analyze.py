"""What is said of sounds that were made to be known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.workers.analysis.sounds import (
    SR,
    Signal,
    as_frames,
    cadence,
    click_track,
    drum_loop,
    info_of,
    seconds,
    tone,
)
from workers.analysis import analyze, tempo
from workers.audio.hints import Hints
from workers.file import finite
from workers.model import MEL_COLUMNS, MEL_ROWS, PEAKS, TONICS, VECTOR_DIMENSIONS, Analysis

NO_HINTS = Hints()


def said_of(y: Signal, sr: int = SR, hints: Hints = NO_HINTS) -> Analysis:
    return analyze(y, info_of(y, sr), hints)


def codes(analysis: Analysis) -> set[str]:
    return {defect.code for defect in analysis.defects}


def octave_of(bpm: float, wanted: float) -> float:
    return float(min(abs(bpm / (wanted * factor) - 1) for factor in (0.5, 1, 2)))


@pytest.mark.parametrize("bpm", [40, 62, 75, 90, 100, 120, 128, 140.5, 174])
def test_a_click_track_has_its_tempo_or_an_octave_of_it(bpm: float) -> None:
    found = said_of(click_track(bpm)).tempo
    assert found.bpm is not None
    assert octave_of(found.bpm, bpm) < 0.005


def test_clicks_at_120_are_120() -> None:
    assert said_of(click_track(120)).tempo.bpm == pytest.approx(120, abs=0.5)


@pytest.mark.parametrize("bpm", [78, 92.5, 110, 120, 126.34, 140, 172])
def test_a_loop_cut_to_its_beats_has_its_exact_tempo(bpm: float) -> None:
    analysis = said_of(drum_loop(bpm))
    assert analysis.kind.label == "loop"
    assert analysis.tempo.bpm is not None
    assert analysis.tempo.beats in (8, 16, 32)
    assert octave_of(analysis.tempo.bpm, bpm) < 0.0005
    assert "length" in {evidence.source for evidence in analysis.tempo.evidence}


def test_a_name_is_evidence_and_not_the_answer() -> None:
    y = drum_loop(120)
    assert said_of(y, hints=Hints(name_bpm=97.0)).tempo.bpm == said_of(y).tempo.bpm
    with_name = said_of(y, hints=Hints(name_bpm=120.0)).tempo
    assert ("name", 120.0) in {(evidence.source, evidence.bpm) for evidence in with_name.evidence}


def pad(bpm: float) -> Signal:
    """Two chords that fade into each other over 16 beats: nothing to tap to."""
    t = seconds(16 * 60 / bpm)
    fade = 0.5 - 0.5 * np.cos(2 * np.pi * t / t[-1])
    one, other = (sum(np.sin(2 * np.pi * hz * t) for hz in chord) for chord in ((262, 330, 392), (220, 262, 330)))
    return as_frames(0.15 * (one * fade + other * (1 - fade)) * (1 + 0.3 * np.sin(2 * np.pi * 0.7 * t)))


def test_a_name_and_the_length_together_give_a_pad_its_tempo() -> None:
    y = pad(80)
    found = tempo.from_hints(len(y) / SR, Hints(name_bpm=80.0))
    assert found is not None
    assert (found.bpm, found.beats) == (80.0, 16)
    assert tempo.from_hints(len(y) / SR, Hints(name_bpm=83.0)) is None
    assert said_of(y).tempo.bpm is None


def test_a_long_piece_is_a_track() -> None:
    assert said_of(drum_loop(100, beats=48)).kind.label == "track"


def test_weights_of_evidence_sum_to_one() -> None:
    found = said_of(drum_loop(100), hints=Hints(name_bpm=100.0, acid_bpm=120.0)).tempo
    assert sum(evidence.weight for evidence in found.evidence) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_has_its_key(tonic: int, mode: str) -> None:
    found = said_of(cadence(tonic, mode)).key
    assert (found.tonic, found.mode) == (TONICS[tonic], mode)
    assert found.label == f"{TONICS[tonic]} {mode}"


def test_tuning_is_found_and_does_not_move_the_key() -> None:
    found = said_of(cadence(0, "major", tuning=12 * np.log2(432 / 440))).key
    assert found.label == "C major"
    assert found.tuning_cents == pytest.approx(-31.8, abs=3)


@pytest.mark.parametrize("midi", [28, 36, 45, 57, 69, 81, 93])
def test_a_note_has_its_name(midi: int) -> None:
    y = as_frames(0.5 * tone(midi, 1.0))
    analysis = said_of(y)
    assert analysis.kind.label == "one-shot"
    assert analysis.pitch.midi == midi
    assert analysis.pitch.note == f"{TONICS[midi % 12]}{midi // 12 - 1}"
    assert abs(analysis.pitch.cents or 0) < 6
    assert analysis.tempo.bpm is None


def nothing_rhythmic() -> dict[str, Signal]:
    t = seconds(6)
    rng = np.random.default_rng(3)
    impulse = np.zeros(4 * SR)
    impulse[SR] = 0.9
    return {
        "sine": as_frames(0.5 * np.sin(2 * np.pi * 440 * t)),
        "noise": as_frames(0.2 * rng.standard_normal(len(t))),
        "impulse": as_frames(impulse),
        "constant": as_frames(np.full(SR, 0.5)),
        "silence": as_frames(np.zeros(SR)),
        "one sample": as_frames(np.array([0.3])),
        "hundred samples": as_frames(rng.uniform(-0.5, 0.5, 100)),
        "kick": as_frames(np.sin(2 * np.pi * 60 * t[:8000]) * np.exp(-t[:8000] * 20)),
    }


@pytest.mark.parametrize("name", list(nothing_rhythmic()))
def test_no_tempo_is_invented(name: str) -> None:
    analysis = said_of(nothing_rhythmic()[name])
    assert analysis.tempo.bpm is None
    assert analysis.tempo.reason


@pytest.mark.parametrize("name", ["noise", "impulse", "constant", "silence", "one sample", "hundred samples"])
def test_no_key_and_no_pitch_are_invented(name: str) -> None:
    analysis = said_of(nothing_rhythmic()[name])
    assert analysis.key.tonic is None
    assert analysis.key.reason
    assert analysis.pitch.note is None
    assert analysis.pitch.reason


def test_drums_have_no_key() -> None:
    assert said_of(drum_loop(120)).key.tonic is None


@pytest.mark.parametrize("name", list(nothing_rhythmic()))
def test_json_has_a_word_for_every_number(name: str) -> None:
    text = json.dumps(finite(said_of(nothing_rhythmic()[name]).to_dict()), allow_nan=False)
    assert json.loads(text)["kind"]["label"]


def test_silence_is_silence() -> None:
    analysis = said_of(as_frames(np.zeros(SR), channels=2))
    assert analysis.kind.label == "silence"
    assert analysis.vector == b""
    assert analysis.loudness.rms_dbfs is None
    assert analysis.loudness.true_peak_dbtp is None


def test_gain_changes_levels_and_nothing_else() -> None:
    y = cadence(4, "minor")
    loud, quiet = said_of(y), said_of(y * np.float32(0.25))
    for part in ("kind", "tempo", "key", "pitch", "spectrum", "envelope", "rhythm", "timbre"):
        assert getattr(loud, part) == getattr(quiet, part), part
    assert np.allclose(np.frombuffer(loud.vector, "<f4"), np.frombuffer(quiet.vector, "<f4"), atol=1e-3)
    assert loud.loudness.rms_dbfs == pytest.approx((quiet.loudness.rms_dbfs or 0) + 12.04, abs=0.02)


def test_the_same_samples_give_the_same_answer() -> None:
    y = drum_loop(97)
    first, second = said_of(y), said_of(y.copy())
    assert first == second


def test_another_rate_is_the_same_sound() -> None:
    one, other = said_of(drum_loop(110)), said_of(drum_loop(110, sr=48000), sr=48000)
    assert one.tempo.bpm == other.tempo.bpm
    assert one.kind.label == other.kind.label


def cosine(a: bytes, b: bytes) -> float:
    x, y = (np.frombuffer(v, "<f4").astype(float) for v in (a, b))
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


def test_equal_sounds_land_together_and_others_apart() -> None:
    y = cadence(2, "major")
    there = said_of(y).vector
    stereo = said_of(np.repeat(y, 2, axis=1)).vector
    rough = said_of((np.round(y * 127) / 127).astype(np.float32)).vector
    other = said_of(drum_loop(120)).vector
    assert len(there) == 4 * VECTOR_DIMENSIONS
    assert cosine(there, stereo) > 0.999
    assert cosine(there, rough) > 0.9
    assert cosine(there, other) < 0.5


def test_previews_have_their_size() -> None:
    for name, y in nothing_rhythmic().items():
        preview = said_of(y).preview
        assert len(preview.peaks) == 2 * PEAKS, name
        assert len(preview.mel) == MEL_ROWS * MEL_COLUMNS, name


def test_channels_that_cancel_are_told_and_still_analysed() -> None:
    y = drum_loop(100)
    flipped = np.concatenate([y, -y], axis=1)
    analysis = said_of(flipped)
    assert "phase_cancelling" in codes(analysis)
    assert analysis.tempo.bpm == said_of(y).tempo.bpm
    assert "phase_cancelling" not in codes(said_of(np.repeat(y, 2, axis=1)))


def test_one_used_channel_of_many_does_not_cancel() -> None:
    y = np.zeros((SR, 12), np.float32)
    y[:, 3] = tone(60, 1.0).astype(np.float32)
    assert "phase_cancelling" not in codes(said_of(y))


@pytest.mark.parametrize(
    ("code", "y"),
    [
        ("clipping", as_frames(np.clip(2 * np.sin(2 * np.pi * 100 * seconds(1)), -1, 1))),
        ("dc_offset", as_frames(0.3 + 0.2 * np.sin(2 * np.pi * 100 * seconds(1)))),
        ("silent_head", as_frames(np.concatenate([np.zeros(SR), tone(60, 1.0)]))),
        ("silent_tail", as_frames(np.concatenate([tone(60, 1.0), np.zeros(SR)]))),
    ],
)
def test_defects_are_found(code: str, y: Signal) -> None:
    assert code in codes(said_of(y))


def test_a_rest_at_the_end_of_a_loop_is_no_silence_too_much() -> None:
    loop = drum_loop(120)
    assert said_of(loop).kind.label == "loop"
    assert "silent_tail" not in codes(said_of(loop))
    assert "silent_tail" in codes(said_of(np.concatenate([loop, np.zeros((3 * SR, 1), np.float32)])))


def test_a_slow_loop_of_eight_bars_is_a_loop_and_what_is_cut_anywhere_a_track() -> None:
    slow = drum_loop(68, 32)
    assert said_of(slow).kind.label == "loop"
    assert said_of(slow[: round(26.1 * SR)]).kind.label == "track"


def test_where_there_is_no_note_nothing_is_sure() -> None:
    for y in (drum_loop(120), cadence(0, "major")):
        assert (said_of(y).pitch.midi, said_of(y).pitch.confidence) == (None, 0.0)


def test_a_clean_sound_has_no_defect() -> None:
    assert codes(said_of(as_frames(0.5 * tone(60, 0.8)))) == set()


def test_what_the_decoder_saw_is_passed_on() -> None:
    y = as_frames(0.5 * tone(60, 0.5))
    analysis = analyze(y, info_of(y), NO_HINTS, bad_samples=3, truncated=True)
    assert {"non_finite_samples", "truncated"} <= codes(analysis)


def test_a_loop_that_clicks_at_its_seam_is_told() -> None:
    y = np.roll(drum_loop(120), 9000, axis=0)  # the seam lies between two hits, where a click is heard
    y[-1000:] += np.linspace(0, 0.5, 1000, dtype=np.float32)[:, None]
    assert "click_at_seam" in codes(said_of(y))
    assert "click_at_seam" not in codes(said_of(np.roll(drum_loop(120), 9000, axis=0)))


def test_confidences_are_between_zero_and_one() -> None:
    for y in (drum_loop(120), cadence(0, "major"), click_track(90)):
        analysis = said_of(y)
        for part in (analysis.kind, analysis.tempo, analysis.key, analysis.pitch):
            assert 0 <= part.confidence <= 1


@pytest.mark.parametrize("head_s", [0.25, 1.0, 4.0])
def test_a_single_sound_is_one_whenever_it_begins(head_s: float) -> None:
    t = seconds(0.4)
    kick = (np.sin(2 * np.pi * (50 * t + 6 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)).astype(np.float32)
    y = np.concatenate([np.zeros(round(head_s * SR), np.float32), kick])[:, None]
    assert analyze(y, info_of(y), Hints()).kind.label == "one-shot"


@pytest.mark.parametrize("silence_s", [10.0, 60.0])
def test_one_note_is_one_however_long_the_silence_behind_it(silence_s: float) -> None:
    note = tone(57, 1.0) * np.exp(-3 * seconds(1.0))
    said = said_of(as_frames(np.concatenate([note, np.zeros(int(silence_s * SR))])))
    assert (said.kind.label, said.pitch.note, said.tempo.bpm) == ("one-shot", "A3", None)
    assert "silent_tail" in codes(said)


@pytest.mark.parametrize("decay", [0.0, 1.5])
@pytest.mark.parametrize("midi", [29, 33, 40, 48])
def test_a_low_sine_is_a_bass_with_a_note_and_no_drum(midi: int, decay: float) -> None:
    t = seconds(1.4)
    said = said_of(as_frames(tone(midi, 1.4, harmonics=1) * np.exp(-decay * t) * np.minimum(1, t / 0.008)))
    assert (said.kind.label, said.pitch.midi, said.instrument.label) == ("one-shot", midi, "bass")


@pytest.mark.parametrize("duration", [4.0, 8.0, 10.0])
@pytest.mark.parametrize("harmonics", [1, 5])
def test_what_glides_all_the_way_has_no_tempo_no_key_and_no_note(duration: float, harmonics: int) -> None:
    t = seconds(duration)
    phase = 2 * np.pi * np.cumsum(65.4 * 2 ** (4 * t / duration)) / SR
    y = sum(np.sin(k * phase) / k for k in range(1, harmonics + 1)) * t / duration
    said = said_of(as_frames(0.5 * np.asarray(y)))
    assert (said.tempo.bpm, said.key.label, said.pitch.note) == (None, None, None)
