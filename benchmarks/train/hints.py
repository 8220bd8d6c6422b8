"""File names, `acid` chunks and tags as people have them, made up: mostly right, sometimes an octave off.

What their makers do: a name with a tempo is meant (95 of 100 are right, the rest half, double or of another take); an
`acid` chunk is in a quarter of the cases the program's 120 or an octave off; tags are some other program's guess.
"""

from __future__ import annotations

import numpy as np

from workers.audio.hints import Hints

_NAMED, _WITH_ACID, _TAGGED = 0.4, 0.3, 0.3
_NAME_RIGHT, _NAME_OCTAVE = 0.95, 0.98
_ACID_RIGHT, _ACID_DEFAULT = 0.75, 0.9
_TAG_RIGHT, _TAG_OCTAVE = 0.8, 0.92
_DEFAULT_BPM = 120.0
_TEMPO_ONLY_BELOW, _BEATS_ONLY_FROM = 0.25, 0.75
_WHOLE = 0.03


def made_up(bpm: float, duration_s: float, rng: np.random.Generator) -> Hints:
    """Hints of a file whose tempo is `bpm`."""
    octave = bpm * (2.0 if bpm < 100 else 0.5)
    name = acid = tag = None
    if rng.random() < _NAMED:
        name = _one_of(rng, (_NAME_RIGHT, round(bpm)), (_NAME_OCTAVE, round(octave)), (1.0, _any(rng)))
    if rng.random() < _WITH_ACID:
        acid = _one_of(rng, (_ACID_RIGHT, bpm), (_ACID_DEFAULT, _DEFAULT_BPM), (1.0, octave))
    if rng.random() < _TAGGED:
        tag = _one_of(rng, (_TAG_RIGHT, round(bpm)), (_TAG_OCTAVE, round(octave)), (1.0, _any(rng)))
    beats = None if acid is None else acid * duration_s / 60
    if beats is not None:  # only loops that are cut to their beats have a number of them
        beats = round(beats) if beats > 0.9 and abs(beats - round(beats)) < _WHOLE else None
    told = rng.random()  # Apple loops have beats only, some programs write a tempo only
    return Hints(
        name_bpm=name,
        acid_bpm=acid if told < _BEATS_ONLY_FROM or beats is None else None,
        acid_beats=beats if told > _TEMPO_ONLY_BELOW else None,
        tag_bpm=tag,
    )


def _one_of(rng: np.random.Generator, *choices: tuple[float, float]) -> float:
    """The first value whose cumulative probability is not exceeded."""
    drawn = rng.random()
    return float(next(value for limit, value in choices if drawn <= limit))


def _any(rng: np.random.Generator) -> float:
    return float(rng.integers(60, 181))
