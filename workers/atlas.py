"""The map: a place for every sound, the same in every library.

Landmarks, sounds of the training library, were laid out by t-SNE (van der Maaten and Hinton 2008) so that what a search
finds alike lies close together. Any other sound lies among the landmarks it is most like. So nothing moves when sounds
are added, no library has to be laid out as a whole, and the way to the hats is the same tomorrow.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.model import ASPECTS, VECTOR_DIMENSIONS

TABLE = Path(__file__).parent / "analysis" / "learned" / "atlas.json"
NEAREST = 6
"""Landmarks that say where a sound lies."""
_NO_CLOSER = 1e-3
_STEPS = 127

Floats = NDArray[np.float32]


class Atlas(NamedTuple):
    """Landmarks and where they lie."""

    space: int
    """Of the vectors that it is for: `workers.model.VECTOR_VERSION` then."""
    version: int
    """Places of different versions are not to be compared."""
    landmarks: Floats
    """Directions, as `directions` makes them; (n_landmarks, 128)."""
    places: Floats
    """(n_landmarks, 2), each -1 to 1."""


def directions(vectors: Floats) -> Floats:
    """Vectors, (n, 128), with each aspect of the same length, so that ``a @ b`` is the score of a search."""
    made = np.zeros_like(vectors, dtype=np.float32)
    for low, high in ASPECTS.values():
        part = vectors[:, low:high]
        made[:, low:high] = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9)
    return made / np.float32(len(ASPECTS) ** 0.5)


def place(vectors: Floats, atlas: Atlas | None = None) -> Floats:
    """Where sounds lie: the mean of their nearest landmarks' places, the nearer the weightier.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, 128)
    atlas : Atlas or None
        By default the one that comes with the analyser.

    Returns
    -------
    places : ndarray of float32, shape (n, 2)
        Each -1 to 1.
    """
    atlas = load() if atlas is None else atlas
    if not len(vectors):
        return np.zeros((0, 2), np.float32)
    apart = np.maximum(2 - 2 * directions(vectors) @ atlas.landmarks.T, 0)
    nearest = np.argpartition(apart, NEAREST - 1, axis=1)[:, :NEAREST]
    weights = (np.take_along_axis(apart, nearest, axis=1) + _NO_CLOSER) ** -2.0
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("nk,nkd->nd", weights, atlas.places[nearest]), np.float32)


@lru_cache(maxsize=1)
def load() -> Atlas:
    """The atlas that comes with the analyser."""
    return unpack(json.loads(TABLE.read_text("utf-8")))


def pack(atlas: Atlas) -> dict[str, object]:
    """For a file: places and directions in steps of their 127th part."""
    top = float(np.abs(atlas.landmarks).max())
    return {
        "space": atlas.space,
        "version": atlas.version,
        "top": top,
        "landmarks": _text(atlas.landmarks / top * _STEPS, np.int8),
        "places": _text(atlas.places * (1 << 15), np.int16),
    }


def unpack(table: dict[str, object]) -> Atlas:
    """What `pack` made."""
    landmarks = np.frombuffer(base64.b64decode(str(table["landmarks"])), np.int8).reshape(-1, VECTOR_DIMENSIONS)
    places = np.frombuffer(base64.b64decode(str(table["places"])), "<i2").reshape(-1, 2)
    top = np.float32(float(str(table["top"])) / _STEPS)
    space, version = (int(str(table[name])) for name in ("space", "version"))
    return Atlas(space, version, landmarks * top, (places / np.float32(1 << 15)).astype(np.float32))


def _text(numbers: Floats, kind: type[np.int8] | type[np.int16]) -> str:
    limits = np.iinfo(kind)
    return base64.b64encode(np.rint(numbers).clip(limits.min, limits.max).astype(kind).tobytes()).decode("ascii")
