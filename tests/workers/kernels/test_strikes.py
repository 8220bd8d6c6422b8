"""When and how hard a sound is struck."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import strikes as naive
from tests.workers.kernels.examples import gains, quick
from workers.errors import ParameterError
from workers.kernels.strikes import describe_strikes

Doubles = np.ndarray[tuple[int], np.dtype[np.float64]]


def _onsets(seed: int, n: int) -> tuple[Doubles, Doubles]:
    rng = np.random.default_rng(seed)
    return np.sort(rng.random(n) * 4), rng.random(n) ** 2 + 0.01


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.sampled_from([0.0, 0.3, 1.0]))
def test_agrees_with_the_naive_twin(seed: int, n: int, share: float) -> None:
    times, strengths = _onsets(seed, n)
    found = describe_strikes(times, strengths, share=share)
    assert list(found) == pytest.approx(naive.strikes(times.tolist(), strengths.tolist(), share), nan_ok=True)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), gains)
def test_deaf_to_gain(seed: int, n: int, gain: float) -> None:
    times, strengths = _onsets(seed, n)
    assert list(describe_strikes(times, gain * strengths)) == pytest.approx(
        list(describe_strikes(times, strengths)), nan_ok=True
    )


@quick
@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_a_later_sound_is_as_even_and_as_far_apart(seed: int, n: int) -> None:
    times, strengths = _onsets(seed, n)
    now, later = describe_strikes(times, strengths), describe_strikes(times + 1, strengths)
    assert later.last == pytest.approx(now.last + 1)
    assert [later.between, later.unevenness] == pytest.approx([now.between, now.unevenness], nan_ok=True)


def test_a_metronome_is_even_and_silence_has_nothing() -> None:
    found = describe_strikes(np.arange(8.0), np.ones(8))
    assert (found.between, found.unevenness, found.strong_unevenness, found.second) == (1, 0, 0, 1)
    nothing = describe_strikes(np.zeros(0), np.zeros(0))
    assert not any(nothing[:6])
    assert np.isnan(nothing[6:]).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: describe_strikes(np.zeros(2), np.zeros(3)),
        lambda: describe_strikes(np.zeros((2, 2)), np.zeros(4)),
        lambda: describe_strikes(np.zeros(2), np.zeros(2), share=-1.0),
    ],
)
def test_refuses_what_it_cannot_answer(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
