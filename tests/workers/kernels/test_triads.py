"""Which chords sound when."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import triads as naive
from tests.workers.kernels.examples import gains, quick
from workers.errors import ParameterError
from workers.kernels.triads import weigh_chords

SHAPES = np.eye(12, dtype=np.float32)
SMOOTH = np.array([0.25, 0.5, 0.25], np.float32)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([1, 3, 5]))
def test_agrees_with_the_naive_twin(seed: int, n_frames: int, near: int) -> None:
    rng = np.random.default_rng(seed)
    frames, bass = rng.random((2, 12, n_frames)).astype(np.float32)
    shapes, weights = rng.random((24, 12)).astype(np.float32), rng.random(near).astype(np.float32)
    found = weigh_chords(frames, bass, shapes, weights, root=0.2, sharp=5.0)
    given_ = [x.astype(float).tolist() for x in (frames, bass, shapes, weights)]
    assert np.allclose(found, naive.weigh(*given_, 0.2, 5.0), atol=1e-4)


@quick
@given(st.integers(0, 2**32 - 1), gains)
def test_shares_sum_to_one_and_are_deaf_to_gain(seed: int, gain: float) -> None:
    frames, bass = np.random.default_rng(seed).random((2, 12, 4)).astype(np.float32)
    found = weigh_chords(frames, bass, SHAPES, SMOOTH, root=0.2, sharp=5.0)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(weigh_chords(gain * frames, gain * bass, SHAPES, SMOOTH, root=0.2, sharp=5.0), found, atol=1e-5)


def test_of_two_equal_chords_the_one_whose_root_is_in_the_bass_is_likelier() -> None:
    both = (SHAPES[3] + SHAPES[7])[:, np.newaxis]
    found = weigh_chords(both, SHAPES[7][:, np.newaxis], SHAPES, np.ones(1), root=0.2, sharp=9.0)
    assert found[0].argmax() == 7


def test_silence_leaves_all_chords_alike() -> None:
    silence = np.zeros((12, 3), np.float32)
    assert np.allclose(weigh_chords(silence, silence, SHAPES, SMOOTH, root=0.2, sharp=9.0), 1 / 12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: weigh_chords(np.ones((11, 2)), np.ones((11, 2)), SHAPES, SMOOTH, root=0.1, sharp=1.0),
        lambda: weigh_chords(np.ones((12, 2)), np.ones((12, 3)), SHAPES, SMOOTH, root=0.1, sharp=1.0),
        lambda: weigh_chords(np.ones((12, 2)), np.ones((12, 2)), SHAPES[:, :5], SMOOTH, root=0.1, sharp=1.0),
        lambda: weigh_chords(np.ones((12, 2)), np.ones((12, 2)), SHAPES, np.ones(2), root=0.1, sharp=1.0),
        lambda: weigh_chords(np.ones((12, 2)), np.ones((12, 2)), SHAPES, SMOOTH, root=0.1, sharp=0.0),
    ],
)
def test_refuses_what_it_cannot_answer(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
