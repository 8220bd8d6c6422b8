"""How much to believe is fitted so that it holds in music of other making, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.labels import Labelled
from benchmarks.train.fit import honest, top
from benchmarks.train.key import KeyLesson
from benchmarks.train.sounds import files

_N = 400


def _source(sure: float, right: int, n: int = _N) -> list[tuple[np.ndarray, int]]:
    """`n` answers between two, each as likely as `sure`, of which so many are right."""
    z = np.array([0.0, np.log(sure / (1 - sure))])
    return [(z, 1 if i < right else 0) for i in range(n)]


def test_as_much_is_believed_as_is_right() -> None:
    t = honest([_source(0.9, int(0.8 * _N))], 1.0)
    assert top(_source(0.9, 1)[0][0] / t) == pytest.approx(0.8, abs=0.01)


def test_a_small_set_of_other_making_counts_as_much_as_a_large_one() -> None:
    # no temperature suits both: the large one alone would be believed half as much again
    large, small = _source(0.8, int(0.7 * _N)), _source(0.8, 19, 20)
    alone, both = honest([large], 1.0), honest([large, small], 1.0)
    assert both < alone


def test_what_is_too_unsure_to_be_said_is_not_counted() -> None:
    unsure = _source(0.65, _N)  # always right: to be believed more, were they said
    assert honest([_source(0.9, int(0.9 * _N)) + unsure], 1.0, 0.7) == pytest.approx(1.0, abs=0.02)


def test_nothing_is_learned_from_a_set_apart_but_how_much_to_believe(tmp_path: Path) -> None:
    path = tmp_path / "chord.wav"
    t = np.arange(3 * 22050) / 22050
    y = np.sum([np.sin(2 * np.pi * hz * t) for hz in (261.63, 329.63, 392.0, 523.25)], axis=0)
    soundfile.write(path, 0.2 * y, 22050)
    (sound,) = files([Labelled(path, None, "C major", "loop", "loops")], apart="elsewhere")
    assert sound.apart == "elsewhere"
    lesson = KeyLesson()
    lesson.hear(sound)
    assert lesson._choices == lesson._sections == []
