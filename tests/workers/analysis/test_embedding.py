"""The vector: what moves which part of it, measured on instruments that are really rendered, encoded and decoded."""

from __future__ import annotations

import hashlib
import io
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from cli.synth import drums, harmony, tones
from tests.workers.analysis.sounds import info_of
from workers.analysis import analyze
from workers.analysis.embedding import DIMENSIONS
from workers.analysis.learned import FOLDER
from workers.audio.hints import Hints
from workers.model import ASPECTS, VECTOR_DIMENSIONS, VECTOR_VERSION

SR = 44100
Signal = NDArray[np.float32]
Vector = NDArray[np.float64]

TUNED = {
    "bass": (tones.bass, 36),
    "acid": (tones.acid, 40),
    "pluck": (tones.pluck, 60),
    "keys": (tones.keys, 57),
    "pad": (tones.pad, 52),
    "organ": (tones.organ, 64),
    "bell": (tones.bell, 76),
    "lead": (tones.lead, 69),
}
DRUMS = {
    "kick": drums.kick,
    "boom": lambda: drums.kick("boom"),
    "snare": drums.snare,
    "clap": drums.clap,
    "hat": drums.hat,
    "cowbell": drums.cowbell,
    "tom": drums.tom,
    "crash": drums.crash,
    "shaker": drums.shaker,
}
BEAT = {"k": "X...X...X...X...", "s": "....X.......X..x", "h": "x.x.x.x.x.xxx.x."}


def frames(y: NDArray[np.float64]) -> Signal:
    y = y[:, None] if y.ndim == 1 else y
    return np.asarray(0.8 * y / np.abs(y).max(), np.float32)


def vector(y: Signal, sr: int = SR) -> Vector:
    return np.frombuffer(analyze(y, info_of(y, sr), Hints()).vector, "<f4").astype(np.float64)


def note(name: str, up: int = 0) -> Signal:
    how, midi = TUNED[name]
    return frames(how(midi + up, 0.6))


def tune(bpm: float, up: int = 0) -> Signal:
    """Eight beats of keys over a bass and drums."""
    steps = [0, 4, 7, 12, 7, 4, 5, 9]
    events = [(n / 2, 0.45, (60 + up + steps[n % 8],)) for n in range(16)]
    low = [(float(n), 0.9, (36 + up + (0, 5, 7, 0)[n // 2],)) for n in range(8)]
    mix = tones.line(tones.keys, events, bpm, 8, "tune") + tones.line(tones.bass, low, bpm, 8, "low")
    return frames(mix + 0.6 * drums.groove(BEAT, bpm, 8, "beat", human_ms=0))


def chords(bpm: float, up: int = 0) -> Signal:
    """Four bars of a plucked chord a beat."""
    events = [(start, 1.0, tuple(n + up for n in notes)) for start, _, notes in _changes()]
    return frames(tones.line(tones.pluck, events, bpm, 16, "chords"))


def _changes() -> list[tones.Event]:
    return harmony.chords(harmony.Scale.named("A minor"), [0] * 4 + [5] * 4 + [2] * 4 + [6] * 4, 1.0)


@lru_cache(maxsize=1)
def library() -> dict[str, Signal]:
    return {name: note(name) for name in TUNED} | {name: frames(make()) for name, make in DRUMS.items()}


@lru_cache(maxsize=1)
def vectors() -> tuple[list[str], Vector]:
    sounds = library()
    return list(sounds), np.stack([vector(y) for y in sounds.values()])


def likeness(one: Vector, many: Vector) -> Vector:
    """Mean of the aspects' cosines, as a search has it."""
    score = np.zeros(len(many))
    for low, high in ASPECTS.values():
        a, b = one[low:high], many[:, low:high]
        score += b @ a / np.maximum(np.linalg.norm(a) * np.linalg.norm(b, axis=1), 1e-9)
    return score / len(ASPECTS)


def moved(one: Vector, other: Vector) -> dict[str, float]:
    """How far each part moves, as a share of the usual distance between two sounds of the library."""
    _, known = vectors()
    found = {}
    for aspect, (low, high) in ASPECTS.items():
        between = np.linalg.norm(known[:, None, low:high] - known[None, :, low:high], axis=2)
        usual = float(np.median(between[np.triu_indices(len(known), 1)]))
        found[aspect] = float(np.linalg.norm(one[low:high] - other[low:high])) / usual
    return found


def through(y: Signal, sr: int, kind: str, subtype: str) -> tuple[Signal, int]:
    file = io.BytesIO()
    soundfile.write(file, y, sr, format=kind, subtype=subtype)
    file.seek(0)
    back, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return back, rate


FORMATS = {
    "flac": lambda y: through(y, SR, "FLAC", "PCM_16"),
    "24 bit": lambda y: through(y, SR, "WAV", "PCM_24"),
    "ogg": lambda y: through(y, SR, "OGG", "VORBIS"),
    "mp3": lambda y: through(y, SR, "MP3", "MPEG_LAYER_III"),
    "48 kHz": lambda y: (np.asarray(soxr.resample(y, SR, 48000), np.float32), 48000),
    "stereo": lambda y: (np.repeat(y, 2, axis=1), SR),
}


@pytest.mark.parametrize("how", FORMATS)
def test_the_nearest_sound_of_one_in_another_format_is_itself(how: str) -> None:
    names, known = vectors()
    for name, y in library().items():
        alike = likeness(vector(*FORMATS[how](y)), known)
        assert names[int(alike.argmax())] == name
        assert alike.max() > 0.9, name


@pytest.mark.parametrize("gain_db", [-30, -6, 1.9])
def test_gain_moves_nothing(gain_db: float) -> None:
    names, known = vectors()
    for at, y in enumerate(library().values()):
        far = moved(vector(y * np.float32(10 ** (gain_db / 20))), known[at])
        assert max(far.values()) < 0.02, names[at]


@pytest.mark.parametrize("name", TUNED)
def test_a_semitone_moves_the_pitch_and_hardly_anything_else(name: str) -> None:
    far = moved(vector(note(name)), vector(note(name, up=1)))
    assert far["pitch"] > 0.4
    assert all(far[aspect] < 0.5 * far["pitch"] for aspect in ASPECTS if aspect != "pitch"), far


@pytest.mark.parametrize("piece", [tune, chords])
def test_a_transposed_loop_moves_its_pitch(piece: object) -> None:
    assert callable(piece)
    far = moved(vector(piece(110)), vector(piece(110, 1)))
    assert far["pitch"] > 0.5
    assert all(far[aspect] < 0.5 * far["pitch"] for aspect in ASPECTS if aspect != "pitch"), far


@pytest.mark.parametrize("bpm", [98, 124])
@pytest.mark.parametrize("piece", [tune, chords])
def test_another_speed_moves_the_rhythm(piece: object, bpm: float) -> None:
    assert callable(piece)
    far = moved(vector(piece(110)), vector(piece(bpm)))
    assert far["rhythm"] > 0.4
    assert all(far[aspect] < 0.5 * far["rhythm"] for aspect in ASPECTS if aspect != "rhythm"), far


def test_every_dimension_has_a_name_of_its_own_and_the_aspects_cover_them() -> None:
    assert len(set(DIMENSIONS)) == VECTOR_DIMENSIONS
    spans = list(ASPECTS.values())
    assert [low for low, _ in spans] == [0, *(high for _, high in spans[:-1])]
    assert spans[-1][1] == VECTOR_DIMENSIONS


def test_the_table_is_of_these_dimensions_and_all_aspects_have_one_length() -> None:
    table = json.loads(Path(FOLDER, "vector.json").read_text("utf-8"))
    assert tuple(table["names"]) == DIMENSIONS
    assert min(table["spread"]) > 0
    lengths = [float(np.linalg.norm(table["weights"][low:high])) for low, high in ASPECTS.values()]
    assert lengths == pytest.approx([lengths[0]] * len(lengths), rel=1e-4)


KNOWN = {2: "1ef6084d2e4bdf52"}
"""Fingerprints of the dimensions' names and scales by version: vectors of one version can be compared."""


def test_other_dimensions_or_scales_are_another_version() -> None:
    table = json.loads(Path(FOLDER, "vector.json").read_text("utf-8"))
    text = json.dumps([table[part] for part in ("names", "mean", "spread", "weights")])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == KNOWN[VECTOR_VERSION]
