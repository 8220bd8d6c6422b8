"""Tempo: candidates from onsets, length and hints; what speaks for each is weighed, and the best is named or none.

The pulse is easily found; which of its multiples people tap is the hard part. So each candidate is described (how well
it, its parts and its multiples repeat in five envelopes, how many onsets fall on a beat, whether the file is a musical
number of beats long, where it lies among the tempi of music), and a linear model, learned from labelled music, ranks
them. File name and RIFF chunks add to a candidate's score and are never the answer by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import load, softmax
from workers.analysis.onsets import RATE, Onsets
from workers.analysis.periodicity import (
    LONGEST_LOOP_S,
    LOOP_BEATS,
    Periodicity,
    at,
    candidates,
    snap_tolerance,
)
from workers.model import Evidence, Tempo

if TYPE_CHECKING:
    from workers.audio.hints import Hints

Doubles = NDArray[np.float64]

_ENVELOPES = ("full", "low", "mid", "high", "energy")
_MULTIPLES = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4, 6, 8)
_CENTRES = (45, 60, 80, 100, 120, 140, 170, 205, 240)
_GROUPS = {"power": (4, 8, 16, 32, 64), "few": (1, 2), "triple": (3, 6, 12, 24, 48)}
_LENGTH_WIDTH = 0.01

INPUTS = (
    *(f"{envelope} {multiple:.2f}" for envelope in _ENVELOPES for multiple in _MULTIPLES),
    "strength",
    *(f"near {bpm}" for bpm in _CENTRES),
    "octaves from 120",
    "octaves squared",
    *(f"{group} {size}" for group in _GROUPS for size in ("short", "long")),
    "whole short",
    "onsets a beat",
    "onsets squared",
    "bass onsets a beat",
    "bass onsets squared",
)
"""Names of what describes a candidate, in order."""

# What a hint adds to the score of the candidate it names: log-odds. Names are nearly always meant; `acid` chunks are
# often a program's default.
_NAME, _ACID, _ACID_BEATS = 4.0, 2.5, 2.5
_OCTAVE_SHARE = 0.35
"""Part of it that goes to half and double."""

_AGREES = 0.004
"""How near a hinted tempo must make a loop a musical number of beats long, to be believed without a pulse."""

_AGREED = 0.6
"""Confidence in such a tempo: two sources that may share one mistake, an octave."""


def unknown(reason: str, confidence: float = 0.0) -> Tempo:
    """No tempo, and why."""
    return Tempo(None, confidence, None, (), reason)


def describe(p: Periodicity, onsets: Onsets, bpm: Doubles, duration_s: float) -> Doubles:
    """What speaks for and against each candidate, (len(bpm), len(INPUTS))."""
    lag = 60 * RATE / bpm
    octaves = np.log2(bpm / 120)
    columns: list[Doubles] = []
    for r in p.by_envelope:
        for multiple in _MULTIPLES:
            wanted = lag * multiple
            columns.append(np.where(wanted < 0.8 * p.n_frames, at(r, np.minimum(wanted, len(r) - 1)), 0.0))
    strength = p.strength(bpm)
    columns.append(strength / max(float(strength.max()), 1e-6))
    columns.extend(np.exp(-0.5 * ((octaves - np.log2(centre / 120)) / 0.18) ** 2) for centre in _CENTRES)
    columns += [octaves, octaves**2, *_length_columns(duration_s * bpm / 60, duration_s)]
    for envelope, share in ((onsets.full, 0.15), (onsets.low, 0.2)):
        density = np.log2(_count(envelope, share) / duration_s * 60 / bpm + 0.1)
        columns += [density, density**2]
    return np.stack(columns, axis=1)


def _length_columns(beats: Doubles, duration_s: float) -> list[Doubles]:
    """Whether the file is a musical number of beats long: telling for short ones, a coincidence for long ones."""
    short = float(1 / (1 + np.exp((duration_s - 11) / 1.5)))
    columns = []
    for group in _GROUPS.values():
        off = np.min([np.abs(beats / number - 1) for number in group], axis=0)
        fit = np.exp(-((off / _LENGTH_WIDTH) ** 2))
        columns += [fit * short, fit * (1 - short)]
    whole = np.maximum(1, np.round(beats))
    columns.append(np.exp(-(((beats - whole) / whole / _LENGTH_WIDTH) ** 2)) * (beats < 20) * short)
    return columns


def _count(e: Doubles, share: float) -> int:
    """Peaks of an envelope above a share of its highest."""
    inner = e[1:-1]
    return int(np.count_nonzero((inner > e[:-2]) & (inner >= e[2:]) & (inner > share * float(e.max()))))


def hinted(hints: Hints, duration_s: float) -> list[tuple[str, float, float]]:
    """What hints say: (source, bpm, log-odds)."""
    said = []
    if hints.name_bpm:
        said.append(("name", float(hints.name_bpm), _NAME))
    if hints.acid_bpm:
        said.append(("acid", float(hints.acid_bpm), _ACID))
    if hints.acid_beats and duration_s > 0:
        said.append(("acid beats", 60 * hints.acid_beats / duration_s, _ACID_BEATS))
    return said


def _hint_scores(bpm: Doubles, said: list[tuple[str, float, float]]) -> Doubles:
    scores = np.zeros(len(bpm))
    for _, wanted, odds in said:
        scores += odds * np.exp(-(((bpm / wanted - 1) / 0.01) ** 2))
        for octave in (0.5, 2.0):
            scores += _OCTAVE_SHARE * odds * np.exp(-(((bpm / (wanted * octave) - 1) / 0.01) ** 2))
    return scores


def estimate_tempo(p: Periodicity, onsets: Onsets, duration_s: float, hints: Hints) -> Tempo:
    """Beats a minute of something that has a pulse."""
    said = hinted(hints, duration_s)
    bpm = candidates(p, duration_s, tuple(wanted for _, wanted, _ in said))
    if not len(bpm):
        return unknown("too short for a tempo")
    model = load("tempo")
    heard = model.scores(describe(p, onsets, bpm, duration_s)) / model.temperature
    probability = softmax(heard + _hint_scores(bpm, said))
    best = int(probability.argmax())
    found = float(bpm[best])
    confidence = float(probability[np.abs(bpm / found - 1) < 0.04].sum())
    beats = _beats(found, duration_s, snap_tolerance(p))
    evidence = [("pulse", float(bpm[int(heard.argmax())]), 2.0)]
    if beats is not None:
        evidence.append(("length", 60 * beats / duration_s, 2.0))
    evidence += said
    total = sum(weight for _, _, weight in evidence)
    return Tempo(
        round(found, 2),
        round(min(1.0, confidence), 3),
        beats,
        tuple(Evidence(source, round(value, 2), round(weight / total, 3)) for source, value, weight in evidence),
        None,
    )


def from_hints(duration_s: float, hints: Hints) -> Tempo | None:
    """The tempo of a loop without a beat to hear (a pad), where its name or chunks and its exact length agree."""
    for source, bpm, _ in hinted(hints, duration_s):
        beats = _beats(bpm, duration_s, _AGREES)
        if beats is None or source == "acid beats":  # which is the length itself
            continue
        exact = round(60 * beats / duration_s, 2)
        evidence = (Evidence(source, round(bpm, 2), 0.5), Evidence("length", exact, 0.5))
        return Tempo(exact, _AGREED, beats, evidence, None)
    return None


def _beats(bpm: float, duration_s: float, tolerance: float) -> int | None:
    """How many beats the file is long, where that is a musical number."""
    beats = duration_s * bpm / 60
    whole = round(beats)
    return (
        whole if duration_s < LONGEST_LOOP_S and whole in LOOP_BEATS and abs(beats / whole - 1) <= tolerance else None
    )
