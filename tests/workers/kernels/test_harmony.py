"""How few notes and chords a sound has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import harmony as naive
from tests.workers.kernels.examples import chromas, gains, quick
from workers.errors import ParameterError
from workers.kernels.harmony import describe_harmony


def _chords(seed: int, frames: int, n: int = 24) -> np.ndarray[Any, np.dtype[np.float32]]:
    weights = np.random.default_rng(seed).random((frames, n)) ** 6
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([1, 4, 24]), chromas)
def test_agrees_with_the_naive_twin(seed: int, frames: int, n: int, classes: Any) -> None:
    chords = _chords(seed, frames, n)
    found = describe_harmony(chords, classes)
    assert found.notes == pytest.approx(naive.notes(classes.tolist()))
    assert list(found[1:]) == pytest.approx(naive.harmony(chords.tolist(), classes.tolist()))


@quick
@given(st.integers(0, 2**32 - 1), chromas, st.integers(1, 11), gains)
def test_a_transposed_or_louder_sound_is_the_same(seed: int, classes: Any, shift: int, gain: float) -> None:
    chords = _chords(seed, 3)
    moved = np.concatenate([np.roll(chords[:, :12], shift, axis=1), np.roll(chords[:, 12:], shift, axis=1)], axis=1)
    plain, other = describe_harmony(chords, classes), describe_harmony(moved, gain * np.roll(classes, shift))
    assert other.notes == pytest.approx(plain.notes)
    assert list(other[1:]) == pytest.approx(list(plain[1:]))


def test_one_note_is_uneven_and_all_alike_are_even() -> None:
    chords = np.eye(1, 24, dtype=np.float32)
    one, alike = describe_harmony(chords, np.eye(1, 12)[0]), describe_harmony(chords, np.ones(12))
    assert one.evenness < 0.01
    assert alike.evenness == pytest.approx(1, abs=0.01)
    assert one.chord == one.six_chords == 1
    assert one.entropy == pytest.approx(0, abs=1e-4)
    assert not describe_harmony(chords, np.zeros(12)).notes.any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: describe_harmony(np.zeros((0, 24)), np.ones(12)),
        lambda: describe_harmony(np.ones(24), np.ones(12)),
        lambda: describe_harmony(np.ones((1, 24)), np.ones(11)),
    ],
)
def test_refuses_what_it_cannot_answer(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
