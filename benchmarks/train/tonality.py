"""Whether there is a tonality at all."""

from __future__ import annotations

from benchmarks.train.sounds import Sound
from benchmarks.train.yes_no import YesNo
from workers.analysis import kind

_DRUMS = ("bd_", "sn_", "hat_", "drum_", "perc_", "elec_", "vinyl_", "made-", "tabla_")


class TonalityLesson:
    """Notated music against drums, drum machines and noise."""

    edits = True

    def __init__(self) -> None:
        self._question = YesNo(kind.INPUTS)

    def hear(self, sound: Sound) -> None:
        """Loops may be either: they say nothing."""
        label = sound.label
        drums = label.path.name.startswith(_DRUMS) or label.kind in ("drum_machine", "noise")
        if drums or label.key or label.slice == "gm_midi":
            self._question.hear(sound, not drums)

    def learn(self) -> dict[str, object]:
        """The table of `tonality`."""
        return self._question.learn()
