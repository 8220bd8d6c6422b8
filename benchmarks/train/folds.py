"""Folds by piece: nothing is judged by a model that heard another excerpt of the same piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

FOLDS = 6


def folds(pieces: Sequence[str]) -> NDArray[np.int64]:
    """The fold of each, 0 to FOLDS - 1; the same for everything of one piece."""
    names = sorted(set(pieces))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[at]: i % FOLDS for i, at in enumerate(order)}
    return np.array([fold[piece] for piece in pieces])


def by_slice(slices: Iterable[str], hits: Iterable[bool]) -> dict[str, tuple[float, int]]:
    """Share right and number of each slice, and of ALL."""
    found: dict[str, list[bool]] = {"ALL": []}
    for name, hit in zip(slices, hits, strict=True):
        found["ALL"].append(hit)
        found.setdefault(name, []).append(hit)
    return {name: (float(np.mean(part)) if part else 0.0, len(part)) for name, part in sorted(found.items())}


def show(title: str, slices: Iterable[str], hits: Iterable[bool]) -> None:
    """One line: the share that is right, by slice."""
    parts = (f"{name} {100 * share:.1f} of {n}" for name, (share, n) in by_slice(slices, hits).items())
    print(f"{title}: {', '.join(parts)}")
