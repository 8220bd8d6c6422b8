"""The key: profiles for each part of the chroma, learned from the published ones."""

from __future__ import annotations

import numpy as np

from benchmarks.train.fit import Choice, fit_choices, held_out, table, temperature, top
from benchmarks.train.folds import show
from benchmarks.train.sounds import Sound
from workers.analysis import key
from workers.model import TONICS

_KEYS = [f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS]
_PROFILE_GAIN = 8.0
# Learning starts from the published profiles, and returns to them where data say nothing.
_L2 = 0.06


class KeyLesson:
    """24 keys, a conditional logit over them."""

    edits = False

    def __init__(self) -> None:
        self._choices: list[Choice] = []

    def hear(self, sound: Sound) -> None:
        """Files with a key; edits of them say nothing new."""
        label = sound.label
        if label.key and sound.original:
            X = key.describe(sound.seen.chroma)
            self._choices.append(Choice(X, _KEYS.index(label.key), 1.0, label.piece, label.slice, True))

    def learn(self) -> dict[str, object]:
        """The table of `key`."""
        none = np.zeros(12 * (len(key.PARTS) - 1))
        profiles = [(p - np.mean(p)) / np.std(p) * _PROFILE_GAIN for p in (key.MAJOR, key.MINOR)]
        start = np.concatenate([profiles[0], none, profiles[1], none])
        scores = held_out(self._choices, _L2, start)
        right = [c.right for c in self._choices]
        t = temperature(scores, right)
        hits = [bool(z.argmax() == at) for z, at in zip(scores, right, strict=True)]
        show("exact", [c.slice for c in self._choices], hits)
        show("exact", ["major" if at < 12 else "minor" for at in right], hits)
        print(f"believed: {100 * np.mean([top(z / t) for z in scores]):.1f}")
        names = [f"{mode} {part} {step}" for mode in ("major", "minor") for part in key.PARTS for step in range(12)]
        weights = fit_choices(self._choices, _L2, start)
        return table(names, np.zeros(72), np.ones(72), weights, 0.0, t)
