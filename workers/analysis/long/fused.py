"""One answer from what the windows of a long sound say, and none where they disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis import beats, embedding, key, kind, tempo
from workers.analysis.learned import softmax
from workers.analysis.long.windows import View
from workers.analysis.worth import LEAST_BELIEVED, NO_PULSE, NO_TONALITY, NONE_STANDS_OUT
from workers.model import Descriptors, Key, Kind, Tempo

if TYPE_CHECKING:
    from workers.audio.hints import Hints

_LEAST_SHARE = 1 / 3
"""A part of the sound that has no more of a pulse (a tonality) than this says nothing of the whole."""
_SAME_TEMPO = 0.5
_SAME_KEY = 0.4
"""So much of what has a tempo (a key) must agree on it; the tempo up to an octave."""
_NEAR = 0.04
_OCTAVES = (1.0, 2.0, 0.5, 3.0, 1 / 3)

Doubles = NDArray[np.float64]
Views = Sequence[View]


def fuse_tempo(views: Views, hints: Hints, duration_s: float, *, silent: bool) -> Tempo:
    """The tempo that the windows vote for, each with its probabilities and by its loudness."""
    voters = [view for view in views if len(view.bpm)]
    if _share(voters, views) < _LEAST_SHARE:
        return tempo.unknown("silence has no tempo" if silent else NO_PULSE)
    said = tempo.hinted(hints, duration_s)
    bpm = np.concatenate([view.bpm for view in voters])
    best, confidence = tempo.choose(_votes(voters, said), bpm)
    favourite, belief = tempo.choose(_votes(voters, ()), bpm)
    agree = [view for view in voters if view.tempo is not None and _same(view.tempo, float(bpm[best]))]
    if _share(agree, voters) < _SAME_TEMPO:
        return tempo.unknown("the tempo changes", round(min(1.0, confidence), 3))
    if confidence < LEAST_BELIEVED:
        return tempo.unknown(NONE_STANDS_OUT)
    found = _middle(bpm, _votes(voters, said), float(bpm[best]))
    evidence = [("pulse", float(bpm[favourite]), tempo.log_odds(belief)), *tempo.in_words(said)]
    return Tempo(tempo.rounded(found), round(min(1.0, confidence), 3), None, tempo.weighed(evidence), None)


def _votes(voters: Views, said: Sequence[tuple[str, float]]) -> Doubles:
    """The probability of each candidate of each window, by the window's weight; together 1."""
    weights = _weights(voters)
    parts = [softmax(view.heard + tempo.written(said, view.bpm)) for view in voters]
    return np.concatenate([weight * part for weight, part in zip(weights, parts, strict=True)])


def _same(bpm: float, other: float) -> bool:
    """Whether two tempi are one, or one of them counts every second or third beat."""
    return any(abs(bpm / (other * octave) - 1) < _NEAR for octave in _OCTAVES)


def _middle(bpm: Doubles, votes: Doubles, near: float) -> float:
    """The median of the candidates next to a tempo, by votes."""
    there = np.flatnonzero(np.abs(bpm / near - 1) < tempo.SAME / 2)
    there = there[np.argsort(bpm[there], kind="stable")]
    passed = np.cumsum(votes[there])
    return float(bpm[there[np.searchsorted(passed, 0.5 * passed[-1])]])


def fuse_key(views: Views, hints: Hints, *, silent: bool) -> Key:
    """The key that the windows' log-odds add up to."""
    tuning = _tuning(views)
    heard = [(view, view.keys) for view in views if view.keys is not None]
    voters = [view for view, _ in heard]
    if _share(voters, views) < _LEAST_SHARE:
        return key.unknown("silence has no key" if silent else NO_TONALITY, tuning)
    odds = np.stack([np.log(softmax(keys)) for _, keys in heard])
    found = key.name(_weights(voters) @ odds, tuning, hints)
    own = [key.name(keys, None, hints).label for _, keys in heard]
    agree = [view for view, label in zip(voters, own, strict=True) if label == found.label]
    if _share(agree, voters) < _SAME_KEY:
        return Key(None, None, None, None, 0.0, tuning, "the key changes")
    return found


def _tuning(views: Views) -> float | None:
    known = sorted(view.tuning_cents for view in views if view.tuning_cents is not None)
    return known[len(known) // 2] if known else None


def fuse_kind(views: Views, duration_s: float) -> Kind:
    """What kind of file it is, by the mean of what its windows, one at least, are like."""
    whole = _weights(views) @ np.stack([view.whole for view in views])
    whole[kind.INPUTS.index("duration")] = np.log2(duration_s)
    return kind.classify(duration_s, False, whole)


def fuse_rhythm(views: Views, found: Tempo) -> Descriptors:
    """How busy and how regular it is, and its bars, by the windows at its tempo. Not all onsets were counted."""
    seconds = sum(view.seconds for view in views)
    return {
        "onset_count": None if views else 0,
        "onset_rate_hz": round(sum(view.onsets for view in views) / seconds, 3) if views else 0.0,
        "pulse_clarity": round(float(_weights(views) @ [view.pulse_clarity for view in views]), 3) if views else 0.0,
        **_bars(views, found),
        "seam_step_db": None,
    }


def _bars(views: Views, found: Tempo) -> Descriptors:
    bpm = found.bpm
    there = [view for view in views if bpm and view.tempo and abs(view.tempo / bpm - 1) < _NEAR]
    if not there:
        return beats.NONE
    per_bar, count = Counter(view.bars["beats_per_bar"] for view in there).most_common(1)[0]
    swings = sorted(swing for view in there if isinstance(swing := view.bars["swing_ratio"], float))
    first = there[0].bars if there[0].start_s == 0 else beats.NONE
    return {
        "first_beat_s": first["first_beat_s"],
        "beats_per_bar": per_bar if 2 * count > len(there) else None,
        "first_downbeat_s": first["first_downbeat_s"] if first["beats_per_bar"] == per_bar else None,
        "swing_ratio": swings[len(swings) // 2] if 2 * len(swings) > len(there) else None,
    }


def fuse_vector(views: Views, found: Tempo, duration_s: float) -> bytes:
    """The mean of the windows' numbers, but for those that are of the whole."""
    if not views:
        return b""
    raw = _weights(views) @ np.stack([view.raw for view in views])
    rate = sum(view.onsets for view in views) / sum(view.seconds for view in views)
    of_the_whole = {
        "duration, log": np.log2(duration_s),
        "onsets, log": np.log2(1 + rate * duration_s),
        "tempo, octaves from 120 (0 where there is none)": np.log2(found.bpm / 120) if found.bpm else 0.0,
        "whether there is a tempo": float(found.bpm is not None),
    }
    for name, number in of_the_whole.items():
        raw[embedding.DIMENSIONS.index(name)] = number
    return embedding.packed(raw)


def tonalness(views: Views) -> float:
    """How tonal it is, 0 to 1."""
    return float(_weights(views) @ [view.tonalness for view in views]) if views else 0.0


def _weights(views: Views) -> Doubles:
    """How much each window counts; together 1."""
    weights = np.array([view.weight * view.seconds for view in views])
    return np.asarray(weights / weights.sum())


def _share(some: Views, of: Views) -> float:
    """How much of the windows' weight some of them have."""
    whole = sum(view.weight * view.seconds for view in of)
    return sum(view.weight * view.seconds for view in some) / whole if whole > 0 else 0.0
