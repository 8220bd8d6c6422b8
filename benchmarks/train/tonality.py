"""Whether there is a tonality at all."""

from __future__ import annotations

from benchmarks.train.sounds import Sound
from benchmarks.train.yes_no import YesNo
from workers.analysis import kind


class TonalityLesson:
    """Music with a key against drums, drum machines, noise and effects."""

    edits = True
    judged_apart = False

    def __init__(self) -> None:
        self._question = YesNo(kind.TONAL_INPUTS, quadratic=True)

    def hear(self, sound: Sound) -> None:
        """Notes, chords and loops without a known key may be either: they say nothing."""
        label = sound.label
        none = label.no_key or label.kind == "noise"
        if none or label.key or label.slice == "gm_midi":
            self._question.hear(sound, not none)

    def learn(self) -> dict[str, object]:
        """The table of `tonality`."""
        return self._question.learn()
