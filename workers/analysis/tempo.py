"""Tempo: candidates from onsets, length and hints; what speaks for each is weighed, and the best is named or none.

Each candidate is described by the metre that a piece would have at it (`workers.analysis.metre`), and a small network,
learned from labelled music, ranks them. File name, RIFF chunks and tags add to a candidate's log-odds, by weights
learned from how often each is wrong, and are never the answer by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.grid import on_grid
from workers.analysis.learned import softmax
from workers.analysis.metre import LENGTH_INPUTS, describe
from workers.analysis.network import Network, load_network
from workers.analysis.periodicity import LONGEST_LOOP_S, LOOP_BEATS, candidates, snap_tolerance
from workers.model import Evidence, Tempo

if TYPE_CHECKING:
    from workers.analysis.onsets import Onsets
    from workers.analysis.overview import Overview
    from workers.audio.hints import Hints

Doubles = NDArray[np.float64]

SAME = 0.02
"""Candidates nearer than this are one answer, measured twice."""

HINT_WIDTH = 0.01
"""How far a hint may be from a candidate: names and tags are rounded."""

_AGREES = 0.004
"""How near a hinted tempo must make a loop a musical number of beats long, to be believed without a pulse."""

_AGREED = 0.6
"""Confidence in such a tempo: two sources that may share one mistake, an octave."""

_ROUND_BPM = 0.03
_CUT_S = 0.004
_MOST_ROUNDED = 0.002
"""Programmed music runs at whole tempi: nearer than `_ROUND_BPM`, or than a cut that is `_CUT_S` off, it is one."""


_OFF_LENGTH, _SURELY_OFF = 0.006, 3.5
"""How far a grid must be from a length that fits, as a part of it and in standard errors, to be believed instead."""


def unknown(reason: str, confidence: float = 0.0) -> Tempo:
    """No tempo, and why."""
    return Tempo(None, confidence, None, (), reason)


def hinted(hints: Hints, duration_s: float) -> list[tuple[str, float]]:
    """What hints say: (source, bpm)."""
    said = [("name", hints.name_bpm), ("acid", hints.acid_bpm), ("tag", hints.tag_bpm)]
    if hints.acid_beats and duration_s > 0:
        said.append(("acid beats", 60 * hints.acid_beats / duration_s))
    return [(source, float(bpm)) for source, bpm in said if bpm]


def agreement(bpm: Doubles, wanted: float) -> tuple[Doubles, Doubles]:
    """How near each candidate is to a hinted tempo, and to half or double of it: 0 to 1."""
    near = [np.exp(-(((bpm / (wanted * octave) - 1) / HINT_WIDTH) ** 2)) for octave in (1.0, 0.5, 2.0)]
    return near[0], near[1] + near[2]


def choose(probability: Doubles, bpm: Doubles) -> tuple[int, float]:
    """The likeliest candidate of the likeliest neighbourhood, and the probability of all that is within 4 % of it."""
    near = np.abs(bpm[:, None] / bpm - 1) < SAME
    best = int((near @ probability + 1e-3 * probability).argmax())
    best = int(np.where(near[best], probability, -1.0).argmax())
    return best, float(probability[np.abs(bpm / bpm[best] - 1) < 0.04].sum())


def estimate_tempo(seen: Overview, duration_s: float, hints: Hints) -> Tempo:
    """Beats a minute of something that has a pulse."""
    said = hinted(hints, duration_s)
    bpm, X, heard = listen(seen, duration_s, said)
    if not len(bpm):
        return unknown("too short for a tempo")
    model = load_network("tempo")
    probability = softmax(heard + written(said, bpm))
    best, confidence = choose(probability, bpm)
    found, beats = _settled(float(bpm[best]), duration_s, snap_tolerance(seen.periodicity), seen.onsets)
    favourite, belief = choose(softmax(heard), bpm)
    evidence = [("pulse", float(bpm[favourite]), log_odds(belief))]
    if beats is not None:
        evidence.append(("length", 60 * beats / duration_s, _said_by_length(model, X[best])))
    evidence += in_words(said)
    return Tempo(found, round(min(1.0, confidence), 3), beats, weighed(evidence), None)


def listen(
    seen: Overview, duration_s: float, said: Sequence[tuple[str, float]]
) -> tuple[Doubles, NDArray[np.float64], Doubles]:
    """Candidates, what they are like, and the log-odds that they are given by ear; none of what is too short."""
    bpm = candidates(seen.periodicity, duration_s, tuple(wanted for _, wanted in said))
    if not len(bpm):
        return bpm, np.zeros((0, 0)), bpm
    model = load_network("tempo")
    X = describe(seen.periodicity, seen.onsets, seen.chroma, bpm, duration_s)
    return bpm, X, model.scores(X) * model.odds["heard"]


def written(said: Sequence[tuple[str, float]], bpm: Doubles) -> Doubles:
    """What hints add to each candidate's log-odds."""
    model = load_network("tempo")
    return sum((_odds(model, source, bpm, wanted) for source, wanted in said), np.zeros(len(bpm)))


def in_words(said: Sequence[tuple[str, float]]) -> list[tuple[str, float, float]]:
    """Hints as evidence: source, tempo, weight."""
    odds = load_network("tempo").odds
    return [(source, wanted, max(0.1, odds[source])) for source, wanted in said]


def _odds(model: Network, source: str, bpm: Doubles, wanted: float) -> Doubles:
    """What a hint adds to each candidate's log-odds."""
    same, octave = agreement(bpm, wanted)
    return same * model.odds[source] + octave * model.odds[f"{source} octave"]


def log_odds(probability: float) -> float:
    """How much a probability weighs as evidence."""
    kept = min(max(probability, 0.5), 0.999)
    return max(0.1, float(np.log(kept / (1 - kept))))


def _said_by_length(model: Network, x: Doubles) -> float:
    """What the score of a candidate loses if the file's length says nothing."""
    without = x.copy()
    without[LENGTH_INPUTS] = 0
    with_it, rest = model.scores(np.stack([x, without])) * model.odds["heard"]
    return max(0.1, float(with_it - rest))


def weighed(evidence: list[tuple[str, float, float]]) -> tuple[Evidence, ...]:
    """Evidence whose weights sum to 1."""
    total = sum(weight for _, _, weight in evidence)
    return tuple(Evidence(source, round(bpm, 2), round(weight / total, 3)) for source, bpm, weight in evidence)


def _settled(bpm: float, duration_s: float, tolerance: float, onsets: Onsets | None = None) -> tuple[float, int | None]:
    """To 1/100 BPM: the length of the loop, or a whole number that is as near as can be told.

    Where the notes lie on a grid so well that the length cannot be right, the file is cut a little off, or its codec
    has padded it: then the grid counts.
    """
    beats = beats_long(bpm, duration_s, tolerance)
    near = _ROUND_BPM
    if onsets is not None and duration_s < LONGEST_LOOP_S and (grid := on_grid(onsets, bpm)) is not None:
        off = abs(grid.bpm / bpm - 1)
        if max(_OFF_LENGTH, _SURELY_OFF * grid.error) < off < SAME:
            bpm, beats, near = grid.bpm, None, max(_ROUND_BPM, grid.error * grid.bpm)
    if beats is not None:
        near = max(near, min(_CUT_S / duration_s, _MOST_ROUNDED) * bpm)
    return rounded(bpm, near), beats


def rounded(bpm: float, near: float = _ROUND_BPM) -> float:
    """To 1/100 BPM, or the whole number that is as near as this."""
    whole = float(round(bpm))
    return whole if abs(whole - bpm) <= near else round(bpm, 2)


def from_hints(duration_s: float, hints: Hints) -> Tempo | None:
    """The tempo of a loop without a beat to hear (a pad), where its name or chunks and its exact length agree."""
    for source, bpm in hinted(hints, duration_s):
        beats = beats_long(bpm, duration_s, _AGREES)
        if beats is None or source == "acid beats":  # which is the length itself
            continue
        exact = round(60 * beats / duration_s, 2)
        return Tempo(exact, _AGREED, beats, weighed([(source, bpm, 1.0), ("length", exact, 1.0)]), None)
    return None


def beats_long(bpm: float, duration_s: float, tolerance: float) -> int | None:
    """How many beats the file is long, where that is a musical number."""
    beats = duration_s * bpm / 60
    whole = round(beats)
    if duration_s >= LONGEST_LOOP_S or whole not in LOOP_BEATS:
        return None
    return whole if abs(beats / whole - 1) <= tolerance else None
