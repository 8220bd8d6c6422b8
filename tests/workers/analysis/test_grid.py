"""The grid of notes: what it says of loops that are cut badly, and of what is on no grid."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workers.analysis.sounds import SR, drum_loop, info_of
from workers.analysis import analyze
from workers.analysis.grid import on_grid
from workers.analysis.onsets import Onsets
from workers.audio.hints import Hints


def _onsets(times: np.ndarray) -> Onsets:
    return Onsets(np.zeros((5, 4)), times, np.ones(len(times)))


@pytest.mark.parametrize("bpm", [87.3, 120.0, 171.0])
def test_the_tempo_of_a_grid_is_found_from_a_guess_nearby(bpm: float) -> None:
    steps = np.array([0, 2, 4, 5, 8, 10, 12, 15, 16, 20, 24, 28])
    grid = on_grid(_onsets(0.04 + steps * 15 / bpm), bpm * 1.012)
    assert grid is not None
    assert grid.bpm == pytest.approx(bpm, rel=1e-6)
    assert grid.error < 1e-6


def test_loose_few_and_scattered_notes_are_on_no_grid() -> None:
    rng = np.random.default_rng(3)
    assert on_grid(_onsets(np.sort(rng.uniform(0, 8, 40))), 120.0) is None
    assert on_grid(_onsets(np.arange(7) * 0.5), 120.0) is None
    assert on_grid(_onsets(np.zeros(9)), 120.0) is None


def test_a_looser_grid_is_less_sure_of_its_tempo() -> None:
    rng = np.random.default_rng(4)
    played = np.arange(32) * 0.125
    errors = [on_grid(_onsets(played + rng.normal(0, loose, 32)), 120.0) for loose in (0.001, 0.006)]
    assert errors[0] is not None
    assert errors[1] is not None
    assert errors[0].error < errors[1].error


@pytest.mark.parametrize("extra_s", [0.015, -0.015])
def test_a_loop_cut_a_little_off_keeps_the_tempo_of_its_notes(extra_s: float) -> None:
    loop = drum_loop(120, 4)
    n = round(extra_s * SR)
    cut = np.concatenate([loop, np.zeros((n, 1), np.float32)]) if n > 0 else loop[:n]
    found = analyze(cut, info_of(cut), Hints()).tempo
    assert found.bpm == pytest.approx(120, rel=0.003)
