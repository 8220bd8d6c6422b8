"""What a sound is like, as learned models ask for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import portrait as naive
from tests.workers.kernels.examples import quick
from workers.analysis import instrument, kind
from workers.errors import ParameterError
from workers.kernels.course import describe_course
from workers.kernels.envelopes import describe_shape
from workers.kernels.portrait import (
    ONE_SHOT,
    WHOLE,
    Compared,
    Said,
    Struck,
    Tonal,
    describe_one_shot,
    describe_whole,
)

seeds = st.integers(0, 2**32 - 1)


def _seen(seed: int, count: int, silent: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    e = rng.random(60)
    classes = np.zeros(12) if silent else rng.random(12)
    return {
        "struck": Struck(np.sort(3 * rng.random(count)), 20 * rng.random(count), rng.standard_normal(60), 50),
        "tonal": Tonal(rng.dirichlet(np.ones(24), 3).astype(np.float32), classes, rng.dirichlet(np.ones(12)), 0.4),
        "compared": Compared(np.linspace(3, 80, 9), np.array([1.0, 2.0]), np.array([1.0, 0.5]), *rng.random((2, 12))),
        "shape": describe_shape(e),
        "course": describe_course(e),
        "centroid_hz": 900.0,
        "flatness": 0.02,
    }


def _slow(duration_s: float, seen: dict[str, Any]) -> list[float]:
    struck, tonal, compared = seen["struck"], seen["tonal"], seen["compared"]
    arrays = [struck.times, struck.strengths, struck.mix, tonal.chords.astype(float), tonal.classes, tonal.register]
    times, strengths, mix, chords, classes, register = (x.tolist() for x in arrays)
    teeth = list(zip(compared.beats.tolist(), compared.gains.tolist(), strict=True))
    profiles = [compared.major.tolist(), compared.minor.tolist()]
    shape, course = seen["shape"]._asdict(), seen["course"]._asdict()
    known = (struck.n_frames, chords, classes, register, tonal.tonalness, compared.lags.tolist(), teeth, profiles)
    return naive.whole(duration_s, times, strengths, mix, *known, shape, course, 900.0, 0.02)


@quick
@given(seeds, st.integers(0, 7), st.floats(0, 4), st.booleans())
def test_a_whole_sound_is_described_as_by_the_naive_twin(
    seed: int, count: int, duration_s: float, silent: bool
) -> None:
    seen = _seen(seed, count, silent)
    found = describe_whole(duration_s, **seen)
    assert found.shape == (WHOLE,) == (len(kind.INPUTS),)
    assert found == pytest.approx(np.array(_slow(duration_s, seen)), rel=1e-6, abs=1e-6)


@quick
@given(seeds, st.integers(-11, 11))
def test_a_transposed_sound_is_the_same_but_for_its_register(seed: int, shift: int) -> None:
    seen = _seen(seed, 5)
    turned = seen["tonal"]._replace(classes=np.roll(seen["tonal"].classes, shift))
    assert describe_whole(2.0, **{**seen, "tonal": turned}) == pytest.approx(describe_whole(2.0, **seen), abs=1e-9)


@quick
@given(seeds)
def test_a_one_shot_is_described_as_by_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = Said(*rng.random(len(Said._fields)).tolist())
    rest = 30 * rng.random(7), rng.standard_normal(13), rng.random(13), rng.dirichlet(np.ones(12))
    mel = rng.random((12, 9), np.float32)
    found = describe_one_shot(said, *rest, mel)
    assert found.shape == (ONE_SHOT,) == (len(instrument.INPUTS),)
    expected = naive.one_shot(said, *(x.tolist() for x in rest), mel.astype(float).tolist())
    assert found == pytest.approx(np.array(expected), rel=1e-5, abs=1e-6)
    assert describe_one_shot(said, *rest, 4 * mel) == pytest.approx(found), "deaf to gain"


@pytest.mark.parametrize(
    "wrong",
    [
        {"struck": Struck(np.ones(2), np.ones(3), np.ones(60), 50)},
        {"struck": Struck(np.ones(2), np.ones(2), np.ones(20), 50)},
        {"tonal": Tonal(np.ones((1, 24), np.float32), np.ones(11), np.ones(12), 0.0)},
        {"compared": Compared(np.ones(2), np.ones(2), np.ones(1), np.ones(12), np.ones(12))},
        {"compared": Compared(np.ones(0), np.ones(2), np.ones(2), np.ones(12), np.ones(12))},
    ],
)
def test_refuses_a_whole_that_does_not_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        describe_whole(1.0, **{**_seen(0, 3), **wrong})


@pytest.mark.parametrize("sizes", [(6, 13, 13, 12, 12), (7, 12, 13, 12, 12), (7, 13, 13, 11, 12), (7, 13, 13, 12, 7)])
def test_refuses_a_one_shot_that_does_not_fit(sizes: tuple[int, ...]) -> None:
    said = Said(*np.ones(len(Said._fields)).tolist())
    *vectors, rows = sizes
    with pytest.raises(ParameterError):
        describe_one_shot(said, *(np.ones(n) for n in vectors), np.ones((rows, 2), np.float32))
