"""What a one-shot is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.workers.analysis.sounds import SR, as_frames, drum_loop, info_of
from workers.analysis import analyze, defects, instrument
from workers.analysis.learned import load_classes
from workers.analysis.mono import to_mono
from workers.analysis.overview import measure
from workers.analysis.pitch import estimate_pitch
from workers.audio.hints import Hints
from workers.model import Instrument

T = np.arange(int(0.5 * SR)) / SR
RNG = np.random.default_rng(4)
NOISE = RNG.standard_normal(len(T))

SOUNDS: dict[str, NDArray[np.float64]] = {
    "kick": np.sin(2 * np.pi * (50 * T + 8 * (1 - np.exp(-T * 35)))) * np.exp(-T * 12),
    "hat": np.diff(NOISE, prepend=0) * np.exp(-T * 60),
    "bass": np.sum([np.sin(2 * np.pi * 55 * h * T) / h**1.5 for h in range(1, 12)], axis=0) * np.exp(-T * 3),
    "chord": np.sum(
        [np.sin(2 * np.pi * 220 * 2 ** (n / 12) * h * T) / h for n in (0, 4, 7) for h in range(1, 8)], axis=0
    )
    * np.exp(-T * 2),
}


def _said(y: NDArray[np.float64]) -> Instrument:
    frames = as_frames(0.7 * y / np.abs(y).max())
    return analyze(frames, info_of(frames), Hints()).instrument


def _described(y: NDArray[np.float64]) -> NDArray[np.float64]:
    mono = to_mono(as_frames(0.7 * y / np.abs(y).max()), SR)
    return instrument.describe(measure(mono, mono.duration_s), estimate_pitch(mono, rhythmic=False))


@pytest.mark.parametrize("name", list(SOUNDS))
def test_plain_sounds_have_their_class(name: str) -> None:
    assert _said(SOUNDS[name]).label == name


def test_a_loop_and_silence_have_none_and_say_why() -> None:
    loop = drum_loop(120)
    said = analyze(loop, info_of(loop), Hints()).instrument
    assert said.label is None
    assert said.reason == "only one-shots have a class"
    silence = np.zeros((SR, 1), np.float32)
    assert analyze(silence, info_of(silence), Hints()).instrument == Instrument(None, 0.0, "silence")


def test_half_one_thing_and_half_another_is_unknown() -> None:
    kick, hat = (_described(SOUNDS[name]) for name in ("kick", "hat"))
    blends = [instrument.classify((1 - share) * kick + share * hat) for share in np.linspace(0, 1, 401)]
    assert (blends[0].label, blends[-1].label) == ("kick", "hat")
    unknown = [said for said in blends if said.label == "unknown"]
    assert unknown
    assert all(said.confidence < instrument.SURE and said.reason for said in unknown)


def test_the_table_has_every_input_and_every_class() -> None:
    model = load_classes("instrument")
    assert model.names == instrument.INPUTS
    assert model.labels == instrument.LABELS
    assert model.weights.shape == (len(instrument.LABELS), len(instrument.INPUTS))


def test_deaf_to_gain() -> None:
    y = as_frames(0.7 * SOUNDS["bass"] / np.abs(SOUNDS["bass"]).max())
    loud, quiet = (analyze(z, info_of(z), Hints()).instrument for z in (y, y * np.float32(0.125)))
    assert loud.label == quiet.label
    assert loud.confidence == pytest.approx(quiet.confidence, abs=0.01)


def test_the_seam_of_a_loop_says_how_far_it_jumps() -> None:
    t = np.arange(SR) / SR
    smooth = as_frames(np.sin(2 * np.pi * 100 * t))
    assert defects.seam_step_db(smooth) <= 0.5
    assert defects.seam_step_db(smooth[: SR - 110]) > 20
    assert defects.seam_step_db(np.zeros((4, 1), np.float32)) == 0.0
    loop = drum_loop(120)
    assert isinstance(analyze(loop, info_of(loop), Hints()).rhythm["seam_step_db"], float)
    shot = as_frames(SOUNDS["bass"] / 9)
    assert analyze(shot, info_of(shot), Hints()).rhythm["seam_step_db"] is None
