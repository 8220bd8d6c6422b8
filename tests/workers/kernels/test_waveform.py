"""One walk over a waveform."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import waveform as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.decimate import center_halved, halve
from workers.kernels.waveform import TILE, Ends, Surveyor, survey_waveform
from workers.kernels.waveform import find_ends as find_ends_of_peaks
from workers.kernels.weighting import CHUNK


def signal(seed: int, n: int, channels: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, channels)).astype(np.float32)


def find_ends(y: np.ndarray, **wanted: float) -> Ends:
    return find_ends_of_peaks(y, survey_waveform(y, 8000).peaks, **wanted)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.integers(1, 4))
def test_mix_agrees_with_the_naive_twin(seed: int, n: int, channels: int) -> None:
    y = signal(seed, n, channels)
    mono, sums, energies, peak = naive.mix(y.astype(float).tolist())
    mixed = survey_waveform(y, 8000)
    assert np.allclose(mixed.mono, mono, atol=1e-6)
    assert np.allclose(mixed.sums, sums, atol=1e-3)
    assert np.allclose(mixed.energies, energies, rtol=1e-4, atol=1e-4)
    assert mixed.peak == pytest.approx(peak)
    assert mixed.mono_energy == pytest.approx(sum(x * x for x in mono), rel=1e-4, abs=1e-5)
    by_chunk = [np.abs(y[begin : begin + CHUNK]).max() for begin in range(0, n, CHUNK)]
    assert mixed.peaks.tolist() == by_chunk


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 2500), st.integers(1, 3), st.sampled_from([0.0, 0.5, 0.9]))
def test_ends_agree_with_the_naive_twin(seed: int, n: int, channels: int, ceiling: float) -> None:
    y = np.round(signal(seed, n, channels) * 3) / 3
    assert tuple(find_ends(y, threshold=0.6, ceiling=ceiling, run=3)) == naive.ends(y.tolist(), 0.6, ceiling, 3)


def test_a_run_over_the_border_of_two_blocks_counts_once() -> None:
    y = np.zeros((2 * TILE, 1), np.float32)
    y[TILE - 2 : TILE + 3] = 1
    assert tuple(find_ends(y, threshold=0.5, ceiling=1.0)) == (TILE - 2, TILE + 3, 1, TILE - 2)


def test_silence_has_no_ends() -> None:
    assert tuple(find_ends(np.zeros((10, 2), np.float32), threshold=0.0)) == (10, 0, 0, -1)


def test_equal_channels_mix_to_themselves() -> None:
    y = signal(1, 5000, 1)
    assert np.array_equal(survey_waveform(np.repeat(y, 2, axis=1), 44_100).mono, y[:, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: survey_waveform(np.zeros((0, 2)), 44_100),
        lambda: survey_waveform(np.zeros(5), 44_100),
        lambda: survey_waveform(np.zeros((5, 1)), 0),
        lambda: find_ends_of_peaks(np.zeros((65, 1)), np.zeros(1), threshold=0.1),
        lambda: find_ends(np.zeros((0, 1)), threshold=0.1),
        lambda: find_ends(np.zeros((4, 1)), threshold=-1.0),
        lambda: find_ends(np.zeros((4, 1)), threshold=0.1, run=1),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]


@pytest.mark.parametrize("n", [1, 2, 57, 116, 117, TILE - 1, TILE, TILE + 60, 3 * TILE + 1])
def test_the_halved_mix_is_the_mix_halved(n: int) -> None:
    y = signal(n, n, 2)
    whole = halve(survey_waveform(y, 44_100).mono)
    assert np.allclose(survey_waveform(y, 44_100, halved=True).mono, whole.y, atol=1e-6)


@pytest.mark.parametrize("n", [1, 30, 31, 200, 3 * TILE + 1])
def test_an_offset_can_be_taken_away_later(n: int) -> None:
    y = signal(n, n, 1)[:, 0]
    now, later = halve(y, offset=0.3), halve(y).y
    peak = center_halved(later, n, 0.3)
    assert np.allclose(later, now.y, atol=1e-6)
    assert peak == pytest.approx(now.peak, abs=1e-6)


def test_what_nobody_hears_is_silence() -> None:
    y = np.full((5000, 2), 1e-39, np.float32)
    seen = survey_waveform(y, 44_100)
    assert not seen.mono.any()
    assert seen.peak == 0
    assert not seen.powers.any()


@quick
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6000),
    st.lists(st.integers(1, 3), max_size=3),
    st.sampled_from([(1, 8000, False), (2, 44_100, True), (3, 44_100, True), (2, 22_050, False)]),
)
def test_stretches_say_what_the_whole_says(seed: int, rest: int, tiles: list[int], form: tuple[int, int, bool]) -> None:
    channels, sr, halved = form
    edges = np.cumsum([0, *(TILE * count for count in tiles)]).tolist()
    y = signal(seed, edges[-1] + rest, channels)
    whole = survey_waveform(y, sr, halved=halved)
    surveyor = Surveyor(channels, sr, halved=halved)
    parts = [surveyor.take(y[a:b], last=False) for a, b in pairwise(edges)]
    parts.append(surveyor.take(y[edges[-1] :]))
    assert np.array_equal(np.concatenate([part.mono for part in parts]), whole.mono)
    assert np.array_equal(np.concatenate([part.peaks for part in parts]), whole.peaks)
    assert np.allclose(sum(part.sums for part in parts), whole.sums)
    assert np.allclose(sum(part.energies for part in parts), whole.energies)
    assert sum(part.mono_energy for part in parts) == pytest.approx(whole.mono_energy)
    assert parts[-1].true_peak == whole.true_peak
    powers = np.zeros(len(whole.powers))
    for begin, part in zip(edges, parts, strict=True):
        powers[begin // whole.step :][: len(part.powers)] += part.powers
    assert np.allclose(powers, whole.powers)


def test_stretches_are_refused_that_do_not_fit() -> None:
    surveyor = Surveyor(2, 44_100)
    for y in (np.zeros((TILE, 1)), np.zeros((TILE + 1, 2)), np.zeros((0, 2))):
        with pytest.raises(ParameterError):
            surveyor.take(y, last=False)
    with pytest.raises(ParameterError):
        Surveyor(0, 44_100)
    with pytest.raises(ParameterError):
        Surveyor(1, 0)
