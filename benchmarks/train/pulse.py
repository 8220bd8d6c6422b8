"""Whether there is a pulse at all."""

from __future__ import annotations

from benchmarks.train.sounds import Sound
from benchmarks.train.yes_no import YesNo
from workers.analysis import kind


class PulseLesson:
    """What has a tempo, against one-shots and noise."""

    edits = True

    def __init__(self) -> None:
        self._question = YesNo(kind.TIME_INPUTS)

    def hear(self, sound: Sound) -> None:
        """Music whose tempo nobody wrote down says nothing."""
        label = sound.label
        if sound.bpm or label.one_shot or label.no_tempo or label.kind == "noise":
            self._question.hear(sound, sound.bpm is not None)

    def learn(self) -> dict[str, object]:
        """The table of `pulse`."""
        return self._question.learn()
