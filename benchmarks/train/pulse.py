"""Whether there is a pulse at all."""

from __future__ import annotations

import numpy as np

from benchmarks.train.fit import Doubles
from benchmarks.train.sounds import Sound
from benchmarks.train.yes_no import YesNo
from workers.analysis import kind

_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


class PulseLesson:
    """What has a tempo, against one-shots, drones and noise."""

    edits = True
    judged_apart = False

    def __init__(self) -> None:
        self._question = _Curve(kind.SHAPE_INPUTS, quadratic=True)

    def hear(self, sound: Sound) -> None:
        """Music whose tempo nobody wrote down says nothing."""
        label = sound.label
        if sound.bpm or label.one_shot or label.no_tempo or label.kind == "noise":
            self._question.hear(sound, sound.bpm is not None)

    def learn(self) -> dict[str, object]:
        """The table of `pulse`."""
        return self._question.learn()


class _Curve(YesNo):
    """The question, and what each threshold would keep and invent."""

    def _report(self, scores: Doubles) -> None:
        YesNo._report(self, scores)
        p = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
        files = np.array([h.original for h in self.heard])
        slices = np.array([h.slice if h.yes else f"no tempo: {h.slice}" for h in self.heard])
        for name in sorted(set(slices[files])):
            part = p[files & (slices == name)]
            kept = ", ".join(f"{100 * np.mean(part >= at):.1f} from {at}" for at in _THRESHOLDS)
            print(f"   {name}: {kept}, of {len(part)}")
