"""Which note a sound has: each chain beside what it is made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import harmonics, notes
from tests.naive import hearing as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.candidates import COLUMNS
from workers.kernels.harmonics import Windows
from workers.kernels.hearing import Hearing, hear, place_windows
from workers.kernels.verdict import NONE_COLUMNS, choose_note, describe_candidates, find_note

SR = 2000.0
WIDTH = COLUMNS + NONE_COLUMNS
LENGTHS = [1, 16, 64, 256]


def _heard(seed: int, f0: float) -> tuple[Hearing, np.ndarray, tuple[Any, ...]]:
    """Three windows of a note, the last without a partial; and the same for the twin."""
    rng = np.random.default_rng(seed)
    hz = (f0 * rng.integers(1, 12, (3, 6)) * (1 + 0.01 * rng.standard_normal((3, 6)))).astype(np.float32)
    level = -np.sort(-rng.random((3, 6), np.float32), axis=1)
    number, share = np.array([6, 4, 0]), rng.random(3, np.float32)
    weight, periods = rng.dirichlet(np.ones(3)), np.array([f0 * rng.uniform(0.9, 1.1), 0.0, f0 / 2])
    rows = rng.random((3, 60), np.float32)
    windows = [[(float(hz[t, i]), float(level[t, i])) for i in range(count)] for t, count in enumerate(number.tolist())]
    slow = windows, share.tolist(), weight.tolist(), periods.tolist(), rows.astype(float).tolist()
    return Hearing(hz, level, number, share, weight, periods), rows, slow


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 900), st.integers(1, 8))
def test_windows_lie_where_the_naive_twin_puts_them(seed: int, n: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.standard_normal(n) * np.exp(-np.arange(n) / rng.uniform(5, 500))).astype(np.float32)
    starts, length = place_windows(y, LENGTHS, most, step=8)
    assert (starts.tolist(), length) == naive.places(y.tolist(), LENGTHS, most, 8, 0.01)
    assert starts.min() >= 0
    assert starts.max() + length <= n


@quick
@given(st.integers(0, 2**32 - 1))
def test_hearing_agrees_with_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    power, rows = rng.random((2, 33), np.float32) ** 4, rng.standard_normal((2, 40)).astype(np.float32)
    found = hear(Windows(power, rows), SR, n_fft=64, most=5)
    assert found.weight == pytest.approx(naive.weights(power.astype(float).tolist()))
    for t in range(2):
        expected = harmonics.partials(power[t].astype(float).tolist(), SR / 64, 5, 24.0, 9000.0)
        count = int(found.number[t])
        assert np.stack([found.hz[t, :count], found.level[t, :count]], axis=1) == pytest.approx(
            np.array(expected).reshape(-1, 2), rel=1e-4
        )
        assert found.periods[t] == pytest.approx(notes.shortest_period(rows[t].astype(float).tolist(), SR, 4), rel=1e-4)


@quick
@given(st.integers(0, 2**32 - 1), st.floats(80, 500), st.booleans())
def test_candidates_are_described_as_by_the_naive_twin(seed: int, f0: float, some: bool) -> None:
    heard, rows, slow = _heard(seed, f0)
    hz = f0 * np.array([0.5, 1.0, 1.01, 3.0] if some else [])
    found = describe_candidates(heard, rows, hz, SR, 0.5)
    assert found == pytest.approx(np.array(naive.describe(*slow, hz.tolist(), SR, 0.5)), abs=1e-4)


@quick
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_the_note_chosen_is_that_of_the_naive_twin(likely: list[float], seed: int) -> None:
    p = np.array(likely) / (sum(likely) + 0.3)
    f0 = 100 * 2 ** (np.random.default_rng(seed).integers(0, 12, len(p)) / 24)
    best, sure = choose_note(p, f0, near=0.6)
    assert (best, pytest.approx(sure)) == naive.choose(p.tolist(), f0.tolist(), 0.6)
    assert p[best] <= sure <= 1
    assert choose_note(p, 3 * f0, near=0.6)[0] == best, "a transposed sound has the transposed note"


@quick
@given(st.integers(0, 2**32 - 1), st.floats(80, 500), st.sampled_from([math.nan, 45.0, 57.0]))
def test_the_note_found_is_that_of_the_naive_twin(seed: int, f0: float, named: float) -> None:
    heard, rows, slow = _heard(seed, f0)
    rng = np.random.default_rng(seed)
    model = np.stack([rng.random(WIDTH), 1 + rng.random(WIDTH), rng.standard_normal(WIDTH), np.full(WIDTH, 1.3)])
    written, gains, bounds = [named, 57.0], [2.0, 1.0, 0.7], [30.0, 900.0, 0.4, 0.6]
    found = find_note(heard, rows, SR, 0.5, model=model, written=written, gains=gains, bounds=bounds, first=8)
    expected = naive.note(*slow, SR, 0.5, model.tolist(), written, gains, bounds, 8)
    assert list(found) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_without_a_candidate_there_is_no_note() -> None:
    none = np.zeros((1, 4), np.float32)
    heard = Hearing(none, none, np.zeros(1, np.int64), none[0, :1], np.ones(1), np.zeros(1))
    model = np.ones((4, WIDTH))
    rest = {"model": model, "written": [math.nan], "gains": np.ones(3), "bounds": [30.0, 900.0, 0.4, 0.6], "first": 8}
    found = find_note(heard, np.ones((1, 60), np.float32), SR, 0.5, **rest)
    assert (found.likely, found.none, found.hz, found.moves) == (0, 1, 0, 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda h, r: place_windows(np.zeros((2, 2)), [1], 1),
        lambda h, r: place_windows(np.ones(4), [2, 4], 1),
        lambda h, r: place_windows(np.ones(4), [1], 0),
        lambda h, r: hear(Windows(r, r[:1]), SR, n_fft=64),
        lambda h, r: hear(Windows(r, r), SR, n_fft=64, fmin=9000.0),
        lambda h, r: describe_candidates(h, r[:2], [100.0], SR, 1.0),
        lambda h, r: describe_candidates(h, r, [0.0], SR, 1.0),
        lambda h, r: describe_candidates(h._replace(weight=np.ones(2)), r, [100.0], SR, 1.0),
        lambda h, r: choose_note(np.ones(2), np.ones(3), near=1.0),
        lambda h, r: choose_note([], [], near=1.0),
        lambda h, r: _find(h, r, model=np.ones((3, WIDTH))),
        lambda h, r: _find(h, r, gains=np.ones(2)),
        lambda h, r: _find(h, r, bounds=np.zeros(4)),
        lambda h, r: _find(h, r, first=60),
    ],
)
def test_refuses_what_it_cannot_answer(call: Any) -> None:
    heard, rows, _ = _heard(0, 100.0)
    with pytest.raises(ParameterError):
        call(heard, rows)


def _find(heard: Hearing, rows: np.ndarray, **other: Any) -> None:
    usual = {"model": np.ones((4, WIDTH)), "written": [1.0], "gains": np.ones(3), "bounds": np.ones(4), "first": 0}
    find_note(heard, rows, SR, 1.0, **(usual | other))
