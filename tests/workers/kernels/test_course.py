"""How a sound goes on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import course as naive
from tests.workers.kernels.examples import gains, quick
from workers.errors import ParameterError
from workers.kernels.course import PARTS, describe_bands, describe_course, spread_of_octaves

lengths = st.sampled_from([1, 2, 5, 9, 19, 20, 21, 60, 133])


def _envelope(seed: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).random(n) ** 3


@quick
@given(st.integers(0, 2**32 - 1), lengths, st.sampled_from([2, 10, 40]))
def test_agrees_with_the_naive_twin(seed: int, n: int, most: int) -> None:
    e = _envelope(seed, n)
    found = describe_course(e, most=most, floor_db=-20.0)
    assert list(found[:-1]) == pytest.approx(naive.course(e.tolist(), most, -20.0), rel=1e-9, abs=1e-9)
    assert found.parts == pytest.approx(naive.parts(e.tolist(), -20.0, PARTS), rel=1e-9)


@quick
@given(st.integers(0, 2**32 - 1), lengths, gains)
def test_deaf_to_gain(seed: int, n: int, gain: float) -> None:
    e = _envelope(seed, n)
    plain, louder = describe_course(e), describe_course(gain * e)
    assert louder[3:-1] == pytest.approx(plain[3:-1])
    assert louder.parts == pytest.approx(plain.parts)
    assert louder[:3] == pytest.approx([gain * x for x in plain[:3]])


def test_what_dies_away_never_rises_and_what_swells_does_after_a_hit() -> None:
    dying = 0.97 ** np.arange(200.0)
    assert describe_course(dying).rise == 0
    assert describe_course(dying).last_quarter < 0.02
    swelling = np.concatenate([dying, np.linspace(dying[-1], 0.5, 100)])
    assert describe_course(swelling).rise > 0.4


def test_silence_is_at_the_floor() -> None:
    found = describe_course(np.zeros(50))
    assert found.parts.tolist() == [-60.0] * PARTS
    assert not any(found[:-1])


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([1, 2, 3]), gains)
def test_bands_agree_with_the_naive_twin_and_are_deaf_to_gain(seed: int, frames: int, bands: int, gain: float) -> None:
    mel = np.random.default_rng(seed).random((6, frames)).astype(np.float32) ** 4
    found = describe_bands(mel, bands, first=2)
    for one, expected in zip(found, naive.bands(mel.astype(float).tolist(), bands, 2), strict=True):
        assert one == pytest.approx(expected, rel=1e-6)
    assert np.allclose(np.stack(describe_bands(gain * mel, bands, first=2)), np.stack(found))


def test_bands_of_silence_are_alike() -> None:
    found = describe_bands(np.zeros((4, 3), np.float32), 2)
    assert found.share.tolist() == [0.5, 0.5]
    assert not found.start.any()
    assert not found.length.any()


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_octaves_agree_with_the_naive_twin_and_are_deaf_to_transposition(seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    hz, weight = (100 * 8 ** rng.random(frames)).astype(np.float32), rng.dirichlet(np.ones(frames)).astype(np.float32)
    expected = naive.spread_of_octaves(hz.astype(float).tolist(), weight.astype(float).tolist(), 200.0)
    assert spread_of_octaves(hz, weight, least=200.0) == pytest.approx(expected, rel=1e-4, abs=1e-3)
    assert spread_of_octaves(2 * hz, weight) == pytest.approx(spread_of_octaves(hz, weight), rel=1e-3, abs=2e-3)


@pytest.mark.parametrize(
    "call",
    [
        lambda: describe_bands(np.zeros((0, 2)), 1),
        lambda: describe_bands(np.zeros((5, 2)), 2),
        lambda: describe_bands(np.zeros((4, 2)), 0),
        lambda: describe_bands(np.zeros((4, 2)), 2, first=0),
        lambda: spread_of_octaves(np.ones(2), np.ones(3)),
        lambda: spread_of_octaves(np.ones(2), np.ones(2), least=0.0),
        lambda: describe_course(np.zeros(0)),
        lambda: describe_course(np.zeros((2, 2))),
        lambda: describe_course(np.zeros(4), most=1),
        lambda: describe_course(np.zeros(4), floor_db=float("nan")),
    ],
)
def test_refuses_what_it_cannot_answer(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
