"""One-shot, or something that repeats."""

from __future__ import annotations

from benchmarks.train.sounds import Sound
from benchmarks.train.yes_no import YesNo
from workers.analysis import kind

_LONGEST_S = 40.0


class KindLesson:
    """Loops and music against one-shots."""

    edits = True
    judged_apart = False

    def __init__(self) -> None:
        self._question = YesNo(kind.SHAPE_INPUTS, quadratic=True)

    def hear(self, sound: Sound) -> None:
        """Noise, drones and pads without a beat may be either."""
        if sound.label.kind not in ("noise", "pad", "drone") and sound.duration_s < _LONGEST_S:
            self._question.hear(sound, not sound.label.one_shot)

    def learn(self) -> dict[str, object]:
        """The table of `kind`."""
        return self._question.learn()
