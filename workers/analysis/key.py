"""Key: tuning, a chroma of what stands out, and 24 keys weighed by profiles learned from labelled music."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.chords import ROOT, SHARP, SMOOTH, TRIADS
from workers.analysis.learned import load, softmax
from workers.analysis.mono import SR, Mono
from workers.kernels.decimate import halve
from workers.kernels.tonal import find_tonal_peaks
from workers.kernels.tonality import describe_tonality
from workers.model import TONICS, Key, KeyEvidence, Mode, camelot, open_key

if TYPE_CHECKING:
    from workers.audio.hints import Hints

_SR = SR / 4
N_FFT = 4096
HOP = 1024
_TUNED_ABOVE = 69 + 12 * math.log2(100 / 440)
"""100 Hz and A3, as MIDI numbers."""
_BASS_BELOW = 57.0
_START = 0.15
"""Part of the file that counts as its start: music most often opens on its tonic."""

_FIRST_CHORDS = 0.08
_LEAST_FRAMES = 16
"""Shorter sections, under 3 s, are a chord or two."""

# Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding algorithm", 2013.
MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])

_NAMED, _TAGGED = 2.5, 2.0
"""How much a written key speaks for itself, in logits: makers know their loops' keys, tags are often another program's
guess. Neither outweighs what is more than a dozen times likelier by ear."""

_SINGLE = 0.45
"""No music with a key that was looked at has so much of one note: the most was 0.43."""

PARTS = ("whole", "bass", "start", "start bass", "chords", "start chords")
"""What a key is weighed by: each is 12 numbers, one for each note over the tonic, or 24, for major and minor triads."""

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Chroma:
    """Energy by pitch class, C first, and how far the tuning is from A4 = 440 Hz."""

    whole: Doubles
    """(12,), largest 1; all 0 where nothing has a pitch."""
    tuning_cents: float | None
    tonalness: float
    """Share of the magnitude that lies in peaks that stand out, 0 to 1."""
    register: Doubles
    """Weight of the peaks by height: 12 bands of 8 semitones from A0 up, sum 1."""
    frames: Floats
    """(12, n_frames); the next likewise."""
    bass: Floats
    """Of what lies below A3, without harmonics."""
    chords: Floats
    """As `workers.kernels.triads.weigh_chords` makes them, (n_frames, 24)."""

    @property
    def empty(self) -> bool:
        return float(self.whole.max()) <= 0


_NO_FRAMES = np.zeros((12, 1), np.float32)
_NOTHING = Chroma(np.zeros(12), None, 0.0, np.zeros(12), _NO_FRAMES, _NO_FRAMES, np.zeros((1, 24), np.float32))


def measure_chroma(mono: Mono) -> Chroma:
    """Chroma of spectral peaks, from the signal decimated to 5.5 kHz so that low notes are told apart."""
    if mono.silent or len(mono.y) < 64:
        return _NOTHING
    # twice to half the rate: what lies above 2.4 kHz is not looked at, so the first filter may be short
    y = halve(halve(mono.y, width=0.1).y, width=0.04).y
    peaks = find_tonal_peaks(y, _SR, n_fft=N_FFT)
    if not len(peaks.pitch):
        return _NOTHING
    found = describe_tonality(
        peaks, TRIADS, SMOOTH, tuned_above=_TUNED_ABOVE, bass_below=_BASS_BELOW, root=ROOT, sharp=SHARP
    )
    return Chroma(
        whole=found.whole,
        tuning_cents=round(100 * found.tuning, 1) if found.agreement > 0.2 else None,
        tonalness=found.tonalness,
        register=found.register,
        frames=found.frames,
        bass=found.bass,
        chords=found.chords,
    )


def _sum(frames: Floats) -> Doubles:
    total = frames.sum(axis=1, dtype=np.float64)
    return np.asarray(total / max(float(total.max()), 1e-12))


def _evenly(frames: Floats) -> Floats:
    """How much each frame counts, (n_frames,): as much as there is to hear of notes, but none above twice the usual."""
    weight = frames.sum(axis=0)
    usual = float(np.median(weight))
    if usual > 0:
        weight = np.minimum(weight, np.float32(2 * usual))
    return np.asarray(weight / max(float(weight.sum()), 1e-9))


def describe(chroma: Chroma, section: slice = slice(None)) -> Doubles:
    """Each key's view of a section, in frames, tonic first: (24, 2 * 96), majors then minors, C first.

    The first half of the columns is for major keys, the last for minor ones; a row of the other mode is 0 there. So one
    vector of weights holds both modes' profiles, and a transposed sound moves the tonic and nothing else.
    """
    frames, bass, chords = chroma.frames[:, section], chroma.bass[:, section], chroma.chords[section]
    start = max(1, round(_START * frames.shape[1]))
    first = chords[: max(1, round(_FIRST_CHORDS * len(chords)))].mean(axis=0, dtype=np.float64)
    parts = _sum(frames), _sum(bass), _sum(frames[:, :start]), _sum(bass[:, :start]), _evenly(frames) @ chords, first
    octaves = np.concatenate([_standard(part).reshape(-1, 12) for part in parts])
    one = octaves[:, _TURNED].transpose(1, 0, 2).reshape(12, -1) / 12
    none = np.zeros_like(one)
    return np.concatenate([np.concatenate([one, none], axis=1), np.concatenate([none, one], axis=1)])


_TURNED = (np.arange(12)[:, None] + np.arange(12)) % 12
"""Row k: the pitch classes from k up."""


def sections(chroma: Chroma) -> tuple[slice, ...]:
    """The whole, and its halves where they are long enough to have a key of their own."""
    n = chroma.frames.shape[1]
    return (slice(None), slice(0, n // 2), slice(n // 2, n)) if n >= 2 * _LEAST_FRAMES else (slice(None),)


def vote(by_section: Sequence[Doubles]) -> Doubles:
    """Scores of the 24 keys from those of each of the `sections`: the halves together count as much as the whole."""
    logs = [scores - scores.max() - np.log(np.exp(scores - scores.max()).sum()) for scores in by_section]
    return np.asarray(logs[0] + 0.5 * np.sum(logs[1:], axis=0))


def _standard(x: Doubles | Floats) -> Doubles:
    return np.asarray((x - x.mean()) / (x.std() + 1e-6), np.float64)


def single(chroma: Chroma) -> bool:
    """Whether it is all but one note, or one and its fifth."""
    return float(chroma.whole.max()) > _SINGLE * float(chroma.whole.sum())


def unknown(reason: str, tuning_cents: float | None = None) -> Key:
    """No key, and why."""
    return Key(None, None, None, None, 0.0, tuning_cents, reason)


def estimate_key(chroma: Chroma, hints: Hints | None = None) -> Key:
    """The best of 24 keys."""
    return name(weigh(chroma), chroma.tuning_cents, hints)


def weigh(chroma: Chroma) -> Doubles:
    """How much speaks for each of the 24 keys, by ear: log-odds."""
    model = load("key")
    scores = vote([model.scores(describe(chroma, section)) for section in sections(chroma)])
    return np.asarray(scores / model.temperature)


def name(log_odds: Doubles, tuning_cents: float | None, hints: Hints | None = None) -> Key:
    """The likeliest of the 24 keys by their log-odds and what is written."""
    heard = softmax(log_odds)
    probability = softmax(log_odds + written(hints))
    best, second = (int(k) for k in np.argsort(-probability, kind="stable")[:2])
    (tonic, mode), (other, other_mode) = _NAMES[best], _NAMES[second]
    return Key(
        tonic=tonic,
        mode=mode,
        label=f"{tonic} {mode}",
        camelot=camelot(tonic, mode),
        confidence=round(float(probability[best]), 3),
        tuning_cents=tuning_cents,
        reason=None,
        open_key=open_key(tonic, mode),
        runner_up=f"{other} {other_mode}",
        margin=round(float(probability[best] - probability[second]), 3),
        evidence=_weighed(heard, hints),
    )


def _said(hints: Hints | None) -> list[tuple[str, str, str | None, float]]:
    """What is written down: source, tonic, mode, and how much it counts."""
    if hints is None:
        return []
    found = (("name", hints.name_tonic, hints.name_mode, _NAMED), ("tag", hints.tag_tonic, hints.tag_mode, _TAGGED))
    return [(source, tonic, mode, weight) for source, tonic, mode, weight in found if tonic is not None]


def _weighed(heard: Doubles, hints: Hints | None) -> tuple[KeyEvidence, ...]:
    """Who says what: the sound by the log-odds of its favourite, what is written by what it adds to them."""
    best = int(heard.argmax())
    sure = min(max(float(heard[best]), 0.5), 0.999)
    said = [("chroma", " ".join(_NAMES[best]), max(0.1, math.log(sure / (1 - sure))))]
    said += [(source, f"{tonic} {mode}" if mode else tonic, weight) for source, tonic, mode, weight in _said(hints)]
    total = sum(weight for _, _, weight in said)
    return tuple(KeyEvidence(source, name, round(weight / total, 3)) for source, name, weight in said)


def written(hints: Hints | None) -> Doubles:
    """What the name and the tags add to each key's score; a tonic alone speaks for both modes."""
    bonus = np.zeros(24)
    for _, tonic, mode, weight in _said(hints):
        for k, (of, has) in enumerate(_NAMES):
            if of == tonic and mode in (None, has):
                bonus[k] += weight
    return bonus


_MODES: tuple[Mode, ...] = ("major", "minor")
_NAMES = [(tonic, mode) for mode in _MODES for tonic in TONICS]
