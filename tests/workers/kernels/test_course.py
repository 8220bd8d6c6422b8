"""How a sound goes on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import course as naive
from tests.workers.kernels.examples import gains, quick
from workers.errors import ParameterError
from workers.kernels.course import PARTS, describe_course

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


@pytest.mark.parametrize(
    "call",
    [
        lambda: describe_course(np.zeros(0)),
        lambda: describe_course(np.zeros((2, 2))),
        lambda: describe_course(np.zeros(4), most=1),
        lambda: describe_course(np.zeros(4), floor_db=float("nan")),
    ],
)
def test_refuses_what_it_cannot_answer(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
