"""Invented grooves keep to their metre; long recordings to their tempo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.labels import Labelled
from benchmarks.material import long
from benchmarks.material.invented import invented

_BPM, _BEATS = 120.0, 32


def test_an_invented_groove_fills_whole_bars_and_marks_where_its_beat_is_felt() -> None:
    feels = set()
    for seed in range(200):
        groove, bpm = invented(np.random.default_rng(seed))
        (pattern,) = groove.patterns
        assert len(pattern) >= 1
        assert all(len(line) == groove.steps and set(line) <= set("xo?.") for line in pattern.values())
        assert 54 <= bpm <= 190
        if groove.genre == "invented, even beats" and groove.beats == 4:
            backbeat = next(pattern[drum] for drum in ("snare", "clap", "rim") if drum in pattern)
            assert [at for at, mark in enumerate(backbeat) if mark == "x"] == [groove.per_beat, 3 * groove.per_beat]
        feels.add(groove.genre)
    assert len(feels) == 5


def _clicks(path: Path, bpm: float) -> Labelled:
    beat = round(60 / bpm * long.SR)
    y = np.zeros(beat * _BEATS, np.float32)
    y[::beat] = 0.5
    soundfile.write(path, y, long.SR)
    return Labelled(path, bpm, "A minor", "score", "scores", group=path.stem)


def test_a_mix_has_one_tempo_and_no_key_and_a_piece_keeps_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "_SHORTEST_S", 30.0)
    monkeypatch.setattr(long, "_LONGEST_S", 40.0)
    labels = [_clicks(tmp_path / f"{bpm}.wav", float(bpm)) for bpm in (116, 120, 125)]
    kinds = {}
    for seed in range(12):
        y, row = long.made(labels, 1, np.random.default_rng(seed))
        kinds[row.slice] = (row.key, row.bpm)
        if row.slice == "long mix" and seed < 8:
            at = np.flatnonzero(np.abs(y[:, 0]) > 0.05)
            apart = np.diff(at[np.diff(at, prepend=-(10**6)) > 1000])
            assert np.isclose(np.median(apart), 60 / _BPM * long.SR, rtol=0.01)
        assert len(y) >= 30 * long.SR
        if len(kinds) == 2:
            break
    assert kinds == {"long mix": ("", _BPM), "long piece": ("A", _BPM)}
