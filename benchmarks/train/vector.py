"""The scales of the vector."""

from __future__ import annotations

import numpy as np

from benchmarks.train.fit import Doubles, table
from benchmarks.train.sounds import Sound
from workers.analysis import embedding, tempo
from workers.model import ASPECTS, Tempo


class VectorLesson:
    """Mean and spread of each dimension over one-shots, loops and music alike; each aspect has the same weight."""

    edits = False
    judged_apart = False

    def __init__(self) -> None:
        self._rows: dict[bool, list[Doubles]] = {True: [], False: []}

    def hear(self, sound: Sound) -> None:
        """Files only."""
        if sound.original and sound.label.kind != "noise":
            said = tempo.unknown("") if sound.bpm is None else Tempo(sound.bpm, 1.0, None, (), None)
            self._rows[sound.label.one_shot].append(embedding.raw(sound.seen, said))

    def learn(self) -> dict[str, object]:
        """The table of `vector`."""
        # one-shots and the rest count the same, however many of each there are
        halves = [np.stack(part) for part in self._rows.values() if part]
        mean = np.mean([X.mean(axis=0) for X in halves], axis=0)
        spread = np.sqrt(np.mean([((X - mean) ** 2).mean(axis=0) for X in halves], axis=0)) + 1e-6
        weights = np.concatenate([np.full(high - low, (high - low) ** -0.5) for low, high in ASPECTS.values()]) * 4
        return table(embedding.DIMENSIONS, mean, spread, weights, 0.0, 1.0)
