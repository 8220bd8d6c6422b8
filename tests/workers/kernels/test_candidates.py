"""What speaks for and against each fundamental."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import candidates as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.candidates import COLUMNS, weigh_candidates
from workers.kernels.harmonics import Partials

SR = 2000.0


def _sound(seed: int, f0: float) -> tuple[Partials, list[list[tuple[float, float]]]]:
    """Three windows of a note, the last without a partial."""
    rng = np.random.default_rng(seed)
    hz = (f0 * rng.integers(1, 12, (3, 6)) * (1 + 0.01 * rng.standard_normal((3, 6)))).astype(np.float32)
    level = -np.sort(-rng.random((3, 6), np.float32), axis=1)
    number = np.array([6, 4, 0])
    windows = [[(float(hz[t, i]), float(level[t, i])) for i in range(count)] for t, count in enumerate(number.tolist())]
    return Partials(hz, level, number, np.ones(3, np.float32)), windows


@quick
@given(st.integers(0, 2**32 - 1), st.floats(80, 500))
def test_agrees_with_the_naive_twin(seed: int, f0: float) -> None:
    partials, windows = _sound(seed, f0)
    rng = np.random.default_rng(seed)
    weight, periods = rng.dirichlet(np.ones(3)), np.array([f0 * rng.uniform(0.9, 1.1), 0.0, f0 / 2])
    periodicity = rng.random((3, 60), np.float32)
    some = f0 * np.array([0.5, 1.0, 1.01, 3.0])
    found = weigh_candidates(partials, weight, periods, periodicity, some, SR)
    assert found.shape == (4, COLUMNS)
    rest = windows, weight.tolist(), periods.tolist(), periodicity.astype(float).tolist()
    for row, hz in zip(found, some.tolist(), strict=True):
        assert row == pytest.approx(naive.row(*rest, hz, SR), abs=1e-4)


def test_the_note_itself_explains_more_than_its_octave() -> None:
    hz = np.array([[110.0, 220.0, 330.0, 440.0]], np.float32)
    partials = Partials(hz, np.ones((1, 4), np.float32), np.array([4]), np.ones(1, np.float32))
    own, octave = weigh_candidates(partials, [1.0], [110.0], np.ones((1, 60)), [110.0, 220.0], SR)
    assert own[0] == pytest.approx(1)
    assert octave[0] < 0.6
    assert own[17] == pytest.approx(own[0] - octave[0])
    assert (own[12], octave[12]) == (1, 0)


def test_no_candidates_are_no_rows() -> None:
    partials, _ = _sound(0, 100.0)
    assert weigh_candidates(partials, np.ones(3), np.ones(3), np.ones((3, 9)), [], SR).shape == (0, COLUMNS)


@pytest.mark.parametrize(
    "wrong",
    [{"weight": np.ones(2)}, {"periods": np.ones(4)}, {"periodicity": np.ones((2, 9))}, {"f0": [0.0]}, {"sr": 0.0}],
)
def test_refuses_what_it_cannot_answer(wrong: dict[str, Any]) -> None:
    partials, _ = _sound(0, 100.0)
    given = {"weight": np.ones(3), "periods": np.ones(3), "periodicity": np.ones((3, 9)), "f0": [100.0], "sr": SR}
    with pytest.raises(ParameterError):
        weigh_candidates(partials, **(given | wrong))
