"""From peaks to tuning, chroma and chords."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import chroma, triads
from tests.workers.kernels.examples import quick
from workers.analysis.chords import TRIADS
from workers.errors import ParameterError
from workers.kernels.tonal import TonalPeaks
from workers.kernels.tonality import Tonality, describe_tonality

NEAR = np.array([1, 2, 1], np.float32) / 4
seeds = st.integers(0, 2**32 - 1)


def _peaks(seed: int, most: float = 100.0) -> TonalPeaks:
    rng = np.random.default_rng(seed)
    pitch, weight = rng.uniform(30, most, 12).astype(np.float32), rng.random(12, np.float32)
    return TonalPeaks(pitch, weight, np.sort(rng.integers(0, 4, 12)), rng.random(4, np.float32), rng.random(4))


def _said(peaks: TonalPeaks, **other: Any) -> Tonality:
    usual = {"tuned_above": 45.0, "bass_below": 57.0, "root": 0.15, "sharp": 18.0}
    return describe_tonality(peaks, TRIADS, NEAR, **(usual | other))


@quick
@given(seeds)
def test_tonality_is_that_of_the_naive_twins(seed: int) -> None:
    peaks = _peaks(seed)
    found = _said(peaks)
    pairs = list(zip(peaks.pitch.tolist(), peaks.weight.tolist(), strict=True))
    placed = [(p, w, t) for (p, w), t in zip(pairs, peaks.frame.tolist(), strict=True)]
    assert (found.tuning, found.agreement) == pytest.approx(chroma.tuning(pairs, 45.0), abs=1e-5)
    assert found.register == pytest.approx(np.array(chroma.register(pairs)), abs=1e-5)
    frames = chroma.fold(placed, 4, found.tuning, 0.6)
    bass = chroma.fold([one for one in placed if one[0] < 57], 4, found.tuning, 0.0)
    assert found.frames == pytest.approx(np.array(frames), abs=1e-4)
    assert found.bass == pytest.approx(np.array(bass), abs=1e-4)
    whole = np.sum(frames, axis=1)
    assert found.whole == pytest.approx(whole / whole.max(), abs=1e-4)
    assert found.tonalness == pytest.approx(peaks.tonalness @ peaks.level / peaks.level.sum(), rel=1e-6)
    own = [np.asarray(x, np.float64).tolist() for x in (found.frames, found.bass)]
    assert found.chords == pytest.approx(
        np.array(triads.weigh(*own, TRIADS.tolist(), NEAR.tolist(), 0.15, 18.0)), abs=1e-3
    )


@quick
@given(seeds, st.integers(1, 11))
def test_a_transposed_sound_has_its_chroma_turned(seed: int, up: int) -> None:
    peaks = _peaks(seed, 80.0)
    plain = _said(peaks, bass_below=200.0)
    moved = _said(peaks._replace(pitch=peaks.pitch + np.float32(up)), bass_below=200.0, tuned_above=45.0 + up)
    assert moved.tuning == pytest.approx(plain.tuning, abs=1e-3)
    assert moved.whole == pytest.approx(np.roll(plain.whole, up), abs=1e-2)


@pytest.mark.parametrize(
    "call",
    [
        lambda p: _said(p._replace(pitch=p.pitch[:0])),
        lambda p: _said(p._replace(weight=p.weight[:3])),
        lambda p: _said(p._replace(frame=p.frame + 1000)),
        lambda p: _said(p._replace(level=p.level[:2])),
        lambda p: _said(p, sharp=0.0),
        lambda p: _said(p, decay=0.0),
        lambda p: describe_tonality(p, np.eye(11), NEAR, tuned_above=0.0, bass_below=0.0, root=0.0, sharp=1.0),
        lambda p: describe_tonality(p, TRIADS, NEAR[:2], tuned_above=0.0, bass_below=0.0, root=0.0, sharp=1.0),
    ],
)
def test_refuses_what_it_cannot_answer(call: Any) -> None:
    with pytest.raises(ParameterError):
        call(_peaks(0))
