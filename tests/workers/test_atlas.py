"""The map: what is alike lies together, and nothing moves."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers import atlas
from workers.model import ASPECTS, VECTOR_DIMENSIONS, VECTOR_VERSION


def sounds(n: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, VECTOR_DIMENSIONS)).astype(np.float32)


def test_the_atlas_is_of_the_vectors_there_are_now() -> None:
    known = atlas.load()
    assert known.space == VECTOR_VERSION
    assert known.landmarks.shape == (640, VECTOR_DIMENSIONS)
    assert np.abs(known.places).max() <= 1
    assert known.places.std(axis=0).min() > 0.4  # the whole sheet is used


def test_two_directions_agree_as_much_as_a_search_says() -> None:
    a, b = sounds(2)
    score = np.mean(
        [a[lo:hi] @ b[lo:hi] / np.linalg.norm(a[lo:hi]) / np.linalg.norm(b[lo:hi]) for lo, hi in ASPECTS.values()]
    )
    one, other = atlas.directions(np.stack([a, b]))
    assert np.isclose(one @ other, score, atol=1e-5)


def test_a_landmark_lies_where_it_was_laid() -> None:
    known = atlas.load()
    assert np.abs(atlas.place(known.landmarks) - known.places).max() < 0.12
    assert np.median(np.abs(atlas.place(known.landmarks) - known.places)) < 0.01


@given(st.integers(0, 40), st.integers(0, 5))
def test_a_place_does_not_depend_on_who_else_is_asked_for(n: int, seed: int) -> None:
    X = sounds(n, seed)
    together = atlas.place(X)
    assert together.shape == (n, 2)
    assert np.isfinite(together).all()
    assert np.abs(together).max(initial=0) <= 1
    for i in range(min(n, 3)):
        np.testing.assert_allclose(atlas.place(X[i : i + 1])[0], together[i], atol=1e-5)


def test_a_naive_twin_places_them_the_same() -> None:
    known, X = atlas.load(), sounds(5, 3)
    for vector, place in zip(atlas.directions(X), atlas.place(X), strict=True):
        apart = sorted((max(0.0, 2 - 2 * float(vector @ mark)), n) for n, mark in enumerate(known.landmarks))
        weights = [(each + 1e-3) ** -2 for each, _ in apart[: atlas.NEAREST]]
        mean = sum(w * known.places[n] for w, (_, n) in zip(weights, apart, strict=False)) / sum(weights)
        np.testing.assert_allclose(place, mean, atol=1e-4)


def test_how_loud_a_vector_is_does_not_matter() -> None:
    X = sounds(4)
    np.testing.assert_allclose(atlas.place(3 * X), atlas.place(X), atol=1e-4)


def test_what_is_packed_comes_back() -> None:
    known = atlas.load()
    again = atlas.unpack(json.loads(json.dumps(atlas.pack(known))))
    assert (again.space, again.version) == (known.space, known.version)
    np.testing.assert_allclose(again.landmarks, known.landmarks, atol=1e-6)
    np.testing.assert_array_equal(again.places, known.places)
