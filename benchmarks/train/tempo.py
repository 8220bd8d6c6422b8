"""The tempo: which candidate people tap."""

from __future__ import annotations

import numpy as np

from benchmarks.labels import Labelled
from benchmarks.train.fit import Choice, Doubles, fit_choices, held_out, table, temperature, top
from benchmarks.train.folds import show
from benchmarks.train.sounds import Sound
from workers.analysis import tempo
from workers.analysis.periodicity import candidates

_NEAR = 0.03
_L2 = 10.0


class TempoLesson:
    """A conditional logit over the candidates of each file."""

    edits = True

    def __init__(self) -> None:
        self._raw: list[tuple[Doubles, int, Labelled, bool]] = []

    def hear(self, sound: Sound) -> None:
        """What has a tempo that is among its candidates."""
        if sound.bpm is None:
            return
        p = sound.seen.periodicity
        bpm = candidates(p, sound.duration_s, ())
        off = np.abs(bpm / sound.bpm - 1) if len(bpm) else np.ones(1)
        if off.min() < _NEAR:
            X = tempo.describe(p, sound.seen.onsets, bpm, sound.duration_s)
            self._raw.append((X, int(off.argmin()), sound.label, sound.original))
        elif sound.original:
            print(f"{sound.label.path.name} is not among its candidates")

    def learn(self) -> dict[str, object]:
        """The table of `tempo`."""
        rows = np.concatenate([X for X, _, _, _ in self._raw])
        mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        choices = [
            Choice((X - mean) / spread, at, 1.0 if original else 0.4, label.piece, label.slice, original)
            for X, at, label, original in self._raw
        ]
        start = np.zeros(rows.shape[1])
        scores = held_out(choices, _L2, start)
        pairs = list(zip(scores, choices, strict=True))
        files = [(z, c.right) for z, c in pairs if c.original]
        t = temperature([z for z, _ in files], [at for _, at in files])
        for group, wanted in (("files", True), ("excerpts", False)):
            part = [(z, c) for z, c in pairs if c.original is wanted]
            show(group, [c.slice for _, c in part], [bool(z.argmax() == c.right) for z, c in part])
            print(f"   believed: {100 * np.mean([top(z / t) for z, _ in part]):.1f}")
        return table(tempo.INPUTS, mean, spread, fit_choices(choices, _L2, start), 0.0, t)
