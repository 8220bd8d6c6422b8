"""Files that claim more than they have, and files that do not."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.analysis.resolution import Resolution, find_false_resolution


def noise(seconds: float, sr: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal((round(seconds * sr), 2))).clip(-1, 1).astype(np.float32)


def in_bits(y: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    steps = 2.0 ** (bits - 1)
    return (np.rint(y.astype(np.float64) * steps) / steps).astype(np.float32)


def codes(y: NDArray[np.float32], sr: int, subtype: str) -> list[str]:
    return [each.code for each in find_false_resolution(y, sr, subtype)]


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_sixteen_bits_in_a_larger_file_are_told(subtype: str) -> None:
    y = noise(1.0, 44_100)
    assert codes(in_bits(y, 16), 44_100, subtype) == ["padded_bits"]
    assert codes(in_bits(y, 24), 44_100, subtype) == []


def test_one_sample_that_uses_its_bits_is_enough() -> None:
    y = in_bits(noise(2.0, 44_100), 16)
    y[-1, 1] += np.float32(2.0**-23)
    assert codes(y, 44_100, "PCM_24") == []


def test_a_file_of_sixteen_bits_claims_no_more() -> None:
    assert codes(in_bits(noise(1.0, 44_100), 16), 44_100, "PCM_16") == []


def test_silence_has_no_resolution_to_be_false() -> None:
    assert codes(np.zeros((96_000, 2), np.float32), 96_000, "PCM_24") == []


@pytest.mark.parametrize(("made", "claimed"), [(44_100, 96_000), (44_100, 88_200), (48_000, 96_000), (48_000, 192_000)])
@pytest.mark.parametrize("quality", ["HQ", "VHQ"])
def test_what_was_sampled_up_is_told_with_where_it_breaks_off(made: int, claimed: int, quality: str) -> None:
    y = soxr.resample(noise(1.5, made), made, claimed, quality=quality).astype(np.float32)
    [found] = find_false_resolution(y, claimed, "FLOAT")
    assert found.code == "upsampled"
    assert found.amount is not None
    assert 0.44 * made < found.amount < 0.53 * made
    assert f"{found.amount / 1000:.1f} kHz" in found.message


def test_what_falls_off_by_itself_was_not_sampled_up() -> None:
    y = noise(1.5, 96_000)
    assert codes(y, 96_000, "FLOAT") == []
    # 18 dB an octave from 8 kHz on, as of a dull microphone
    spectrum = np.fft.rfft(y, axis=0)
    f = np.fft.rfftfreq(len(y), 1 / 96_000)
    dull = np.fft.irfft(spectrum * (1 / (1 + (f / 8000) ** 3))[:, None], len(y), axis=0).astype(np.float32)
    assert codes(dull, 96_000, "FLOAT") == []


def test_a_bass_was_not_sampled_up_only_because_it_is_low() -> None:
    t = np.arange(96_000) / 96_000
    low = (0.5 * np.sin(2 * np.pi * 55 * t) * np.exp(-3 * t))[:, None].astype(np.float32)
    hiss = np.random.default_rng(1).uniform(-1, 1, (96_000, 1)) * 2.0**-23
    assert codes((low + hiss).astype(np.float32), 96_000, "PCM_24") == []


def test_a_common_rate_claims_nothing() -> None:
    y = soxr.resample(noise(1.0, 22_050), 22_050, 44_100).astype(np.float32)
    assert codes(y, 44_100, "FLOAT") == []


@given(cut=st.integers(1, 4), seed=st.integers(0, 5))
def test_in_stretches_it_says_the_same(cut: int, seed: int) -> None:
    y = soxr.resample(noise(0.5, 44_100, seed), 44_100, 96_000).astype(np.float32)
    seen = Resolution(96_000, "PCM_24")
    for part in np.array_split(y, cut):
        seen.take(part)
    assert [each.code for each in seen.defects()] == ["upsampled"]


def test_one_window_is_the_least_that_is_judged() -> None:
    y = soxr.resample(noise(0.5, 44_100), 44_100, 96_000).astype(np.float32)
    assert codes(y[:8191], 96_000, "FLOAT") == []
