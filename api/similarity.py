"""Similarity by aspect: neighbours from the index, compared again aspect by aspect."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.errors import Problem, refuse_field
from workers.model import ASPECTS, VECTOR_DIMENSIONS

Vector = Sequence[float]
Doubles = NDArray[np.float64]
_BYTES: Final = 4 * VECTOR_DIMENSIONS
_NOTHING: Final = 1e-9
"""A shorter vector says nothing: single precision would make it zero or noise."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two sounds are: the weighted mean, the cosine of each aspect (``None``: not comparable), and how
    much of the score each brings."""

    score: float
    aspects: Mapping[str, float | None]
    shares: Mapping[str, float]


def unpack(vector: bytes) -> Vector:
    """A kept vector as numbers; `Problem` (422) where the sound has none, being silent."""
    if len(vector) != _BYTES:
        raise Problem(422, "no_vector", "This sample is silent: there is nothing to compare it by.")
    return struct.unpack(f"<{VECTOR_DIMENSIONS}f", vector)


def unit(numbers: Vector) -> Vector:
    """A client's vector, made unit length; `Problem` (422) for one that points nowhere."""
    length = norm(numbers)
    if length < _NOTHING:
        raise Problem(422, "no_vector", "This vector is zero: there is nothing to compare it by.")
    return [number / length for number in numbers]


def pack(vector: Vector) -> bytes:
    """Numbers as a kept vector."""
    return struct.pack(f"<{VECTOR_DIMENSIONS}f", *vector)


def weights_of(aspects: Mapping[str, float] | None, query: Vector) -> dict[str, float]:
    """The weight of each aspect in which `query` says anything. All alike where none is asked for.

    Raises
    ------
    Problem
        422: an aspect that there is not, all weights 0, or nothing of the sound in any aspect asked for.
    """
    asked = dict.fromkeys(ASPECTS, 1.0) if aspects is None else dict(aspects)
    for name in asked:
        if name not in ASPECTS:
            raise refuse_field("aspects", f"there is no aspect {name[:40]!r}; there are {', '.join(ASPECTS)}")
    wanted = {name: weight for name, weight in asked.items() if weight > 0}
    if not wanted:
        raise refuse_field("aspects", "at least one weight must be greater than 0")
    said = {name: weight for name, weight in wanted.items() if norm(query[slice(*ASPECTS[name])]) > _NOTHING}
    if not said:
        raise refuse_field("aspects", f"this sound has nothing to compare in {', '.join(wanted)}")
    return said


def leaning(query: Vector, weights: Mapping[str, float]) -> bytes:
    """The vector to ask the index with: each aspect scaled by its weight, so that candidates are near where it counts.

    The inner product with a kept vector is then the weighted sum of the aspects' own.
    """
    most = max(weights.values())
    scaled = [0.0] * VECTOR_DIMENSIONS
    for name, weight in weights.items():
        for at in range(*ASPECTS[name]):
            scaled[at] = query[at] * weight / most
    return pack(scaled)


def middle(vectors: Sequence[Vector]) -> Vector:
    """What several sounds have in common: in each aspect the mean of their directions, so that each counts as much as
    the others, also one that is further out. `Problem` (422) where they point away from each other in every aspect.
    """
    units, _ = _directions(np.array(vectors, dtype=np.float64))
    return unit([float(number) for number in units.mean(axis=0)])


def compare(query: Vector, vectors: Mapping[str, bytes], weights: Mapping[str, float]) -> dict[str, Likeness]:
    """Compare one vector with many.

    ``score = sum_a w_a cos_a / sum_a w_a`` over the aspects with a weight; one of which a sound says nothing counts
    0 and is shown as ``None``. Vectors that are none are left out.
    """
    whole = {one: vector for one, vector in vectors.items() if len(vector) == _BYTES}
    if not whole:
        return {}
    others, said = _directions(matrix(whole.values()))
    ours, ours_said = _directions(np.array([query], dtype=np.float64))
    total = sum(weights.values())
    products = others * ours[0]
    cosines = {name: np.clip(products[:, slice(*span)].sum(axis=1), -1, 1) for name, span in ASPECTS.items()}
    known = said & ours_said[0]
    found = {}
    for row, one in enumerate(whole):
        cos = {name: float(cosines[name][row]) if known[row, at] else None for at, name in enumerate(ASPECTS)}
        shares = {name: weights.get(name, 0.0) * (value or 0.0) / total for name, value in cos.items()}
        found[one] = Likeness(math.fsum(shares.values()), cos, shares)
    return found


def quantised(vectors: Mapping[str, bytes]) -> dict[str, bytes]:
    """Each aspect's direction as signed bytes, 127 long; vectors that are none are left out."""
    whole = {one: vector for one, vector in vectors.items() if len(vector) == _BYTES}
    units, _ = _directions(matrix(whole.values()))
    rows = np.rint(127 * units).astype(np.int8)
    return {one: row.tobytes() for one, row in zip(whole, rows, strict=True)}


def bearings(vectors: Iterable[bytes], weights: Mapping[str, float]) -> Doubles:
    """Rows whose inner product is the score of two of these vectors, (n, 128)."""
    units, _ = _directions(matrix(vectors))
    scale = np.zeros(VECTOR_DIMENSIONS)
    total = sum(weights.values())
    for name, weight in weights.items():
        scale[slice(*ASPECTS[name])] = math.sqrt(weight / total)
    return units * scale


def matrix(vectors: Iterable[bytes]) -> Doubles:
    """Kept vectors as rows, (n, 128)."""
    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(-1, VECTOR_DIMENSIONS).astype(np.float64)


def _directions(X: Doubles) -> tuple[Doubles, NDArray[np.bool_]]:
    """Each aspect of each row at length 1, or 0 where the row says nothing of it; and where it does, (n, aspects)."""
    units, said = np.zeros_like(X), np.zeros((len(X), len(ASPECTS)), dtype=bool)
    X = np.where(np.isfinite(X), X, 0.0)
    for at, span in enumerate(ASPECTS.values()):
        part = X[:, slice(*span)]
        lengths = np.sqrt((part * part).sum(axis=1))
        said[:, at] = lengths >= _NOTHING
        units[:, slice(*span)] = part / np.where(said[:, at], lengths, np.inf)[:, None]
    return units, said


def norm(x: Vector) -> float:
    """Euclidean length."""
    return math.hypot(*x)
