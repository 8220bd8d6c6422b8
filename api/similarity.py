"""Similarity by aspect: neighbours from the index, compared again aspect by aspect."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.errors import Problem, refuse_field
from workers.model import ASPECTS, VECTOR_DIMENSIONS

Vector = Sequence[float]
_BYTES: Final = 4 * VECTOR_DIMENSIONS
_NOTHING: Final = 1e-9
"""A shorter vector says nothing: single precision would make it zero or noise."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two sounds are: the weighted mean, and the cosine of each aspect (``None``: not comparable)."""

    score: float
    aspects: Mapping[str, float | None]


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


def likeness(query: Vector, other: Vector, weights: Mapping[str, float]) -> Likeness:
    """Compare two vectors.

    ``score = sum_a w_a cos_a / sum_a w_a`` over the aspects with a weight; one of which `other` says nothing counts
    0 and is shown as ``None``.
    """
    cosines = {name: cosine(query[slice(*span)], other[slice(*span)]) for name, span in ASPECTS.items()}
    total = sum(weights.values())
    score = sum(weight * (cosines[name] or 0.0) for name, weight in weights.items()) / total
    return Likeness(score, cosines)


def cosine(x: Vector, y: Vector) -> float | None:
    """Cosine of the angle between two vectors, -1 to 1; ``None`` where one of them is (almost) zero."""
    of_x, of_y = norm(x), norm(y)
    if min(of_x, of_y) < _NOTHING or not math.isfinite(of_x + of_y):
        return None
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(x, y, strict=True)) / (of_x * of_y)))


def norm(x: Vector) -> float:
    """Euclidean length."""
    return math.hypot(*x)
