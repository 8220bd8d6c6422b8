"""The vector of a sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import answers
from tests.naive import aspects as naive
from tests.workers.kernels.examples import gains, quick
from workers.analysis import embedding
from workers.errors import ParameterError
from workers.kernels.aspects import DIMENSIONS, LAGS, Curves, Numbers, describe_aspects, scale_aspects

seeds = st.integers(0, 2**32 - 1)
AT = np.linspace(1.5, 70.0, LAGS)


def _curves(seed: int, count: int) -> Curves:
    rng = np.random.default_rng(seed)
    return Curves(
        mfcc=rng.standard_normal(13),
        mfcc_spread=rng.random(13),
        contrast=30 * rng.random(7),
        classes=rng.random(12) * (seed % 3 > 0),
        register=rng.dirichlet(np.ones(12)),
        envelopes=rng.random((3, 50)),
        times=np.sort(2 * rng.random(count)),
        strengths=20 * rng.random(count),
        mix=rng.standard_normal(60),
        parts=-60 * rng.random(8),
        by_band=10 ** -(9 * rng.random(48)),
        centroid=(2000 * rng.random(9)).astype(np.float32),
        weight=rng.dirichlet(np.ones(9)).astype(np.float32),
    )


def _numbers(seed: int, **known: float) -> Numbers:
    usual = Numbers(*np.random.default_rng(seed).random(len(Numbers._fields)).tolist())
    return usual._replace(n_frames=80, bpm=97.0 * (seed % 2), **known)


@quick
@given(seeds, st.integers(0, 6))
def test_the_numbers_are_those_of_the_naive_twin(seed: int, count: int) -> None:
    curves, numbers = _curves(seed, count), _numbers(seed)
    found = describe_aspects(curves, numbers, AT)
    assert found.shape == (DIMENSIONS,) == (len(embedding.DIMENSIONS),)
    slow = {name: np.asarray(x, np.float64).tolist() for name, x in curves._asdict().items()}
    said, envelopes = numbers._asdict(), slow.pop("envelopes")
    expected = [
        *naive.timbre(slow, said),
        *naive.pitch(slow, said),
        *naive.rhythm(slow, envelopes, said, AT.tolist()),
        *naive.dynamics(slow, said),
        *naive.spectrum(slow["by_band"]),
    ]
    assert found == pytest.approx(np.array(expected), rel=1e-6, abs=1e-6)


@quick
@given(seeds, gains)
def test_bands_and_onsets_may_be_louder(seed: int, gain: float) -> None:
    curves, numbers = _curves(seed, 4), _numbers(seed)
    louder = curves._replace(by_band=gain * curves.by_band, envelopes=gain * curves.envelopes)
    assert describe_aspects(louder, numbers, AT) == pytest.approx(describe_aspects(curves, numbers, AT), abs=1e-9)


@quick
@given(seeds)
def test_scaled_numbers_are_those_of_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, mean, weights, spread = *rng.standard_normal((3, 9)), 0.1 + rng.random(9)
    found = scale_aspects(x, mean, spread, weights)
    assert found.dtype == np.float32
    expected = answers.scaled(x.tolist(), mean.tolist(), spread.tolist(), weights.tolist())
    assert found == pytest.approx(np.array(expected), rel=1e-6)
    assert np.abs(scale_aspects(1000 * x, mean, spread, weights)).max() <= 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"mfcc": np.ones(12)},
        {"by_band": np.ones(47)},
        {"strengths": np.ones(1)},
        {"mix": np.ones(20)},
        {"envelopes": np.ones((2, 9))},
        {"weight": np.ones(8, np.float32)},
    ],
)
def test_refuses_what_does_not_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        describe_aspects(_curves(1, 3)._replace(**wrong), _numbers(1), AT)


def test_refuses_lags_and_vectors_of_other_lengths() -> None:
    with pytest.raises(ParameterError):
        describe_aspects(_curves(1, 3), _numbers(1), AT[1:])
    with pytest.raises(ParameterError):
        scale_aspects(np.ones(3), np.ones(3), np.ones(2), np.ones(3))
