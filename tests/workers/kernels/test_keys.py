from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.naive import vectors as naive
from tests.workers.kernels.examples import chromas, gains, quick
from workers.errors import ParameterError
from workers.kernels.keys import correlate_chroma_with_profile, find_best_key_match, score_keys

MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""Krumhansl and Kessler's."""
types = st.sampled_from([np.float32, np.float64])


@quick
@given(chromas, chromas, types, types)
def test_is_pearsons_r(chroma, profile, first, second):
    a, b = chroma.astype(first), profile.astype(second)
    expected = naive.pearson(a.astype(float).tolist(), b.astype(float).tolist())
    assert correlate_chroma_with_profile(a, b) == pytest.approx(expected, abs=1e-9)


@quick
@given(chromas, chromas, gains)
def test_r_is_bounded_and_deaf_to_gain(chroma, profile, gain):
    r = correlate_chroma_with_profile(chroma, profile)
    assert -1 <= r <= 1
    assert correlate_chroma_with_profile(gain * chroma, profile) == r
    assert correlate_chroma_with_profile(profile, chroma) == pytest.approx(r, abs=1e-12)


@quick
@given(chromas, types)
def test_the_best_key_has_the_highest_score_of_24(chroma, dtype):
    chroma = chroma.astype(dtype)
    expected = naive.score_keys(chroma.astype(float).tolist(), MAJOR.tolist(), MINOR.tolist())
    np.testing.assert_allclose(score_keys(chroma, MAJOR, MINOR), expected, atol=1e-9)
    key_index, score, is_major = find_best_key_match(chroma, MAJOR, MINOR)
    assert score == pytest.approx(max(expected), abs=1e-9)
    assert expected[key_index + (0 if is_major else 12)] == pytest.approx(score, abs=1e-9)


@quick
@given(chromas, st.integers(0, 11))
def test_a_transposed_chroma_moves_the_tonic_by_the_same_interval(chroma, interval):
    ranked = np.sort(score_keys(chroma, MAJOR, MINOR))
    assume(ranked[-1] - ranked[-2] > 1e-9)
    key_index, score, is_major = find_best_key_match(chroma, MAJOR, MINOR)
    moved = find_best_key_match(np.roll(chroma, interval), MAJOR, MINOR)
    assert moved[0] == (key_index + interval) % 12
    assert moved[1] == pytest.approx(score)
    assert moved[2] == is_major


@quick
@given(chromas, gains)
def test_the_key_is_deaf_to_gain(chroma, gain):
    assert find_best_key_match(gain * chroma, MAJOR, MINOR) == find_best_key_match(chroma, MAJOR, MINOR)


@pytest.mark.parametrize("tonic", range(12))
def test_every_profile_is_its_own_best_key(tonic):
    assert find_best_key_match(np.roll(MAJOR, tonic), MAJOR, MINOR) == (tonic, pytest.approx(1), True)
    assert find_best_key_match(np.roll(MINOR, tonic), MAJOR, MINOR) == (tonic, pytest.approx(1), False)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_a_constant_chroma_has_no_key(value):
    flat = np.full(12, value)
    assert correlate_chroma_with_profile(flat, MAJOR) == 0.0
    assert correlate_chroma_with_profile(MAJOR, flat) == 0.0
    assert find_best_key_match(flat, MAJOR, MINOR) == (0, 0.0, True)
    np.testing.assert_array_equal(score_keys(flat, MAJOR, MINOR), np.zeros(24))


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_no_chroma_is_too_small_or_too_large(scale):
    chroma = np.roll(MINOR, 3)
    assert correlate_chroma_with_profile(chroma * scale, chroma) == pytest.approx(1)
    assert find_best_key_match(chroma * scale, MAJOR, MINOR) == (3, pytest.approx(1), False)
    assert score_keys(chroma * scale, MAJOR, MINOR)[15] == pytest.approx(1)


def test_other_types_are_converted():
    doubled = np.repeat(MAJOR, 2)[::2]
    for chroma in (MAJOR.tolist(), doubled, np.round(MAJOR * 100).astype(int)):
        assert correlate_chroma_with_profile(chroma, MAJOR) == pytest.approx(1)
        assert find_best_key_match(chroma, MAJOR, MINOR)[0] == 0


WRONG = [
    (np.ones(11), "chroma must have 12"),
    (np.ones(13, np.float32), "chroma must have 12"),
    ([], "chroma must be"),
    (np.ones((12, 1)), "chroma must be"),
    (None, "chroma must be"),
    (["C"] * 12, "real numbers"),
    ([float("nan")] * 12, "finite"),
    (np.array([np.inf, *range(11)]), "finite"),
]


@pytest.mark.parametrize(("chroma", "said"), WRONG)
def test_refuses(chroma, said):
    for call in (
        lambda: correlate_chroma_with_profile(chroma, MAJOR),
        lambda: find_best_key_match(chroma, MAJOR, MINOR),
        lambda: score_keys(chroma, MAJOR, MINOR),
    ):
        with pytest.raises(ParameterError, match=said):
            call()


def test_refuses_wrong_profiles():
    with pytest.raises(ParameterError, match="profile must have 12"):
        correlate_chroma_with_profile(MAJOR, MAJOR[:5])
    with pytest.raises(ParameterError, match="major_profile must have 12"):
        find_best_key_match(MAJOR, MAJOR[:5], MINOR)
    with pytest.raises(ParameterError, match="minor_profile must be finite"):
        find_best_key_match(MAJOR, MAJOR, MINOR * np.nan)
