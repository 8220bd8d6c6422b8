"""The root note of one-shots and of loops on one note."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.analysis import pitch
from workers.analysis.mono import SR, Mono
from workers.audio.hints import Hints

Signal = NDArray[np.float64]


def _note(midi: float, seconds: float = 0.8, shape: str = "saw") -> Signal:
    t = np.arange(int(seconds * SR)) / SR
    hz = 440 * 2 ** ((midi - 69) / 12)
    most = 1 if shape == "sine" else max(1, min(30, int(10000 / hz)))
    steps = range(1, most + 1, 2 if shape == "square" else 1)
    y = np.sum([np.sin(2 * np.pi * h * hz * t) / h for h in steps], axis=0)
    return np.asarray(y * np.exp(-2 * t) * np.minimum(1, t / 0.005))


def _said(y: Signal, *, rhythmic: bool = False, hints: Hints | None = None) -> pitch.Pitch:
    return pitch.estimate_pitch(Mono((y / np.abs(y).max()).astype(np.float32), 1.0), rhythmic=rhythmic, hints=hints)


@pytest.mark.parametrize("shape", ["saw", "square", "sine"])
@pytest.mark.parametrize("midi", [28, 33, 40, 55, 69, 81, 96, 102])
def test_a_note_has_its_pitch_and_no_octave_of_it(midi: int, shape: str) -> None:
    found = _said(_note(midi, shape=shape))
    assert found.midi == midi
    assert abs(found.cents or 0) < 10


@pytest.mark.parametrize("midi", [21, 24, 96])
def test_the_ends_of_the_keyboard(midi: int) -> None:
    assert _said(_note(midi, 1.5)).midi == midi


@pytest.mark.parametrize("cents", [-40, 30])
def test_a_detuned_note_is_that_note_and_says_how_far_off(cents: int) -> None:
    found = _said(_note(57 + cents / 100))
    assert found.midi == 57
    assert found.cents == pytest.approx(cents, abs=6)


@pytest.mark.parametrize("seconds", [0.09, 0.2, 3.0])
def test_short_and_long_notes(seconds: float) -> None:
    assert _said(_note(60, seconds)).midi == 60


def test_a_missing_fundamental_is_heard() -> None:
    t = np.arange(SR) / SR
    y = np.sum([np.sin(2 * np.pi * h * 110 * t) / h for h in range(2, 12)], axis=0) * np.exp(-2 * t)
    assert _said(y).midi == 45


@pytest.mark.parametrize("chord", [(0, 4, 7), (0, 3, 7), (0, 4, 7, 11), (0, 3, 6)])
def test_a_chord_has_no_pitch(chord: tuple[int, ...]) -> None:
    found = _said(np.sum([_note(57 + step, 1.0) for step in chord], axis=0))
    assert found.note is None
    assert found.reason


def test_a_falling_kick_has_no_pitch() -> None:
    t = np.arange(int(0.3 * SR)) / SR
    found = _said(np.sin(2 * np.pi * (50 * t + 300 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.08))
    assert found.note is None


def test_noise_has_no_pitch() -> None:
    assert _said(np.random.default_rng(0).standard_normal(SR // 2)).note is None


def test_a_loop_on_one_note_has_it_and_a_melody_has_none() -> None:
    one = np.concatenate([_note(45, 0.5)] * 8)
    melody = np.concatenate([_note(n, 0.5) for n in (45, 48, 52, 45, 50, 53, 57, 52)])
    assert _said(one, rhythmic=True).midi == 45
    assert _said(melody, rhythmic=True).note is None


def test_what_is_written_down_moves_no_clear_note() -> None:
    y = _note(57)
    for hints in (Hints(name_midi=62), Hints(smpl_root_midi=69), Hints(acid_root_midi=50, name_midi=51)):
        assert _said(y, hints=hints).midi == 57


def test_what_is_written_down_gives_noise_no_note() -> None:
    y = np.random.default_rng(1).standard_normal(SR // 2)
    assert _said(y, hints=Hints(name_midi=60, acid_root_midi=60, smpl_root_midi=48)).note is None


def test_a_note_written_down_adds_confidence_to_the_note_that_is_heard() -> None:
    y = _note(57) + 0.5 * np.random.default_rng(2).standard_normal(int(0.8 * SR))
    alone, named = _said(y), _said(y, hints=Hints(name_midi=57))
    assert named.midi == 57
    assert alone.midi is None or named.confidence >= alone.confidence


def test_a_note_is_said_where_there_being_none_is_only_a_little_likelier() -> None:
    f0 = np.array([110.0, 220.0])
    assert pitch.choose(np.array([0.1, 0.35, 0.55]), f0) == (1, 0.35)
    assert pitch.choose(np.array([0.1, 0.25, 0.65]), f0)[0] is None
    assert pitch.choose(np.array([0.1, 0.35, 0.55]), f0, worth_saying=1.0)[0] is None, "of a loop the likelier is said"
    assert pitch.choose(np.array([1.0]), np.zeros(0)) == (None, 1.0)


def test_candidates_of_one_note_are_counted_together() -> None:
    # a trembling note, heard a third of a semitone apart: each alone is less likely than that there is none
    f0 = 440 * 2 ** (np.array([-0.2, 0.15, 12.0]) / 12)
    best, confidence = pitch.choose(np.array([0.2, 0.25, 0.05, 0.5]), f0)
    assert best == 1
    assert confidence == pytest.approx(0.45)
    apart = 440 * 2 ** (np.array([0.0, 1.0, 12.0]) / 12)
    assert pitch.choose(np.array([0.2, 0.25, 0.05, 0.5]), apart)[0] is None, "a semitone away is another note"


def test_a_drums_pitch_is_not_a_note_and_says_near_which_it_is() -> None:
    heard = _said(_note(45))
    assert pitch.settled(heard, 0.1) == heard
    drum = pitch.settled(heard, 0.9)
    assert (drum.note, drum.hz, drum.confidence) == (None, None, 0.0)
    assert "A2" in str(drum.reason)


def test_unity_note_60_says_nothing_for_it_is_a_default() -> None:
    y = _note(57)
    assert _said(y, hints=Hints(smpl_root_midi=60)) == _said(y)


def test_too_short_and_silent_sounds_say_why() -> None:
    assert "20 ms" in str(_said(_note(69, 0.015)).reason)
    assert pitch.estimate_pitch(Mono(np.zeros(9000, np.float32), 0.0), rhythmic=False).reason == "silence has no pitch"


def test_later_windows_weigh_by_their_amplitude() -> None:
    heard = pitch.listen(Mono(_note(60, 2.0).astype(np.float32), 1.0))
    assert heard.windows.weight.sum() == pytest.approx(1.0)
    assert (np.diff(heard.windows.weight) < 0).all()
